"""Sessions on the python engine, and coverage runs with the same engine around them."""

from __future__ import annotations

from pathlib import Path

import pytest

from quickcover import Session, _env

from ..behaviour.measure import Measurer, measurer
from .playing import function

pytestmark = pytest.mark.skipif(
    _env.current().extension, reason="sessions are made of the C extension where there is one"
)

SOURCE = """\
def f(x):
    if x == 1:
        return 1
    for i in range(x):
        x += 1
    return x
"""


@pytest.fixture
def run(tmp_path: Path, branch: bool) -> Measurer:
    return measurer("python", tmp_path, branch=branch)


@pytest.fixture
def alone(run: Measurer, tmp_path: Path) -> object:
    """What a run without a session records."""
    run.start()
    f = function(tmp_path / "program.py", SOURCE)
    for x in (0, 1, 2):
        f(x)
    run.stop()
    told = run.recorded()
    run.erase()
    return told


@pytest.mark.parametrize("mode", ["all", "new"])
@pytest.mark.parametrize("made", ["before", "inside"])
def test_a_run_around_a_session_loses_nothing(
    alone: object, run: Measurer, tmp_path: Path, branch: bool, mode: str, made: str
) -> None:
    run.start()
    f = function(tmp_path / "program.py", SOURCE) if made == "before" else None
    with Session([tmp_path], branch=branch, mode=mode) as session:  # type: ignore[arg-type]
        f = f or function(tmp_path / "program.py", SOURCE)
        told = []
        for x in (0, 1):
            with session.example() as example:
                f(x)
            told.append({line for _, line in example.lines()})
    f(2)
    run.stop()
    assert told[0] == {2, 4, 6}
    assert told[1] == ({2, 3} if mode == "all" or branch else {3})
    assert run.recorded() == alone


def test_a_session_measures_on_when_the_run_around_it_ends(
    run: Measurer, tmp_path: Path, branch: bool
) -> None:
    run.start()
    f = function(tmp_path / "program.py", SOURCE)
    with Session([tmp_path], branch=branch) as session:
        with session.example():
            f(0)
        run.stop()
        told = run.recorded()
        with session.example() as example:
            function(tmp_path / "program.py", SOURCE)(1)
    assert {2, 3} <= {line for _, line in example.lines()}
    assert run.recorded() == told


def test_a_session_does_not_measure_what_the_run_alone_measures(
    run: Measurer, tmp_path: Path, branch: bool
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    run.start()
    with Session([other], branch=branch) as session, session.example() as example:
        function(tmp_path / "program.py", SOURCE)(0)
    run.stop()
    assert example.lines() == set()
    assert {Path(name).name for name in run.recorded()} == {"program.py"}


def test_threads_are_not_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="threads"):
        Session([tmp_path], thread="current")


def test_what_cannot_be_measured_is_told(tmp_path: Path) -> None:
    source = "def f():\n    yield 1\n    yield 2\n"
    begun = function(tmp_path / "program.py", source)()
    next(begun)
    with pytest.warns(RuntimeWarning, match="isn't measured"), Session([tmp_path]):
        pass
