"""Bar charts, with matplotlib if it is installed."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from quickcover.bench.errors import CommandError
from quickcover.bench.results import Report, title
from quickcover.bench.stats import Spread
from quickcover.bench.tools import MODES, NONE

SUFFIXES = (".svg", ".png")

#: What is measured, as the legend calls it.
_COLOURS = {"nothing": "#7f8c8d", "lines": "#3b78b5", "branches": "#e08b2c"}


def check(path: str) -> None:
    """Say early that a chart will not be possible.

    Raises:
        CommandError: there is no matplotlib, or no such format.
    """
    if Path(path).suffix.lower() not in SUFFIXES:
        raise CommandError(f"--plot {path}: the name must end in {' or '.join(SUFFIXES)}")
    if importlib.util.find_spec("matplotlib") is None:
        raise CommandError("--plot needs matplotlib: pip install 'quickcover[plot]'")


def bars(
    path: Path,
    heading: str,
    labels: Sequence[str],
    series: Mapping[str, Sequence[Spread | None]],
    colours: Mapping[str, str] | None = None,
) -> None:
    """Draw ratios as horizontal bars in groups: one group for each label, one bar for each series.

    The axis is logarithmic from 1 on if the ratios differ much.
    """
    matplotlib: Any = importlib.import_module("matplotlib")
    matplotlib.use("Agg")
    # The same figures give the same file, and text that a browser can find.
    matplotlib.rcParams.update({"svg.hashsalt": "quickcover", "svg.fonttype": "none"})
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    rows = [
        (label, [(name, values[place]) for name, values in series.items() if values[place]])
        for place, label in enumerate(labels)
    ]
    rows = [(label, found) for label, found in rows if found]
    count = sum(len(found) for _, found in rows)
    figure, axes = pyplot.subplots(figsize=(9, 1.3 + 0.27 * count + 0.12 * len(rows)))
    highest = _draw(axes, rows, colours or _COLOURS)
    axes.axvline(1.0, color="#333333", linewidth=0.8)
    axes.margins(y=0.25 / max(count, 1))
    if highest > 6:
        axes.set_xscale("log")
        ticks = [tick for tick in (1, 1.5, 2, 3, 5, 10, 20, 50, 100, 200) if tick <= highest * 1.3]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
    axes.set_xlim(0.9 if highest > 6 else 0.0, highest * 1.35 if highest > 6 else highest * 1.15)
    axes.set_title(heading, loc="left", fontsize=11)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False, labelsize=9)
    shown = {name for _, found in rows for name, _ in found}
    if len(shown) > 1:
        handles, names = axes.get_legend_handles_labels()
        unique = dict(zip(names, handles, strict=True))
        figure.legend(
            unique.values(), unique.keys(), fontsize=8, frameon=False,
            loc="lower right", ncols=len(unique), bbox_to_anchor=(0.99, 0.0),
        )  # fmt: skip
    figure.tight_layout(rect=(0, 0.35 / figure.get_figheight(), 1, 1))
    metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
    figure.savefig(path, metadata=metadata, dpi=120)
    pyplot.close(figure)


def _draw(axes: Any, rows: Sequence[tuple[str, Any]], colours: Mapping[str, str]) -> float:
    """The bars, from the top; returns the highest value."""
    place, highest = 0.0, 1.0
    ticks = []
    for label, found in rows:
        ticks.append((place - (len(found) - 1) / 2, label))
        for name, ratio in found:
            colour = colours.get(name, "#555555")
            spread = [[ratio.median - ratio.low], [ratio.high - ratio.median]]
            error = {"elinewidth": 0.8, "ecolor": "#333333"}
            axes.barh(
                place, ratio.median, 0.8, color=colour, label=name, xerr=spread, error_kw=error
            )
            axes.annotate(
                f"{ratio.median:.2f}", (ratio.high, place), xytext=(4, 0), fontsize=8,
                textcoords="offset points", va="center",
            )  # fmt: skip
            highest = max(highest, ratio.high)
            place -= 1.0
        place -= 0.45
    axes.set_yticks([tick for tick, _ in ticks], [label for _, label in ticks])
    return highest


def report(found: Report, path: str) -> None:
    """Draw the user CPU times of a benchmark."""
    labels: list[str] = []
    series: dict[str, list[Spread | None]] = {measured: [] for measured in _COLOURS}
    for name, tool in found.tools():
        if name == NONE:
            continue
        labels.append(title(tool))
        by_mode = {result.mode: result for result in tool}
        for measured, mode in zip(_COLOURS, MODES, strict=True):
            series[measured].append(found.ratio(by_mode[mode]) if mode in by_mode else None)
    version = found.python.get("version", "")
    heading = f"User CPU time of `python {' '.join(found.command)}`, to none (Python {version})"
    bars(Path(path), heading if len(heading) < 90 else f"{heading[:87]}...", labels, series)
