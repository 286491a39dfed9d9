"""Combining data files without SQLite, which has every row inserted, one after the other.

coverage.py's own loop runs: it finds the files, tells the same from others, warns and tells.  What
it reads a file with, and what it deletes one with, are replaced; what it adds to the data is kept,
and written as a whole when the loop is over.  Then the files are deleted: whenever the process is
killed, all is still there.  If there is anything that we are not sure of, nothing has happened yet,
and coverage.py does it alone.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from quickcover import _datafile, _engines, _env, _gc

if TYPE_CHECKING:
    from types import ModuleType

_MOST = 1 << 30  # bytes of data files: all that is in them is in memory at once
_SCHEMA_ROOT = 1
_LINES, _ARCS = "line_bits", "sqlite_autoindex_arc_1"  # where the hits are read from
_SLASHES = re.compile(r"[/\\]")


class _NotSure(Exception):
    """There is something that coverage.py has to do."""


def sooner(combine: Callable[..., None], sqldata: ModuleType) -> Callable[..., None]:
    """coverage.py's `combine_parallel_data`, in less time.

    Args:
        combine: that function.
        sqldata: coverage.py's module that knows data files.
    """
    data_module: Any = sys.modules[combine.__module__]

    def combined(data: Any, *args: Any, message: Any = None, **kwargs: Any) -> None:
        said: list[str] = []
        union = _Union(sqldata)
        if _is_simple(data) and union.items and hasattr(data_module, "file_be_gone"):
            keeping = said.append if message is not None else None
            try:
                with _gc.held(), _in_place(data_module, data, union) as gone:
                    combine(data, *args, message=keeping, **kwargs)
                union.write(data)
            except (_NotSure, OSError, MemoryError):
                pass
            else:
                for path in gone:
                    data_module.file_be_gone(path)
                for text in said:
                    message(text)
                return
        combine(data, *args, message=message, **kwargs)

    return combined


def _is_simple(data: Any) -> bool:
    """Is it a data file that isn't there yet, or that is to be replaced?"""
    return (
        _env.current().extension
        and _engines.native_problem() is None
        and not (data._no_disk or data._have_used or data._our_suffix)
        and data._pid == os.getpid()
    )


@contextmanager
def _in_place(data_module: Any, data: Any, union: _Union) -> Iterator[list[str]]:
    """Have coverage.py's loop read files by us, and keep what it wants to do with them.

    Returns:
        the files that it would have deleted.
    """
    gone: list[str] = []
    ours = {
        "CoverageData": union.read,
        "file_be_gone": gone.append,
        "hash_for_data_file": _hasher(data_module),
    }
    theirs = {name: getattr(data_module, name) for name in ours if hasattr(data_module, name)}
    data.update = union.add
    try:
        for name in theirs:
            setattr(data_module, name, ours[name])
        yield gone
    finally:
        vars(data_module).update(theirs)
        del data.update


def _hasher(data_module: Any) -> Callable[[str], str]:
    """What tells the same data files from others: as coverage.py, by another hash."""
    match = getattr(data_module, "filename_match", None)

    def hash_of(path: str) -> str:
        found = match(path) if match is not None else None
        if found and found["hash"]:
            return str(found["hash"])
        with open(path, "rb") as file:
            return hashlib.blake2b(file.read()).hexdigest()

    return hash_of


class _Source:
    """What is in a data file."""

    def __init__(self, content: bytes, union: _Union) -> None:
        native = _engines.load_native()
        roots: dict[str, int] = {}
        rows = native.data_rows(content, _SCHEMA_ROOT)
        if rows is None or {(*row[:3], row[4]) for row in rows} != set(union.items):
            raise _NotSure
        roots = {row[1]: row[3] for row in rows}

        def table(name: str) -> list[tuple[Any, ...]]:
            found: list[tuple[Any, ...]] | None = native.data_rows(content, roots[name])
            if found is None:
                raise _NotSure
            return found

        lines = native.data_hits(content, roots[_LINES], False)
        arcs = native.data_hits(content, roots[_ARCS], True)
        has_arcs = dict(table("meta")).get("has_arcs")
        if (
            table("coverage_schema") != [(union.version,)]
            or lines is None
            or arcs is None
            or (lines and has_arcs != "0")
            or (arcs and has_arcs != "1")
        ):
            raise _NotSure
        #: "1", "0", or None where that isn't decided yet.
        self.has_arcs = has_arcs
        self.hits = lines or arcs
        self.files: dict[int, str] = dict(table("file"))
        self.contexts: dict[int, str] = dict(table("context"))
        self.tracers: dict[int, str] = dict(table("tracer"))
        names = [*self.files.values(), *self.contexts.values(), *self.tracers.values()]
        if not all(isinstance(name, str) for name in names) or "" in self.tracers.values():
            raise _NotSure

    def read(self) -> None:
        """As coverage.py asks of its own."""


class _Union:
    """What is in all of them."""

    def __init__(self, sqldata: ModuleType) -> None:
        #: SQLite's list of tables; empty if we don't know them.
        self.items = _datafile.items_of(_datafile.tables_of(sqldata.SCHEMA))
        self.version: int = sqldata.SCHEMA_VERSION
        self._made_by: str = sqldata.__version__
        self._size = 0
        self._sources = 0
        self._kinds: set[str] = set()
        self._mapped: dict[str, str] = {}
        self._files: dict[str, int] = {}
        self._contexts: dict[str, int] = {}
        self._tracers: dict[int, str | None] = {}
        self._hits: list[tuple[int, int, bytes]] = []

    def read(self, path: str, **_options: Any) -> _Source:
        """Read a data file, in place of coverage.py.

        Raises:
            _NotSure: it isn't one that we know.
        """
        self._size += os.path.getsize(path)
        if self._size > _MOST or os.path.exists(f"{path}-journal"):
            raise _NotSure
        with open(path, "rb") as file:
            return _Source(file.read(), self)

    def add(self, source: _Source, map_path: Callable[[str], str] | None = None) -> None:
        """Add what is in a data file, as `CoverageData.update` does.

        Raises:
            _NotSure: it doesn't go together with the others.
        """
        self._sources += 1
        self._kinds |= {source.has_arcs} if source.has_arcs is not None else set()
        if len(self._kinds) > 1:
            raise _NotSure
        files = {}
        for number, path in source.files.items():
            mapped = self._mapped.get(path)
            if mapped is None:
                mapped = map_path(path) if map_path is not None else path
                mapped = self._mapped[path] = _SLASHES.sub(re.escape(os.sep), mapped)
            file = files[number] = self._files.setdefault(mapped, len(self._files) + 1)
            if self._tracers.setdefault(file, tracer := source.tracers.get(number)) != tracer:
                raise _NotSure
        contexts = {
            number: self._contexts.setdefault(context, len(self._contexts) + 1)
            for number, context in source.contexts.items()
        }
        try:
            hits = [(files[file], contexts[context], hit) for file, context, hit in source.hits]
        except KeyError:
            raise _NotSure from None
        self._hits += hits

    def write(self, data: Any) -> None:
        """Write all to the data file, under another name that then becomes its own.

        Raises:
            OSError, MemoryError: it can't be written; nothing is left behind then.
        """
        if not self._sources:
            return
        content = self._content()
        path = data.data_filename()
        data._reset()
        unfinished = _datafile.unfinished_name(path, f"{os.getpid()}.{os.urandom(4).hex()}")
        try:
            _datafile.create(unfinished, content)
            os.replace(unfinished, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(unfinished)
            raise
        data.read()

    def _content(self) -> bytes:
        meta = [("version", self._made_by)]
        if self._hits:
            meta += [("has_arcs", kind) for kind in self._kinds]
        self._hits.sort(key=itemgetter(0, 1))
        content: bytes = _engines.load_native().data_file(
            self.items,
            self.version,
            meta,
            list(self._files),
            list(self._contexts),
            sorted((file, name) for file, name in self._tracers.items() if name is not None),
            self._hits,
            self._kinds == {"1"},
        )
        return content
