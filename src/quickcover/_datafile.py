"""Writing a new data file of coverage.py without it, at the end of a process.

Where our extension is, it makes the file's content (`csrc/core/qc_database.c`): importing SQLite
alone takes longer than all else that a short subprocess has to do.  The file is made under another
name and renamed: whenever the process is killed, a data file is whole or not there.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False  # importing typing takes longer than all of this
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from quickcover._child import Told

    #: By file: lines, or arcs in order, as C ints.
    Recorded = Mapping[str, bytes]

#: The tables of coverage.py's schema 7, as our extension writes them (`csrc/py/qc_datafile.c`).
_COLUMNS = {
    "coverage_schema": "version",
    "meta": "key value",
    "file": "id path",
    "context": "id context",
    "line_bits": "file_id context_id numbits",
    "arc": "file_id context_id fromno tono",
    "tracer": "file_id tracer",
}
#: Those of them that have an index, which SQLite makes by itself.
_UNIQUE = ["meta", "file", "context", "line_bits", "arc"]
_INDEX = "sqlite_autoindex_{}_1"
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Writer:
    """What writes data files, with all imported that it needs."""

    def __init__(self, told: Told) -> None:
        """Prepare it.

        Args:
            told: `data_file`, `version`, `branch`, `tables` or else `schema`...; `suffix` asks for
                files of this process, beside the data file.
        """
        self._told = told
        if told["tables"]:
            from quickcover import _engines

            self._data_file: Any = _engines.load_native().data_file
        else:
            from _sqlite3 import connect  # the package around it takes longer to import

            self._connect: Any = connect

    def write(self, recorded: Recorded, touched: Iterable[str] = ()) -> None:
        """Write what was recorded to a data file.

        Args:
            recorded: the hits.
            touched: files that have a place in it anyway.

        Raises:
            OSError, sqlite3.Error: it can't be written; nothing is left behind then.
        """
        path, suffix = self._told["data_file"][0], _suffix()
        unfinished = unfinished_name(path, suffix)
        files = dict.fromkeys(touched, b"") | dict(recorded)
        try:
            if self._told["tables"]:
                self._put(unfinished, sorted(files.items()))
            else:
                self._fill(unfinished, files)
            os.replace(unfinished, f"{path}.{suffix}" if self._told["suffix"] else path)
        except BaseException:
            if os.path.exists(unfinished):
                os.unlink(unfinished)
            raise

    def _put(self, path: str, files: list[tuple[str, bytes]]) -> None:
        """Write a file whose content our extension makes."""
        content = self._data_file(
            items_of(self._told["tables"]),
            int(self._told["schema_version"][0]),
            sorted(self._meta().items()),
            [name for name, _ in files],
            [""],
            [],
            [(number, 1, hits) for number, (_, hits) in enumerate(files, 1)],
            bool(self._told["branch"]),
        )
        create(path, content)

    def _fill(self, path: str, files: Recorded) -> None:
        """Have SQLite write a file."""
        connection = self._connect(path, isolation_level=None)
        try:
            connection.executescript(
                "pragma journal_mode = off; pragma synchronous = off; begin; "
                + self._told["schema"][0]
            )
            version = int(self._told["schema_version"][0])
            connection.execute("insert into coverage_schema values (?)", (version,))
            connection.executemany("insert into meta values (?, ?)", self._meta().items())
            connection.execute("insert into context values (1, '')")
            for number, (name, hits) in enumerate(files.items(), 1):
                connection.execute("insert into file values (?, ?)", (number, name))
                self._insert(connection, number, memoryview(hits).cast("i"))
            connection.execute("commit")
        finally:
            connection.close()

    def _insert(self, connection: Any, number: int, hits: memoryview) -> None:
        if self._told["branch"]:
            pairs = set(zip(hits[::2], hits[1::2], strict=True))
            rows = ((number, first, last) for first, last in pairs)
            connection.executemany("insert into arc values (?, 1, ?, ?)", rows)
        elif hits:
            row = (number, numbits(hits))
            connection.execute("insert into line_bits values (?, 1, ?)", row)

    def _meta(self) -> dict[str, str]:
        meta = {"version": self._told["version"][0], "has_arcs": str(len(self._told["branch"]))}
        if self._told["suffix"]:
            meta["sys_argv"] = str(getattr(sys, "argv", None))
            meta["when"] = time.strftime("%Y-%m-%d %H:%M:%S")
        return meta


def tables_of(schema: str) -> list[str]:
    """SQLite's list of the tables of a schema, four words each; none if they are not as we know."""
    import sqlite3  # not where files are written without it
    from contextlib import closing

    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(schema)
        rows = connection.execute(
            "select type, name, tbl_name, coalesce(sql, '') from sqlite_master order by rowid"
        ).fetchall()
        columns = {
            name: " ".join(row[1] for row in connection.execute(f"pragma table_info({name})"))
            for kind, name, *_ in rows
            if kind == "table"
        }
    indexes = [(name, table) for kind, name, table, _ in rows if kind != "table"]
    known = columns == _COLUMNS and indexes == [(_INDEX.format(name), name) for name in _UNIQUE]
    return [word for row in rows for word in row] if known else []


def items_of(words: list[str]) -> list[tuple[str, str, str, str | None]]:
    """The same as our extension takes it."""
    four = zip(words[::4], words[1::4], words[2::4], words[3::4], strict=True)
    return [(kind, name, table, sql or None) for kind, name, table, sql in four]


def create(path: str, content: bytes) -> None:
    """Write a file that isn't there yet, with the permissions that SQLite gives: only we write it.

    Raises:
        OSError: it can't be written.
    """

    def opened(path: str, flags: int) -> int:
        return os.open(path, flags, 0o644)

    with open(path, "xb", opener=opened) as file:
        file.write(content)


def unfinished_name(path: str, suffix: str) -> str:
    """Where a data file is until it is whole; `coverage combine` doesn't take it for one."""
    directory, base = os.path.split(path)
    return os.path.join(directory, f".quickcover-unfinished{base}.{suffix}")


def _suffix() -> str:
    """What coverage.py adds to the name of a process's data file: host, process, random letters."""
    letters = "".join(_LETTERS[byte % len(_LETTERS)] for byte in os.urandom(6))
    host = os.uname().nodename.replace(".", "_")
    return f"{host}.pid{os.getpid()}.X{letters}x"


def numbits(lines: Iterable[int]) -> bytes:
    """Line numbers as coverage.py keeps them: one bit for each line from 0 on."""
    found = set(lines)
    bits = bytearray(max(found) // 8 + 1 if found else 0)
    for line in found:
        bits[line // 8] |= 1 << line % 8
    return bytes(bits)
