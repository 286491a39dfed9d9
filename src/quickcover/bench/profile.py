"""The command `quickcover profile`: where the measuring core spends its time."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from quickcover import _env
from quickcover.bench import config, flame, fold, options, perf, target, tools
from quickcover.bench.errors import CommandError, UsageError
from quickcover.bench.fold import Folded
from quickcover.bench.tools import BRANCHES, LINES, Job, Tool

_DESCRIPTION = """\
Run a program under Linux's perf while it is measured, and show what the measuring core alone does:
an interactive flame graph (SVG), folded stacks, and the functions that take most of its time.
"""

_EPILOG = """\
PYTHON-ARGS are what you would give to python: script.py args, or -m pytest tests. The settings of
coverage.py that stand in the current directory are used, except for the core and `branch`.
"""

#: The file that each core is in.
_FILES = {
    "coverage": re.compile(r"/coverage/tracer\.[^/]*so$"),
    "quickcover": re.compile(r"/quickcover/_native\.[^/]*so$"),
}
_CORES = tuple(tool.name for tool in tools.TOOLS if tool.name.startswith(("quickcover", "ctrace")))


def parser() -> argparse.ArgumentParser:
    """The options."""
    found = options.Parser(
        prog="quickcover profile",
        usage="quickcover profile [options] -- PYTHON-ARGS",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    found.add_argument(
        "--core", default="quickcover", metavar="NAME", help=f"{', '.join(_CORES)} (quickcover)"
    )
    found.add_argument("--branch", action="store_true", help="measure branches, too")
    found.add_argument("--source", metavar="LIST", help="what to measure, as in `coverage run`")
    found.add_argument("--rcfile", metavar="FILE", help="coverage.py's configuration")
    found.add_argument(
        "-o", "--output", default="quickcover-profile.svg", metavar="FILE.svg",
        help="the flame graph (quickcover-profile.svg); the folded stacks go to FILE.folded",
    )  # fmt: skip
    found.add_argument("--alone", action="store_true", help="leave out what called the core")
    found.add_argument(
        "--frequency", type=options.positive, default=999, metavar="HZ", help="samples a second"
    )
    found.add_argument(
        "--top", type=options.positive, default=20, metavar="N", help="functions to list (20)"
    )
    return found


def main(argv: list[str]) -> int:
    """Run the command; `argv` is what stands after `profile`."""
    return options.guarded("profile", lambda: _run(argv))


def _run(argv: list[str]) -> int:
    words, after = options.split(argv)
    chosen = parser().parse_args(words)
    if chosen.core not in _CORES:
        raise UsageError(f"no core is called {chosen.core!r}; there are {', '.join(_CORES)}")
    wanted = target.parse(after)
    output = Path(chosen.output)
    if output.suffix != ".svg":
        raise UsageError(f"--output {output}: the name must end in .svg")
    if not output.absolute().parent.is_dir():
        raise CommandError(f"no such directory: {output.parent}")
    settings = config.read(chosen.rcfile)
    perf.check()
    (tool,) = [tool for tool in tools.TOOLS if tool.name == chosen.core]
    with tempfile.TemporaryDirectory(prefix="quickcover-profile-") as directory:
        mode = BRANCHES if chosen.branch else LINES
        job = Job(tool, mode, wanted, Path(directory), chosen.source, debug=True)
        config.write(
            settings, job.rcfile, branch=chosen.branch, quickcover=tool.kind == "quickcover"
        )
        status, engine, text = _record(job, chosen.frequency)
    folded = fold.fold(fold.samples(text), _FILES[tool.kind], chosen.alone)
    if status:
        print(f"quickcover profile: the program ended with exit status {status}", file=sys.stderr)
    _write(folded, tool, engine, job, output)
    print(_top(folded, chosen.top))
    print(f"\nwritten: {output}, {output.with_suffix('.folded')}")
    return status


def _record(job: Job, frequency: int) -> tuple[int, str, str]:
    """Run the program; returns its exit status, quickcover's engine, and perf's samples."""
    how = perf.method()
    if how.nameless:
        print(f"quickcover profile: {how.nameless}", file=sys.stderr)
    named = replace(job, target=replace(job.target, options=(*job.target.options, *how.option)))
    path = job.scratch / "perf"
    status = perf.record(tools.command(named), tools.environment(job), how, frequency, path)
    text = perf.script(path, how)
    told = job.debug_file.read_text("utf-8") if job.debug_file.exists() else ""
    tracer, engine = tools.at_work(told)
    if problem := tools.obstacle(job.tool, tracer, ""):
        raise CommandError(f"{job.tool.title}: {problem}")
    return status, engine, text


def _write(folded: Folded, tool: Tool, engine: str, job: Job, output: Path) -> None:
    """The picture, and the text that it was made from.

    Raises:
        CommandError: the core was never seen.
    """
    if not folded.kept:
        raise CommandError(
            f"none of {folded.samples} samples is in the core: it took next to no time, or the "
            "program was too short (--frequency takes more samples)"
        )
    output.with_suffix(".folded").write_text(folded.text(), encoding="utf-8")
    title = f"{tool.title} ({engine})" if tool.name == "quickcover" else tool.title
    python = " ".join(job.target.words)
    command = python if len(python) < 70 else f"{python[:67]}..."
    picture = flame.svg(
        folded.stacks,
        f"{title}, {job.mode}: python {command}",
        f"{folded.weight / folded.total:.1%} of the program's user time, {folded.kept} of "
        f"{folded.samples} samples, Python {_env.release()}",
    )
    output.write_text(picture, encoding="utf-8")


def _top(folded: Folded, most: int) -> str:
    """The list of functions."""
    lines = [
        f"{folded.kept} of {folded.samples} samples are in the core: "
        f"{folded.weight / folded.total:.1%} of the program's user time.",
        "",
        "   self   total  function (shares of the core's time)",
    ]
    lines += [
        f"{cost.own:7.1%} {cost.total:7.1%}  {cost.frame.name}" for cost in fold.top(folded)[:most]
    ]
    if fold.nameless(folded):
        lines.append("The core's own functions have no names here: it was built without symbols.")
    return "\n".join(lines)
