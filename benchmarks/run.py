"""Compare tools on one interpreter: the whole benchmark in one command.

    python benchmarks/run.py [--python PYTHON] [--quick] [--rounds N] [--scale X]
                             [--programs NAME...] [--tools NAME...] [--once NAME...]
                             [--output FILE] [--merge FILE]

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

from benchmarks import goals, report, sessions, sources, starts, suites, tools, workloads
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
    parser.add_argument(
        "--once", nargs="+", default=[], metavar="NAME", help="slow tools: in the first round alone"
    )
    parser.add_argument("--output", type=Path, help="where to write the JSON")
    parser.add_argument(
        "--merge", type=Path, help="a JSON where suites, starts and sessions are to be replaced"
    )
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds, options.scale = 2, 0.2 * options.scale
    if options.rounds < 1 or options.scale <= 0:
        parser.error("--rounds and --scale must be positive")
    try:
        options.tools = tools.choose(options.tools)
        once = tools.choose(options.once) if options.once else []
        options.once = {tool.name for tool in once} - {tools.NONE}
        others = (suites, sessions, starts)
        patterns = [n for n in options.programs if not any(kind.choose([n]) for kind in others)]
        chosen = patterns or not options.programs
        options.workloads = workloads.choose(patterns) if chosen else []
    except ValueError as error:
        parser.error(str(error))
    # The suites run the usual tools, in both modes: a choice of tools is about something else.
    options.suites = suites.choose(options.programs) if not given(options) else []
    options.sessions = sessions.choose(options.programs) if not given(options) else []
    options.starts = starts.choose(options.programs) if not given(options) else []
    if options.merge and options.workloads:
        parser.error("--merge is for suites, starts and sessions")
    if not any((options.workloads, options.suites, options.sessions, options.starts)):
        parser.error("suites, starts and sessions run only with all tools, and in this interpreter")
    return options


def given(options: argparse.Namespace) -> bool:
    """Are there tools that were chosen, or another interpreter, so that only programs run?"""
    chosen = len(options.tools) < len(tools.TOOLS)
    return chosen or Path(options.python).absolute() != Path(sys.executable).absolute()


def output_path(options: argparse.Namespace, facts: dict[str, Any]) -> Path | None:
    """Complete runs are saved under results/, others only where they are asked to."""
    if options.merge or options.output:
        return Path(options.merge or options.output)
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
            benchmark.measure(options.rounds, options.once)
        found = run_suites(options, progress)
        started = starts.run(options.starts, options.rounds, progress)
        examples = sessions.run(options.sessions, options.rounds, options.scale, progress)
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
        *sessions.goals(examples, facts["version"]),
        *starts.goals(started),
    ]
    packages = " ".join(f"{name} {version}" for name, version in facts["packages"].items())
    print(f"{facts['implementation']} {facts['version']}, {packages}; load {loads[0]}-{loads[1]}")
    print(report.text(benchmark, reached))
    print("\n".join(["", *suites.text(found), *starts.text(started), *sessions.text(examples)]))
    path = output_path(options, facts)
    if path:
        del facts["package_dir"], facts["installed"]
        settings = {
            "rounds": options.rounds,
            "scale": options.scale,
            "once": sorted(options.once),
            "load": loads,
        }
        result = {
            "date": now(),
            "git": {**sources.git(), "stale": stale},
            "machine": machine(),
            "python": facts,
            "settings": settings,
            **report.as_json(benchmark, reached),
            "memory": [weight.as_json() for weight in weights],
            "suites": found,
            "starts": started,
            "sessions": examples,
        }
        if path == options.merge:
            result = merged(json.loads(path.read_text(encoding="utf-8")), result)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print(f"\nwritten: {path}")
    whole = [*found.values(), *started.values(), *examples.values()]
    return 1 if report.failed(benchmark) or any("failure" in one for one in whole) else 0


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The old results with the new suites, starts and sessions in the place of their own."""
    kinds = ("suites", "starts", "sessions")
    names = [name for kind in kinds for name in new[kind]]
    reached = {goal["text"] for goal in new["goals"]}
    how = {key: new[key] for key in ("date", "git", "settings")}
    others = [one for one in old.get("later", []) if not set(one["names"]) <= set(names)]
    return {
        **old,
        **{kind: {**old.get(kind, {}), **new[kind]} for kind in kinds},
        "goals": [*(goal for goal in old["goals"] if goal["text"] not in reached), *new["goals"]],
        "later": [*others, {"names": names, **how}],
    }


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
