"""What coverage.py reports for given lines or arcs, wherever they were recorded.

Engines may record different arcs and still agree: what counts is what a user sees. So this feeds
raw data into coverage.py's own analysis and gives back what `coverage json` would show.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import coverage
from coverage.report_core import get_analysis_to_report
from coverage.results import Analysis

Line = int
Arc = tuple[int, int]


@dataclass(frozen=True)
class FileReport:
    """What a report says about one file, each part sorted."""

    executed_lines: tuple[Line, ...]
    missing_lines: tuple[Line, ...]
    excluded_lines: tuple[Line, ...]
    executed_branches: tuple[Arc, ...] = ()
    missing_branches: tuple[Arc, ...] = ()


def report(
    *,
    lines: Mapping[str, Collection[Line]] | None = None,
    arcs: Mapping[str, Collection[Arc]] | None = None,
) -> dict[str, FileReport]:
    """The report about each file of `lines`, or, with branches, about each file of `arcs`."""
    cov = coverage.Coverage(data_file=None, config_file=False, branch=arcs is not None)
    data = cov.get_data()
    if arcs is not None:
        data.add_arcs(arcs)
    if lines is not None:
        data.add_lines(lines)
    return report_of(cov)


def report_of(cov: coverage.Coverage) -> dict[str, FileReport]:
    """The report about each file that `cov` has data of."""
    if not cov.get_data().measured_files():
        return {}
    analyses = [analysis for _, analysis in get_analysis_to_report(cov, None)]
    return {analysis.filename: _file_report(analysis) for analysis in analyses}


def _file_report(analysis: Analysis) -> FileReport:
    branches = analysis.has_arcs
    return FileReport(
        executed_lines=tuple(sorted(analysis.executed)),
        missing_lines=tuple(sorted(analysis.missing)),
        excluded_lines=tuple(sorted(analysis.excluded)),
        executed_branches=_pairs(analysis.executed_branch_arcs()) if branches else (),
        missing_branches=_pairs(analysis.missing_branch_arcs()) if branches else (),
    )


def _pairs(targets: Mapping[Line, Iterable[Line]]) -> tuple[Arc, ...]:
    return tuple(sorted((start, end) for start, ends in targets.items() for end in ends))
