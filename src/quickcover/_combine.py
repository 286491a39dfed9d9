"""Combining data files without SQLite, which has every row inserted, one after the other.

coverage.py's own loop runs: it finds the files, tells the same from others, warns and tells.  In
the copy of it that runs, what reads a file, and what deletes one, are ours; what it adds to the
data is kept, and written as a whole when the loop is over.  Then the files are deleted: whenever
the process is killed, all is still there.  If there is anything that we are not sure of, nothing
has happened yet, and coverage.py does it alone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from operator import itemgetter
from types import FunctionType
from typing import TYPE_CHECKING, Any

from quickcover import _datafile, _engines, _env, _gc

if TYPE_CHECKING:
    from types import ModuleType

_MOST = 1 << 29  # bytes of data files, and of their hits: all is in memory at once
_SCHEMA_ROOT = 1
_LINES, _ARCS = "line_bits", "sqlite_autoindex_arc_1"  # where the hits are read from


class _NotSure(Exception):
    """There is something that coverage.py has to do."""


def sooner(combine: Callable[..., None], sqldata: ModuleType) -> Callable[..., None]:
    """coverage.py's `combine_parallel_data`, in less time.

    Args:
        combine: that function.
        sqldata: coverage.py's module that knows data files.
    """

    def combined(data: Any, *args: Any, message: Any = None, **kwargs: Any) -> None:
        said: list[str] = []
        gone: list[str] = []
        if _is_simple(data) and _is_known(combine) and (union := _Union(sqldata)).items:
            keeping = said.append if message is not None else None
            data.update = union.add
            try:
                with _gc.held():
                    _reading(combine, union, gone)(data, *args, message=keeping, **kwargs)
                union.write(data)
            except (_NotSure, OSError, MemoryError):
                pass
            else:
                file_be_gone = combine.__globals__["file_be_gone"]
                for path in gone:
                    file_be_gone(path)
                for text in said:
                    message(text)
                return
            finally:
                del data.update
        combine(data, *args, message=message, **kwargs)

    return combined


def _is_simple(data: Any) -> bool:
    """Is it a data file that isn't there yet, or that is to be replaced?"""
    return (
        _env.current().extension
        and _engines.native_problem() is None
        and not (data._no_disk or data._have_used or getattr(data, "_our_suffix", False))
        and data._pid == os.getpid()
    )


def _is_known(combine: Any) -> bool:
    """Does it read and delete files by the names that we know?"""
    return isinstance(combine, FunctionType) and {"CoverageData", "file_be_gone"} <= {
        *combine.__code__.co_names
    }


def _reading(combine: Callable[..., None], union: _Union, gone: list[str]) -> Callable[..., None]:
    """coverage.py's loop, that reads files by us, and only notes which it would delete."""
    ours: dict[str, Any] = {"CoverageData": union.read, "file_be_gone": gone.append}
    names = combine.__globals__
    classifier = names.get("DataFileClassifier")  # later releases have it
    if classifier is not None:
        classify = _with(classifier.classify, {"hash_for_data_file": _hasher(names)})
        ours["DataFileClassifier"] = type(
            classifier.__name__, (classifier,), {"classify": classify}
        )
    return _with(combine, ours)


def _with(function: Any, names: Mapping[str, Any]) -> Callable[..., Any]:
    """The same function, to which some global names mean something else."""
    made = FunctionType(
        function.__code__,
        {**function.__globals__, **names},
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def _hasher(names: Mapping[str, Any]) -> Callable[[str], str]:
    """What tells the same data files from others: as coverage.py, by another hash."""
    match = names.get("filename_match")

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
        try:
            with open(path, "rb") as file:
                return _Source(file.read(), self)
        except (ValueError, TypeError, LookupError, OverflowError):  # rows of odd shapes
            raise _NotSure from None

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
                mapped = self._mapped[path] = map_path(path) if map_path is not None else path
                if "\\" in mapped:  # another system's separator: what becomes of it differs
                    raise _NotSure
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
        self._size += sum(len(hit) for *_, hit in hits)
        if self._size > _MOST:
            raise _NotSure

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
