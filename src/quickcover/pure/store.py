"""What was instrumented, and what it told.

A `Record` belongs to the bytecode of a code object at one place of one file; code compiled again
from there shares it.  All records are in one `Records`: code stays instrumented when measuring
ends, and tells its hits to nobody then.  A `Store` is what one of coverage.py's collectors gets:
while it is the one that measures, it makes lines and arcs of the records' hits.
"""

from __future__ import annotations

import marshal
import weakref
from array import array
from collections.abc import Callable, Iterator, Mapping
from types import CodeType
from typing import Any, NamedTuple

from quickcover.pure.cache import CACHE, Key, Layout
from quickcover.pure.hits import Mark, clear, erase, read
from quickcover.pure.rewrite import Rewritten, lay_out

#: So many records are made before it is looked which of them are still in use.
_SWEEP = 4096


class _Places(NamedTuple):
    """What the probes of a code object mean; see `plan.Plan`."""

    lines: list[tuple[int, int]]
    arcs: list[tuple[int, int, tuple[int, ...]]]


class Record:
    """One code object's bytecode: with probes, and what they mean."""

    __slots__ = (
        "_packed", "_places", "filename", "last", "lent", "marks", "names", "rewritten", "since",
    )  # fmt: skip

    def __init__(
        self,
        filename: str,
        layout: Layout,
        module: Mapping[str, Any],
        called: Callable[..., Any],
    ) -> None:
        """Make one of code that was laid out."""
        self.filename = filename
        #: What coverage.py may ask of the module when it decides about the file.
        self.names = {name: module.get(name) for name in ("__name__", "__file__")}
        self.rewritten = Rewritten(layout, called)
        self._packed = layout.places
        self._places: _Places | None = None
        #: The marks of the code objects that tell their hits to this record.
        self.marks: list[weakref.ref[Mark]] = []
        #: The hits when it was looked the last time.
        self.last: list[int] = []
        #: Hits that a session has taken; they still count for the store.
        self.lent: list[int] = []
        #: Those of them that belong to the session's example.
        self.since: list[int] = []

    def applied(self, code: CodeType, constants: tuple[Any, ...]) -> CodeType:
        """The code object with probes."""
        mark = Mark()
        if self.marks:
            self.marks = [reference for reference in self.marks if reference() is not None]
        self.marks.append(weakref.ref(mark))
        return self.rewritten.applied(code, constants, mark)

    def clear(self) -> None:
        """Forget all hits."""
        self.last = self.lent = self.since = []
        clear(self.rewritten.hits, self.rewritten.probes)

    def take(self) -> list[int]:
        """The hits, which are forgotten.

        What is hit meanwhile is among them, or is kept for the next time.
        """
        self.last = []
        found = _either(self._erased(), self.lent)
        self.lent = []
        return found

    def lend(self) -> bool:
        """Take the hits for a session; were there any?"""
        found = self._erased()
        if 1 not in found:
            return False
        self.lent = _either(found, self.lent)
        self.since = _either(found, self.since)
        return True

    def hits(self) -> list[int]:
        """A 0 or 1 for each probe."""
        return _either(self._set(), self.lent)

    def _erased(self) -> list[int]:
        """The probes, where no 1 stays that is told here."""
        found = self._set()
        for probe, hit in enumerate(found):
            if hit:
                erase(self.rewritten.hits, probe)
        return found

    def _set(self) -> list[int]:
        """The probes as they stand in the code."""
        return read(self.rewritten.hits, self.rewritten.probes)

    @property
    def places(self) -> _Places:
        """What the probes mean; most code is never asked for it before measuring ends."""
        if self._places is None:
            self._places = _Places(*marshal.loads(self._packed))
        return self._places

    def lines_of(self, hits: list[int]) -> Iterator[int]:
        """The lines that these hits mean."""
        return (line for line, probe in self.places.lines if hits[probe])

    def arcs_of(self, hits: list[int]) -> set[tuple[int, int]]:
        """The arcs that they mean, and (n, n) for a line that is in none of them."""
        arcs = {(a, b) for a, b, probes in self.places.arcs if all(hits[probe] for probe in probes)}
        told = {line for arc in arcs for line in arc}
        arcs.update((line, line) for line in self.lines_of(hits) if line not in told)
        return arcs


def _either(hits: list[int], more: list[int]) -> list[int]:
    """A 1 where one of two has it; the second may be empty."""
    return [one | other for one, other in zip(hits, more, strict=True)] if more else hits


class Records:
    """All records of the process."""

    def __init__(self) -> None:
        """There are none."""
        self.by_key: dict[tuple[str, Key], Record] = {}
        #: The store of the session that measures; it is told before hits are forgotten.
        self.session: Store | None = None
        self._sweep_at = _SWEEP

    def record(
        self, code: CodeType, module: Mapping[str, Any], called: Callable[..., Any]
    ) -> Record:
        """The record of a code object."""
        key = layout_key(code)
        filename = code.co_filename
        found = self.by_key.get((filename, key))
        if found is None:
            layout = CACHE.find(filename, key)
            if layout is None:
                layout = lay_out(code)
                CACHE.keep(filename, key, layout)
            found = self.by_key[filename, key] = Record(filename, layout, module, called)
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
            if all(reference() is None for reference in record.marks):
                del self.by_key[key]
        self._sweep_at = max(_SWEEP, 2 * len(self.by_key))


def layout_key(code: CodeType) -> Key:
    """All that the probes of a code object depend on, and what they mean."""
    return (
        code.co_name, code.co_firstlineno, code.co_code, code.co_linetable,
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
        if anew and RECORDS.session is not None:
            RECORDS.session.collect()
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

    def turn(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Drain, packed, and renew; the second has what other threads hit meanwhile."""
        before = self.drain(packed=True)
        self.renew()
        return before, self.drain(packed=True)

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
