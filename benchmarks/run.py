"""Compare tools on one interpreter: the whole benchmark in one command.

    python benchmarks/run.py [--python PYTHON] [--quick] [--rounds N] [--scale X]
                             [--programs NAME...] [--tools NAME...] [--output FILE]

The interpreter needs coverage, quickcover and benchmarks/requirements.txt; benchmarks/README.md
says how to read the output. The exit status is 1 when a measured process failed or computed
something else than it does without a tool.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import goals, report, sources, suites, tools, workloads
from benchmarks.codes import memory
from benchmarks.measure import Benchmark, ChildError, Interpreter, compile_package
from quickcover.bench.errors import CommandError
from quickcover.bench.machine import load, machine, now
from quickcover.bench.progress import Line

RESULTS = Path(__file__).resolve().parent / "results"


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--python", default=sys.executable, help="interpreter (default: this one)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the programs' sizes")
    parser.add_argument("--quick", action="store_true", help="2 rounds of a fifth; not saved")
    parser.add_argument("--programs", nargs="+", default=[], metavar="NAME", help="or kinds")
    parser.add_argument("--tools", nargs="+", default=[], metavar="NAME", help="or NAME/MODE")
    parser.add_argument("--output", type=Path, help="where to write the JSON")
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds, options.scale = 2, 0.2 * options.scale
    if options.rounds < 1 or options.scale <= 0:
        parser.error("--rounds and --scale must be positive")
    try:
        options.tools = tools.choose(options.tools)
        patterns = [name for name in options.programs if not suites.choose([name])]
        chosen = patterns or not options.programs
        options.workloads = workloads.choose(patterns) if chosen else []
    except ValueError as error:
        parser.error(str(error))
    # The suites run the usual tools, in both modes: a choice of tools is about something else.
    options.suites = suites.choose(options.programs) if not given(options) else []
    if not options.workloads and not options.suites:
        parser.error("suites run only with all tools, and in the interpreter that runs this")
    return options


def given(options: argparse.Namespace) -> bool:
    """Are there tools that were chosen, or another interpreter, so that suites don't run?"""
    chosen = len(options.tools) < len(tools.TOOLS)
    return chosen or Path(options.python).absolute() != Path(sys.executable).absolute()


def output_path(options: argparse.Namespace, facts: dict[str, Any]) -> Path | None:
    """Complete runs are saved under results/, others only where they are asked to."""
    if options.output:
        return Path(options.output)
    complete = len(options.tools) == len(tools.TOOLS) and not options.programs
    if options.quick or not complete:
        return None
    release = ".".join(facts["version"].split(".")[:2])
    flavour = "t" if facts["free_threaded"] else ""
    return RESULTS / f"{facts['implementation']}-{release}{flavour}.json"


def prepare(options: argparse.Namespace) -> Interpreter:
    """Check that what is to be measured is installed."""
    interpreter = Interpreter(options.python)
    found = interpreter.facts["packages"]
    wanted = {"coverage"} | {w.package for w in options.workloads if w.package}
    missing = sorted(wanted - set(found))
    if missing:
        raise ChildError(
            f"{options.python} has no {', '.join(missing)}: see benchmarks/requirements.txt"
        )
    for workload in options.workloads:
        if workload.package:
            compile_package(interpreter, workload.package)
    return interpreter


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    options = parse(arguments)
    progress = Line()
    try:
        interpreter = prepare(options)
    except (ChildError, OSError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    facts = interpreter.facts
    stale = sources.stale(facts["installed"])
    if stale:
        print("benchmarks: quickcover as installed is older than the sources", file=sys.stderr)
    loads = [load()]
    benchmark = Benchmark(interpreter, options.tools, options.workloads, options.scale, progress)
    try:
        if options.workloads:
            benchmark.warm_up()
            benchmark.measure(options.rounds)
        found = run_suites(options, progress)
        weights = memory.measure(interpreter, benchmark.tools) if wants_memory(options) else []
    except KeyboardInterrupt:
        progress.close()
        print("benchmarks: interrupted", file=sys.stderr)
        return 130
    progress.close()
    loads.append(load())
    reached = [
        *goals.check(benchmark.table, options.workloads, facts["version"]),
        *memory.goals(weights),
    ]
    packages = " ".join(f"{name} {version}" for name, version in facts["packages"].items())
    print(f"{facts['implementation']} {facts['version']}, {packages}; load {loads[0]}-{loads[1]}")
    print(report.text(benchmark, reached))
    print("\n".join(["", *suites.text(found)]))
    path = output_path(options, facts)
    if path:
        del facts["package_dir"], facts["installed"]
        settings = {"rounds": options.rounds, "scale": options.scale, "load": loads}
        result = {
            "date": now(),
            "git": {**sources.git(), "stale": stale},
            "machine": machine(),
            "python": facts,
            "settings": settings,
            **report.as_json(benchmark, reached),
            "memory": [weight.as_json() for weight in weights],
            "suites": found,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print(f"\nwritten: {path}")
    failed = report.failed(benchmark) or any("failure" in suite for suite in found.values())
    return 1 if failed else 0


def run_suites(options: argparse.Namespace, progress: Line) -> dict[str, Any]:
    """The whole command lines; one that can't run says why."""
    found: dict[str, Any] = {}
    for name in options.suites:
        try:
            found[name] = suites.measure(name, options.rounds, progress)
        except CommandError as error:
            found[name] = {"failure": str(error).partition("\n")[0]}
    return found


def wants_memory(options: argparse.Namespace) -> bool:
    """The weight of code is a part of the codes workloads."""
    return any(workload.kind == workloads.CODES for workload in options.workloads)


if __name__ == "__main__":
    sys.exit(main())
