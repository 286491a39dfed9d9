"""From seconds to ratios: medians over rounds, geometric means over programs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.measure import Series, Table
from benchmarks.tools import NONE
from quickcover.bench.stats import Spread


@dataclass(frozen=True)
class Summary:
    """One tool over all programs."""

    mean: float
    worst: float
    worst_name: str
    least: float
    least_name: str
    programs: int


def rounds_of(*series: Series) -> Iterable[tuple[float, ...]]:
    """The rounds in which all these tools were measured."""
    for values in zip(*(one.seconds for one in series), strict=False):
        known = tuple(value for value in values if value is not None)
        if len(known) == len(values):
            yield known


def ratio(tool: Series, base: Series) -> Spread | None:
    """How many times the time of `base`, formed within each round."""
    return Spread.of([a / b for a, b in rounds_of(tool, base) if b > 0])


def overhead_ratio(tool: Series, base: Series, none: Series) -> Spread | None:
    """How many times the *added* time of `base`, from medians: single rounds are too noisy."""
    rounds = list(rounds_of(tool, base, none))
    if not rounds:
        return None
    columns = zip(*rounds, strict=True)
    with_tool, with_base, without = (statistics.median(column) for column in columns)
    if with_base <= without:
        return None
    value = (with_tool - without) / (with_base - without)
    return Spread(value, value, value)


def summarise(ratios: dict[str, Spread | None]) -> Summary | None:
    """Geometric mean and worst case of the medians."""
    known = {name: value.median for name, value in ratios.items() if value and value.median > 0}
    if not known:
        return None
    worst = max(known, key=lambda name: known[name])
    least = min(known, key=lambda name: known[name])
    mean = math.exp(statistics.fmean(math.log(value) for value in known.values()))
    return Summary(mean, known[worst], worst, known[least], least, len(known))


def to_none(table: Table, tool: str, names: list[str]) -> dict[str, Spread | None]:
    """Ratio of one tool to no tool, by program."""
    return compare(table, tool, NONE, names)


def compare(table: Table, tool: str, base: str, names: list[str]) -> dict[str, Spread | None]:
    """Ratio of one tool to another, by program."""
    return {
        name: ratio(table[name][tool], table[name][base])
        for name in names
        if tool in table[name] and base in table[name]
    }


def added(table: Table, tool: str, base: str, names: list[str]) -> dict[str, Spread | None]:
    """Ratio of what one tool adds to what another adds, by program."""
    return {
        name: overhead_ratio(table[name][tool], table[name][base], table[name][NONE])
        for name in names
        if tool in table[name] and base in table[name]
    }
