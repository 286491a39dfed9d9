"""What is kept and written together is what coverage.py's own methods would have written."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from coverage import CoverageData

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
    kept = Kept()
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
    kept = Kept()
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
