"""What quickcover promises, checked against what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks import stats
from benchmarks.measure import Table
from benchmarks.tools import EMPTY_TRACE
from benchmarks.workloads import CODES, IMPORT, STEADY, Workload

ENGINES = ("trace", "monitoring", "probe", "python")

#: Geometric mean and worst of the steady programs, to none.
_STEADY = {"monitoring": (1.03, 1.10), "probe": (1.03, 1.10), "python": (1.25, 1.60)}


@dataclass(frozen=True)
class Goal:
    """One number and its limit; `limit` None is a number that is only reported."""

    text: str
    value: float
    limit: float | None
    at_least: bool = False

    @property
    def reached(self) -> bool | None:
        if self.limit is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "reached": self.reached}


def check(table: Table, workloads: list[Workload], version: str) -> Iterator[Goal]:
    """All goals for which there are numbers."""
    steady = [w.name for w in workloads if w.kind == STEADY]
    yield from _steady_state(table, steady)
    yield from _tracing(table, steady, version)
    for workload in workloads:
        if workload.kind == IMPORT:
            yield from _cold_import(table, workload.name, version)
        elif workload.kind == CODES:
            yield from _codes(table, workload.name)


def _steady_state(table: Table, names: list[str]) -> Iterator[Goal]:
    for engine, (mean, worst) in _STEADY.items():
        for mode in ("lines", "branches"):
            tool = f"{engine}/{mode}"
            summary = stats.summarise(stats.to_none(table, tool, names))
            if summary:
                text = f"{tool}, {summary.programs} programs, to none: "
                yield Goal(text + "geometric mean", summary.mean, mean)
                yield Goal(text + f"worst ({summary.worst_name})", summary.worst, worst)


def _tracing(table: Table, names: list[str], version: str) -> Iterator[Goal]:
    tool, other = "trace/branches", "ctrace/branches"
    summary = stats.summarise(stats.compare(table, tool, EMPTY_TRACE, names))
    if summary:
        yield Goal(f"{tool} to an empty C trace function: geometric mean", summary.mean, 1.3)
        worst = f"{tool} to an empty C trace function: worst ({summary.worst_name})"
        yield Goal(worst, summary.worst, 1.3)
    summary = stats.summarise(stats.added(table, other, tool, names))
    if summary:
        limit = 2.0 if version.startswith("3.11.") else None
        text = f"time added by {other}, to that added by {tool}: "
        yield Goal(text + "geometric mean", summary.mean, limit, at_least=True)
        yield Goal(text + f"least ({summary.least_name})", summary.least, limit, at_least=True)
    possible = stats.summarise(stats.added(table, other, EMPTY_TRACE, names))
    if possible:
        text = f"time added by {other}, to that added by an empty C trace function: least"
        yield Goal(f"{text} ({possible.least_name})", possible.least, None)


def _cold_import(table: Table, name: str, version: str) -> Iterator[Goal]:
    for engine in ENGINES:
        tool = f"{engine}/branches"
        ratio = stats.to_none(table, tool, [name]).get(name)
        if ratio:
            promised = None
            if engine == "monitoring" and version.startswith("3.14."):
                promised = 1.10
            elif engine == "python":
                promised = 2.0
            text = f"{name}, {tool}, start and save subtracted, to none"
            yield Goal(text, ratio.median, promised)


def _codes(table: Table, name: str) -> Iterator[Goal]:
    for engine in ENGINES:
        for mode in ("lines", "branches"):
            tool = f"{engine}/{mode}"
            ratio = stats.to_none(table, tool, [name]).get(name)
            if ratio:
                yield Goal(f"{name}, {tool}, to none", ratio.median, 1.3)
            growth = table[name][tool].growth if tool in table[name] else []
            if growth:
                text = f"{name}, {tool}, growth of resident memory, MB"
                yield Goal(text, max(growth) / 1e6, 2.0)
