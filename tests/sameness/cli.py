"""The command line of the check."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from .cores import DEFAULT, ENGINE_TRACERS, STOCK_TRACERS, Core, engine, stock
from .lab import REPOSITORY, Interpreter, Lab, LabError
from .projects import PROJECTS
from .session import Session
from .stdlib import STDLIB

COVERAGE = "7.17.5"
SUITES = {suite.name: suite for suite in (*PROJECTS, *STDLIB)}


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 if nothing differs, 1 if something does, 2 if nothing could be compared."""
    options = _parser().parse_args(argv)
    if options.list:
        for suite in SUITES.values():
            print(f"{suite.name} {suite.version}".strip())
        return 0
    # A shell ignores Ctrl-C for what it runs in the background, and programs inherit that: then
    # tests that interrupt themselves wait for ever.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    suites = [SUITES[name] for name in options.project or SUITES]
    modes = [mode for mode in ("branches", "lines") if getattr(options, mode)] or ["branches"]
    try:
        lab = Lab(Interpreter.at(options.python), options.coverage, options.cache)
        with lab.locked():
            lab.prepare()
            cores = _cores(lab, options)
            session = Session(lab, options.show, options.fresh, options.pytest_cov)
            results = session.run(suites, cores, modes)
    except LabError as error:
        print(f"sameness: {error}", file=sys.stderr)
        return 2
    if options.json:
        table = [result.to_json(options.show) for result in results]
        options.json.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    different = sum(not result.same for result in results)
    print(f"{len(results)} comparisons, {different} of them with differences or failures")
    if not results:
        return 2
    return 1 if different else 0


def _cores(lab: Lab, options: argparse.Namespace) -> list[Core]:
    cores = [stock(name) for name in options.core]
    if options.engine or not options.core:
        lab.install_quickcover()
        names = options.engine or [*lab.engines(), DEFAULT]
        cores.extend(engine(name) for name in names)
    return cores


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.sameness",
        description="Measure real projects with coverage.py's ctrace core and with quickcover's "
        "engines, and compare the reports line by line and branch by branch.",
    )
    add = parser.add_argument
    add("--python", metavar="PATH", default=sys.executable, help="the CPython to run under")
    add("--coverage", metavar="VERSION", default=COVERAGE, help="of coverage.py (%(default)s)")
    add("--project", metavar="NAME", nargs="+", choices=SUITES, help="only these suites")
    add(
        "--engine",
        metavar="NAME",
        nargs="+",
        choices=(*ENGINE_TRACERS, DEFAULT),
        help="quickcover's engines to compare (all the interpreter has, and the default choice)",
    )
    add(
        "--core",
        metavar="NAME",
        nargs="+",
        default=[],
        choices=STOCK_TRACERS,
        help="stock cores to compare with ctrace; ctrace itself shows what is not deterministic",
    )
    add("--branches", action="store_true", help="measure branches (the default)")
    add("--lines", action="store_true", help="measure lines without branches")
    add(
        "--pytest-cov",
        action="store_true",
        help="run `pytest --cov`, and compare how tests end with a run that measures nothing",
    )
    add("--cache", metavar="DIR", type=Path, default=REPOSITORY / ".cache" / "sameness")
    add("--fresh", action="store_true", help="measure the reference again, don't take a kept one")
    add("--show", metavar="N", type=int, default=20, help="differences to list (%(default)s)")
    add("--json", metavar="OUT", type=Path, help="write the table of results")
    add("--list", action="store_true", help="list the suites")
    return parser
