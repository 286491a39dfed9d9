"""Sessions on the `python` engine: what quickcover.Session has of the C extension elsewhere.

A place is a line or an arc of a file, or an event's key.  An example's hits are taken out of the
records when it begins and ends; the records keep them for a coverage run around the session.
It does what csrc/py/qc_session.h tells, but for thread="current" and the buffer protocol.
"""

from __future__ import annotations

import gc
import hashlib
import warnings
import weakref
from array import array
from collections.abc import Hashable, Iterable
from itertools import islice
from types import TracebackType
from typing import Literal, NamedTuple

from quickcover import _env
from quickcover.pure.store import RECORDS, Record, Store


class SessionError(RuntimeError):
    """A session was misused, or could not measure; the message says what was wrong."""


class _Place(NamedTuple):
    """What an id stands for: a line, an arc, or an event, which has no file."""

    filename: str
    line: int
    to_line: int | None = None
    key: Hashable = None


class _Atlas:
    """The ids of this process."""

    def __init__(self) -> None:
        self.places: list[_Place] = []
        self._ids: dict[_Place, int] = {}

    def id_of(self, place: _Place) -> int:
        """The id of a place, which gets one when it is asked for the first time."""
        found = self._ids.get(place)
        if found is None:
            found = self._ids[place] = len(self.places)
            self.places.append(place)
        return found


_ATLAS = _Atlas()


class _SessionStore(Store):
    """Tells a session the places that are hit."""

    def __init__(self, session: Session, *, branch: bool) -> None:
        super().__init__(branch=branch)
        self._session = session
        self._touched: list[Record] = []

    def collect(self, *, anew: bool = False) -> None:
        """Tell what was hit since the last time; hits are always taken."""
        if not self.measuring or self.decide is None:
            return
        for record in list(RECORDS.by_key.values()):
            if not record.lend():
                continue
            name = self.decide(record.filename, record.names)
            if name is None:
                continue
            self._touched.append(record)
            if self.branch:
                places = [
                    _Place(name, line, None if line == to_line else to_line)
                    for line, to_line in record.arcs_of(record.since)
                ]
            else:
                places = [_Place(name, line) for line in record.lines_of(record.since)]
            self._session._hit(places)

    def begin(self) -> None:
        """What was hit so far is of no account for what is hit from now on."""
        for record in self._touched:
            record.since = []
        self._touched = []

    def skip(self) -> None:
        """What was hit since the last time was in a pause: it is told, but of no account."""
        since = [(record, record.since) for record in RECORDS.by_key.values()]
        self.collect()
        for record, hits in since:
            record.since = hits

    def fail(self, error: BaseException) -> None:
        """Keep the first error; what could not be seen is told at once."""
        if isinstance(error, RuntimeWarning):
            warnings.warn(error, stacklevel=2)
        else:
            super().fail(error)


class Session:
    """The part of quickcover.Session that knows what was hit."""

    _store: _SessionStore | None = None

    def __init__(self, *, branch: bool, rearm: bool, in_place: bool, map_size: int) -> None:
        """Prepare it; see quickcover.Session.  (`in_place` is of interest in C alone.)"""
        self._with_arcs = branch
        self._rearm = rearm
        self._is_open = False
        self._counters = memoryview(bytearray(map_size))
        self._seen: set[int] = set()
        self._log: dict[int, bool] = {}  # by id: is it new in the session?
        self._paused_at: int | None = None  # the length of the log then
        self._names: dict[str, str] = {}
        self._hashes: dict[int, int] = {}
        self._running: weakref.ref[Example] | None = None
        self._store = _SessionStore(self, branch=branch)

    def _ready(self) -> _SessionStore:
        if self._store is None:
            raise RuntimeError("Session.__init__() was not called")
        return self._store

    def _hit(self, places: Iterable[_Place]) -> None:
        """Log places that were hit."""
        for place in places:
            number = _ATLAS.id_of(place)
            if number in self._log or (number in self._seen and not self._rearm):
                continue
            self._log[number] = number not in self._seen
            self._seen.add(number)
            self._counters[number % len(self._counters)] = 1

    # ------------------------------------------------------------------------- results

    @property
    def seen(self) -> memoryview:
        """Every id seen so far: sorted unsigned 32-bit numbers, a copy."""
        self._ready().collect()
        return _numbers(self._seen)

    @property
    def counters(self) -> memoryview:
        """A writable byte for each id, modulo their number: a hit sets it to 1."""
        self._ready().collect()
        return self._counters

    def lines(self) -> set[tuple[str, int]]:
        """Return all lines seen so far, as {(file name, line)}."""
        self._ready().collect()
        return _lines(self._seen)

    def arcs(self) -> set[tuple[str, int, int]]:
        """Return all arcs seen so far, as {(file name, from, to)}."""
        self._ready().collect()
        return self._arcs(self._seen)

    def _arcs(self, ids: Iterable[int]) -> set[tuple[str, int, int]]:
        if not self._with_arcs:
            raise SessionError("there are no arcs: the session measures lines alone (branch=False)")
        places = [_ATLAS.places[number] for number in ids]
        return {
            (p.filename, p.line, p.line if p.to_line is None else p.to_line)
            for p in places
            if p.filename
        }

    def _location(self, number: int) -> tuple[str, int, int | None, str, Hashable]:
        if not isinstance(number, int):
            raise TypeError(f"an id is an integer, not {type(number).__name__}")
        self._ready().collect()
        if number not in self._seen:
            raise KeyError(number)
        place = _ATLAS.places[number]
        kind = "event" if not place.filename else "line" if place.to_line is None else "arc"
        return (place.filename, place.line, place.to_line, kind, place.key)

    def _fingerprint(self, ids: Iterable[int]) -> int:
        found = 0
        count = 0
        for number in ids:
            found ^= self._hash(number)
            count += 1
        return (found or 1) if count else 0

    def _hash(self, number: int) -> int:
        """What a place is for fingerprints: the same in every process."""
        found = self._hashes.get(number)
        if found is None:
            place = _ATLAS.places[number]
            name = self._names.get(place.filename, place.filename)
            key = "" if place.filename else repr(place.key)
            told = repr((_env.version(), name, place.line, place.to_line, key))
            digest = hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=8)
            found = self._hashes[number] = int.from_bytes(digest.digest(), "big")
        return found

    # ------------------------------------------------------------------------ measuring

    def example(self) -> Example:
        """Return a new Example, to be used once in a with statement."""
        self._ready()
        return Example(self)

    def event(self, key: Hashable, /) -> int:
        """Count `key` as a place that was hit now; return its id."""
        self._ready()
        if not self._is_open:
            raise SessionError("the session isn't open: use it in a with statement")
        place = _Place("", 0, None, key)
        self._hit([place])
        return _ATLAS.id_of(place)

    def _open(self, traced: bool, *, tool: int = 0, current: bool = False) -> None:
        self._is_open = True

    def _close(self) -> None:
        """Let no more examples begin."""
        self._is_open = False
        self._raise_error()

    def _raise_error(self) -> None:
        error = self._ready().take_error()
        if error is not None:
            raise SessionError(
                f"quickcover stopped measuring after an error, data is missing: {error!r}"
            ) from error

    def _name_file(self, filename: str, name: str) -> None:
        """Make `name` stand for the file in fingerprints."""
        self._names[filename] = name

    def _example_runs(self) -> bool:
        if self._running is None or self._running() is None:
            return False
        gc.collect()  # it may have been dropped
        return self._running() is not None

    def _begin(self, example: Example) -> None:
        if not self._is_open:
            raise SessionError("the session isn't open: use it in a with statement")
        if self._example_runs():
            raise SessionError(
                "there is an example already: examples can't be nested, nor run side by side in "
                "threads or tasks"
            )
        self._raise_error()
        store = self._ready()
        store.collect()
        if self._rearm:
            store.begin()
        self._log = {}
        self._paused_at = None
        self._running = weakref.ref(example)

    def _pause(self) -> None:
        if self._paused_at is None:
            self._ready().collect()
            self._paused_at = len(self._log)

    def _resume(self) -> None:
        if self._paused_at is not None:
            self._ready().skip()
            while len(self._log) > self._paused_at:
                self._log.popitem()
            self._paused_at = None

    def _logged(self) -> list[int]:
        if self._paused_at is None:
            self._ready().collect()
        return list(self._log)[: self._paused_at]

    def _end(self) -> dict[int, bool]:
        self._pause()
        self._running = None
        return dict(islice(self._log.items(), self._paused_at))


class Example:
    """One example of a session, and what it hit.  See Session.example()."""

    def __init__(self, session: Session) -> None:
        """Session.example() does this."""
        self._session = session
        self._entered = False
        self._hits: dict[int, bool] | None = None

    def __init_subclass__(cls) -> None:
        """It is final."""
        raise TypeError("type 'Example' is not an acceptable base type")

    def __enter__(self) -> Example:
        """Begin.  Raises SessionError if that can't be now; the message says why."""
        if self._entered:
            raise SessionError("an example can be entered only once: call session.example() again")
        self._session._begin(self)
        self._entered = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> Literal[False]:
        """End.  Raises SessionError if hits are missing, unless the block itself raised."""
        self._hits = self._running()._end()
        if kind is None:
            self._session._raise_error()
        return False

    def _running(self) -> Session:
        if not self._entered or self._hits is not None:
            raise SessionError("the example isn't running")
        return self._session

    def _pause(self) -> None:
        """What is hit from now on doesn't belong to the example; it can pause twice."""
        self._running()._pause()
        self._session._raise_error()

    def _resume(self) -> None:
        """Go on after a pause; what was hit meanwhile can be hit again."""
        self._running()._resume()
        self._session._raise_error()

    @property
    def _logged(self) -> int:
        return len(self._running()._logged())

    def _so_far(self, count: int, /) -> memoryview:
        """Return the first `count` ids, in the order of the hits."""
        return memoryview(array("I", self._running()._logged()[:count]).tobytes()).cast("I")

    def _covered(self, count: int, /) -> tuple[set[tuple[str, int]], set[tuple[str, int, int]]]:
        """Return the lines and the arcs of the first `count` ids."""
        ids = self._running()._logged()[:count]
        return _lines(ids), self._session._arcs(ids)

    def _told(self) -> dict[int, bool]:
        if self._hits is None:
            raise SessionError("an example has its results when it is over")
        return self._hits

    @property
    def new(self) -> int:
        """How many ids were never seen before in this session."""
        return sum(self._told().values())

    @property
    def ids(self) -> memoryview:
        """What it hit: sorted unsigned 32-bit numbers, read-only."""
        return _numbers(self._told())

    @property
    def fingerprint(self) -> int:
        """A 64-bit hash of the set, the same in every process for the same sources."""
        return self._session._fingerprint(self._told())

    def lines(self) -> set[tuple[str, int]]:
        """Return the lines of this example, as {(file name, line)}."""
        return _lines(self._told())

    def arcs(self) -> set[tuple[str, int, int]]:
        """Return the arcs of this example, as {(file name, from, to)}."""
        return self._session._arcs(self._told())


def _numbers(ids: Iterable[int]) -> memoryview:
    """Sorted unsigned 32-bit numbers."""
    return memoryview(array("I", sorted(ids)).tobytes()).cast("I")


def _lines(ids: Iterable[int]) -> set[tuple[str, int]]:
    """The lines of all places."""
    found: set[tuple[str, int]] = set()
    for number in ids:
        place = _ATLAS.places[number]
        for line in (place.line, place.to_line or 0):
            if line > 0:
                found.add((place.filename, line))
    return found
