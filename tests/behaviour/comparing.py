"""What to call equal, and how to tell of a difference so that it can be understood at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

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
    """How the reports differ that coverage.py makes of raw data."""
    told = []
    for file, mine, theirs in _reports_to_compare(recorded, expected, branch):
        if mine != theirs:
            told.append(_listing(Path(file)))
            for field in fields(FileReport):
                one, other = _places(mine, field.name), _places(theirs, field.name)
                told += _only(left, field.name, one - other) + _only(right, field.name, other - one)
    return "\n".join(told)


def missed(left: str, right: str, recorded: Recorded, expected: Recorded, *, branch: bool) -> str:
    """What `right` reports as executed, but `left` does not."""
    told = []
    for file, mine, theirs in _reports_to_compare(recorded, expected, branch):
        for name in ("executed_lines", "executed_branches"):
            only = _only(right, name, _places(theirs, name) - _places(mine, name))
            told += [_listing(Path(file)), *only] if only else []
    return "\n".join(told)


def _reports_to_compare(
    recorded: Recorded, expected: Recorded, branch: bool
) -> Iterator[tuple[str, FileReport | None, FileReport | None]]:
    """Each file with its two reports; those with equal data have equal reports, so not these."""
    both = sorted({*recorded, *expected})
    files = [file for file in both if recorded.get(file) != expected.get(file)]
    mine = reported({f: recorded[f] for f in files if recorded.get(f)}, branch=branch)
    theirs = reported({f: expected[f] for f in files if expected.get(f)}, branch=branch)
    for file in files:
        yield file, mine.get(file), theirs.get(file)


def _places(report: FileReport | None, field: str) -> set[Any]:
    return set(getattr(report, field, ()))


def _only(name: str, what: str, places: Iterable[Any]) -> list[str]:
    found = sorted(places)
    return [f"  only {name}: {what} {found}"] if found else []


def _listing(file: Path) -> str:
    lines = file.read_text(encoding="utf-8").splitlines()
    return "\n".join([f"{file.name}:", *(f"{n:4} {line}" for n, line in enumerate(lines, 1))])
