"""What to call equal, and how to tell of a difference so that it can be understood at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

from ..oracle import FileReport
from .measure import Recorded, reported


def raw_differences(left: str, right: str, recorded: Recorded, expected: Recorded) -> str:
    """How the raw data differ: what only `left` recorded, and what only `right` did."""
    told = []
    for file in sorted({*recorded, *expected}):
        mine, theirs = recorded.get(file, frozenset()), expected.get(file, frozenset())
        if mine != theirs:
            told.append(_listing(Path(file)))
            told += _only(left, "recorded", mine - theirs) + _only(right, "recorded", theirs - mine)
    return "\n".join(told)


def report_differences(
    left: str, right: str, recorded: Recorded, expected: Recorded, *, branch: bool
) -> str:
    """How the reports differ that coverage.py makes of raw data; equal data need no report."""
    files = [file for file in expected if recorded.get(file) != expected[file]]
    files += [file for file in recorded if file not in expected]
    mine = reported({f: recorded[f] for f in files if recorded.get(f)}, branch=branch)
    theirs = reported({f: expected[f] for f in files if expected.get(f)}, branch=branch)
    told = []
    for file in sorted(files):
        if mine.get(file) != theirs.get(file):
            told.append(_listing(Path(file)))
            for field in fields(FileReport):
                one = set(getattr(mine.get(file), field.name, ()))
                other = set(getattr(theirs.get(file), field.name, ()))
                told += _only(left, field.name, one - other) + _only(right, field.name, other - one)
    return "\n".join(told)


def _only(name: str, what: str, places: Iterable[object]) -> list[str]:
    found = sorted(places)  # type: ignore[type-var]
    return [f"  only {name}: {what} {found}"] if found else []


def _listing(file: Path) -> str:
    lines = file.read_text(encoding="utf-8").splitlines()
    return "\n".join([f"{file.name}:", *(f"{n:4} {line}" for n, line in enumerate(lines, 1))])
