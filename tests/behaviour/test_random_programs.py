"""A few random programs in every test run; many more by the command of random_programs.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ..oracle import Oracle
from . import facts, reference
from .random_programs import main
from .random_source import Writer

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["oracle", *facts.engines()])
def test_random_programs(name: str) -> None:
    count = 12 if facts.stock() == "ctrace" else 4  # PyPy takes its time to warm up
    _run("--seed=1", f"--count={count}", "--engine", name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["oracle", *facts.engines()])
def test_many_random_programs(name: str) -> None:
    _run("--seed=1000", "--count=1000", "--engine", name)


def _run(*options: str) -> None:
    """In a process of its own: whatever happens there, the other tests go on."""
    command = [sys.executable, "-m", "tests.behaviour.random_programs", *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_every_seed_gives_a_program_and_always_the_same() -> None:
    for seed in range(50):
        source = Writer(seed).program()
        compile(source, "<random>", "exec")
        assert Writer(seed).program() == source


def test_a_difference_is_found_and_made_small(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With an oracle that forgets each third line, the smallest program has about three lines."""
    if reference.why_not_ctrace():
        pytest.skip(reference.why_not_ctrace())
    start = Oracle.start

    def start_forgetting(self: Oracle) -> None:
        self.lines = EachThirdForgotten()
        start(self)

    monkeypatch.setattr(Oracle, "start", start_forgetting)
    assert main(["--here", "--seed=1", "--count=1", "--engine=oracle"]) == 1
    told = capsys.readouterr().out
    assert "seed 1, oracle, lines" in told
    assert len(told.splitlines()) <= 10


class EachThirdForgotten(set[tuple[str, int]]):
    def add(self, place: tuple[str, int]) -> None:
        if place[1] % 3:
            super().add(place)
