"""Regions have the same part of a file's analysis as coverage.py gives them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import coverage
import pytest
from coverage import results
from hypothesis import given
from hypothesis import strategies as st

from quickcover.coveragepy_regions import Narrower, regions_are_known

LINES = 24
lines = st.integers(1, LINES)
some = st.sets(lines)
arcs = st.sets(
    st.tuples(lines, st.integers(-LINES, LINES)).filter(lambda arc: arc[0] != arc[1]), max_size=60
)


@st.composite
def analyses(draw: st.DrawFn) -> results.Analysis:
    """Sets as they may come from any parser, those of plugins too."""
    has_arcs = draw(st.booleans())
    possible, executed = draw(arcs), draw(arcs)
    exits: dict[int, int] = {}
    for line, _ in possible:
        exits[line] = exits.get(line, 0) + 1
    exits |= draw(st.dictionaries(lines, st.integers(0, 3), max_size=3))
    return results.Analysis(
        precision=2,
        filename="some.py",
        has_arcs=has_arcs,
        statements=draw(some),
        excluded=draw(some),
        executed=draw(some),
        arc_possibilities_set=possible if has_arcs else set(),
        arcs_executed_set=executed if has_arcs else set(),
        exit_counts=exits if has_arcs else {},
        no_branch=draw(some) if has_arcs else set(),
    )


def asked(analysis: Any) -> list[Any]:
    """What reports ask of an analysis."""
    return [
        analysis.precision, analysis.filename, analysis.has_arcs, analysis.statements,
        analysis.excluded, analysis.executed, analysis.missing, analysis.numbers,
        list(analysis.missing_branch_arcs().items()), list(analysis.executed_branch_arcs().items()),
    ]  # fmt: skip


def rest(analysis: Any) -> list[Any]:
    """What could be asked, too."""
    return [
        analysis.arc_possibilities, analysis.arcs_executed, analysis.no_branch,
        analysis.exit_counts, analysis.arcs_missing(), analysis.branch_stats(),
        analysis.missing_formatted(branches=True),
    ]  # fmt: skip


@given(
    analysis=analyses(),
    cuts=st.lists(st.integers(0, LINES), max_size=5).map(sorted),
    others=st.lists(some, max_size=3),
)
def test_as_coveragepy_has_them(
    analysis: results.Analysis, cuts: list[int], others: list[set[int]]
) -> None:
    regions = [set(range(a + 1, b + 1)) for a, b in pairwise([0, *cuts])]
    outside = set(range(1, LINES + 1)).difference(*regions)
    theirs, ours = results.AnalysisNarrower(analysis), Narrower(analysis)
    for narrower in (theirs, ours):
        narrower.add_regions(iter([*others, *regions]))
        narrower.add_regions([outside])
    for region in [*others, *regions, outside]:
        expected, found = theirs.narrow(region), ours.narrow(region)
        assert asked(found) == asked(expected)
        assert rest(found) == rest(expected)
        assert asked(found) == asked(expected)


def test_these_releases_are_known() -> None:
    assert regions_are_known() or not (7, 17, 0) <= coverage.version_info[:3] <= (7, 17, 5)


def test_what_is_not_there() -> None:
    analysis = results.Analysis(0, "some.py", True, {1}, set(), {1}, set(), set(), {}, set())
    with pytest.raises(AttributeError, match="nothing"):
        _ = Narrower(analysis).narrow({1}).nothing  # type: ignore[attr-defined]
