"""Whole command lines: a pytest suite, the same with contexts, and many short subprocesses.

They run as a user would run them, start and end included, by what `quickcover bench` is made of.
"""

from __future__ import annotations

import json
import random
import shutil
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
from quickcover.bench.running import Bench, Run, complaint, spawn
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
    #: Those of `quickcover bench`; None for the usual ones.
    tools: str | None = None


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
        "ctrace,quickcover",
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
    bench = Bench(suite.target, tools.choose(suite.tools), suite.settings, None)
    within = _Within(progress, name, 0.0, 1.0)
    bench.warm_up(within, ignore_failure=False)
    bench.measure(rounds, within)
    report = Report([], now(), machine(), python(), {"rounds": rounds}, bench.results)
    found: dict[str, Any] = json.loads(report.as_json())
    for result in found["results"]:
        for figure in ("user", "system", "wall"):
            result[figure] = [round(value, 5) for value in result[figure]]
    return {"results": found["results"]}


#: What comes after measuring; {out} is a directory.
COMMANDS = {
    "report": ["report"],
    "html": ["html", "-q", "-d", "{out}/html"],
    "xml": ["xml", "-q", "-o", "{out}/x.xml"],
    "json": ["json", "-q", "-o", "{out}/x.json"],
    "lcov": ["lcov", "-q", "-o", "{out}/x.lcov"],
    "combine": ["combine", "-q", "--keep", "{out}/parts"],
}
#: Data files to combine: each has so many contexts, which have a part of the arcs of some modules.
_PARTS, _CONTEXTS, _IN_CONTEXT, _ARCS = 500, 6, 20, 40
#: Two packages: 129 modules with 102,000 lines; all would take coverage.py minutes for each report.
_MODULES = "*/sympy/core/*,*/sympy/polys/*"
#: First without anything from earlier reports, then the same again.
REPORTERS = {
    "coverage, first": "coverage",
    "coverage, again": "coverage",
    "quickcover, first": "quickcover",
    "quickcover, again": "quickcover",
}
_REPORT_ROUNDS = 3


def reports(rounds: int, progress: Progress) -> dict[str, Any]:
    """coverage.py's other commands: with theirs, and with ours; user CPU and wall seconds."""
    times: dict[str, Any] = {command: {} for command in COMMANDS}
    rounds = min(rounds, _REPORT_ROUNDS)
    with tempfile.TemporaryDirectory(prefix="quickcover-bench-") as directory:
        place = Path(directory)
        progress(f"{REPORTS}: measuring", 0.0)
        measured = ["run", "--branch", f"--include={_MODULES}", f"--data-file={place / 'data'}"]
        program = str(HERE.parent / "cold_import" / "import_sympy.py")
        _command("quickcover", [*measured, program], place)
        _make_parts(place)
        for turn in range(rounds):
            for done, (command, words) in enumerate(COMMANDS.items()):
                for title, tool in REPORTERS.items():
                    share = (turn + done / len(COMMANDS)) / rounds
                    progress(f"{REPORTS}: round {turn + 1}/{rounds}: {title} {command}", share)
                    if title.endswith("first"):
                        _forget(place)
                    data = place / ("combined" if command == "combine" else "data")
                    options = [word.format(out=place) for word in words[1:]]
                    run = _command(tool, [words[0], f"--data-file={data}", *options], place)
                    kept = times[command].setdefault(title, {"user": [], "wall": []})
                    kept["user"].append(round(run.user, 4))
                    kept["wall"].append(round(run.wall, 4))
    return times


def _make_parts(place: Path) -> None:
    """Make data files as processes of a large suite leave them, with a context for each test."""
    from coverage import CoverageData

    whole = CoverageData(str(place / "data"))
    whole.read()
    arcs = {name: whole.arcs(name) or [] for name in sorted(whole.measured_files())}
    choose = random.Random(0)
    (place / "parts").mkdir()
    for part in range(_PARTS):
        data = CoverageData(str(place / "parts" / "combined"), suffix=f"host.{part:03}")
        for number in range(_CONTEXTS):
            data.set_context(f"tests/test_{part}.py::test_{number}|run")
            hits = {}
            for name in choose.sample(list(arcs), _IN_CONTEXT):
                begin = choose.randrange(max(len(arcs[name]) - _ARCS, 1))
                hits[name] = arcs[name][begin : begin + _ARCS]
            data.add_arcs(hits)
        data.close()


def _forget(place: Path) -> None:
    """Remove the reports, and what helps to make them again."""
    for directory in ("html", ".quickcover_cache"):
        shutil.rmtree(place / directory, ignore_errors=True)


def _command(tool: str, words: list[str], directory: Path) -> Run:
    """Run a command of coverage.py."""
    run = spawn([sys.executable, "-m", tool, *words], _environment(directory))
    if run.status:
        raise CommandError(f"{tool} {words[0]}: {complaint(run)}")
    return run


def user_seconds(command: list[str], directory: Path) -> float:
    """What a command takes in a directory that has its configuration, with its children.

    Raises:
        CommandError: it failed.
    """
    env = _environment(directory)
    del env["COVERAGE_RCFILE"]
    run = spawn(["/bin/sh", "-c", 'cd "$0" && exec "$@"', str(directory), *command], env)
    if run.status:
        raise CommandError(f"{' '.join(command[1:4])}: {complaint(run)}")
    return run.user


def _environment(directory: Path) -> dict[str, str]:
    """No configuration but ours, and nothing left of what other runs have kept."""
    env = tools.environment(tools.Job(tools.TOOLS[0], "none", SUITES[0].target, HERE))
    env["COVERAGE_RCFILE"] = str(HERE / "empty.ini")
    env["XDG_CACHE_HOME"] = str(directory / "cache")
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    return env


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
            shown = ", ".join(
                f"{tool} {statistics.median(times['user']):.2f} s "
                f"({statistics.median(times['wall']):.2f})"
                for tool, times in tools_.items()
            )
            lines.append(f"{name:16}{command:12}{shown}")
    return lines
