"""What was recorded and is not yet in the data file: each context's, one after the other.

A suite with a context for each test has thousands of contexts, with a hundred lines or arcs each.
One by one, each costs a transaction of its own in coverage.py's data file; here they are kept in
memory, packed, and written together, many rows with one statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

_TOGETHER = 240  # rows of one statement: SQLite before 3.32 allows 999 values
_INSERT = "INSERT OR IGNORE INTO arc (file_id, context_id, fromno, tono) VALUES "
_ROW = "(?, ?, ?, ?)"

#: A context, and what was recorded in it: files, and packed lines or arcs (C ints).
Part = tuple[str | None, Mapping[str, bytes]]


class Kept:
    """A list of parts, and how many bytes of lines and arcs they have."""

    def __init__(self) -> None:
        """Make an empty one."""
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
            self._write(parts, covdata, branch, file_name)
        except BaseException:
            self.parts[:0] = parts
            self.size += size
            raise
        return True

    def _write(
        self, parts: list[Part], covdata: Any, branch: bool, file_name: Callable[[str], str]
    ) -> None:
        current = covdata._current_context
        with covdata._lock:
            (covdata.add_arcs if branch else covdata.add_lines)({})  # makes the data file
            try:
                with covdata._connect() as connection:  # one transaction for all
                    renamed = _renamed(parts, file_name)
                    (_write_arcs if branch else _write_lines)(covdata, connection, renamed)
            finally:
                _begin(covdata, current)


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
    """Write arcs, as `CoverageData.add_arcs` does, but many at once."""
    hasher = getattr(covdata, "_hasher", None)  # since coverage.py 7.16
    rows: list[int] = []
    for context, recorded in parts:
        if not recorded:
            continue
        _begin(covdata, context)
        covdata._set_context_id()
        for name, packed in recorded.items():
            if hasher is not None:
                hasher.update(name)
                hasher.update(packed)
            arcs = _numbers(packed)
            mine = [covdata._file_id(name, add=True), covdata._current_context_id, 0, 0]
            mine *= len(arcs) // 2
            mine[2::4], mine[3::4] = arcs[::2], arcs[1::2]
            rows += mine
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
