"""Whole command lines: a pytest suite, the same with contexts, and many short subprocesses.

They run as a user would run them, start and end included, by what `quickcover bench` is made of.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from quickcover.bench import tools
from quickcover.bench.config import Settings
from quickcover.bench.errors import CommandError
from quickcover.bench.machine import machine, now, python
from quickcover.bench.results import Report
from quickcover.bench.running import Bench, complaint, spawn
from quickcover.bench.target import Target

HERE = Path(__file__).resolve().parent
PROGRAMS = str(HERE.parent / "programs")

Progress = Callable[[str, float], None]


class _Within:
    """A part of a longer progress."""

    def __init__(self, progress: Progress, name: str, low: float, high: float) -> None:
        self.progress, self.name, self.low, self.high = progress, name, low, high

    def __call__(self, text: str, part: float) -> None:
        self.progress(f"{self.name}: {text}", self.low + part * (self.high - self.low))

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Suite:
    """One command line, and coverage.py's settings for it."""

    name: str
    target: Target
    settings: Settings = field(default_factory=dict)


def _pytest(*more: str) -> Target:
    words = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(HERE / "tests"), *more)
    return Target((), True, "pytest", words)


_SOURCE = {"source": PROGRAMS}

SUITES = (
    Suite("pytest", _pytest(), {"run": _SOURCE}),
    Suite("pytest_contexts", _pytest("--contexts"), {"run": _SOURCE}),
    Suite(
        "subprocesses",
        Target((), False, str(HERE / "subprocesses.py"), ()),
        {"run": {**_SOURCE, "patch": "subprocess"}},
    ),
)
REPORTS = "reports"
NAMES = (*(suite.name for suite in SUITES), REPORTS)


def choose(patterns: list[str]) -> list[str]:
    """The suites that a pattern names; `suite` is all of them."""
    return [
        name
        for name in NAMES
        if not patterns or any(fnmatchcase(name, p) or p == "suite" for p in patterns)
    ]


def measure(name: str, rounds: int, progress: Progress) -> dict[str, Any]:
    """All tools of `quickcover bench` on one suite, or the reports."""
    if name == REPORTS:
        return {"commands": reports(rounds, progress)}
    (suite,) = [suite for suite in SUITES if suite.name == name]
    bench = Bench(suite.target, tools.choose(None), suite.settings, None)
    within = _Within(progress, name, 0.0, 1.0)
    bench.warm_up(within, ignore_failure=False)
    bench.measure(rounds, within)
    report = Report([], now(), machine(), python(), {"rounds": rounds}, bench.results)
    found: dict[str, Any] = json.loads(report.as_json())
    for result in found["results"]:
        for figure in ("user", "system", "wall"):
            result[figure] = [round(value, 5) for value in result[figure]]
    return {"results": found["results"]}


#: What comes after measuring; {data} is the data file, {out} a directory.
COMMANDS = {
    "report": ["report"],
    "html": ["html", "-q", "-d", "{out}/html"],
    "xml": ["xml", "-q", "-o", "{out}/x.xml"],
    "json": ["json", "-q", "-o", "{out}/x.json"],
    "lcov": ["lcov", "-q", "-o", "{out}/x.lcov"],
    "combine": ["combine", "-q", "--keep", "{out}/part.1", "{out}/part.2"],
}


def reports(rounds: int, progress: Progress) -> dict[str, Any]:
    """coverage.py's other commands on the 400 modules of sympy: with our command and with theirs.

    The data of both were recorded by the tool itself, so a larger file of arcs would show here.
    """
    times: dict[str, Any] = {command: {} for command in COMMANDS}
    with tempfile.TemporaryDirectory(prefix="quickcover-bench-") as directory:
        for tool in ("coverage", "quickcover"):
            (Path(directory) / tool).mkdir()
            for part in ("data", "part.1", "part.2"):
                progress(f"{REPORTS}: {tool} measures", 0.0)
                measured = [
                    "run",
                    "--branch",
                    "--source=sympy",
                    f"--data-file={directory}/{tool}/{part}",
                ]
                _run(tool, [*measured, str(HERE.parent / "cold_import" / "import_sympy.py")])
        done = 0
        for turn in range(rounds):
            for command, words in COMMANDS.items():
                for tool in ("coverage", "quickcover")[:: 1 if turn % 2 else -1]:
                    share = done / rounds / len(COMMANDS) / 2
                    progress(f"{REPORTS}: round {turn + 1}/{rounds}: {tool} {command}", share)
                    out = f"{directory}/{tool}"
                    data = f"--data-file={out}/{'combined' if command == 'combine' else 'data'}"
                    seconds = _run(tool, [words[0], data, *(w.format(out=out) for w in words[1:])])
                    times[command].setdefault(tool, []).append(round(seconds, 4))
                    done += 1
    return times


def _run(tool: str, words: list[str]) -> float:
    """User CPU seconds of a command of coverage.py."""
    env = tools.environment(tools.Job(tools.TOOLS[0], "none", SUITES[0].target, HERE))
    env["COVERAGE_RCFILE"] = str(HERE / "empty.ini")
    run = spawn([sys.executable, "-m", tool, *words], env)
    if run.status:
        raise CommandError(f"{tool} {words[0]}: {complaint(run)}")
    return run.user


def text(found: dict[str, Any]) -> list[str]:
    """What was measured, for people."""
    lines = []
    for name, suite in found.items():
        if "failure" in suite:
            lines.append(f"FAILED: {name}: {suite['failure']}")
        for result in suite.get("results", ()):
            ratio = result["ratios"].get("user")
            shown = (
                f"{ratio['median']:.3f} ({ratio['low']:.2f}-{ratio['high']:.2f})"
                if ratio
                else result["failure"]
            )
            lines.append(f"{name:16}{result['title']:28}{result['mode']:10}{shown}")
        for command, tools_ in suite.get("commands", {}).items():
            shown = ", ".join(f"{t} {statistics.median(v):.2f} s" for t, v in tools_.items())
            lines.append(f"{name:16}{command:28}{shown}")
    return lines
