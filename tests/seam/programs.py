"""Programs that the tests of the seam write, run and measure, and what they tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ..conftest import Runner

#: Lines 5 and 10 are not executed, and the loop's condition at line 8 is partial.
PARTIAL = """\
def sign(x):
    if x >= 0:
        return 1
    else:
        return -1

print(sign(1))
for i in range(2):
    if i > 5:
        print("large")
"""

#: `who(role)` appends to who.txt which Collector measures the calling process.
WHO = """\
import os

PLACE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "who.txt")

def who(role):
    import coverage

    cov = coverage.Coverage.current()
    measuring = type(cov._collector).__module__ if cov is not None else "nobody"
    with open(PLACE, "a") as file:
        print(role, measuring, file=file)
"""

#: A module with branches, some of them never taken.
WORK = """\
def work(x):
    if x > 1:
        return "many"
    for i in range(x):
        if i:
            return "never"
    return "few"
"""

OURS = "quickcover.coveragepy"
THEIRS = "coverage.collector"


def write(directory: Path, **files: str) -> None:
    """Write `name="text"` to `name.py`, for each."""
    for name, text in files.items():
        (directory / f"{name}.py").write_text(text)


def told(directory: Path) -> list[str]:
    """What all calls of `who` said, sorted."""
    return sorted((directory / "who.txt").read_text().splitlines())


def reported(run: Runner, directory: Path, status: int | None = 0) -> dict[str, object]:
    """The lines and branches of every file, as `coverage json` reports them.

    Args:
        status: the exit status that `coverage json` must have; with None it may find no data.
    """
    run("json", "-q", "-o", "report.json", status=status)
    if status is None and not (directory / "report.json").exists():
        return {}
    report = json.loads((directory / "report.json").read_text())
    keys = ("executed_lines", "missing_lines", "executed_branches", "missing_branches")
    return {
        name: {key: value for key, value in file.items() if key in keys}
        for name, file in report["files"].items()
    }


def without_environment(case: str, which: str) -> Any:
    """A case of a test: `which` has its program give a process another environment, in which no
    sanitizer can be loaded.
    """
    return pytest.param(case, marks=[pytest.mark.no_sanitizer] * (case == which))
