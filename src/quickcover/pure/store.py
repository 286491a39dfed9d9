"""What was instrumented, and what it told.

A `Record` belongs to the bytecode of a code object at one place of one file; code compiled again
from there shares it.  All records are in one `Records`: code stays instrumented when measuring
ends, and tells its hits to nobody then.  A `Store` is what one of coverage.py's collectors gets:
while it is the one that measures, it makes lines and arcs of the records' hits.
"""

from __future__ import annotations

import weakref
from array import array
from collections.abc import Callable, Iterator, Mapping
from types import CodeType
from typing import Any

from quickcover.pure import bytecode, plan
from quickcover.pure.rewrite import CHUNK, NAMES, Rewritten

#: So many records are made before it is looked which of them are still in use.
_SWEEP = 4096


class Record:
    """One code object's bytecode: with probes, and what they mean."""

    __slots__ = ("arcs", "codes", "filename", "last", "lines", "names", "rewritten")

    def __init__(
        self, code: CodeType, module: Mapping[str, Any], called: Callable[..., Any]
    ) -> None:
        """Plan and write the code."""
        decoded = bytecode.decode(code)
        planned = plan.make(code, decoded)
        self.filename = code.co_filename
        #: What coverage.py may ask of the module when it decides about the file.
        self.names = {name: module.get(name) for name in ("__name__", "__file__")}
        self.lines = planned.lines
        self.arcs = planned.arcs
        self.rewritten = Rewritten(code, decoded, planned, called)
        #: The code objects that tell their hits to this record.
        self.codes: list[weakref.ref[CodeType]] = []
        #: The hits when it was looked the last time.
        self.last: list[int] = []

    def applied(self, code: CodeType, constants: tuple[Any, ...]) -> CodeType:
        """The code object with probes."""
        instrumented = self.rewritten.applied(code, constants)
        self.codes = [reference for reference in self.codes if reference() is not None]
        self.codes.append(weakref.ref(instrumented))
        return instrumented

    def clear(self) -> None:
        """Forget all hits."""
        self.last = []
        probes = self.rewritten.probes
        for hits in self.rewritten.hits:
            for name in NAMES[:probes]:
                setattr(hits, name, 0)
            probes -= len(NAMES)

    def take(self) -> list[int]:
        """The hits, which are forgotten.

        What is hit meanwhile is among them, or is kept for the next time.
        """
        self.last = []
        found = self.hits()
        for probe, hit in enumerate(found):
            if hit:
                setattr(self.rewritten.hits[probe // CHUNK], NAMES[probe % CHUNK], 0)
        return found

    def hits(self) -> list[int]:
        """A 0 or 1 for each probe."""
        probes = self.rewritten.probes
        found: list[int] = []
        for hits in self.rewritten.hits:
            found += [getattr(hits, name) for name in NAMES[: probes - len(found)]]
        return found

    def lines_of(self, hits: list[int]) -> Iterator[int]:
        """The lines that these hits mean."""
        return (line for line, probe in self.lines if hits[probe])

    def arcs_of(self, hits: list[int]) -> set[tuple[int, int]]:
        """The arcs that they mean, and (n, n) for a line that is in none of them."""
        arcs = {(a, b) for a, b, probes in self.arcs if all(hits[probe] for probe in probes)}
        told = {line for arc in arcs for line in arc}
        arcs.update((line, line) for line in self.lines_of(hits) if line not in told)
        return arcs


class Records:
    """All records of the process."""

    def __init__(self) -> None:
        """There are none."""
        self.by_key: dict[tuple[Any, ...], Record] = {}
        self._sweep_at = _SWEEP

    def record(
        self, code: CodeType, module: Mapping[str, Any], called: Callable[..., Any]
    ) -> Record:
        """The record of a code object."""
        key = _key(code)
        found = self.by_key.get(key)
        if found is None:
            found = self.by_key[key] = Record(code, module, called)
        return found

    def clear(self) -> None:
        """Forget all hits."""
        for record in list(self.by_key.values()):
            record.clear()

    def crowded(self) -> bool:
        """Are there many more records than there were after the last sweep?"""
        return len(self.by_key) >= self._sweep_at

    def sweep(self) -> None:
        """Drop the records whose code objects are gone; their hits must have been collected."""
        for key, record in list(self.by_key.items()):
            if all(reference() is None for reference in record.codes):
                del self.by_key[key]
        self._sweep_at = max(_SWEEP, 2 * len(self.by_key))


def _key(code: CodeType) -> tuple[Any, ...]:
    """All that the probes depend on."""
    return (
        code.co_filename, code.co_name, code.co_firstlineno, code.co_code, code.co_linetable,
        code.co_exceptiontable, code.co_flags, code.co_names, len(code.co_consts),
        code.co_argcount, code.co_kwonlyargcount,
    )  # fmt: skip


#: The records of this process.
RECORDS = Records()


class Store:
    """Everything that one collector records: lines, or arcs with branches."""

    def __init__(self, *, branch: bool = False) -> None:
        """Make an empty one."""
        self.branch = branch
        #: Code began to run since the last reset.
        self.activity = False
        #: The function that decides: the source file name to record a file under, or None.
        self.decide: Callable[[str, Mapping[str, Any]], str | None] | None = None
        #: Hits are told to this store.
        self.measuring = False
        self._known: dict[str, set[Any]] = {}
        self._fresh: dict[str, list[Any]] = {}
        self._error: BaseException | None = None

    def collect(self, *, anew: bool = False) -> None:
        """Make lines or arcs of the hits that came since the last time.

        Args:
            anew: forget the hits, so that they can come again.
        """
        if not self.measuring or self.decide is None:
            return
        for record in list(RECORDS.by_key.values()):
            last = record.last
            hits = record.take() if anew else record.hits()
            if 1 not in hits or hits == last:
                continue
            name = self.decide(record.filename, record.names)
            if name is not None:
                places = record.arcs_of(hits) if self.branch else set(record.lines_of(hits))
                self._add(name, places)
            if not anew:
                record.last = hits

    def _add(self, name: str, places: set[Any]) -> None:
        known = self._known.setdefault(name, set())
        fresh = places - known
        if fresh:
            known |= fresh
            self._fresh.setdefault(name, []).extend(fresh)

    def drain(self, packed: bool = False) -> dict[str, Any]:
        """Return what was recorded since the last drain; packed, as C ints.

        Returns:
            {source file name: lines}, or {source file name: arcs} with branches.
        """
        self.collect()
        fresh, self._fresh = self._fresh, {}
        if not packed:
            return fresh
        return {name: array("i", self._flat(places)).tobytes() for name, places in fresh.items()}

    def _flat(self, places: list[Any]) -> list[int]:
        return [line for arc in places for line in arc] if self.branch else places

    def renew(self) -> None:
        """Forget what was drained, and see every place again."""
        self.collect(anew=True)
        self._known = {name: set(places) for name, places in self._fresh.items()}

    def sweep(self) -> None:
        """Let go of the records of code that is gone."""
        self.collect()
        RECORDS.sweep()

    def fail(self, error: BaseException) -> None:
        """Keep the first error, or what could not be seen."""
        if self._error is None:
            self._error = error

    def take_error(self) -> BaseException | None:
        """Return the first error that measuring ran into, or None, and forget it."""
        error, self._error = self._error, None
        return error

    def stats(self) -> dict[str, int]:
        """Return figures about what is recorded."""
        return {"files": len(self._known), "records": len(RECORDS.by_key)}
