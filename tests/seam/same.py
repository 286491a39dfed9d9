"""Run a program under coverage.py's C tracer and under quickcover: the same report, and output."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..conftest import STOCK, Runner
from .programs import reported

Report = dict[str, dict[str, object]]


@dataclass(frozen=True)
class Run:
    """What came of one run: the process, what it did, and the report of everything measured."""

    process: subprocess.CompletedProcess[str]
    report: Report

    def __str__(self) -> str:
        return f"{self.process.stdout}\n{self.process.stderr}"


def run(
    run_python: Runner,
    directory: Path,
    program: tuple[str, ...],
    config: str = "",
    *,
    env: Mapping[str, str] | None = None,
    status: int = 0,
) -> Run:
    """Run `coverage run PROGRAM` with this in the [run] section, combine and report."""
    for old in directory.glob(".coverage*"):
        old.unlink()
    (directory / ".coveragerc").write_text(
        f"[run]\nbranch = true\nrelative_files = true\n{config}\n"
    )
    process = run_python(*program, env=env, status=status)
    if any(directory.glob(".coverage.*")):
        run_python("-m", "coverage", "combine", "-q", "--append")

    def run_coverage(
        *args: str, env: Mapping[str, str] | None = None, status: int | None = 0
    ) -> subprocess.CompletedProcess[str]:
        return run_python("-m", "coverage", *args, env=env, status=status)

    report = reported(run_coverage, directory)
    (directory / "report.json").unlink()
    return Run(process, report)  # type: ignore[arg-type]


CTRACE = f"core = {STOCK}"
OURS = "plugins = quickcover"


def same(
    run_python: Runner,
    directory: Path,
    *program: str,
    config: str = "",
    only_ctrace: str = "",
    only_ours: str = OURS,
    sees_more: bool = False,
    status: int = 0,
) -> Run:
    """Assert that a program is measured as by ctrace; what came of the run under quickcover.

    Args:
        config: lines of the [run] section for both.
        only_ctrace: more such lines, which ctrace needs to be right.
        only_ours: lines that bring quickcover in.
        sees_more: quickcover may report more as executed.
        status: the exit status that the program must have.
    """
    command = ("-m", "coverage", "run", *program)
    theirs = run(
        run_python, directory, command, f"{CTRACE}\n{config}\n{only_ctrace}", status=status
    )
    ours = run(run_python, directory, command, f"{only_ours}\n{config}", status=status)
    check(theirs, ours, sees_more=sees_more)
    assert ours.process.stdout == theirs.process.stdout
    return ours


def check(theirs: Run, ours: Run, *, sees_more: bool = False) -> None:
    """Assert that two reports are the same, or that ours has everything that theirs has."""
    assert theirs.report, str(theirs)
    if not sees_more:
        assert ours.report == theirs.report, f"ctrace: {theirs}\nquickcover: {ours}"
        return
    for name, expected in theirs.report.items():
        for key in ("executed_lines", "executed_branches"):
            found = ours.report[name][key]
            for item in expected[key]:  # type: ignore[attr-defined]
                assert item in found, f"{name}: {item}"  # type: ignore[operator]
