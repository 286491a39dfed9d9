"""How many operations does TSTL's random tester do with branch coverage, to those without?

    python -m pip install --no-deps tstl==1.2.39
    python -m benchmarks.tstl [--seconds N] [--rounds N] [--tools NAME...]

The harness is avl.tstl, for the tree in avltree.py.  In each round the tester runs N seconds
without coverage, on quickcover.tstl, with coverage that does nothing (what TSTL itself spends on
it: the limit), and on coverage.py of today as TSTL uses it: through its public API, with its data
file.  Operations are counted by user CPU time, as if the processor had been the tester's for N
seconds.  `python -m benchmarks --programs tstl` does the same, and can write what comes of it.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from quickcover.bench.errors import CommandError

HERE = Path(__file__).resolve().parent
WITHOUT = "without"
LIMIT = "coverage that does nothing"
TOOLS = {
    WITHOUT: ["-m", "tstl.randomtester", "--noCover"],
    "quickcover": ["-m", "quickcover.tstl", "randomtester"],
    LIMIT: [str(HERE / "nothing.py")],
    "coverage.py": [str(HERE / "stock.py")],
}
#: What QUICKCOVER_ENGINE and coverage.py's variables say must not matter.
OURS = ("QUICKCOVER_", "COVERAGE_")


def operations(tool: str, seconds: int, directory: Path, seed: int) -> int:
    """How many operations a run does in so many seconds of user CPU time.

    Raises:
        CommandError: it didn't tell.
    """
    options = ["--timeout", str(seconds), "--seed", str(seed)]
    env = {key: value for key, value in os.environ.items() if not key.startswith(OURS)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(
        [sys.executable, *TOOLS[tool], *options],
        cwd=directory, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = re.search(r"^(\d+) TOTAL TEST OPERATIONS", done.stdout, re.M)
    if done.returncode or found is None:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CommandError(f"{tool}: {last}")
    spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    return round(int(found[1]) * seconds / spent)


def measure(
    rounds: int, seconds: int, tell: Callable[[str, float], None], tools: list[str] | None = None
) -> dict[str, Any]:
    """All tools in each round.

    Raises:
        CommandError: TSTL isn't installed, or a run failed.
    """
    if importlib.util.find_spec("tstl") is None:
        raise CommandError("TSTL is not installed: pip install --no-deps tstl==1.2.39")
    tools = tools or list(TOOLS)
    found: dict[str, list[int]] = {tool: [] for tool in tools}
    with tempfile.TemporaryDirectory(prefix="quickcover-bench-") as name:
        directory = Path(name)
        for file in ("avltree.py", "avl.tstl"):
            shutil.copy(HERE / file, directory)
        made = subprocess.run(
            [sys.executable, "-m", "tstl.harnessmaker", "avl.tstl"],
            cwd=directory, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            raise CommandError(f"tstl.harnessmaker: {made.stderr.strip().splitlines()[-1:]}")
        for number in range(rounds):
            for index, tool in enumerate(tools):
                part = (number + index / len(tools)) / rounds
                tell(f"TSTL: round {number + 1}/{rounds}: {tool}", part)
                found[tool].append(operations(tool, seconds, directory, number + 1))
    return {"seconds": seconds, "operations": found, "ratios": ratios(found)}


def ratios(found: dict[str, list[int]]) -> dict[str, list[float]]:
    """The operations of each tool to those without, in each round."""
    return {
        tool: [round(n / m, 5) for n, m in zip(counts, found[WITHOUT], strict=True)]
        for tool, counts in found.items()
        if tool != WITHOUT
    }


def text(found: dict[str, Any]) -> list[str]:
    """What was measured, for people."""
    counts = found["operations"][WITHOUT]
    seconds = found["seconds"]
    first = f"TSTL's random tester: {median(counts):,.0f} operations in {seconds} s of CPU time"
    return [f"{first} without coverage; the others to that:"] + [
        f"  {tool:28}{median(values):.4f} ({min(values):.4f}-{max(values):.4f})"
        for tool, values in found["ratios"].items()
    ]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tools", nargs="+", default=list(TOOLS), choices=list(TOOLS))
    options = parser.parse_args()
    tools = [WITHOUT, *(tool for tool in options.tools if tool != WITHOUT)]
    try:
        found = measure(options.rounds, options.seconds, lambda *at: None, tools)
    except CommandError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    print("\n".join(text(found)))
    return 0
