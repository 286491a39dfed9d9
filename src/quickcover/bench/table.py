"""The tables that `quickcover bench` prints: plain text, or rich's in a terminal."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from quickcover.bench.progress import has_rich
from quickcover.bench.results import FIGURES, Report, Result, title
from quickcover.bench.stats import Spread
from quickcover.bench.tools import MODES, NONE

#: Below so many seconds, starting and stopping is what is measured.
_SHORT = 1.0
#: A column may be as wide as this, if its cells want it.
_WIDEST = 44


@dataclass
class Row:
    """One line of a table; a rule stands above those that begin something new."""

    cells: list[str]
    rule: bool = False
    #: What stands in place of the cells: why there are none.
    notes: list[str] = field(default_factory=list)


@dataclass
class Table:
    """A table that doesn't know how it will look."""

    head: list[str]
    rows: list[Row]

    def plain(self) -> str:
        """As text."""
        cells = [self.head, *(row.cells for row in self.rows)]
        widths = [max(len(line[i]) for line in cells) for i in range(len(self.head))]
        widths = [min(width, _WIDEST) for width in widths]

        def line(row: list[str]) -> str:
            padded = [f"{cell:<{w}}" for cell, w in zip(row[:2], widths, strict=False)]
            padded += [f"{cell:>{w}}" for cell, w in zip(row[2:], widths[2:], strict=True)]
            return "  ".join(padded).rstrip()

        text = [line(self.head)]
        for row in self.rows:
            text += [""] if row.rule else []
            text.append(line(row.cells))
            text += [f"  {note}" for note in row.notes]
        return "\n".join(text)

    def rich(self) -> Any:
        """As rich shows it."""
        table: Any = importlib.import_module("rich.table").Table
        text: Any = importlib.import_module("rich.text").Text
        shown = table()
        for place, name in enumerate(self.head):
            shown.add_column(name, justify="left" if place < 2 else "right")
        for row in self.rows:
            if row.rule:
                shown.add_section()
            first, *others = (text(cell) for cell in row.cells)
            for note in row.notes:
                first.append(f"\n{note}", style="red")
            shown.add_row(first, *others)
        return shown


def show(table: Table) -> None:
    """Print to stdout; for people if it is a terminal."""
    if sys.stdout.isatty() and has_rich():
        console: Any = importlib.import_module("rich.console")
        console.Console().print(table.rich())
    else:
        print(table.plain())


def results(report: Report) -> Table:
    """Tools and modes: the ratio to none first, then the figure itself."""
    rows: list[Row] = []
    for _name, found in report.tools():
        by_mode = {result.mode: result for result in found if not result.failure}
        notes = list(_failures(found))
        group = [
            Row(["", figure, *(_cell(report, by_mode.get(mode), key) for mode in MODES)])
            for key, figure in FIGURES.items()
        ]
        group = group if by_mode else [Row([""] * 5)]
        group[0].cells[0] = title(found)
        group[0].rule = bool(rows)
        group[-1].notes = notes
        rows += group
    return Table(["tool", "", *MODES], rows)


def _failures(found: list[Result]) -> Iterator[str]:
    """Why, once for all modes that it holds for."""
    for reason in dict.fromkeys(result.failure for result in found if result.failure):
        modes = [result.mode for result in found if result.failure == reason]
        which = "" if len(modes) == len(found) else f", {' and '.join(modes)}"
        yield f"not measured{which}: {reason}"


def _cell(report: Report, result: Result | None, figure: str) -> str:
    if result is None:
        return ""
    values = Spread.of(getattr(result, figure))
    ratio = report.ratio(result, figure)
    if values is None or ratio is None:
        return "-"
    if result.tool == NONE:
        low, high = values.low / values.median, values.high / values.median
        return f"{1:.2f} ({low:.2f}-{high:.2f})  {_amount(figure, values.median):>9}"
    return f"{spread(ratio)}  {_amount(figure, values.median):>9}"


def spread(ratio: Spread) -> str:
    """Median, lowest and highest."""
    return f"{ratio.median:.2f} ({ratio.low:.2f}-{ratio.high:.2f})"


def _amount(figure: str, value: float) -> str:
    if figure == "memory":
        return f"{value / 1e6:.1f} MB"
    return f"{value:.3f} s" if value < 10 else f"{value:.1f} s"


def legend(report: Report) -> str:
    """How to read the table."""
    rounds = report.settings.get("rounds", 0)
    lines = [
        f"Ratios to none, median (lowest-highest), then the median itself; rounds: {rounds}.",
        "Whole processes, with the children that they waited for: start and end are included.",
    ]
    user = Spread.of(report.base.user)
    if user and user.median < _SHORT:
        lines.append(
            f"The program takes {user.median:.2f} s alone: the ratios are mostly start and end."
        )
    loads, cores = report.settings.get("load", []), report.machine.get("cores") or 1
    if loads and max(loads) > cores:
        lines.append(
            f"The machine was busy (load {max(loads)}, {cores} cores): don't trust the times."
        )
    return "\n".join(lines)


def comparison(left: Report, right: Report) -> Table:
    """Two reports side by side, the ratios to none of user CPU time."""
    rows: list[Row] = []
    keys = dict.fromkeys((r.tool, r.mode) for report in (left, right) for r in report.results)
    for tool, mode in keys:
        if tool == NONE:
            continue
        pair = [report.find(tool, mode) for report in (left, right)]
        ratios = [
            report.ratio(result) if result else None
            for report, result in zip((left, right), pair, strict=True)
        ]
        if ratios == [None, None]:
            continue
        label = next(result.label for result in pair if result)
        rows.append(Row([label, "", *map(_ratio_or_dash, ratios), *_change(*ratios)]))
    return Table(["user CPU, to none", "", "A", "B", "B to A", ""], rows)


def _ratio_or_dash(ratio: Spread | None) -> str:
    return spread(ratio) if ratio else "-"


def _change(left: Spread | None, right: Spread | None) -> list[str]:
    """By how much, and whether that is more than noise."""
    if left is None or right is None:
        return ["-", ""]
    said = "within the spread" if left.overlaps(right) else ""
    return [f"{right.median / left.median:.3f}", said]


def differing(left: Report, right: Report) -> Iterator[str]:
    """What else differs between two reports, so that they may not be comparable."""
    for name, a, b in (
        ("command", left.command, right.command),
        ("machine", left.machine.get("cpu"), right.machine.get("cpu")),
        ("Python", left.python.get("version"), right.python.get("version")),
    ):
        if a != b:
            yield f"different {name}: A {_words(a)}, B {_words(b)}"
    packages = [report.python.get("packages", {}) for report in (left, right)]
    for name in sorted(set(packages[0]) | set(packages[1])):
        a, b = (found.get(name, "not installed") for found in packages)
        if a != b:
            yield f"different {name}: A {a}, B {b}"


def _words(value: object) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)
