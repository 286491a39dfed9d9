"""Data files that are written without coverage.py, and without SQLite where our extension is."""

from __future__ import annotations

import itertools
import os
import random
import sqlite3
import stat
from array import array
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from coverage import CoverageData, sqldata

from quickcover import _datafile, _engines, _env

needs_extension = pytest.mark.skipif(
    not _env.current().extension, reason="there is no extension here"
)

TABLES = _datafile.tables_of(sqldata.SCHEMA)

Hits = dict[str, Any]


def packed(hits: Hits, branch: bool) -> dict[str, bytes]:
    """As stores give them."""
    if branch:
        arcs = {name: sorted(set(found)) for name, found in hits.items()}
        flat = {name: [line for arc in found for line in arc] for name, found in arcs.items()}
    else:
        flat = hits
    return {name: array("i", numbers).tobytes() for name, numbers in flat.items()}


def write(path: Path, hits: Hits, *, branch: bool, native: bool, suffix: bool = False) -> None:
    told = {
        "data_file": [str(path)],
        "version": ["7.17"],
        "branch": ["yes"] if branch else [],
        "suffix": ["yes"] if suffix else [],
        "schema_version": ["7"],
        "tables": TABLES if native else [],
        "schema": [sqldata.SCHEMA],
    }
    path.unlink(missing_ok=True)
    _datafile.Writer(told).write(packed(hits, branch), ["/touched.py"])


def read(path: Path) -> dict[str, Any]:
    """What is in a data file that SQLite finds in order."""
    hits = {
        "arcs": "select path, fromno, tono from arc join file on id = file_id order by 1, 2, 3",
        "lines": "select path, numbits from line_bits join file on file.id = file_id order by 1",
        "files": "select path from file order by 1",
        "contexts": "select * from context",
        "meta": "select key, value from meta order by 1",
        "version": "select * from coverage_schema",
        "tables": "select type, name, tbl_name, sql from sqlite_master",
    }
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert connection.execute("pragma foreign_key_check").fetchall() == []
        return {name: connection.execute(query).fetchall() for name, query in hits.items()}


def test_the_schema_is_known() -> None:
    """If this coverage.py has another one, SQLite writes the files."""
    assert sqldata.SCHEMA_VERSION == 7
    assert len(TABLES) == 4 * 12
    assert _datafile.tables_of(sqldata.SCHEMA.replace("numbits", "bits")) == []
    assert _datafile.tables_of(sqldata.SCHEMA + "create table more (x);") == []
    assert _datafile.tables_of(sqldata.SCHEMA + "create index quick on arc (tono);") == []
    assert _datafile.tables_of(sqldata.SCHEMA.replace("unique (path)", "check (1)")) == []


def some(choose: random.Random, branch: bool) -> Hits:
    """Files: a few with many hits or with long names, or many with few."""
    count = choose.choice([0, 1, 3, 30, 1000])
    lengths = [3, 200, 985, 990, 1000, 1010, 1500, 5000] if count < 40 else [5, 40]
    sizes = [0, 1, 3, 400] if count < 40 else [0, 2, 20]
    hits: Hits = {}
    for number in range(count):
        name = f"/{''.join(choose.choices('ab/ä€😀', k=choose.choice(lengths)))}{number}.py"
        size = choose.choice(sizes) * (50 if number == 0 else 1)
        line = choose.choice([10, 127, 40_000, 2_000_000])
        hits[name] = [
            (choose.randrange(-line, line), choose.choice([-1, choose.randrange(1, 1 << 31)]))
            if branch
            else choose.randrange(1, line)
            for _ in range(size)
        ]
    return hits


@needs_extension
@pytest.mark.parametrize("branch", [False, True])
def test_the_same_as_sqlite_writes(tmp_path: Path, branch: bool) -> None:
    path = tmp_path / "data"
    for seed in range(int(os.environ.get("DATAFILE_SEEDS", "15"))):
        hits = some(random.Random(seed), branch)
        write(path, hits, branch=branch, native=False)
        expected = read(path)
        write(path, hits, branch=branch, native=True)
        assert read(path) == expected
        assert ("/touched.py",) in expected["files"]
        assert os.listdir(tmp_path) == ["data"]


@needs_extension
def test_coveragepy_can_add_to_it(tmp_path: Path) -> None:
    path = tmp_path / "data"
    hits = {f"/{number}.py": [(k, k + 1) for k in range(number)] for number in range(200)}
    write(path, hits, branch=True, native=True)
    data = CoverageData(str(path))
    data.read()
    assert data.arcs("/3.py") == [(0, 1), (1, 2), (2, 3)]
    data.set_context("later")
    data.add_arcs({name: [(-1, 7), (7, -1)] for name in [*hits, "/new.py"]})
    data.add_arcs({name: [(-1, 7), (7, -1)] for name in [*hits, "/new.py"]})
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert connection.execute("select count(*) from arc").fetchone() == (
            sum(map(len, hits.values())) + 2 * 201,
        )


@needs_extension
@pytest.mark.parametrize("length", [0, 3000, 4000, 4020, 4040, 4060, 4080, 8000, 8150, 100_000])
def test_long_command_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    monkeypatch.setattr("sys.argv", ["x" * length])
    write(tmp_path / "data", {}, branch=True, native=True, suffix=True)
    (path,) = tmp_path.iterdir()
    assert dict(read(path)["meta"])["sys_argv"] == f"['{'x' * length}']"


@pytest.mark.parametrize("native", [pytest.param(True, marks=needs_extension), False])
def test_nothing_is_left_of_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, native: bool
) -> None:
    def no(*_names: Any) -> None:
        raise OSError("no such thing")

    monkeypatch.setattr("os.replace", no)
    with pytest.raises(OSError, match="no such thing"):
        write(tmp_path / "data", {"/a.py": [1]}, branch=False, native=native)
    assert not list(tmp_path.iterdir())


@needs_extension
def test_permissions(tmp_path: Path) -> None:
    """Those that SQLite's files have."""
    before = os.umask(0o002)
    try:
        write(tmp_path / "data", {}, branch=True, native=False)
        theirs = stat.S_IMODE((tmp_path / "data").stat().st_mode)
        write(tmp_path / "data", {}, branch=True, native=True)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == theirs


# --------------------------------------------------------------------------- the extension


def made(
    *,
    tables: list[Any] | None = None,
    meta: Any = (),
    files: Any = (),
    contexts: Any = ("",),
    tracers: Any = (),
    hits: Any = (),
    branch: bool = True,
) -> bytes:
    """A data file of these."""
    content = _engines.load_native().data_file(
        _datafile.items_of(TABLES) if tables is None else tables,
        7,
        list(meta),
        list(files),
        list(contexts),
        list(tracers),
        list(hits),
        branch,
    )
    assert isinstance(content, bytes)
    return content


def ints(*numbers: int) -> bytes:
    return array("i", numbers).tobytes()


@needs_extension
def test_what_it_can_not_take() -> None:
    for wrong, tables in [
        ("no such table: more", [("table", "more", "more", "create table more (x)")]),
        ("too many tables", _datafile.items_of(TABLES) * 3),
        ("too long a schema", [(*_datafile.items_of(TABLES)[0][:3], "x" * 5000)]),
        ("too long a schema", [(*item[:3], "x" * 1000) for item in _datafile.items_of(TABLES)]),
    ]:
        with pytest.raises(ValueError, match=wrong):
            made(tables=tables)
    with pytest.raises(TypeError):
        made(tables=[("table", "meta", "meta")])
    for odd in [("a",)], ["ab"], [("a", 1)], [(1, "a")]:
        with pytest.raises(TypeError):
            made(meta=odd)
    for odd in [("a", "b")], [("a",)], [(1, b"a")]:
        with pytest.raises(TypeError):
            made(tracers=odd)
    for odd in [b"a"], [1], [None]:
        with pytest.raises(TypeError):
            made(files=odd)
        with pytest.raises(TypeError):
            made(contexts=odd)
    for odd in [1], [(1, 1)], [(1, 1, "a")], [("a", 1, b"")], [(1, 1, bytearray(4))]:
        with pytest.raises(TypeError):
            made(hits=odd)
    for odd in [(1, 2, b""), (1, 1, b"")], [(2, 1, b""), (1, 1, b"")]:
        with pytest.raises(ValueError, match="not in order"):
            made(hits=odd)
    for odd in {"tracers": [(1 << 70, "a")]}, {"hits": [(1, 1 << 70, b"")]}:
        with pytest.raises(OverflowError):
            made(**odd)
    for odd in {"files": ["\udc80"]}, {"meta": [("a", "\udc80")]}, {"tracers": [(1, "\udc80")]}:
        with pytest.raises(UnicodeEncodeError):
            made(**odd)


@needs_extension
@pytest.mark.parametrize("branch", [False, True])
def test_contexts_tracers_and_hits_in_pieces(tmp_path: Path, branch: bool) -> None:
    path = tmp_path / "data"
    texts = ["b", "", "a", "Ä", "a" * 2000, "ab"]  # not in order; the file has an index of them
    pieces = [
        (1, 1, ints(7, 8, 1, 2)),
        (1, 1, ints(1, 2, -1, 4)),
        (1, 5, ints(3, 4)),
        (2, 1, b""),
        (6, 2, ints(5, 6, 6, 7)),
        (6, 2, ints(5, 6, 6, 7)),
    ]
    path.write_bytes(
        made(
            files=texts,
            contexts=texts,
            tracers=[(2, "one"), (6, "other")],
            meta=[("version", "1"), ("has_arcs", str(int(branch)))],
            hits=pieces,
            branch=branch,
        )
    )
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert connection.execute("pragma foreign_key_check").fetchall() == []
    data = CoverageData(str(path))
    data.read()
    assert data.measured_files() == data.measured_contexts() == set(texts)
    assert [data.file_tracer(name) for name in texts] == ["", "one", "", "", "", "other"]
    for context, name, hits in [
        ("b", "b", [(-1, 4), (1, 2), (7, 8)]),
        ("a" * 2000, "b", [(3, 4)]),
        ("", "ab", [(5, 6), (6, 7)]),
        ("b", "", []),
    ]:
        data.set_query_context(context)
        lines = {line for arc in hits for line in arc if line > 0}
        assert sorted(data.lines(name) or []) == sorted(lines)
        if branch:
            assert data.arcs(name) == hits


@needs_extension
@pytest.mark.parametrize("branch", [False, True])
def test_no_memory(branch: bool) -> None:
    native = _engines.load_native()
    names = ["/" + "x" * 3000]
    hits = [(1, 1, ints(*range(6000, 0, -1) if branch else [1, 2]))]
    before = native.live()["bytes"]
    for n in itertools.count(1):
        native._fail_after(n)
        try:
            content = made(meta=[("a", "b")], files=names, hits=hits, branch=branch)
        except MemoryError:
            assert native.live()["bytes"] == before
            continue
        finally:
            native._fail_after(0)
        break
    assert n > 15
    assert native.live()["bytes"] == before
    roots = {row[1]: row[3] for row in native.data_rows(content, 1) or []}
    root = roots["sqlite_autoindex_arc_1" if branch else "line_bits"]
    for n in itertools.count(1):
        native._fail_after(n)
        try:
            assert native.data_hits(content, root, branch)
        except MemoryError:
            continue
        finally:
            native._fail_after(0)
            assert native.live()["bytes"] == before
        break
    assert n > 1
