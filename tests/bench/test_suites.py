"""The whole command lines of the benchmark suite, made small."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks import render, run, starts, suites

from quickcover.bench import tools
from quickcover.bench.target import Target


def quiet(text: str, part: float) -> None:
    assert 0.0 <= part <= 1.0


def few(names: str | None) -> list[tools.Tool]:
    return [tool for tool in tools.TOOLS if tool.name in ("none", "ctrace", "quickcover")]


def test_choose() -> None:
    assert suites.choose([]) == suites.choose(["suite"]) == list(suites.NAMES)
    assert suites.choose(["pytest*"]) == ["pytest", "pytest_contexts"]
    assert suites.choose(["loops"]) == []


def test_suites_need_all_tools() -> None:
    assert run.parse([]).suites == list(suites.NAMES)
    assert run.parse(["--programs", "reports"]).workloads == []
    assert run.parse(["--programs", "loops"]).suites == []
    assert run.parse(["--tools", "ctrace"]).suites == []
    with pytest.raises(SystemExit):
        run.parse(["--tools", "ctrace", "--programs", "reports"])


def test_measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "work.py"
    script.write_text("print(sum(range(10)))\n")
    small = suites.Suite("small", Target((), False, str(script), ()), {"run": {"patch": ""}})
    monkeypatch.setattr(suites, "SUITES", (small,))
    monkeypatch.setattr(tools, "choose", few)
    found = {"small": suites.measure("small", 1, quiet), "bad": {"failure": "no luck"}}
    assert not any(result["failure"] for result in found["small"]["results"])
    lines = suites.text(json.loads(json.dumps(found)))
    assert any("coverage.py, ctrace" in line and "branches" in line for line in lines)
    assert "FAILED: bad: no luck" in lines
    page = "\n".join(render.suites(render.Version("3.14", {"suites": found})))
    assert "| small |" in page and "bad failed: no luck" in page
    assert "| quickcover (" not in page and "quickcover: lines" in page


def test_reports_are_rendered() -> None:
    times = {
        "html": {
            "coverage": {"user": [2.0, 3.0], "wall": [4.0]},
            "quickcover": {"user": [1.0, 2.0], "wall": [1.25]},
        }
    }
    found = {"reports": {"commands": times}}
    page = "\n".join(render.suites(render.Version("3.14", {"suites": found})))
    assert "| | coverage | quickcover |" in page.replace("|  |", "| |")
    assert "| html | 2.50 (4.00) | 1.50 (1.25) |" in page
    assert "coverage 2.50 s (4.00), quickcover 1.50 s (1.25)" in suites.text(found)[0]


def test_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starts, "CHILDREN", 2)
    assert starts.choose([]) == starts.choose(["start"]) == ["program", "subprocess", "save"]
    assert starts.choose(["start_program"]) == ["program"]
    assert starts.choose(["loops", "suite"]) == []
    monkeypatch.setattr(starts, "ROUNDS_FOR_ONE", 1)
    found = starts.run(list(starts.NAMES), 1, quiet)
    assert [list(times) for times in found.values()] == [list(starts.TOOLS)] * 3
    assert starts.added(found["program"], "coverage") > starts.added(found["program"], "quickcover")
    assert [goal.limit for goal in starts.goals(found)] == [40, 10, 100]
    page = "\n".join(render.starts(render.Version("3.14", {"starts": found})))
    assert "| empty subprocess |" in page
    assert "empty program: none" in starts.text(found)[0]


def test_merged() -> None:
    def goal(text: str, value: float) -> dict[str, Any]:
        return {"text": text, "value": value}

    how = {"date": "today", "git": {}, "settings": {"load": [1, 2]}}
    old = {"suites": {"a": 1, "b": 1}, "goals": [goal("x", 1), goal("y", 1)], "python": {}}
    new = {"suites": {"b": 2}, "starts": {"c": 2}, "sessions": {}, "goals": [goal("y", 2)], **how}
    found = run.merged(old, new)
    assert found["suites"] == {"a": 1, "b": 2} and found["starts"] == {"c": 2}
    assert found["goals"] == [goal("x", 1), goal("y", 2)]
    assert run.merged(found, new)["later"] == [{"names": ["b", "c"], **how}]
