"""Fixtures of the tests of sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quickcover import Session, _engines, _env, _select, session

from .playing import SOURCE, function


def able(engine: str, branch: bool) -> str:
    """Why an engine can't measure here; empty if it can."""
    try:
        _select.choose(
            _select.Request(branch=branch, examples=True),
            _env.current(),
            _engines.available(),
            engine,
        )
    except _select.EngineError as error:
        return str(error)
    return ""


@pytest.fixture(params=[False, True], ids=["lines", "branches"])
def branch(request: pytest.FixtureRequest) -> bool:
    """Lines alone, or branches too."""
    return bool(request.param)


@pytest.fixture(params=_select.ENGINES)
def engine(request: pytest.FixtureRequest, branch: bool) -> str:
    """The name of every engine that can measure what is asked here."""
    if problem := able(request.param, branch):
        pytest.skip(problem)
    return str(request.param)


#: Makes a session that measures the test's directory; options as for Session.
MakeSession = Callable[..., Session]


@pytest.fixture
def make(tmp_path: Path, engine: str, branch: bool) -> Iterator[MakeSession]:
    """Sessions under every engine, for lines and for branches; closed at the end of the test."""
    made: list[Session] = []

    def make(**options: Any) -> Session:
        if engine == "python" and options.get("thread") == "current":
            pytest.skip("this engine doesn't tell threads apart")
        options = {"source": [tmp_path], "branch": branch, "engine": engine, **options}
        if engine == "probe" and (_engines.run_in_the_way() or options.get("thread") == "current"):
            options["engine"] = None  # probes can't be had then: the session finds another engine
        made.append(Session(**options))
        return made[-1]

    yield make
    for one in made:
        one.close()
    assert session._open_sessions == []


@pytest.fixture
def f(tmp_path: Path) -> Callable[[int], int]:
    """The function of a small program in the test's directory."""
    made: Callable[[int], int] = function(tmp_path / "program.py", SOURCE)
    return made
