"""quickcover.hypofuzz against the real HypoFuzz: `make test-contract`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase

from quickcover import Session, SessionError
from quickcover.hypofuzz import Collector, install

from .conftest import MakeSession
from .playing import function
from .test_hypothesis import STEPS

provider = pytest.importorskip("hypofuzz.provider", reason="HypoFuzz isn't installed")
pytestmark = pytest.mark.slow


def test_a_collector_tells_what_each_test_case_covers(make: MakeSession, tmp_path: Path) -> None:
    """Where HypoFuzz's own sees a difference or none, so does ours."""
    f = function(tmp_path / "steps.py", STEPS)
    inputs = [[], [1], [0] * 3, [17] * 3, [17, 51, 1, 1], [17, 51, 1, 2], [0] * 5, [0]]
    theirs = [
        # Theirs sees other threads too, of pytest-xdist for one.
        {branch for branch in one if branch.start.filename.endswith("steps.py")}
        for one in told(provider.CoverageCollector(), f, inputs)
    ]
    assert any(theirs)
    with make() as session:
        mine = told(Collector(session), f, inputs)
        assert set().union(*mine) <= set(session.seen)
        assert all(session.location(i).filename.endswith("steps.py") for i in mine[0])
    for i, one in enumerate(theirs):
        assert [other == one for other in theirs] == [other == mine[i] for other in mine]


def told(collector: Any, f: Any, inputs: list[list[int]]) -> list[frozenset[Any]]:
    """What a collector tells; it is used again, as HypoFuzz uses it."""
    found = []
    for numbers in inputs * 2:
        with collector as used:
            f(numbers)
        found.append(frozenset(used.branches))
    return found


def test_it_survives_what_a_test_case_raises(make: MakeSession, tmp_path: Path) -> None:
    f = function(tmp_path / "steps.py", STEPS)
    with make() as session:
        collector = Collector(session)
        with pytest.raises(RuntimeError, match="the bug"), collector:
            f([17, 51, 33])
        whole = collector.branches
        with collector:
            f([])
    assert len(whole) > len(collector.branches) > 0


def test_what_can_not_work_is_told(make: MakeSession, monkeypatch: pytest.MonkeyPatch) -> None:
    session = make(mode="new")
    with pytest.raises(ValueError, match="whole test cases"):
        install(session)
    assert session.choice is None
    monkeypatch.delattr(provider, "CoverageCollector")
    with pytest.raises(ImportError, match="no CoverageCollector"):
        install(make())


def test_hypofuzz_uses_it(
    make: MakeSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "CoverageCollector", provider.CoverageCollector)
    f = function(tmp_path / "steps.py", STEPS)
    made: list[Any] = []
    start = provider.HypofuzzProvider._startup

    def startup(self: Any) -> None:
        made.append(self)
        start(self)

    monkeypatch.setattr(provider.HypofuzzProvider, "_startup", startup)
    session: Session = make()
    install(session)  # which opens it

    @settings(
        backend="hypofuzz",
        max_examples=2000,
        database=InMemoryExampleDatabase(),
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(st.sampled_from([0, 17, 51]), max_size=8))
    def test(numbers: list[int]) -> None:
        f(numbers)

    test()
    (used,) = made
    assert set(used.corpus.behavior_counts) <= set(session.seen)
    assert len(used.corpus.fingerprints) >= 3
    session.close()
    with pytest.raises(SessionError), Collector(session):
        pass
