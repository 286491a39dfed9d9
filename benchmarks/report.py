"""The table for people and the JSON for machines."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from benchmarks import stats
from benchmarks.goals import Goal
from benchmarks.measure import Benchmark, Series, Table
from benchmarks.tools import MODES, NONE
from benchmarks.workloads import STEADY, Workload
from quickcover.bench.stats import Spread

CELL = 21
FIRST = 16


def text(benchmark: Benchmark, goals: list[Goal]) -> str:
    """Everything that was measured, as tables of at most some 130 columns."""
    lines: list[str] = []
    for mode in MODES:
        tools = [t.name for t in benchmark.tools if t.mode in ("", mode) and t.name != NONE]
        if benchmark.workloads and any(t.mode == mode for t in benchmark.tools):
            lines += [f"User CPU time as a ratio to no tool, {mode}: median (lowest-highest)", ""]
            lines += _ratios(benchmark.table, benchmark.workloads, tools)
            lines.append("")
    lines += _costs(benchmark)
    lines += [f"left out: {name}: {why}" for name, why in benchmark.left_out.items()]
    lines += _failures(benchmark.table)
    lines += _disagreements(benchmark)
    lines += ["", *map(_goal, goals)]
    return "\n".join(lines)


def _ratios(table: Table, workloads: list[Workload], tools: list[str]) -> Iterator[str]:
    steady = [w.name for w in workloads if w.kind == STEADY]
    yield _row("", ["none (s)", *(tool.partition("/")[0] for tool in tools)])
    for workload in workloads:
        if workload.kind == STEADY:
            yield _ratio_row(table, workload.name, tools)
    summaries = [stats.summarise(stats.to_none(table, tool, steady)) for tool in tools]
    if steady:
        yield _row("geometric mean", ["", *(f"{s.mean:.3f}" if s else "-" for s in summaries)])
        worst = [f"{s.worst:.3f} {s.worst_name}" if s else "-" for s in summaries]
        yield _row("worst", ["", *worst])
    for workload in workloads:
        if workload.kind != STEADY:
            yield _ratio_row(table, workload.name, tools)


def _ratio_row(table: Table, name: str, tools: list[str]) -> str:
    row = table[name]
    seconds = [value for value in row[NONE].seconds if value is not None]
    none = f"{statistics.median(seconds):.2f}" if seconds else "-"
    return _row(name, [none, *(_cell(stats.ratio(row[tool], row[NONE])) for tool in tools)])


def _cell(ratio: Spread | None) -> str:
    if ratio is None:
        return "-"
    digits = 2 if ratio.median >= 2 else 3
    spread = f"({ratio.low:.2f}-{ratio.high:.2f})"
    return f"{ratio.median:.{digits}f} {spread}"


def _row(name: str, cells: list[str]) -> str:
    first, *others = cells
    return f"{name:<{FIRST}}{first:>9}" + "".join(f"{cell:>{CELL}}" for cell in others)


def _costs(benchmark: Benchmark) -> Iterator[str]:
    """Start, end and memory: what the ratios above leave out."""
    for workload in benchmark.workloads:
        if workload.kind == STEADY:
            continue
        yield f"{workload.name}: seconds to start, to finish; process to none; memory grown"
        for name, series in benchmark.table[workload.name].items():
            if not series.whole:
                continue
            base = statistics.median(benchmark.table[workload.name][NONE].whole)
            growth = f"{max(series.growth) / 1e6:+9.2f} MB" if series.growth else ""
            yield (
                f"  {name:<28}{statistics.median(series.start):7.3f}"
                f"{statistics.median(series.finish):7.3f}"
                f"{statistics.median(series.whole) / base:8.3f}  {growth}"
            )
        yield ""


def _failures(table: Table) -> Iterator[str]:
    for name, row in table.items():
        for tool, series in row.items():
            if series.failure:
                yield f"FAILED: {name}, {tool}: {series.failure}"


def _disagreements(benchmark: Benchmark) -> Iterator[str]:
    """Tools must not change results, and must see the same lines."""
    for name, row in benchmark.table.items():
        checksums = {series.checksum for series in row.values() if series.checksum}
        if len(checksums) > 1:
            yield f"FAILED: {name}: different results: {sorted(checksums)}"
        for mode in MODES:
            counts = {t: (s.files, s.lines) for t, s in row.items() if t.endswith(mode) and s.lines}
            if len(set(counts.values())) > 1:
                yield f"DIFFERENT: {name}: (files, lines) by tool: {counts}"


def failed(benchmark: Benchmark) -> bool:
    """Did a process fail, or compute something else?"""
    found = [*_failures(benchmark.table), *_disagreements(benchmark)]
    return any(line.startswith("FAILED") for line in found)


def _goal(goal: Goal) -> str:
    sign = ">=" if goal.at_least else "<="
    limit = f"{sign} {goal.limit:g}" if goal.limit is not None else ""
    mark = {True: "reached", False: "MISSED ", None: "       "}[goal.reached]
    return f"{mark}  {goal.value:8.3f} {limit:8} {goal.text}"


def as_json(benchmark: Benchmark, goals: list[Goal]) -> dict[str, Any]:
    """The results; what surrounds them is added by run.py."""
    steady = [w.name for w in benchmark.workloads if w.kind == STEADY]
    tools = [tool.name for tool in benchmark.tools]
    summaries = {
        tool: summary
        for tool in tools
        if (summary := stats.summarise(stats.to_none(benchmark.table, tool, steady)))
    }
    return {
        "tools": tools,
        "left_out": benchmark.left_out,
        "workloads": {
            w.name: {
                "kind": w.kind,
                "n": w.scaled(benchmark.scale),
                "tools": {
                    tool: _series(series, benchmark.table[w.name][NONE])
                    for tool, series in benchmark.table[w.name].items()
                },
            }
            for w in benchmark.workloads
        },
        "summary": {tool: asdict(summary) for tool, summary in summaries.items()},
        "goals": [goal.as_json() for goal in goals],
    }


def _series(series: Series, none: Series) -> dict[str, Any]:
    ratio = stats.ratio(series, none)
    found = {"ratio": asdict(ratio) if ratio else None, **asdict(series)}
    return {key: _rounded(value) for key, value in found.items() if value not in ([], "", 0)}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return value
