"""Some 200 tests of the benchmark's programs: many short ones, with fixtures and parameters."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

PROGRAMS = Path(__file__).resolve().parent.parent.parent / "programs"
NAMES = sorted(path.stem for path in PROGRAMS.glob("[!_]*.py"))


@pytest.fixture(params=NAMES)
def program(request: pytest.FixtureRequest) -> ModuleType:
    """Each of the programs."""
    return importlib.import_module(request.param)


@pytest.fixture
def smallest(program: ModuleType) -> object:
    """What the least work gives."""
    return program.run(1)


def test_has_a_size(program: ModuleType) -> None:
    assert program.DEFAULT_N > 0


def test_nothing_to_do(program: ModuleType) -> None:
    program.run(0)


@pytest.mark.parametrize("n", range(1, 11))
def test_same_result_each_time(program: ModuleType, smallest: object, n: int) -> None:
    assert n > 0 and program.run(1) == smallest
