"""What is kept and written together is what coverage.py's own methods would have written."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from coverage import CoverageData, sqldata
from coverage.data import combine_parallel_data

from quickcover import _kept
from quickcover._kept import Kept

Part = tuple[str | None, dict[str, list[Any]]]


def packed(recorded: Mapping[str, list[Any]]) -> dict[str, bytes]:
    """Lines or arcs as the C core packs them."""

    def flat(hits: list[Any]) -> list[int]:
        return [n for hit in hits for n in (hit if isinstance(hit, tuple) else (hit,))]

    return {
        name: struct.pack(f"{len(flat(hits))}i", *flat(hits)) for name, hits in recorded.items()
    }


def some_parts(branch: bool) -> list[Part]:
    """Contexts with a few or many hits in some files; one comes twice, one has nothing."""
    draw = random.Random(0)

    def hit() -> Any:
        line = draw.randrange(1, 2000)
        return (line, draw.randrange(-2000, 2000)) if branch else line

    parts: list[Part] = []
    for name in (None, "", "a", "b", "a", "c|d"):
        recorded: dict[str, list[Any]] = {}
        for file in draw.sample(["one.py", "two.py", "three.py"], 2):
            recorded[file] = [hit() for _ in range(draw.choice([1, 90, 700]))]
        parts.append((name, recorded))
    return [*parts, ("empty", {})]


def contents(data: CoverageData, branch: bool) -> dict[tuple[str, str], set[Any]]:
    found = {}
    for context in data.measured_contexts():
        data.set_query_context(context)
        for file in data.measured_files():
            hits = set((data.arcs if branch else data.lines)(file) or ())
            if hits:
                found[context, file] = hits
    return found


@pytest.fixture(params=["put", "by SQLite"], autouse=True)
def _put(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that we write as a whole, where that can be, and those that SQLite writes."""
    monkeypatch.setattr(_kept, "_WORTH", 0 if request.param == "put" else 1 << 30)


def same_name(file: str) -> str:
    return file


def one_name(file: str) -> str:
    return "all.py"


@pytest.mark.parametrize("branch", [False, True])
@pytest.mark.parametrize("file_name", [same_name, one_name])
def test_the_same_as_one_by_one(
    tmp_path: Path, branch: bool, file_name: Callable[[str], str]
) -> None:
    expected = CoverageData(str(tmp_path / "expected"))
    kept = Kept(sqldata)
    for context, recorded in some_parts(branch):
        expected.set_context(context)
        for file, hits in recorded.items():
            (expected.add_arcs if branch else expected.add_lines)({file_name(file): hits})
        kept.add(context, packed(recorded))
    data = CoverageData(str(tmp_path / "data"))
    data.set_context("now")
    assert kept.write(data, branch, file_name)
    assert contents(data, branch) == contents(expected, branch)
    assert data._current_context == "now"
    assert not kept.parts and not kept.size
    assert not kept.write(data, branch, file_name)


@pytest.mark.parametrize("branch", [False, True])
def test_a_failure_loses_nothing(tmp_path: Path, branch: bool) -> None:
    kept = Kept(sqldata)
    for context, recorded in some_parts(branch):
        kept.add(context, packed(recorded))
    before, size = list(kept.parts), kept.size

    def fails(file: str) -> str:
        if file == "two.py":
            kept.add("meanwhile", {})
            raise MemoryError
        return file

    data = CoverageData(str(tmp_path / "data"))
    with pytest.raises(MemoryError):
        kept.write(data, branch, fails)
    assert kept.parts == [*before, ("meanwhile", {})]
    assert kept.size == size
    assert kept.write(data, branch, same_name)
    assert contents(data, branch)


@pytest.mark.skipif(
    not hasattr(CoverageData, "_hash_data"), reason="names have no hash of the data"
)
@pytest.mark.parametrize("branch", [False, True])
def test_the_same_data_have_the_same_hash(tmp_path: Path, branch: bool) -> None:
    def hash_in_name(*more: Part) -> str:
        data = CoverageData(str(tmp_path / "data"), suffix=True)
        kept = Kept(sqldata)
        for context, recorded in [*some_parts(branch), *more]:
            kept.add(context, packed(recorded))
        kept.write(data, branch, same_name)
        data.write()
        return data.data_filename().rpartition(".H")[2]

    def touched() -> str:
        """After it was written, as names of files that were not executed are."""
        data = CoverageData(str(tmp_path / "data"), suffix=True)
        kept = Kept(sqldata)
        for context, recorded in some_parts(branch):
            kept.add(context, packed(recorded))
        kept.write(data, branch, same_name)
        data.touch_file("touched.py")
        data.write()
        return data.data_filename().rpartition(".H")[2]

    more: Part = ("a", {"one.py": [(1, 1) if branch else 1] * 2})
    assert touched() == touched() != hash_in_name()
    assert hash_in_name() == hash_in_name()
    assert hash_in_name(more) == hash_in_name(more) != hash_in_name()
    combined = CoverageData(str(tmp_path / "data"))
    combine_parallel_data(combined, strict=True)
    assert 1 in (combined.lines("one.py") or ())


def kept_one(file: str = "one.py") -> Kept:
    kept = Kept(sqldata)
    kept.add(None, packed({file: [1, 2, 3]}))
    return kept


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_the_data_file_is_whole_or_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = CoverageData(str(tmp_path / "data"))
    old.add_lines({"old.py": [7]})
    old.close()
    before = (tmp_path / "data").read_bytes()
    seen = []
    replace = os.replace

    def replacing(unfinished: str, name: str) -> None:
        seen.append((tmp_path / "data").read_bytes())
        whole = CoverageData(unfinished)
        whole.read()
        assert whole.lines("one.py") == [1, 2, 3]
        replace(unfinished, name)

    monkeypatch.setattr(os, "replace", replacing)
    data = CoverageData(str(tmp_path / "data"))
    assert kept_one().write(data, False, same_name)
    assert seen == [before]
    assert data.data_filename() == str(tmp_path / "data")
    assert data.measured_files() == {"one.py"}
    # What comes later is added to it.
    assert kept_one("two.py").write(data, False, same_name)
    data.touch_file("three.py")
    again = CoverageData(str(tmp_path / "data"))
    again.read()
    assert again.measured_files() == {"one.py", "two.py", "three.py"}
    assert len(seen) == 1 and names(tmp_path) == ["data"]


@pytest.mark.parametrize("branch", [False, True])
def test_where_renaming_fails_coverage_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, branch: bool
) -> None:
    def failing(unfinished: str, name: str) -> None:
        raise OSError("not here")

    monkeypatch.setattr(os, "replace", failing)
    data = CoverageData(str(tmp_path / "data"))
    kept = Kept(sqldata)
    kept.add("a", packed({"one.py": [(1, 2)] if branch else [1, 2]}))
    assert kept.write(data, branch, same_name)
    data.close()
    assert names(tmp_path) == ["data"]
    again = CoverageData(str(tmp_path / "data"))
    again.read()
    assert again.has_arcs() == branch and again.lines("one.py") == [1, 2]
    assert again.measured_contexts() == {"a"}


def test_interrupted_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(unfinished: str, name: str) -> None:
        raise KeyboardInterrupt

    kept = kept_one()
    data = CoverageData(str(tmp_path / "data"))
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            kept.write(data, False, same_name)
    assert names(tmp_path) == []
    assert kept.write(data, False, same_name)
    assert data.lines("one.py") == [1, 2, 3] and names(tmp_path) == ["data"]
