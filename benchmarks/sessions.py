"""Sessions: what the coverage of each example costs, and TSTL's random tester with it."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from statistics import median
from typing import Any

from benchmarks.examples import measure as examples
from benchmarks.goals import Goal
from benchmarks.tstl import measure as tstl
from quickcover.bench.errors import CommandError

NAMES = ("examples", "tstl")
EXAMPLES = 20_000
SECONDS = 30
#: A round of TSTL takes so long that more of them would be half of the whole benchmark.
TSTL_ROUNDS = 3


def choose(patterns: list[str]) -> list[str]:
    """Those that a pattern names; `session` is both of them."""
    return [
        name
        for name in NAMES
        if not patterns or any(fnmatchcase(name, p) or p == "session" for p in patterns)
    ]


def measure(
    name: str, rounds: int, scale: float, tell: Callable[[str, float], None]
) -> dict[str, Any]:
    """One of them, in this interpreter.

    Raises:
        CommandError: it can't run.
    """
    if name == "examples":
        return examples.measure(rounds, max(1000, round(EXAMPLES * scale)), tell)
    found = tstl.measure(min(rounds, TSTL_ROUNDS), max(2, round(SECONDS * scale)), tell)
    return {**found, "tstl": importlib.metadata.version("tstl")}


def run(names: list[str], rounds: int, scale: float, tell: Any) -> dict[str, Any]:
    """All that are asked for; one that can't run says why."""
    found: dict[str, Any] = {}
    for name in names:
        try:
            found[name] = measure(name, rounds, scale, tell)
        except CommandError as error:
            found[name] = {"failure": str(error).partition("\n")[0]}
    return found


def text(found: dict[str, Any]) -> list[str]:
    """What was measured, for people."""
    tellers = {"examples": examples.text, "tstl": tstl.text}
    lines = []
    for name, one in found.items():
        if "failure" in one:
            lines.append(f"FAILED: {name}: {one['failure']}")
        else:
            lines += tellers[name](one)
    return lines


def goals(found: dict[str, Any], version: str) -> Iterator[Goal]:
    """What is promised of sessions."""
    ways = found.get("examples", {}).get("ways", {})
    probes = version.startswith(("3.11.", "3.12.", "3.13."))
    limits = {"session new": 1.03, "session all": 1.3 if probes else 1.5}
    for name, limit in limits.items():
        if name in ways:
            yield Goal(f"examples, {name}, to none", median(ways[name]["ratios"]), limit)
    if examples.EMPTY in ways:
        spent = median(ways[examples.EMPTY]["microseconds"])
        yield Goal("examples, microseconds for an empty one", spent, 1.0)
    for tool, ratios in found.get("tstl", {}).get("ratios", {}).items():
        text = f"tstl, operations with {tool}, to those without coverage"
        yield Goal(text, median(ratios), 0.90 if tool == "quickcover" else None, at_least=True)
