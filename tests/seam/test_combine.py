"""Combining: the same data file, messages and files left as by coverage.py alone."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage, CoverageData, sqldata
from coverage.exceptions import CoverageException

from quickcover import _combine, _datafile, _engines, _env

pytestmark = pytest.mark.skipif(not _env.current().extension, reason="there is no extension here")

CONFIG = "[run]\nbranch = {branch}\n{more}\n[paths]\nsource =\n    src\n    /other/place\n"
Rows = dict[str, list[Any]]
Make = Callable[[Path], None]


def contents(path: Path) -> Rows:
    """What is in a data file that SQLite finds in order; ids of rows count as well."""
    tables = {
        "coverage_schema": "1",
        "file": "1",
        "context": "1",
        "meta": "rowid",
        "arc": "1, 2, 3, 4",
        "line_bits": "1, 2",
        "tracer": "1",
    }
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert connection.execute("pragma foreign_key_check").fetchall() == []
        return {
            table: connection.execute(f"select * from {table} order by {order}").fetchall()
            for table, order in tables.items()
        }


def combine(
    directory: Path, *, ours: bool, branch: bool, append: bool = False, **how: Any
) -> tuple[list[str], Any, Rows | None]:
    """Combine there: messages and warnings (or the error), files, and what is in the data file."""
    more = "plugins = quickcover" if ours else ""
    (directory / ".coveragerc").write_text(CONFIG.format(branch=branch, more=more))
    said: list[str] = []
    cov = Coverage(messages=True)
    vars(cov).update(_message=said.append, _warn=lambda text, **_: said.append(text))
    if append:
        cov.load()
    try:
        cov.combine(strict=True, **how)
        cov.save()
    except CoverageException as error:
        said.append(f"{type(error).__name__}: {error}")
    # How it goes on with the data: in this process, too.
    data = cov.get_data()
    mine = data.has_arcs(), sorted(data.measured_files()), sorted(data.measured_contexts())
    combined = directory / ".coverage"
    rows = contents(combined) if combined.exists() else None
    return said, (sorted(os.listdir(directory)), mine), rows


def same(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Make,
    *,
    branch: bool = True,
    quick: bool = True,
    **how: Any,
) -> Rows | None:
    """Make data files in a directory; combine them with and without us."""
    written = []
    write = _combine._Union.write

    def spy(union: Any, data: Any) -> None:
        write(union, data)
        written.append(data)

    monkeypatch.setattr(_combine._Union, "write", spy)
    directory = tmp_path / "work"
    found = []
    for ours in False, True:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        monkeypatch.chdir(directory)
        make(directory)
        found.append(combine(directory, ours=ours, branch=branch, **how))
    monkeypatch.chdir(tmp_path)
    assert found[0] == found[1]
    assert len(written) == quick
    return found[0][2]


def data_file(suffix: str, path: Path | None = None) -> CoverageData:
    return CoverageData(str((path or Path()) / ".coverage"), suffix=suffix)


def some(choose: random.Random, branch: bool, data: CoverageData) -> None:
    """Hits of some files in some contexts."""
    names = [
        *(f"/src/module_{number}.py" for number in range(30)),
        *(f"/other/place/module_{number}.py" for number in range(5)),
        os.path.join(os.getcwd(), "src", "module_2.py"),
        "/src/" + "ä" * 3000 + ".py",
    ]
    largest = choose.choice([20, 300, 40_000])
    (data.add_arcs if branch else data.add_lines)({})
    for context in choose.sample(["", "a", "b|run", "Ä", "x" * 2000, "c"], choose.randrange(1, 5)):
        data.set_context(context)
        for name in choose.sample(names, choose.choice([0, 1, 5, 20])):
            lines = [choose.randrange(1, largest) for _ in range(choose.choice([1, 30, 400]))]
            if branch:
                data.add_arcs({name: [(line, choose.choice([-line, 1, 900])) for line in lines]})
            else:
                data.add_lines({name: lines})
    data.touch_files(choose.sample(names, 2))


@pytest.mark.parametrize("branch", [False, True])
def test_random(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, branch: bool) -> None:
    for seed in range(int(os.environ.get("COMBINE_SEEDS", "6"))):

        def make(_directory: Path, seed: int = seed) -> None:
            choose = random.Random(seed)
            for number in range(choose.choice([1, 2, 12])):
                some(choose, branch, data_file(f"host.{number:02}"))

        with monkeypatch.context() as patch:
            assert same(tmp_path, patch, make, branch=branch, keep=seed % 2 == 0)


def arcs(suffix: str, name: str = "/a.py", hits: Iterable[tuple[int, int]] = [(1, 2)]) -> None:
    data_file(suffix).add_arcs({name: list(hits)})


def test_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = same(tmp_path, monkeypatch, lambda _: None, quick=False)
    assert rows is not None
    assert rows["file"] == []


def test_duplicates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(directory: Path) -> None:
        arcs("1")
        shutil.copy(".coverage.1", ".coverage.2")
        arcs("3", hits=[(2, 3)])

    rows = same(tmp_path, monkeypatch, make)
    assert rows is not None
    assert rows["arc"] == [(1, 1, 1, 2), (1, 1, 2, 3)]


def test_names_with_hashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They tell the same data, whatever else is in the files."""

    def make(_directory: Path) -> None:
        for number in 1, 2:
            data = CoverageData(".coverage", suffix=True)
            data.add_arcs({"/a.py": [(1, 2)]})
            with closing(sqlite3.connect(data.data_filename())) as connection:
                connection.execute("insert into meta values ('more', ?)", (number,))
                connection.commit()
            data.write()

    # The names differ from one run to the next.
    with monkeypatch.context() as patch:
        patch.setattr("random.Random.choice", lambda _self, some: some[0])
        patch.setattr("os.urandom", lambda count: b"x" * count)
        assert same(tmp_path, patch, make, keep=False)


@pytest.mark.parametrize("size", [512, 1024, 8192, 65536])
def test_other_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """SQLite may be built with another size of pages."""

    def make(_directory: Path) -> None:
        for number in 1, 2:
            data = data_file(str(number))
            some(random.Random(number), True, data)
            with closing(sqlite3.connect(data.data_filename())) as connection:
                connection.execute(f"pragma page_size = {size}")
                connection.execute("vacuum")

    assert same(tmp_path, monkeypatch, make)


def test_tracers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(_directory: Path) -> None:
        for number in 1, 2:
            data = data_file(str(number))
            data.add_arcs({f"/{number}.html": [(1, 2)], "/both.html": [(number, 2)], "/a.py": []})
            data.add_file_tracers({f"/{number}.html": "plugin", "/both.html": "other"})

    rows = same(tmp_path, monkeypatch, make)
    assert rows is not None
    assert len(rows["tracer"]) == 3


def test_tracers_that_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """coverage.py decides; it can be an error."""

    def make(_directory: Path) -> None:
        for number in 1, 2:
            data = data_file(str(number))
            data.add_arcs({"/a.html": [(number, 2)]})
            data.add_file_tracers({"/a.html": f"plugin{number}"})

    same(tmp_path, monkeypatch, make, quick=False)


def test_paths_of_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What becomes of them depends on coverage.py's release."""
    same(tmp_path, monkeypatch, lambda _: arcs("1", "src\\a.py"), quick=False)


def test_lines_and_arcs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(_directory: Path) -> None:
        arcs("1")
        data_file("2").add_lines({"/a.py": [1]})

    same(tmp_path, monkeypatch, make, quick=False)


def test_only_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(_directory: Path) -> None:
        for number in 1, 2:
            data = data_file(str(number))
            data.add_arcs({})
            data.touch_file(f"/{number}.py")

    same(tmp_path, monkeypatch, make)


def test_more_is_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`combine --append` is coverage.py's."""

    def make(_directory: Path) -> None:
        CoverageData(".coverage").add_arcs({"/old.py": [(5, 6)]})
        arcs("1")

    rows = same(tmp_path, monkeypatch, make, append=True, quick=False)
    assert rows is not None
    assert len(rows["arc"]) == 2


def test_what_is_there_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(_directory: Path) -> None:
        CoverageData(".coverage").add_arcs({"/old.py": [(5, 6)]})
        arcs("1")

    rows = same(tmp_path, monkeypatch, make)
    assert rows is not None
    assert rows["arc"] == [(1, 1, 1, 2)]


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def of_another_schema(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("update coverage_schema set version = 6")
        connection.commit()


def with_more_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table more (x)")


def with_a_journal(path: Path) -> None:
    Path(f"{path}-journal").write_bytes(b"")


def with_hits_of_no_file(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("update arc set file_id = 9")
        connection.commit()


def with_odd_numbers(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("update arc set fromno = 1 << 40")
        connection.commit()


def with_a_row_of_another_shape(path: Path) -> None:
    def columns(old: str, new: str) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("pragma writable_schema = on")
            change = "update sqlite_master set sql = replace(sql, ?, ?) where name = 'meta'"
            connection.execute(change, (old, new))
            connection.commit()

    columns("value text,", "value text, more text,")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("insert into meta values ('a', 'b', 'c')")
        connection.commit()
    columns("value text, more text,", "value text,")


def in_utf16(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma encoding = 'UTF-16'")
        connection.executescript(sqldata.SCHEMA)
        connection.execute("insert into coverage_schema values (7)")
        connection.execute("insert into file values (1, '/utf16.py')")
        connection.commit()


@pytest.mark.parametrize(
    "change",
    [
        empty,
        cut,
        of_another_schema,
        with_more_tables,
        with_a_journal,
        with_hits_of_no_file,
        with_odd_numbers,
        with_a_row_of_another_shape,
        in_utf16,
    ],
)
def test_not_sure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Make) -> None:
    """One odd file, and coverage.py does it all."""

    def make(directory: Path) -> None:
        for number in 1, 2, 3:
            arcs(str(number), hits=[(number, k) for k in range(1000)])
        change(directory / ".coverage.2")

    same(tmp_path, monkeypatch, make, quick=False)


def test_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever bytes are wrong: no crash, and if we read it, it's a data file."""
    arcs_of_it = [(k, k % 50) for k in range(2000)]
    data = data_file("1", tmp_path)
    data.add_arcs({f"/{name}.py": arcs_of_it for name in range(20)})
    data.close()
    whole = Path(data.data_filename()).read_bytes()
    union = _combine._Union(sqldata)
    monkeypatch.setattr(_combine, "_MOST", 1 << 60)
    choose = random.Random(1)
    read = 0
    for _ in range(int(os.environ.get("COMBINE_ROUNDS", "300"))):
        damaged = bytearray(whole)
        for _ in range(choose.randrange(1, 6)):
            damaged[choose.randrange(len(damaged))] = choose.randrange(256)
        try:
            (tmp_path / "damaged").write_bytes(damaged)
            source = union.read(str(tmp_path / "damaged"))
        except _combine._NotSure:
            continue
        read += 1
        assert source.has_arcs == "1"
    assert read


@pytest.mark.parametrize("error", [OSError("full"), MemoryError()])
def test_it_can_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Then coverage.py tries, and tells."""

    def create(path: str, _content: bytes) -> None:
        Path(path).write_bytes(b"half of it")
        raise error

    monkeypatch.setattr(_datafile, "create", create)
    same(tmp_path, monkeypatch, lambda _: arcs("1"), quick=False)


def test_debugging_is_coveragepys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERAGE_DEBUG", "dataop")
    monkeypatch.setenv("COVERAGE_DEBUG_FILE", str(tmp_path / "log"))
    same(tmp_path, monkeypatch, lambda _: arcs("1"), quick=False)


def test_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(_directory: Path) -> None:
        for number in range(4):
            arcs(str(number), hits=[(1, number)])

    monkeypatch.setattr(_combine, "_MOST", 100_000)
    same(tmp_path, monkeypatch, make, quick=False)


def test_all_is_there_until_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """coverage.py deletes each file when it has added it; killed then, what it added is lost."""
    for number in 1, 2:
        data_file(str(number), tmp_path).add_arcs({"/a.py": [(number, 2)]})

    def replace(_from: str, _to: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", replace)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        combine(tmp_path, ours=True, branch=True)
    assert sorted(os.listdir()) == [".coverage.1", ".coverage.2", ".coveragerc"]


def test_rows_of_sqlite(tmp_path: Path) -> None:
    """All kinds of values, and what can't be read."""
    native = _engines.load_native()
    path = tmp_path / "data"
    numbers = [0, 1, -1, 127, -128, 1 << 15, 1 << 23, -(1 << 31), 1 << 40, -(1 << 63)]
    rows = [(number, "ä" * (number & 0xFFF), bytes(number & 0xFFFF), None) for number in numbers]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table a (b, c, d, e)")
        connection.executemany("insert into a values (?, ?, ?, ?)", rows)
        connection.commit()
        content = path.read_bytes()
        assert native.data_rows(content, 2) == rows
        assert native.data_rows(content, 1) == [
            ("table", "a", "a", 2, "CREATE TABLE a (b, c, d, e)")
        ]
        for odd in [("1.5",), ("cast(x'ff' as text)",)]:
            connection.execute("delete from a")
            connection.execute(f"insert into a values ({odd[0]}, 1, 2, 3)")
            connection.commit()
            assert native.data_rows(path.read_bytes(), 2) is None
    for root in 0, 3, 1 << 31:
        assert native.data_rows(content, root) is None
    assert native.data_rows(b"", 1) is None
    assert native.data_hits(content, 2, True) is native.data_hits(content, 2, False) is None
    with pytest.raises(TypeError):
        native.data_rows("text", 1)  # type: ignore[arg-type]
