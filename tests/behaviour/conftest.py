"""Fixtures of the behaviour suite."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import explained, facts
from .measure import Recorded, measurer
from .programs import Program, themes
from .running import Measured, Run, cheap_collections, measure, write
from .scenes import Comparison


@pytest.fixture(autouse=True)
def _what_cannot_be_done_here_is_skipped(request: pytest.FixtureRequest) -> None:
    """Skip programs whose syntax is not known here, and measurers that can't do what is asked."""
    params = getattr(getattr(request.node, "callspec", None), "params", {})
    known = explained.scenarios(params.get("name", ""), facts.stock())
    reason = known.get(request.node.originalname, "")
    if "program" in params:
        reason = facts.missing(params["program"].needs)
    if not reason:
        reason = facts.unable(params.get("name", ""), branch=params.get("branch", False))
    if reason:
        pytest.skip(reason)


class Laboratory:
    """Runs the programs of a theme under a measurer, once for all the tests that ask for them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.measured = functools.cache(self._measured)
        self._runs = functools.cache(self._write)

    def runs(self, program: Program) -> list[Run]:
        return [run for run in self._runs(program.theme) if run.program is program]

    def _write(self, theme: str) -> list[Run]:
        possible = [p for p in themes()[theme] if not facts.missing(p.needs)]
        return write(possible, self.directory)

    def _measured(self, theme: str, name: str | None, branch: bool = False) -> Measured:
        runs = self._runs(theme)
        if name is None:
            return measure(runs, None)
        return measure(runs, measurer(name, self.directory, branch=branch))

    def recorded(self, program: Program, name: str, *, branch: bool) -> Recorded:
        """What the measurer of that name records of the program: one file for each run."""
        recorded = self.measured(program.theme, name, branch).recorded
        files = [str(run.file) for run in self.runs(program)]
        return {file: recorded.get(file, frozenset()) for file in files}

    def outcomes(self, program: Program, name: str | None, *, branch: bool = False) -> list[str]:
        """What the runs of the program do and say under that measurer, or under none."""
        outcomes = self.measured(program.theme, name, branch).outcomes
        return [outcomes[run] for run in self.runs(program)]


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    with cheap_collections():
        yield Laboratory(tmp_path_factory.mktemp("programs").resolve())


@pytest.fixture(params=["oracle", *facts.engines()])
def name(request: pytest.FixtureRequest) -> str:
    """The name of each measurer that is compared with ctrace."""
    return str(request.param)


@pytest.fixture(params=[False, True], ids=["lines", "branches"])
def branch(request: pytest.FixtureRequest) -> bool:
    """Lines alone, or branches too."""
    return bool(request.param)


@pytest.fixture
def compare(tmp_path: Path, name: str, branch: bool) -> Comparison:
    """Plays a scenario under ctrace and under one other measurer, and compares."""
    return Comparison(tmp_path.resolve(), name, branch)


@pytest.fixture
def monitoring() -> Any:
    """sys.monitoring, for programs that use it themselves."""
    if facts.monitoring() is None:
        pytest.skip("no sys.monitoring here")
    return facts.monitoring()
