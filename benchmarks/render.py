"""docs/performance.md and its charts, from the files in benchmarks/results.

    python -m benchmarks render          (make performance; the charts need matplotlib)

Says what the files say, also where quickcover is not ahead. Run it again whenever they change.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import starts as measured_starts
from benchmarks.tools import EMPTY_MONITORING, EMPTY_TRACE, MODES, NONE, TOOLS
from benchmarks.workloads import CODES, IMPORT, STEADY
from quickcover import _env, _select
from quickcover.bench import plot
from quickcover.bench.errors import CommandError
from quickcover.bench.stats import Spread

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "performance.md"
CHARTS = ROOT / "docs" / "performance"

LIMITS = (EMPTY_TRACE, EMPTY_MONITORING)
TITLES = {
    EMPTY_TRACE: "empty C trace function",
    EMPTY_MONITORING: "empty sys.monitoring tool",
    "ctrace": "coverage.py, ctrace",
    "sysmon": "coverage.py, sysmon",
    "pytrace": "coverage.py, pytrace",
    "slipcover": "SlipCover",
}
COLOURS = {
    EMPTY_TRACE: "#b8bec4", EMPTY_MONITORING: "#d5d9dd",
    "ctrace": "#c0504d", "pytrace": "#c0504d", "sysmon": "#e08b2c", "slipcover": "#8064a2",
    "trace": "#3b78b5", "monitoring": "#2e9a6a", "probe": "#62b7d4", "python": "#2e9a6a",
}  # fmt: skip

INTRODUCTION = """\
# Performance

<!-- Made by `make performance` from benchmarks/results: change those, not this. -->

What measuring costs, as ratios of user CPU time to the same program without any tool, on the same
interpreter, in the same minutes. 1.00 is no cost at all. What is run, how it is measured, and the
command that makes these figures: [benchmarks/README.md](../benchmarks/README.md). The same for a
program of yours: `quickcover bench` ([bench.md](bench.md)).

In every table: the median of the rounds, and in the rows *geometric mean* and *worst* that of the
programs. *Steady* programs run long enough that start and end, which are subtracted, don't count;
what they take is in a table of its own. **Bold** is what quickcover does by itself;
its other engines are there because they can be forced. The *limits* measure nothing at all: no
trace function, and no tool of `sys.monitoring`, can cost less.
"""


@dataclass(frozen=True)
class Version:
    """One result file."""

    name: str
    data: dict[str, Any]

    @property
    def interpreter(self) -> _env.Interpreter:
        """What the interpreter offers."""
        return _env.SUPPORTED[self.name]

    @property
    def title(self) -> str:
        """Its name in headings."""
        return self.name if self.name.startswith("PyPy") else f"Python {self.name}"

    @property
    def file(self) -> str:
        """Its name in names of files."""
        return self.name.replace(" ", "-")

    @property
    def tools(self) -> list[str]:
        """What was measured, without `none`."""
        return [tool for tool in self.data["tools"] if tool != NONE]

    @property
    def workloads(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self.data["workloads"]
        return found

    def in_mode(self, mode: str) -> list[str]:
        """The tools that measure this; a trace function that does nothing counts for both."""
        found = [t for t in self.tools if t.endswith(f"/{mode}") or "/" not in t]
        return sorted(found, key=_rank)

    def ratio(self, workload: str, tool: str) -> Spread | None:
        """Median, lowest, highest."""
        found = self.workloads[workload]["tools"].get(tool, {}).get("ratio")
        return Spread(**found) if found else None

    def own(self, mode: str) -> str:
        """The engine that quickcover takes by itself."""
        request = _select.Request(branch=mode == "branches")
        return f"{_select.default_engine(request, self.interpreter)}/{mode}"

    def of_kind(self, *kinds: str) -> list[str]:
        return [name for name, found in self.workloads.items() if found["kind"] in kinds]

    def seconds(self, workload: str, tool: str, part: str) -> float | None:
        """The median of start, finish or whole."""
        values = self.workloads[workload]["tools"].get(tool, {}).get(part)
        return statistics.median(values) if values else None


def load(directory: Path) -> list[Version]:
    """All result files of versions that are supported, oldest first."""
    found = []
    for name in _env.SUPPORTED:
        path = directory / f"{_slug(name)}.json"
        if path.exists():
            found.append(Version(name, json.loads(path.read_text(encoding="utf-8"))))
    return found


def _slug(name: str) -> str:
    """A version's name in names of files."""
    return name.lower().replace(" ", "-") if name.startswith("PyPy") else f"cpython-{name}"


def short(tool: str) -> str:
    """The tool without its mode, for people."""
    name = tool.partition("/")[0]
    return TITLES.get(name, f"quickcover, {name}")


def is_ours(tool: str) -> bool:
    return tool.partition("/")[0] in (*_select.ENGINES, "probe")


def is_theirs(tool: str) -> bool:
    """A tool that somebody could use instead."""
    return not is_ours(tool) and tool.partition("/")[0] not in (*LIMITS, NONE)


def row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A Markdown table, figures to the right."""
    yield row(head)
    yield f"|---|{'---:|' * (len(head) - 1)}"
    yield from map(row, rows)
    yield ""


def number(value: float | None, strong: bool = False) -> str:
    if value is None:
        return "-"
    return f"**{value:.2f}**" if strong else f"{value:.2f}"


# ------------------------------------------------------------------------------ the sections


def overview(versions: list[Version]) -> Iterator[str]:
    """Everything on one table: geometric mean and worst of the steady programs."""
    yield "## All versions\n"
    yield "Geometric mean of the steady programs, and the worst of them:\n"
    tools = [t for t in ordered(versions) if any(t in v.data["summary"] for v in versions)]
    rows = []
    for tool in tools:
        cells = []
        for version in versions:
            summary = version.data["summary"].get(tool)
            mark = "**" if "/" in tool and version.own(tool.partition("/")[2]) == tool else ""
            text = f"{summary['mean']:.2f} ({summary['worst']:.2f})" if summary else "-"
            cells.append(f"{mark}{text}{mark}" if summary else text)
        mode = tool.partition("/")[2]
        rows.append([short(tool) + (f": {mode}" if mode else ""), *cells])
    yield from grid(["", *(v.name for v in versions)], rows)
    yield "- means: not in the results, or not possible there.\n"
    yield from counted(versions)
    for mode in MODES:
        if any(v.own(mode) in v.tools for v in versions):
            yield f"![Steady programs, {mode}](performance/overview-{mode}.svg)\n"


def counted(versions: list[Version]) -> Iterator[str]:
    """The same in instructions, where they were counted."""
    found = [v.data.get("instructions", {}).get("ratios", {}) for v in versions]
    names = [tool.name for tool in TOOLS if any(tool.name in ratios for ratios in found)]
    if not names:
        return
    yield (
        "The same in instructions, which valgrind counts exactly, where times have noise; and "
        "those of a large import, whose start and end are left out:\n"
    )
    rows = []
    for kind, title in ((STEADY, ""), (IMPORT, ", import_sympy")):
        for name in names:
            cells = []
            for version, ratios in zip(versions, found, strict=True):
                known = ratios.get(name, {})
                mine = [known[program] for program in version.of_kind(kind) if program in known]
                mark = "**" if version.own(name.partition("/")[2]) == name else ""
                text = f"{statistics.geometric_mean(mine):.3f}" if mine else "-"
                text += f" ({max(mine):.3f})" if len(mine) > 1 else ""
                cells.append(f"{mark}{text}{mark}" if mine else text)
            if any(cell != "-" for cell in cells):
                rows.append([f"{short(name)}: {name.partition('/')[2]}{title}", *cells])
    yield from grid(["", *(v.name for v in versions)], rows)


def ordered(versions: list[Version]) -> list[str]:
    """All tools, limits first, ours last."""
    tools = dict.fromkeys(tool for version in versions for tool in version.tools)
    return sorted(tools, key=_rank)


def _rank(tool: str) -> tuple[bool, bool]:
    return is_ours(tool), is_theirs(tool)


def behind(versions: list[Version]) -> Iterator[str]:
    """Where somebody should not expect much of us."""
    yield "## Where quickcover is not ahead\n"
    found = []
    for version in versions:
        found += [f"- {version.name}: {text}" for text in _slower(version)]
        found += [f"- {version.name}: {text}" for text in _slow(version)]
        found += [f"- {version.name}, not reached: {text}" for text in _missed(version)]
    yield from found or ["Nowhere, in these figures."]
    yield ""
    doubts = [f"- {version.name}: {text}" for version in versions for text in _doubts(version)]
    if doubts:
        yield "What to know about the figures:\n"
        yield from doubts
        yield ""


def _slower(version: Version) -> Iterator[str]:
    """Programs on which another tool is faster than what quickcover does by itself."""
    for mode in MODES:
        own = version.own(mode)
        for workload in version.workloads:
            ours = version.ratio(workload, own)
            for tool in filter(is_theirs, version.in_mode(mode)):
                theirs = version.ratio(workload, tool)
                if ours and theirs and theirs.median < ours.median:
                    sure = "" if not ours.overlaps(theirs) else " (within the spread)"
                    yield (
                        f"{workload}, {mode}: {theirs.median:.2f} with {short(tool)}, "
                        f"{ours.median:.2f} with quickcover{sure}"
                    )


def _slow(version: Version) -> Iterator[str]:
    """Where measuring costs more than half of the program, whoever measures."""
    for mode in MODES:
        own = version.own(mode)
        slow = {name: ratio.median for name in version.of_kind(STEADY)
                if (ratio := version.ratio(name, own)) and ratio.median > 1.5}  # fmt: skip
        if slow:
            total = sum(version.ratio(n, own) is not None for n in version.of_kind(STEADY))
            yield (
                f"{mode} cost a multiple of the program itself on {len(slow)} of {total} steady "
                f"programs, {min(slow.values()):.1f} to {max(slow.values()):.1f} times its time: "
                f"the engine is {own.partition('/')[0]}, and an event for each line is the limit"
            )


def _missed(version: Version) -> Iterator[str]:
    for goal in version.data["goals"]:
        if goal["reached"] is False:
            sign = "at least" if goal["at_least"] else "at most"
            yield f"{goal['text']}: {goal['value']:.2f}, meant to be {sign} {goal['limit']:g}"


def _doubts(version: Version) -> Iterator[str]:
    settings, cores = version.data["settings"], version.data["machine"]["cores"]
    if max(settings["load"]) > cores:
        yield (
            f"the machine had other work (load {min(settings['load'])} to "
            f"{max(settings['load'])} on {cores} cores)"
        )
    if settings["scale"] < 1 or settings["rounds"] < 5:
        rounds, scale = settings["rounds"], settings["scale"]
        yield f"a short run: {rounds} rounds, programs at {scale:g} of their size"
    if settings.get("once"):
        yield f"measured in one round: {', '.join(map(short, settings['once']))}"
    if version.data["git"].get("stale") or version.data["git"].get("dirty"):
        yield "the sources had changes beyond the commit"
    theirs = {"ctrace", "sysmon"} if version.interpreter.extension else {"pytrace"}
    wanted = {*theirs, *(version.own(mode).partition("/")[0] for mode in MODES)}
    have = {t.partition("/")[0] for t in [*version.tools, *version.data["left_out"]]}
    if wanted - have:
        yield f"not in these results: {', '.join(short(tool) for tool in sorted(wanted - have))}"
    for later in version.data.get("later", []):
        load = " to ".join(f"{found:g}" for found in later["settings"]["load"])
        yield f"measured by themselves, {later['date']}, load {load}: {', '.join(later['names'])}"
    for mode in MODES:
        ratios = [version.ratio(name, version.own(mode)) for name in version.of_kind(STEADY)]
        known = [ratio for ratio in ratios if ratio]
        wide = sum(ratio.high - ratio.low > 0.2 * ratio.median for ratio in known)
        if wide:
            yield f"{mode}: a spread of more than a fifth on {wide} of {len(known)} programs"


def one_version(version: Version) -> Iterator[str]:
    """Everything about one version."""
    python, machine = version.data["python"], version.data["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in python["packages"].items())
    yield f"## {version.title}\n"
    yield (
        f"{python['version']} ({python['compiler']}), {packages}; {machine['cpu']}, "
        f"{machine['cores']} cores, {machine['system']}; {version.data['date']}; "
        f"{version.data['settings']['rounds']} rounds.\n"
    )
    for mode in MODES:
        if version.own(mode) in version.tools or any(map(is_theirs, version.in_mode(mode))):
            yield from programs(version, mode)
    yield from start_and_end(version)
    yield from memory(version)
    yield from suites(version)
    yield from contexts(version)
    yield from starts(version)
    yield from sessions(version)
    left_out = version.data["left_out"]
    if left_out:
        yield "Not possible here:\n"
        yield from (f"- {short(tool)}, {tool.partition('/')[2]}: {_reason(why)}"
                    for tool, why in left_out.items())  # fmt: skip
        yield ""


def _reason(why: str) -> str:
    """The reason without its class, if it is a sentence, and without the list of all engines."""
    sentence = why.partition("Error: ")[2].partition("; the engines are")[0]
    return sentence if " " in sentence else why


def programs(version: Version, mode: str) -> Iterator[str]:
    """The table of one mode."""
    tools = version.in_mode(mode)
    own = version.own(mode)
    yield f"### {mode.capitalize()}, {version.title}\n"
    rows = []
    for kinds in ((STEADY,), (IMPORT, CODES)):
        for name in version.of_kind(*kinds):
            cells = []
            for tool in tools:
                ratio = version.ratio(name, tool)
                failed = version.workloads[name]["tools"].get(tool, {}).get("failure")
                cells.append("failed" if failed and not ratio else
                             number(ratio.median if ratio else None, tool == own))  # fmt: skip
            rows.append([name, *cells])
        if kinds == (STEADY,) and rows:
            summaries = [version.data["summary"].get(tool) for tool in tools]
            for key, text in (("mean", "*geometric mean*"), ("worst", "*worst*")):
                found = [number(s[key] if s else None, t == own)
                         for t, s in zip(tools, summaries, strict=True)]  # fmt: skip
                rows.append([text, *found])
    yield from grid(["", *map(short, tools)], rows)
    yield f"![{version.title}, {mode}](performance/{version.file}-{mode}.svg)\n"


def start_and_end(version: Version) -> Iterator[str]:
    """What the ratios leave out."""
    names = version.of_kind(IMPORT, CODES) or version.of_kind(STEADY)[:1]
    if not names:
        return
    name = names[0]
    rows = []
    for tool in [NONE, *version.tools]:
        start, finish = (version.seconds(name, tool, part) for part in ("start", "finish"))
        if start is not None and finish is not None:
            mode = tool.partition("/")[2]
            title = "no tool" if tool == NONE else short(tool) + (f", {mode}" if mode else "")
            rows.append([title, f"{start * 1000:.0f}", f"{finish * 1000:.0f}"])
    yield f"Milliseconds of CPU to start and to finish, here with {name}:\n"
    yield from grid(["", "start", "finish"], rows)


def memory(version: Version) -> Iterator[str]:
    """What the C core takes for each code unit."""
    weights = version.data.get("memory") or []
    if not weights:
        return
    yield (
        "Bytes for each code unit (two bytes of bytecode), with sympy: of the code that ran; and, "
        "as the probe engine changes it before it runs, of the functions that were made, too:\n"
    )
    kinds = ("core", "traced", "resident")
    rows = [
        [
            f"quickcover, {w['tool'].replace('/', ', ')}: {title} ({w[units]:,} units)",
            *(number(w[k] / w[units]) for k in kinds),
        ]
        for w in weights
        for title, units in (("ran", "units"), ("made", "made"))
        if units == "units" or (units in w and w["tool"].startswith("probe/"))
    ]
    yield from grid(["", "C core", "traced", "resident"], rows)


def suites(version: Version) -> Iterator[str]:
    """Whole command lines, and coverage.py's other commands."""
    found = version.data.get("suites") or {}
    measured = {name: suite["results"] for name, suite in found.items() if "results" in suite}
    if measured:
        yield f"### Whole command lines, {version.title}\n"
        yield "User CPU time to none, with the children, start and end:\n"
        heads = dict.fromkeys(
            (r["title"], r["mode"]) for results in measured.values() for r in results
            if r["tool"] != NONE and r["ratios"]
        )  # fmt: skip
        rows = []
        for name, results in measured.items():
            ratios = {(r["title"], r["mode"]): r["ratios"].get("user") for r in results}
            rows.append([name, *(number(ratio["median"] if (ratio := ratios.get(head)) else None,
                                        head[0] == "quickcover") for head in heads)])  # fmt: skip
        titles = [title if mode == NONE else f"{title}: {mode}" for title, mode in heads]
        yield from grid(["", *titles], rows)
    commands = found.get("reports", {}).get("commands", {})
    if commands:
        yield (
            "Seconds for coverage.py's other commands on 129 modules with 102,000 lines: user CPU "
            "time, and in brackets wall time, which several processes share. *First*: nothing is "
            "known from earlier reports; *again*: the same report, and nothing has changed. "
            "`combine` is of 500 data files with 6 contexts each, 1.8 million arcs.\n"
        )
        titles = list(next(iter(commands.values())))
        rows = [[command, *map(_seconds, times.values())] for command, times in commands.items()]
        yield from grid(["", *titles], rows)
    for name, suite in found.items():
        if "failure" in suite:
            yield f"{name} failed: {suite['failure']}\n"


def _seconds(times: dict[str, list[float]]) -> str:
    user, wall = (statistics.median(times[kind]) for kind in ("user", "wall"))
    return f"{user:.2f} ({wall:.2f})"


def contexts(version: Version) -> Iterator[str]:
    """What a context for each test costs."""
    found = version.data.get("contexts")
    if not found:
        return
    yield f"### A context for each test, {version.title}\n"
    yield (
        f"{found['tests']:,} short tests of {found['project']} under pytest-cov"
        f"{' with branches' if found['branches'] else ''}, whole processes: seconds of user CPU "
        "time, the ratio to the same core without contexts, and to no coverage "
        f"({found['date']}, {found['rounds']} rounds; `benchmarks/contexts.py`).\n"
    )
    rows = []
    for name, setup in found["setups"].items():
        core = name.partition("/")[0]
        ratios = (setup.get(f"to {base}") for base in (core, NONE))
        rows.append([name, number(statistics.median(setup["seconds"])), *map(number, ratios)])
    yield from grid(["", "seconds", "to no contexts", "to none"], rows)


def starts(version: Version) -> Iterator[str]:
    """What measuring adds to what does nothing."""
    found = version.data.get("starts") or {}
    for name, times in found.items():
        if "failure" in times:
            yield f"{measured_starts.NAMES[name]} failed: {times['failure']}\n"
    rows = [
        [measured_starts.NAMES[name], f"{statistics.median(times['none']):.1f}",
         *(f"{measured_starts.added(times, tool):+.1f}" for tool in measured_starts.TOOLS[1:])]
        for name, times in found.items() if "failure" not in times
    ]  # fmt: skip
    if rows:
        yield f"### Starts and saving, Python {version.name}\n"
        yield "Milliseconds of user CPU time with branches: without a tool, and what is added:\n"
        yield from grid(["", "none", *measured_starts.TOOLS[1:]], rows)


def sessions(version: Version) -> Iterator[str]:
    """The coverage of each example, and TSTL's random tester."""
    found = version.data.get("sessions") or {}
    for name, one in found.items():
        if "failure" in one:
            yield f"{name} failed: {one['failure']}\n"
    examples = found.get("examples", {})
    if "ways" in examples:
        yield f"### The coverage of each example, {version.title}\n"
        yield (
            f"{examples['examples']:,} short examples, lines and branches of each read after it "
            "([session.md](session.md)): microseconds of user CPU time for an example, and the "
            "ratio to none.\n"
        )
        rows = [
            [name, *(number(statistics.median(way[key])) for key in ("microseconds", "ratios"))]
            for name, way in examples["ways"].items()
        ]
        yield from grid(["", "microseconds", "to none"], rows)
    tester = found.get("tstl", {})
    if "ratios" in tester:
        counts = tester["operations"]["without"]
        shares = ", ".join(
            f"{statistics.median(ratios):.3f} of them with {tool}"
            for tool, ratios in tester["ratios"].items()
        )
        yield (
            f"TSTL's random tester ({tester['tstl']}) on an AVL tree, {tester['seconds']} s: "
            f"{statistics.median(counts):,.0f} operations without coverage, {shares}.\n"
        )


def document(versions: list[Version]) -> str:
    """The page."""
    lines = [INTRODUCTION, *overview(versions), *behind(versions)]
    for version in reversed(versions):
        lines += one_version(version)
    return "\n".join(lines).rstrip() + "\n"


# -------------------------------------------------------------------------------- the charts


def charts(versions: list[Version], directory: Path) -> None:
    """Draw everything that the page shows."""
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob("*.svg"):
        old.unlink()
    for mode in MODES:
        if any(version.own(mode) in version.tools for version in versions):
            _overview_chart(versions, mode, directory / f"overview-{mode}.svg")
        for version in versions:
            tools = version.in_mode(mode)
            if version.own(mode) in tools or any(map(is_theirs, tools)):
                names = list(version.workloads)
                series = {short(t): [version.ratio(n, t) for n in names] for t in tools}
                plot.bars(
                    directory / f"{version.file}-{mode}.svg",
                    f"{version.title}, {mode}: user CPU time to none",
                    names, series, {short(t): COLOURS[t.partition("/")[0]] for t in tools},
                )  # fmt: skip


def _overview_chart(versions: list[Version], mode: str, path: Path) -> None:
    """Geometric means; from there to the worst program where an error bar would be."""
    tools = [t for t in ordered(versions) if t.endswith(f"/{mode}") or "/" not in t]
    series: dict[str, list[Spread | None]] = {}
    for tool in tools:
        found = [version.data["summary"].get(tool) for version in versions]
        series[short(tool)] = [
            Spread(s["mean"], s["least"], s["worst"]) if s else None for s in found
        ]
    plot.bars(
        path, f"Steady programs, {mode}: geometric mean, least and worst, to none",
        [version.title for version in versions], series,
        {short(tool): COLOURS[tool.partition("/")[0]] for tool in tools},
    )  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.parse_args(arguments)
    versions = load(RESULTS)
    if not versions:
        print(f"benchmarks: no results in {RESULTS}", file=sys.stderr)
        return 1
    PAGE.write_text(document(versions), encoding="utf-8")
    print(f"written: {PAGE}")
    try:
        plot.check("chart.svg")
    except CommandError as error:
        print(f"benchmarks: no charts: {error}", file=sys.stderr)
        return 1
    charts(versions, CHARTS)
    print(f"written: {len(list(CHARTS.glob('*.svg')))} charts in {CHARTS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
