"""Examples that pause, and what quickcover.tstl makes of them: a test with many operations.

(TSTL itself is needed for test_tstl.py alone.)
"""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import pytest

from quickcover import SessionError, tstl

from .conftest import MakeSession, able
from .playing import SOURCE, function, lines


@pytest.mark.parametrize("mode", ["all", "new"])
def test_what_is_hit_in_a_pause_does_not_belong_to_the_example(
    make: MakeSession, f: Any, mode: str
) -> None:
    with make(mode=mode) as session:
        with session.example() as example:
            f(0)
            example._pause()
            new = example._logged
            f(3)
            assert example._logged == new
            example._pause()
        assert lines(example) == {3, 4, 7}
        assert example.new == new == len(example.ids)
        with session.example() as again:
            f(3)
    assert lines(again) == ({3, 4, 5, 6, 7} if mode == "all" else set())
    assert again.new == 0


def test_what_was_hit_in_a_pause_can_be_hit_again(make: MakeSession, f: Any, branch: bool) -> None:
    with make() as session:
        f(3)
        with session.example() as whole:
            f(3)
        for _ in range(3):
            with session.example() as example:
                f(0)
                example._pause()
                f(2)
                example._resume()
                f(0)
                if branch:
                    assert {line for _, line in example._covered(example._logged)[0]} == {3, 4, 7}
                example._resume()
                first = example._logged
                f(3)
                ids = list(example._so_far(example._logged))
                assert list(example._so_far(first)) == ids[:first]
            assert lines(example) == {3, 4, 5, 6, 7}
            assert list(example.ids) == sorted(ids) == list(whole.ids)


def test_the_next_example_sees_everything(make: MakeSession, f: Any) -> None:
    with make() as session:
        for k in range(6):
            with session.example() as example:
                f(k % 3)
                example._pause()
                if k % 2:
                    f(3)
                    example._resume()
                f(k % 4)
                if k % 2:
                    example._pause()
            with session.example() as whole:
                f(3)
            assert lines(whole) == {3, 4, 5, 6, 7}


def test_only_a_running_example_pauses(make: MakeSession, f: Any) -> None:
    with make() as session:
        example = session.example()
        for what in (example._pause, example._resume, lambda: example._logged):
            with pytest.raises(SessionError, match="isn't running"):
                what()
        with example:
            f(0)
        for what in (example._pause, example._resume, lambda: example._so_far(1)):
            with pytest.raises(SessionError, match="isn't running"):
                what()


def test_copies_of_code_that_come_and_go_in_pauses(make: MakeSession, tmp_path: Path) -> None:
    with make() as session, session.example() as example:
        for x in (0, 1, 3):
            example._pause()
            f = function(tmp_path / "program.py", SOURCE)
            f(3)
            example._resume()
            f(x)
            del f
    assert lines(example) == {3, 4, 5, 6, 7}


# ------------------------------------------------------------------------------- TSTL


class Generated:
    """A class as TSTL generates them: how it uses coverage, and nothing else."""

    def __init__(self, module: Any, f: Any, source: Path) -> None:
        self.f = f
        self.__cov = module.coverage.coverage(branch=True, source=[str(source)], omit="sut.py")
        self.restart()

    def restart(self) -> None:
        self.cleanCov()

    def operate(self, x: int) -> None:
        self.__cov.start()
        try:
            self.f(x)
        finally:
            self.__cov.stop()
            self.__updateCov()

    def check(self, x: int) -> None:
        self.__cov.start()
        self.f(x)
        self.__cov.stop()
        self.__updateCov(extendCov=True)

    def __updateCov(self, extendCov: bool = False) -> None:
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)  # what `adapt` adds, for mypy


@pytest.fixture
def sut(f: Any, tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    if problem := able(engine, True):
        pytest.skip(problem)  # TSTL asks for branches, always
    monkeypatch.setenv("QUICKCOVER_ENGINE", engine)
    module = types.ModuleType("sut")
    vars(module)["Generated"] = type(
        "Generated", (), {k: v for k, v in vars(Generated).items() if k != "__dict__"}
    )
    tstl.adapt(module, "Generated")
    made = vars(module)["Generated"](module, f, tmp_path)
    yield made
    made._Generated__cov._session.close()


def told(statements: Any) -> set[int]:
    return {line for _, line in statements}


def test_the_views_of_operations(sut: Any, f: Any) -> None:
    f(3)  # outside of operations, it doesn't count
    assert told(sut.allStatements()) == set()
    sut.operate(0)
    assert told(sut.newStatements()) == told(sut.currStatements()) == {3, 4, 7}
    f(3)
    sut.operate(0)
    assert told(sut.newStatements()) == set()
    assert told(sut.newCurrStatements()) == {3, 4, 7}
    sut.operate(1)
    sut.check(3)
    assert told(sut.newStatements()) == {5, 6}
    assert told(sut.currStatements()) == {3, 4, 5, 6, 7}
    sut.operate(3)
    assert told(sut.newStatements()) == set()
    sut.restart()
    assert sut.currBranches() == sut.newCurrBranches() == set()
    sut.operate(0)
    assert told(sut.currStatements()) == {3, 4, 7}
    assert sut.newBranches() == sut.newCurrStatements() == set()
    assert told(sut.allStatements()) == {3, 4, 5, 6, 7}
    assert len(sut.allBranches()) > len(sut.currBranches()) > 0


def test_what_nobody_asked_for_is_not_forgotten(sut: Any) -> None:
    sut.operate(0)
    sut.restart()
    sut.operate(3)
    sut.operate(2)
    sut.restart()
    sut.restart()
    assert told(sut.allStatements()) == {3, 4, 5, 6, 7}
    assert told(sut.newCurrStatements()) == set()
    sut.resetCov()
    assert sut.allStatements() == set()
    sut.operate(1)
    sut.operate(3)
    assert told(sut.newStatements()) == {6}
    assert told(sut.allStatements()) == told(sut.newCurrStatements()) == {3, 4, 5, 6, 7}


def test_an_operation_that_raises(sut: Any) -> None:
    with pytest.raises(TypeError):
        sut.operate("x")
    assert told(sut.newStatements()) == {3, 4}
    sut.operate(0)
    assert told(sut.newStatements()) == {7}
