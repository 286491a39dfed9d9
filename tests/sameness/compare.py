"""Compare two reports of `coverage json`, line by line and branch by branch.

A line has one state in a report: executed, missing, excluded, or absent (no statement). A branch
has one of executed, missing, absent. Two reports are the same when every line and branch has the
same state in both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

ABSENT = "absent"
LINE_STATES = ("executed", "missing", "excluded")
BRANCH_STATES = ("executed", "missing")

Branch = tuple[int, int]


@dataclass
class FileReport:
    """What one report says of one file."""

    lines: dict[int, str] = field(default_factory=dict)
    branches: dict[Branch, str] = field(default_factory=dict)
    functions_run: int = 0
    """How many functions of the file had a line executed: is it at work, or only imported?"""

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> FileReport:
        """Read one value of the "files" table of a JSON report."""
        report = cls()
        for state in LINE_STATES:
            for line in entry.get(f"{state}_lines", ()):
                report.lines[line] = state
        for state in BRANCH_STATES:
            for start, end in entry.get(f"{state}_branches", ()):
                report.branches[start, end] = state
        functions = entry.get("functions", {})
        report.functions_run = entry.get("functions_run", 0) or sum(
            1 for name, part in functions.items() if name and part["executed_lines"]
        )
        return report

    def to_json(self) -> dict[str, Any]:
        """The same table, without what nobody compares."""
        entry: dict[str, Any] = {
            f"{state}_lines": sorted(n for n, s in self.lines.items() if s == state)
            for state in LINE_STATES
        }
        for state in BRANCH_STATES:
            entry[f"{state}_branches"] = sorted(b for b, s in self.branches.items() if s == state)
        entry["functions_run"] = self.functions_run
        return entry


@dataclass(frozen=True, order=True)
class Difference:
    """One line, branch, file or test that two runs do not agree on."""

    file: str
    kind: str
    """line, branch, file, or test."""
    place: tuple[int, ...]
    """(line,) or (from, to); empty for files and tests."""
    expected: str
    found: str

    def __str__(self) -> str:
        where = self.file
        if self.kind == "line":
            where += f":{self.place[0]}"
        elif self.kind == "branch":
            where += f":{self.place[0]} -> {self.place[1]}"
        return f"{where}: {self.kind} is {self.found}, should be {self.expected}"


def compare_files(
    expected: Mapping[str, FileReport], found: Mapping[str, FileReport]
) -> list[Difference]:
    """Every difference of two reports, in the order of files and lines."""
    differences: list[Difference] = []
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            differences.append(Difference(name, "file", (), "reported", ABSENT))
        elif name not in expected:
            differences.append(Difference(name, "file", (), ABSENT, "reported"))
        else:
            differences.extend(_compare_file(name, expected[name], found[name]))
    return differences


def _compare_file(name: str, expected: FileReport, found: FileReport) -> Iterator[Difference]:
    for line in sorted(expected.lines.keys() | found.lines.keys()):
        states = expected.lines.get(line, ABSENT), found.lines.get(line, ABSENT)
        if states[0] != states[1]:
            yield Difference(name, "line", (line,), *states)
    for branch in sorted(expected.branches.keys() | found.branches.keys()):
        states = expected.branches.get(branch, ABSENT), found.branches.get(branch, ABSENT)
        if states[0] != states[1]:
            yield Difference(name, "branch", branch, *states)


def compare_outcomes(expected: Mapping[str, str], found: Mapping[str, str]) -> list[Difference]:
    """Tests that ended in another way, or ran in one of the two runs only."""
    return [
        Difference(test, "test", (), expected.get(test, ABSENT), found.get(test, ABSENT))
        for test in sorted(expected.keys() | found.keys())
        if expected.get(test, ABSENT) != found.get(test, ABSENT)
    ]


def totals(files: Iterable[FileReport]) -> dict[str, int]:
    """How much was compared."""
    reports = list(files)
    return {
        "files": len(reports),
        "files_at_work": sum(1 for report in reports if report.functions_run),
        "lines": sum(len(report.lines) for report in reports),
        "branches": sum(len(report.branches) for report in reports),
        "executed_lines": sum(
            1 for report in reports for state in report.lines.values() if state == "executed"
        ),
        "executed_branches": sum(
            1 for report in reports for state in report.branches.values() if state == "executed"
        ),
    }
