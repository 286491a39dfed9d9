"""The functions and classes of a file, each with its part of the analysis, in less time.

coverage.py's `AnalysisNarrower` gives each region all arcs that begin or end there, and an
`Analysis` that sorts and counts them.  What reports ask of it depends only on the branches that
begin in the region: here they are found once for the file.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any

from coverage import results
from coverage.results import Analysis, Numbers

from quickcover._analyses import hash_of_files

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Hashes of coverage.py's own, in all releases for which ours was compared: 7.17.0, and 7.17.1 to
#: 7.17.5.
_KNOWN = frozenset(
    {"4fbd26915e3197403d244809b6da696c32cc1804", "ade767ef7c2bd2c520f72f3359751cb38b5c38b6"}
)

#: The lines of a region.
Region = frozenset[int]


@cache
def regions_are_known() -> bool:
    """Is this coverage.py one whose regions we know how to analyse?"""
    return hash_of_files(results.__file__) in _KNOWN


class Narrower:
    """What coverage.py's class of this name is: the same results for what reports ask."""

    def __init__(self, analysis: Analysis) -> None:
        """Find the branches of a file."""
        self.analysis = analysis
        #: Lines with more than one exit.
        self.exits = {line: count for line, count in analysis.exit_counts.items() if count > 1}
        #: Where their arcs go, those that were taken and those that were not.
        self.executed: dict[int, list[int]] = {}
        self.missing: dict[int, list[int]] = {}
        for line, to in analysis.arc_possibilities:
            if line in self.exits:
                if (line, to) in analysis.arcs_executed_set:
                    self.executed.setdefault(line, []).append(to)
                elif line not in analysis.no_branch:
                    self.missing.setdefault(line, []).append(to)
        self._branches: dict[Region, set[int]] = {}
        #: What was added, to add it to coverage.py's.
        self.added: list[list[set[int]]] = []

    def add_regions(self, liness: Iterable[set[int]]) -> None:
        """Add regions, by their lines; a line belongs to the last that has it."""
        added = list(liness)
        self.added.append(added)
        if self.analysis.has_arcs:
            region_of: dict[int, Region] = {}
            for lines in added:
                region_of.update(dict.fromkeys(lines, frozenset(lines)))
            for line in self.exits.keys() & region_of.keys():
                self._branches.setdefault(region_of[line], set()).add(line)

    def narrow(self, lines: set[int]) -> Analysis:
        """The analysis of one region."""
        return _Narrowed(self, lines, sorted(self._branches.get(frozenset(lines), ())))


class _Narrowed(Analysis):
    """The analysis of a region; what no report asks for is found when it is asked for."""

    def __init__(self, narrower: Narrower, lines: set[int], branches: list[int]) -> None:
        whole = narrower.analysis
        self._narrower, self._lines, self._branches = narrower, lines, branches
        self.precision, self.filename = whole.precision, whole.filename
        self.has_arcs = whole.has_arcs
        self.statements = whole.statements & lines
        self.excluded = whole.excluded & lines
        self.executed = whole.executed & lines
        self.missing = self.statements - self.executed
        missing = self.missing_branch_arcs()
        self.numbers = Numbers(
            precision=self.precision,
            n_files=1,
            n_statements=len(self.statements),
            n_excluded=len(self.excluded),
            n_missing=len(self.missing),
            n_branches=sum([narrower.exits[line] for line in branches]),
            n_partial_branches=sum(
                [len(to) for line, to in missing.items() if line not in self.missing]
            ),
            n_missing_branches=sum([len(to) for to in missing.values()]),
        )

    def missing_branch_arcs(self) -> dict[int, list[int]]:
        """The arcs from branch lines that were not executed."""
        found: dict[int, list[int]] = defaultdict(list)
        for line in self._branches:
            # Lines that are excluded elsewhere count here.
            ends = [to for to in self._narrower.missing.get(line, ()) if to not in self.excluded]
            if ends:
                found[line] = ends
        return found

    def executed_branch_arcs(self) -> dict[int, list[int]]:
        """The arcs from branch lines that were executed."""
        executed = self._narrower.executed
        found: dict[int, list[int]] = defaultdict(list)
        found.update({line: executed[line][:] for line in self._branches if line in executed})
        return found

    def __getattr__(self, name: str) -> Any:
        """The rest, as coverage.py finds it."""
        if name.startswith("_"):
            raise AttributeError(name)
        stock = results.AnalysisNarrower(self._narrower.analysis)
        for added in self._narrower.added:
            stock.add_regions(added)
        found = stock.narrow(self._lines)
        for key, value in vars(found).items():
            vars(self).setdefault(key, value)
        return getattr(found, name)
