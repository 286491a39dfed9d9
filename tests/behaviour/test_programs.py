"""Every program of the catalogue, under the oracle, coverage.py's C tracer and every engine."""

from __future__ import annotations

import pytest

from . import explained, facts, reference
from .comparing import raw_differences, report_differences
from .conftest import Laboratory
from .programs import Program, catalogue

pytestmark = [
    pytest.mark.filterwarnings("error::coverage.exceptions.CoverageWarning"),
    # Programs that do odd things on purpose.
    pytest.mark.filterwarnings("ignore::SyntaxWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    # pytest would keep the coroutine, with a frame (PyPy) that isn't measured later on.
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
]

each_program = pytest.mark.parametrize("program", catalogue(), ids=lambda program: program.id)
each_kind = pytest.mark.parametrize("branch", [False, True], ids=["lines", "branches"])
each_engine = pytest.mark.parametrize("name", facts.engines())


def test_the_extension_is_there() -> None:
    assert facts.engines(), "quickcover._native can't be imported: no engine is tested"


def test_names_are_unique() -> None:
    names = [program.id for program in catalogue()]
    assert sorted(set(names)) == sorted(names)


@each_kind
@each_program
def test_ctrace_records_what_the_oracle_does(
    laboratory: Laboratory, program: Program, branch: bool
) -> None:
    if reference.why_not_ctrace():
        pytest.skip(reference.why_not_ctrace())
    oracle = laboratory.recorded(program, "oracle", branch=branch)
    ctrace = laboratory.recorded(program, "ctrace", branch=branch)
    assert not report_differences("ctrace", "oracle", ctrace, oracle, branch=branch)
    difference = raw_differences("ctrace", "oracle", ctrace, oracle)
    if difference and program.id in explained.CTRACE_ERRS:
        pytest.xfail(explained.CTRACE_ERRS[program.id])
    assert not difference, difference


@each_kind
@each_engine
@each_program
def test_reports_are_those_of_ctrace(
    laboratory: Laboratory, program: Program, name: str, branch: bool
) -> None:
    engine = laboratory.recorded(program, name, branch=branch)
    expected = laboratory.recorded(program, reference.name(), branch=branch)
    difference = report_differences(name, reference.name(), engine, expected, branch=branch)
    known = explained.programs(name, facts.stock())
    if difference and program.id in known:
        pytest.xfail(known[program.id])
    assert not difference, difference
    did = laboratory.outcomes(program, name, branch=branch)
    assert did == laboratory.outcomes(program, None), "the program does something else"


@each_kind
@each_program
@pytest.mark.parametrize("name", [name for name in facts.engines() if name == "trace"])
def test_the_trace_engine_records_what_ctrace_does(
    laboratory: Laboratory, program: Program, name: str, branch: bool
) -> None:
    engine = laboratory.recorded(program, name, branch=branch)
    expected = laboratory.recorded(program, reference.name(), branch=branch)
    difference = raw_differences(name, reference.name(), engine, expected)
    if difference and program.id in explained.CTRACE_ERRS:
        oracle = laboratory.recorded(program, "oracle", branch=branch)
        difference = raw_differences(name, "oracle", engine, oracle)
        if difference and reference.why_not_ctrace():
            pytest.xfail(explained.CTRACE_ERRS[program.id])
    assert not difference, difference
