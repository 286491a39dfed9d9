"""Starts: what measuring adds to a program, and to a subprocess, that does nothing."""

from __future__ import annotations

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

NAMES = ("program", "subprocess")
#: They are short, and many rounds are cheap.
ROUNDS_FOR_ONE = 4
CHILDREN = 40
PARENT = """\
import subprocess, sys
for _ in range(int(sys.argv[1])):
    subprocess.run([sys.executable, "empty.py"], check=True)
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
    measure = {"program": _program, "subprocess": _subprocess}[name]
    times: dict[str, list[float]] = {tool: [] for tool in TOOLS}
    with tempfile.TemporaryDirectory(prefix="quickcover-bench-") as place:
        for tool in TOOLS:
            directory = Path(place, tool)
            directory.mkdir()
            (directory / "empty.py").touch()
            (directory / "parent.py").write_text(PARENT)
        for turn in range(-1, rounds):  # the first one is to warm up
            for tool in TOOLS[:: 1 if turn % 2 else -1]:
                tell(f"start of a {name}: {tool}", (turn + 1) / (rounds + 1))
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
        lines.append(f"start of a {name}: none {median(times['none']):.1f} ms, {shown}")
    return lines


def goals(found: dict[str, Any]) -> Iterator[Goal]:
    """What is promised of starts."""
    for name, limit in (("program", 40.0), ("subprocess", 10.0)):
        times = found.get(name, {})
        if "quickcover" in times:
            yield Goal(
                f"empty {name}, milliseconds added by quickcover", added(times, "quickcover"), limit
            )
