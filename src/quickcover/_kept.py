"""What was recorded and is not yet in the data file: each context's, one after the other.

A suite with a context for each test has thousands of contexts, with a hundred lines or arcs each.
One by one, each costs a transaction of its own in coverage.py's data file; here they are kept in
memory, packed, and written together: a new data file as a whole (`csrc/core/qc_database.c`), or
many rows with one statement of SQLite.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quickcover import _datafile, _engines, _env, _gc

if TYPE_CHECKING:
    from types import ModuleType

_TOGETHER = 240  # rows of one statement: SQLite before 3.32 allows 999 values
_INSERT = "INSERT OR IGNORE INTO arc (file_id, context_id, fromno, tono) VALUES "
_ROW = "(?, ?, ?, ?)"
_WORTH = 10_000  # bytes of lines and arcs: fewer SQLite writes as fast
_SCHEMA_ROOT = 1
_CHANGES = 24  # where a data file has how often SQLite changed it

#: What is in a data file, in an order that doesn't change: that of `arc` is its index's, which
#: SQLite goes along.  (Another order would give another hash, so no data would be taken for the
#: same.)
_CONTENT = (
    "SELECT id, path FROM file ORDER BY id",
    "SELECT id, context FROM context ORDER BY id",
    "SELECT file_id, context_id, numbits FROM line_bits ORDER BY file_id, context_id",
    "SELECT file_id, context_id, group_concat(fromno || ' ' || tono) FROM arc"
    " GROUP BY file_id, context_id ORDER BY file_id, context_id",
    "SELECT file_id, tracer FROM tracer ORDER BY file_id",
)

#: A context, and what was recorded in it: files, and packed lines or arcs (C ints).
Part = tuple[str | None, Mapping[str, bytes]]


class Kept:
    """A list of parts, and how many bytes of lines and arcs they have."""

    def __init__(self, sqldata: ModuleType) -> None:
        """Make an empty one.

        Args:
            sqldata: coverage.py's module that knows data files.
        """
        self._sqldata = sqldata
        self.parts: list[Part] = []
        self.size = 0

    def add(self, context: str | None, recorded: Mapping[str, bytes]) -> None:
        """Keep what was recorded in a context."""
        self.parts.append((context, recorded))
        self.size += sum(map(len, recorded.values()))

    def write(self, covdata: Any, branch: bool, file_name: Callable[[str], str]) -> bool:
        """Write all to the data file, and keep nothing more; was there anything?

        Args:
            covdata: a CoverageData of coverage.py.
            branch: are there arcs, or lines?
            file_name: gives the data file's name of a file; two may be given the same.

        Raises:
            whatever coverage.py raises; then all is kept, and may be written again.
        """
        parts, self.parts = self.parts, []
        size, self.size = self.size, 0
        if not parts:
            return False
        try:
            with covdata._lock, _gc.held():
                if not _is_new(covdata) or not self._write_whole(parts, covdata, branch, file_name):
                    self._write(parts, covdata, branch, file_name)
        except BaseException:
            self.parts[:0] = parts
            self.size += size
            raise
        return True

    def _write(
        self, parts: list[Part], covdata: Any, branch: bool, file_name: Callable[[str], str]
    ) -> None:
        if len(parts) > 1 and hasattr(type(covdata), "_hash_data"):
            covdata._hash_data = partial(_hash_of, covdata, self._sqldata.Hasher)
        current = covdata._current_context
        (covdata.add_arcs if branch else covdata.add_lines)({})  # makes the data file
        try:
            with covdata._connect() as connection:  # one transaction for all
                renamed = _renamed(parts, file_name)
                (_write_arcs if branch else _write_lines)(covdata, connection, renamed)
        finally:
            _begin(covdata, current)

    def _write_whole(
        self, parts: list[Part], covdata: Any, branch: bool, file_name: Callable[[str], str]
    ) -> bool:
        """Write a new data file under another name, then rename it: it is whole, or not there.

        coverage.py writes without a journal, so a file that it was killed in is damaged.

        Returns:
            False if that can't be done; then coverage.py does it, and tells what is wrong.
        """
        state = {name: getattr(covdata, name) for name in ("_filename", "_has_arcs", "_has_lines")}
        own = f"{os.getpid()}.{os.urandom(4).hex()}"
        unfinished = covdata._filename = _datafile.unfinished_name(state["_filename"], own)
        try:
            if not self._put(parts, covdata, branch, file_name):
                self._write(parts, covdata, branch, file_name)
            os.replace(unfinished, state["_filename"])
            covdata._filename = state["_filename"]
            # They are closed, and open the file that they are told.  New ones would look at it as
            # at one of others, and import urllib for it; on 3.13, an import while the interpreter
            # ends may have it forget that Ctrl-C ended the program (coveragepy/coveragepy#2362).
            for database in covdata._dbs.values():
                database.filename = covdata._filename
        except BaseException as error:
            covdata._reset()
            vars(covdata).update(state)
            with contextlib.suppress(OSError):
                os.unlink(unfinished)
            if isinstance(error, MemoryError) or not isinstance(error, Exception):
                raise
            return False
        return True

    def _put(
        self, parts: list[Part], covdata: Any, branch: bool, file_name: Callable[[str], str]
    ) -> bool:
        """Have coverage.py make an empty data file, and replace it by one with all, without SQLite.

        Returns:
            False if it isn't worth it, or we don't know such files.
        """
        small = sum(len(packed) for _, files in parts for packed in files.values()) < _WORTH
        if small or not _env.current().extension or _engines.native_problem() is not None:
            return False
        items = _datafile.items_of(_datafile.tables_of(self._sqldata.SCHEMA))
        if not items:
            return False
        content = _Content(_renamed(parts, file_name))
        (covdata.add_arcs if branch else covdata.add_lines)({})
        path = covdata._filename
        made = content.made(Path(path).read_bytes(), items, branch)
        os.unlink(path)
        _datafile.create(path, made)
        covdata._file_map = content.files
        if hasattr(covdata, "_hasher"):  # coverage.py 7.17.0
            content.add_to(covdata._hasher)
        elif getattr(covdata, "_our_suffix", False):
            content.add_to(whole := self._sqldata.Hasher())
            covdata._hash_data = partial(_hash_of, covdata, self._sqldata.Hasher, whole)
        return True


class _Content:
    """What a data file is to have."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self.files: dict[str, int] = {}
        self._contexts: dict[str, int] = {}
        self._hits: list[tuple[int, int, bytes]] = []
        for context, recorded in parts:
            for name, packed in recorded.items():
                file = self.files.setdefault(name, len(self.files) + 1)
                number = self._contexts.setdefault(context or "", len(self._contexts) + 1)
                self._hits.append((file, number, packed))
        self._hits.sort(key=itemgetter(0, 1))

    def made(self, empty: bytes, items: Any, branch: bool) -> bytes:
        """Make it of an empty one.

        Args:
            empty: as coverage.py makes it: what it says about itself is kept.
            items: of its list of tables.
            branch: are there arcs, or lines?

        Raises:
            ValueError: that can't be read.
        """
        native = _engines.load_native()

        def table(root: int) -> list[tuple[Any, ...]]:
            rows: list[tuple[Any, ...]] | None = native.data_rows(empty, root)
            if rows is None:
                raise ValueError("an odd data file")
            return rows

        roots = {row[1]: row[3] for row in table(_SCHEMA_ROOT)}
        made: bytes = native.data_file(
            items,
            table(roots["coverage_schema"])[0][0],
            table(roots["meta"]),
            [*self.files],
            [*self._contexts],
            [],
            self._hits,
            branch,
        )
        return made

    def add_to(self, hasher: Any) -> None:
        """Add all to a hash."""
        hasher.update(repr([[*self.files], [*self._contexts]]))
        for file, context, packed in self._hits:
            hasher.update(f"{file} {context}")
            hasher.update(packed)


def _is_new(covdata: Any) -> bool:
    """Is the data file not there yet, or to be replaced?"""
    if covdata._no_disk or covdata._debug.should("dataio"):
        return False
    if covdata._pid != os.getpid():
        covdata._start_using()  # a forked process may get a file of its own
    if covdata._dbs:
        return False
    return not covdata._have_used or not os.path.exists(covdata._filename)


def _hash_of(covdata: Any, hasher: Any, whole: Any = None) -> Any:
    """A hash of what is in the data file, in place of coverage.py's `_hash_data`.

    That has Python make text of each arc, of which there are as many as there are contexts times
    arcs.  Here SQLite makes it.  It serves to tell the same data files from others.

    Args:
        covdata: a CoverageData.
        hasher: the class of hashes.
        whole: the hash of what we wrote, if SQLite hasn't changed it since.
    """
    if whole is not None and _changes(covdata._filename) == 1:
        return whole
    found = hasher()
    with covdata._connect() as connection:
        for query in _CONTENT:
            found.update(query)
            with connection.execute(query) as rows:
                while some := rows.fetchmany(1000):
                    found.update(repr(some))
    return found


def _changes(path: str) -> int:
    """How often was a data file changed?  It is made with 1."""
    with open(path, "rb") as file:
        return int.from_bytes(file.read(_CHANGES + 4)[_CHANGES:], "big")


def _renamed(parts: Iterable[Part], file_name: Callable[[str], str]) -> Iterator[Part]:
    """The same with the file names that the data file wants."""
    for context, recorded in parts:
        renamed: dict[str, bytes] = {}
        for filename, packed in recorded.items():
            name = file_name(filename)
            renamed[name] = renamed.get(name, b"") + packed
        yield context, renamed


def _write_lines(covdata: Any, connection: Any, parts: Iterable[Part]) -> None:
    """Write lines; in the data file those of a file and context are one value."""
    for context, recorded in parts:
        _begin(covdata, context)
        covdata.add_lines({name: _numbers(packed).tolist() for name, packed in recorded.items()})


def _write_arcs(covdata: Any, connection: Any, parts: Iterable[Part]) -> None:
    """Write arcs, as `CoverageData.add_arcs` does, but many at once.

    In the order of the table's index, which takes three quarters of the time.
    """
    hasher = getattr(covdata, "_hasher", None)  # coverage.py 7.16
    pieces: list[tuple[int, int, bytes]] = []
    for context, recorded in parts:
        if not recorded:
            continue
        _begin(covdata, context)
        covdata._set_context_id()
        for name, packed in recorded.items():
            if hasher is not None:
                hasher.update(name)
                hasher.update(packed)
            pieces.append((covdata._file_id(name, add=True), covdata._current_context_id, packed))
    pieces.sort(key=itemgetter(0, 1))
    rows: list[int] = []
    for file, context_id, packed in pieces:
        arcs = _numbers(packed)
        mine = [file, context_id, 0, 0] * (len(arcs) // 2)
        mine[2::4], mine[3::4] = arcs[::2], arcs[1::2]
        rows += mine
        if len(rows) >= _TOGETHER * 4:
            rows = _insert(connection, rows, _TOGETHER)
    _insert(connection, rows, 1)


def _numbers(packed: bytes) -> memoryview[int]:
    return memoryview(packed).cast("i")


def _begin(covdata: Any, context: str | None) -> None:
    """Have what is added next belong to a context."""
    if context != covdata._current_context:
        covdata.set_context(context)


def _insert(connection: Any, rows: list[int], together: int) -> list[int]:
    """Insert rows, so many with one statement; what is left, because it is fewer."""
    statement = _INSERT + ", ".join([_ROW] * together)
    size = together * 4
    end = len(rows) - len(rows) % size
    for at in range(0, end, size):
        connection.execute_void(statement, rows[at : at + size])
    return rows[end:]
