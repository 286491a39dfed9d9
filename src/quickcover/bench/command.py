"""The command `quickcover bench`: one program under every tool, side by side."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from quickcover.bench import config, machine, options, plot, progress, results, table, target, tools
from quickcover.bench.errors import CommandError, UsageError
from quickcover.bench.results import Report
from quickcover.bench.running import Bench

_DESCRIPTION = """\
Run a program without coverage, under the limits of what a tool could do, and under coverage.py's
cores, SlipCover (if installed) and quickcover, and compare user CPU time, wall time and memory.
"""

_EPILOG = """\
PYTHON-ARGS are what you would give to python: script.py args, or -m pytest tests. The settings of
coverage.py that stand in the current directory are used, except for what the tools differ in.
The tools are none, empty-trace, empty-monitoring, ctrace, sysmon, slipcover, quickcover; on request
also empty-python-trace, pytrace, quickcover-trace, quickcover-monitoring and quickcover-probe.
"""


def parser() -> argparse.ArgumentParser:
    """The options."""
    found = options.Parser(
        prog="quickcover bench",
        usage="quickcover bench [options] -- PYTHON-ARGS\n"
        "       quickcover bench --compare A.json B.json",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    found.add_argument(
        "--rounds", type=options.positive, default=5, metavar="N", help="runs of each tool (5)"
    )
    found.add_argument("--tools", metavar="LIST", help="names or patterns, comma-separated")
    found.add_argument("--source", metavar="LIST", help="what to measure, as in `coverage run`")
    found.add_argument("--rcfile", metavar="FILE", help="coverage.py's configuration")
    found.add_argument(
        "-i", "--ignore-failure", action="store_true", help="the program may fail, alike each time"
    )
    found.add_argument("--json", metavar="FILE", help="write all figures, machine and versions")
    found.add_argument("--plot", metavar="FILE", help="draw a chart: FILE.svg or FILE.png")
    found.add_argument(
        "--compare", nargs=2, metavar=("A", "B"), help="compare two files of --json; runs nothing"
    )
    return found


def main(argv: list[str]) -> int:
    """Run the command; `argv` is what stands after `bench`."""
    return options.guarded("bench", lambda: _run(argv))


def _run(argv: list[str]) -> int:
    words, after = options.split(argv)
    chosen = parser().parse_args(words)
    if chosen.compare:
        if after or len(words) > 3:
            raise UsageError("--compare runs nothing: leave out all else")
        return _compare(*chosen.compare)
    if after is None:
        raise UsageError("nothing to run: give a script, or -m and a module, after --")
    return _measure(chosen, target.parse(after))


def _measure(chosen: argparse.Namespace, wanted: target.Target) -> int:
    """Check everything that may be wrong before the long part begins."""
    if not hasattr(os, "wait4"):
        raise CommandError("this system can't tell what a process used")
    if chosen.plot:
        plot.check(chosen.plot)
    for path in (chosen.plot, chosen.json):
        if path and not Path(path).absolute().parent.is_dir():
            raise CommandError(f"no such directory: {Path(path).parent}")
    bench = Bench(wanted, tools.choose(chosen.tools), config.read(chosen.rcfile), chosen.source)
    loads = [machine.load()]
    shown = progress.best()
    try:
        bench.warm_up(shown, chosen.ignore_failure)
        bench.measure(chosen.rounds, shown)
    finally:
        shown.close()
    loads.append(machine.load())
    report = Report(
        command=[*wanted.options, *wanted.words],
        date=machine.now(),
        machine=machine.machine(),
        python=machine.python(),
        settings={"rounds": chosen.rounds, "load": loads, "status": bench.status},
        results=bench.results,
    )
    table.show(table.results(report))
    print(f"\n{table.legend(report)}")
    if chosen.json:
        Path(chosen.json).write_text(report.as_json(), encoding="utf-8")
    if chosen.plot:
        plot.report(report, chosen.plot)
    return _status(report)


def _status(report: Report) -> int:
    """An error only if no tool could be measured."""
    others = [result for result in report.results if result is not report.base]
    if report.base.failure or (others and all(result.failure for result in others)):
        print("quickcover bench: no tool could be measured", file=sys.stderr)
        return options.ERR
    return options.OK


def _compare(left: str, right: str) -> int:
    reports = results.load(left), results.load(right)
    for place, name, report in zip("AB", (left, right), reports, strict=True):
        packages = " ".join(f"{p} {v}" for p, v in report.python.get("packages", {}).items())
        version = report.python.get("version", "?")
        print(f"{place}: {name}, {report.date}, Python {version}, {packages}")
    for difference in table.differing(*reports):
        print(difference)
    print()
    table.show(table.comparison(*reports))
    return options.OK
