"""What does the coverage of each example cost?  20,000 examples of some 25 microseconds each.

    python -m benchmarks.examples [--rounds N] [--examples N] [--ways NAME...]
    python -m benchmarks.examples --many N

Runs in the interpreter at hand, which needs quickcover and coverage.py.  Every measurement is a
process of its own, all ways one after the other in each round; it is the user CPU time of a loop
over the examples, with what each of them covered (lines and branches) read after it, less nothing:
a ratio is that to the same loop without coverage in the same round.  Ways that take milliseconds
for an example run fewer of them.  `python -m benchmarks --programs examples` does the same, and can
write what comes of it.

`--many` runs N examples in one process, and tells how its memory grew.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.examples import calculator
from quickcover.bench.errors import CommandError

#: Takes the inputs; returns user seconds, and how many hits an example had.
Way = Callable[[list[str]], "tuple[float, float]"]
BARE = "bare"
EMPTY = "session, empty examples"
WARM_UP = 500
SLOW = 50  # times fewer examples


def user_seconds() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def timed(inputs: list[str], one: Callable[[str], int]) -> tuple[float, float]:
    """Warm up, then run all examples."""
    for text in inputs[:WARM_UP]:
        one(text)
    hits = 0
    start = user_seconds()
    for text in inputs:
        hits += one(text)
    return user_seconds() - start, hits / len(inputs)


def bare(inputs: list[str]) -> tuple[float, float]:
    """No coverage at all."""

    def one(text: str) -> int:
        calculator.calculate(text)
        return 0

    return timed(inputs, one)


def session(mode: str, engine: str | None = None, work: bool = True) -> Way:
    """quickcover.Session: the ids of each example."""

    def way(inputs: list[str]) -> tuple[float, float]:
        import quickcover

        options: Any = {"branch": True, "mode": mode, "engine": engine}
        with quickcover.Session([calculator.__file__], **options) as used:

            def one(text: str) -> int:
                with used.example() as example:
                    if work:
                        calculator.calculate(text)
                return len(example.ids)

            return timed(inputs, one)

    return way


def public_api(core: str) -> Way:
    """coverage.py's start, stop, get_data and erase."""

    def way(inputs: list[str]) -> tuple[float, float]:
        cov = coverage_object(core)

        def one(text: str) -> int:
            cov.start()
            calculator.calculate(text)
            cov.stop()
            hits = len(cov.get_data().arcs(calculator.__file__) or ())
            cov.erase()
            return hits

        return timed(inputs, one)

    return way


def contexts(core: str) -> Way:
    """coverage.py's switch_context, with a context for each example; read at the end."""

    def way(inputs: list[str]) -> tuple[float, float]:
        cov = coverage_object(core)
        cov.start()
        number = 0

        def one(text: str) -> int:
            nonlocal number
            number += 1
            cov.switch_context(str(number))
            calculator.calculate(text)
            return 0

        seconds, _ = timed(inputs, one)
        cov.stop()
        return seconds, len(cov.get_data().arcs(calculator.__file__) or ())

    return way


def coverage_object(core: str) -> Any:
    """One that keeps its data in memory."""
    import coverage

    cov = coverage.Coverage(
        data_file=None, config_file=False, branch=True, include=[calculator.__file__]
    )
    cov.set_option("run:disable_warnings", ["no-data-collected"])
    cov.set_option(*(("run:plugins", ["quickcover"]) if core == "ours" else ("run:core", core)))
    return cov


#: Each way, and how many times fewer examples it gets.
WAYS: dict[str, tuple[Way, int]] = {
    BARE: (bare, 1),
    "session new": (session("new"), 1),
    "session all": (session("all"), 1),
    "session new, trace": (session("new", "trace"), 1),
    "session all, trace": (session("all", "trace"), 1),
    EMPTY: (session("all", work=False), 1),
    "coverage.py start/stop/erase": (public_api("ctrace"), SLOW),
    "the same with quickcover": (public_api("ours"), SLOW),
    "coverage.py switch_context": (contexts("ctrace"), SLOW // 5),
    "the same with quickcover's": (contexts("ours"), SLOW // 5),
}


def run(name: str, examples: int) -> tuple[float, float]:
    """One way in a process of its own: microseconds for an example, and its hits.

    Raises:
        CommandError: it failed, or this interpreter can't.
    """
    count = max(examples // WAYS[name][1], 200)
    command = [sys.executable, "-m", "benchmarks.examples", "--child", name, str(count)]
    root = Path(__file__).resolve().parents[2]
    env = {key: value for key, value in os.environ.items() if "COVERAGE" not in key}
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True)
    if done.returncode:
        raise CommandError((done.stderr.strip().splitlines() or ["no reason given"])[-1])
    seconds, hits = json.loads(done.stdout)
    return seconds / count * 1e6, hits


def measure(
    rounds: int, examples: int, tell: Callable[[str, float], None], names: list[str] | None = None
) -> dict[str, Any]:
    """All ways in each round, in an order that changes; those that can't run say why.

    Raises:
        CommandError: not even the examples without coverage run.
    """
    names = [BARE, *(name for name in names or WAYS if name != BARE)]
    ways: dict[str, dict[str, Any]] = {
        name: {"microseconds": [], "ratios": [], "hits": 0.0} for name in names
    }
    left_out: dict[str, str] = {}
    for number in range(rounds):
        at = number % len(names)
        found = {}
        for index, name in enumerate([*names[at:], *names[:at]]):
            tell(
                f"examples: round {number + 1}/{rounds}: {name}",
                (number + index / len(names)) / rounds,
            )
            if name not in left_out:
                try:
                    found[name] = run(name, examples)
                except CommandError as error:
                    if name == BARE:
                        raise
                    left_out[name] = str(error)
        for name, (microseconds, hits) in found.items():
            ways[name]["microseconds"].append(round(microseconds, 3))
            ways[name]["ratios"].append(round(microseconds / found[BARE][0], 5))
            ways[name]["hits"] = round(hits, 1)
    told = {name: way for name, way in ways.items() if way["ratios"]}
    return {"examples": examples, "ways": told, "left_out": left_out}


def text(found: dict[str, Any]) -> list[str]:
    """What was measured, for people."""
    lines = [f"The coverage of each of {found['examples']:,} examples, to none:"]
    for name, way in found["ways"].items():
        ratios = way["ratios"]
        lines.append(
            f"  {name:28}{median(way['microseconds']):10.2f} us {median(ratios):9.3f} "
            f"({min(ratios):.3f}-{max(ratios):.3f}) {way['hits']:7.1f} hits"
        )
    return lines + [f"  left out: {name}: {why}" for name, why in found["left_out"].items()]


def many(count: int) -> int:
    """So many examples in one process; its memory must stay."""
    import quickcover
    from quickcover import _native

    inputs = calculator.inputs(1000)
    calculator.calculate(inputs[0])
    with quickcover.Session([calculator.__file__], branch=True) as used:
        live, resident, start = _native.live(), 0, time.time()
        for number in range(count):
            with used.example() as example:
                calculator.shown(number % 2000)
            if len(example.ids) == 0:
                print(f"example {number} has no hits")
                return 1
            if number == count // 10:
                live = _native.live()
                resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resident
        same = _native.live() == live
    engine = used.choice.engine if used.choice else ""
    print(
        f"{count:,} examples ({engine}) in {time.time() - start:.0f} s: the C core "
        f"{'has not grown' if same else 'HAS GROWN'}, the process by {grown} KiB in the last 90 %"
    )
    return not (same and grown < 1024)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--examples", type=int, default=20_000)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--many", type=int, metavar="N")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        name, count = options.child
        print(json.dumps(WAYS[name][0](calculator.inputs(int(count)))))
        return 0
    if options.many:
        return many(options.many)
    found = measure(options.rounds, options.examples, lambda *at: None, options.ways)
    print("\n".join(text(found)))
    return 0
