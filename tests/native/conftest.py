"""Fixtures of the tests of the extension."""

from __future__ import annotations

import pytest

from quickcover import _select

from ..conftest import _skip_unless_able
from .measuring import TRACERS


@pytest.fixture(params=TRACERS)
def engine(request: pytest.FixtureRequest) -> str:
    """The name of every engine in C that can measure lines here."""
    _skip_unless_able(request.param, _select.Request())
    return str(request.param)


@pytest.fixture(params=TRACERS)
def branch_engine(request: pytest.FixtureRequest) -> str:
    """The name of every engine in C that can measure branches here."""
    _skip_unless_able(request.param, _select.Request(branch=True))
    return str(request.param)
