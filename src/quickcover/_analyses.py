"""A file that keeps the analyses of source files from one report to the next.

For each source file it has one row for each way to analyse (coverage.py's version, Python's, the
patterns of lines to leave out), with the hash of the text that was analysed.  It is only a cache:
whatever goes wrong with it costs time, not results.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import sqlite3
import weakref
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The directory beside the data file.  `coverage combine` doesn't take it for data.
DIRECTORY = ".quickcover_cache"

_NAME = "analyses-1.sqlite"
_SCHEMA = """\
create table if not exists analysis (
    path text, way blob, hash blob, state blob, fragments blob, regions blob,
    primary key (path, way)
) without rowid
"""
_SAFE = {("collections", "defaultdict")} | {
    ("builtins", name) for name in ("dict", "frozenset", "int", "list", "set")
}
_BUSY_SECONDS = 5


def digest(*parts: str) -> bytes:
    """A hash of some strings, 20 bytes; not for secrets."""
    hashed = hashlib.blake2b(digest_size=20)
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        hashed.update(b"%d:" % len(encoded))
        hashed.update(encoded)
    return hashed.digest()


@cache
def hash_of_files(*names: str) -> str:
    """A hash of the texts of some files, as hexadecimal digits; empty if one can't be read."""
    try:
        return digest(*(Path(name).read_text("utf-8") for name in names)).hex()
    except (OSError, UnicodeError):
        return ""


class _Unpickler(pickle.Unpickler):
    """Makes plain data and nothing else: whoever can write the cache can't run code with it."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _SAFE:
            raise pickle.UnpicklingError(f"{module}.{name} is no plain data")
        return super().find_class(module, name)


def pack(data: Any) -> bytes:
    """Plain data (dicts, lists, sets, tuples, strings, integers, None) as bytes.

    Raises:
        ValueError: it is not plain.
    """
    packed = pickle.dumps(data, protocol=5)
    try:
        unpack(packed)
    except pickle.UnpicklingError as error:
        raise ValueError(str(error)) from error
    return packed


def unpack(packed: bytes) -> Any:
    """What `pack` packed.

    Raises:
        Exception: it is damaged.
    """
    return _Unpickler(io.BytesIO(packed)).load()


class Cache:
    """The file.  Nothing here raises: a cache that can't be used is empty, and stays so."""

    def __init__(self, path: Path) -> None:
        """Use that file, and make it when there is something to keep."""
        self.path = path
        self._read: sqlite3.Connection | None = None

    @classmethod
    def beside(cls, data_file: str) -> Cache:
        """The cache that belongs to a data file of coverage.py."""
        return cls(Path(data_file).absolute().parent / DIRECTORY / _NAME)

    def hash(self, path: str, way: bytes) -> bytes | None:
        """The hash of the text that was analysed; None if there is no analysis."""
        return self._field("hash", path, way)

    def state(self, path: str, way: bytes) -> bytes | None:
        """What the parser found out."""
        return self._field("state", path, way)

    def fragments(self, path: str, way: bytes) -> bytes | None:
        """The parts of sentences about arcs."""
        return self._field("fragments", path, way)

    def regions(self, path: str, way: bytes) -> bytes | None:
        """The functions and classes."""
        return self._field("regions", path, way)

    def _field(self, name: str, path: str, way: bytes) -> bytes | None:
        try:
            if self._read is None:
                if not self.path.exists():
                    return None
                self._read = sqlite3.connect(
                    f"{self.path.as_uri()}?mode=ro",
                    uri=True,
                    timeout=_BUSY_SECONDS,
                    check_same_thread=False,  # whoever ends last closes it
                )
                weakref.finalize(self, self._read.close)
            query = f"select {name} from analysis where path = ? and way = ?"
            row = self._read.execute(query, (path, way)).fetchone()
        except sqlite3.Error:
            return None
        return row[0] if row is not None and isinstance(row[0], bytes) else None

    def keep(self, rows: Iterable[tuple[str, bytes, bytes, bytes, bytes, bytes]]) -> bool:
        """Put analyses in: path, way, hash, state, fragments, regions.  Did it work?"""
        try:
            self._make_directory()
            opened = closing(sqlite3.connect(self.path, timeout=_BUSY_SECONDS))
            with opened as connection, connection:
                connection.execute("pragma synchronous = off")
                connection.execute(_SCHEMA)
                connection.executemany(
                    "insert or replace into analysis values (?, ?, ?, ?, ?, ?)", rows
                )
        except sqlite3.DatabaseError as error:
            if not isinstance(error, sqlite3.OperationalError):
                self._discard()  # not a database, or a damaged one: the next report makes it anew
            return False
        except OSError:
            return False
        return True

    def _make_directory(self) -> None:
        directory = self.path.parent
        if directory.is_dir():
            return
        directory.mkdir()
        (directory / ".gitignore").write_text("# Made by quickcover.\n*\n", encoding="utf-8")

    def _discard(self) -> None:
        if self._read is not None:
            self._read.close()
            self._read = None
        with suppress(OSError):
            os.unlink(self.path)
