"""The benchmarks of sessions: that they run, and what is told of them."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import pytest
from benchmarks import render, run, sessions
from benchmarks.examples import measure as examples
from benchmarks.tstl import measure as tstl

from quickcover.bench.errors import CommandError


def quiet(text: str, part: float) -> None:
    assert 0 <= part <= 1


def test_choice() -> None:
    assert sessions.choose([]) == sessions.choose(["session"]) == ["examples", "tstl"]
    assert sessions.choose(["loops"]) == []
    assert run.parse(["--programs", "tstl"]).sessions == ["tstl"]
    assert run.parse(["--programs", "tstl"]).workloads == []
    assert run.parse(["--tools", "ctrace"]).sessions == []


def test_examples() -> None:
    ways = ["session new", "session all", examples.EMPTY, "coverage.py start/stop/erase"]
    found = examples.measure(1, 1000, quiet, ways)
    assert found["left_out"] == {}
    assert list(found["ways"]) == ["bare", *ways]
    assert found["ways"]["bare"]["ratios"] == [1.0]
    assert found["ways"]["session new"]["hits"] < 1 < found["ways"]["session all"]["hits"]
    told = {"examples": json.loads(json.dumps(found))}
    assert sum("session" in line for line in sessions.text(told)) == 3
    texts = [goal.text for goal in sessions.goals(told, "3.11.7")]
    assert texts[0] == "examples, session new, to none"
    page = "\n".join(render.sessions(render.Version("3.14", {"sessions": told})))
    assert "| session all |" in page


def test_a_way_that_can_not_run_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str, count: int) -> tuple[float, float]:
        if name == "session all":
            raise CommandError("no luck")
        return 2.0, 0.0

    monkeypatch.setattr(examples, "run", fail)
    found = examples.measure(2, 1000, quiet, ["session new", "session all"])
    assert list(found["ways"]) == ["bare", "session new"]
    assert "  left out: session all: no luck" in examples.text(found)


def test_operations_are_compared_within_a_round() -> None:
    counts = {"without": [1000, 500], "quickcover": [900, 475]}
    found: dict[str, Any] = {"seconds": 30, "operations": counts, "ratios": tstl.ratios(counts)}
    assert found["ratios"] == {"quickcover": [0.9, 0.95]}
    told = {"tstl": {**found, "tstl": "1.2.39"}}
    (goal,) = sessions.goals(told, "3.14.0")
    assert goal.reached
    assert sessions.text(told)[1].split()[:2] == ["quickcover", "0.9250"]
    page = "\n".join(render.sessions(render.Version("3.14", {"sessions": told})))
    assert "750 operations without coverage, 0.925 of them with quickcover" in page


def test_without_tstl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    told = sessions.run(["tstl"], 1, 1.0, quiet)
    assert "not installed" in told["tstl"]["failure"]
    assert sessions.text(told)[0].startswith("FAILED: tstl: TSTL is not installed")
    page = "\n".join(render.sessions(render.Version("3.14", {"sessions": told})))
    assert "tstl failed" in page


@pytest.mark.slow
def test_tstl() -> None:
    pytest.importorskip("tstl", reason="TSTL is not installed: make test-contract")
    found = sessions.measure("tstl", 1, 0.1, quiet)
    assert found["tstl"] == "1.2.39"
    assert 0 < found["ratios"]["coverage.py"][0] < found["ratios"]["quickcover"][0]
    assert found["ratios"][tstl.LIMIT][0] > 0.5
