"""Starts and ends: what measuring adds where nothing is done, and what saving takes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.goals import Goal
from benchmarks.suites import user_seconds
from quickcover.bench.errors import CommandError

#: What is measured, and what it is called.
NAMES = {
    "program": "empty program",
    "subprocess": "empty subprocess",
    "save": "saving 40,000 lines, or as many arcs",
}
#: They are short, and many rounds are cheap.
ROUNDS_FOR_ONE = 4
CHILDREN = 40
PARENT = """\
import subprocess, sys
for _ in range(int(sys.argv[1])):
    subprocess.run([sys.executable, "empty.py"], check=True)
"""
#: Some 40,000 lines in 300 modules are executed; prints what saving them takes.
SAVING = """\
import pathlib, sys, time
import coverage
sys.path[:0] = ["many"]
source = "def f(x):\\n" + "    if x > 9:\\n        x = 0\\n    x += 1\\n" * 44
for k in range(300):
    pathlib.Path("many", f"module_{k}.py").write_text(source)
cov = coverage.Coverage(branch=sys.argv[1] == "branches", include=["many/*"])
cov.start()
for k in range(300):
    module = __import__(f"module_{k}")
    module.f(10), module.f(0)
cov.stop()
before = time.process_time()
cov.save()
print(time.process_time() - before)
"""
TOOLS = ("none", "coverage", "quickcover")
_PLUGIN = {"coverage": "", "quickcover": "plugins = quickcover\n"}


def choose(patterns: list[str]) -> list[str]:
    """Those that a pattern names; `start` is both of them."""
    wanted = [p.removeprefix("start_") for p in patterns if p == "start" or p.startswith("start_")]
    return [
        name
        for name in NAMES
        if not patterns or any(p == "start" or fnmatchcase(name, p) for p in wanted)
    ]


def run(names: list[str], rounds: int, tell: Callable[[str, float], None]) -> dict[str, Any]:
    """All that are asked for: milliseconds of user CPU time by tool, a list of rounds each."""
    found: dict[str, Any] = {}
    for name in names:
        try:
            found[name] = _measure(name, rounds * ROUNDS_FOR_ONE, tell)
        except CommandError as error:
            found[name] = {"failure": str(error).partition("\n")[0]}
    return found


def _measure(name: str, rounds: int, tell: Callable[[str, float], None]) -> dict[str, list[float]]:
    measure = {"program": _program, "subprocess": _subprocess, "save": _save}[name]
    times: dict[str, list[float]] = {tool: [] for tool in TOOLS}
    with tempfile.TemporaryDirectory(prefix="quickcover-bench-") as place:
        for tool in TOOLS:
            directory = Path(place, tool)
            directory.mkdir()
            (directory / "empty.py").touch()
            (directory / "parent.py").write_text(PARENT)
        for turn in range(-1, rounds):  # the first one is to warm up
            for tool in TOOLS[:: 1 if turn % 2 else -1]:
                tell(f"starts: {name}: {tool}", (turn + 1) / (rounds + 1))
                spent = measure(tool, Path(place, tool))
                if turn >= 0:
                    times[tool].append(round(spent * 1000, 3))
    return times


def _program(tool: str, directory: Path) -> float:
    command = [sys.executable, "empty.py"]
    if tool != "none":
        command = [sys.executable, "-m", tool, "run", "--branch", "empty.py"]
    return user_seconds(command, directory)


def _subprocess(tool: str, directory: Path) -> float:
    """One of many in a measured process, which is subtracted."""
    start = [sys.executable]
    if tool != "none":
        setting = f"[run]\nbranch = true\npatch = subprocess\n{_PLUGIN[tool]}"
        (directory / ".coveragerc").write_text(setting)
        start += ["-m", "coverage", "run"]
    with_children, without = (
        user_seconds([*start, "parent.py", str(count)], directory) for count in (CHILDREN, 0)
    )
    for data in directory.glob(".coverage.*"):
        data.unlink()
    return (with_children - without) / CHILDREN


def _save(tool: str, directory: Path) -> float:
    """All lines, and then all arcs, of a measured process: the longer of both."""
    if tool == "none":
        return 0.0
    (directory / ".coveragerc").write_text(f"[run]\n{_PLUGIN[tool]}")
    (directory / "saving.py").write_text(SAVING)
    (directory / "many").mkdir(exist_ok=True)
    spent = []
    for mode in ("lines", "branches"):
        done = subprocess.run(
            [sys.executable, "saving.py", mode],
            cwd=directory, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise CommandError(f"saving fails with {tool}: {done.stderr.strip()}")
        spent.append(float(done.stdout))
        (directory / ".coverage").unlink()
    return max(spent)


def added(times: dict[str, list[float]], tool: str) -> float:
    """The median of what a tool adds, round by round, in milliseconds."""
    return median(b - a for a, b in zip(times["none"], times[tool], strict=True))


def text(found: dict[str, Any]) -> list[str]:
    """What was measured, for people."""
    lines = []
    for name, times in found.items():
        if "failure" in times:
            lines.append(f"FAILED: {name}: {times['failure']}")
            continue
        shown = ", ".join(f"{tool} {added(times, tool):+.1f}" for tool in TOOLS[1:])
        lines.append(f"{NAMES[name]}: none {median(times['none']):.1f} ms, {shown}")
    return lines


def goals(found: dict[str, Any]) -> Iterator[Goal]:
    """What is promised of starts."""
    for name, limit in (("program", 40.0), ("subprocess", 10.0)):
        times = found.get(name, {})
        if "quickcover" in times:
            text = f"{NAMES[name]}, milliseconds added by quickcover"
            yield Goal(text, added(times, "quickcover"), limit)
    times = found.get("save", {})
    if "quickcover" in times:
        yield Goal(f"{NAMES['save']}, milliseconds", added(times, "quickcover"), 100.0)
