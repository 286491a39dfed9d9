"""The whole command lines of the benchmark suite, made small."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest
from benchmarks import render, run, suites

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
    times = {"html": {"coverage": [2.0, 3.0], "quickcover": [1.0, 2.0]}}
    found = {"reports": {"commands": times}}
    page = "\n".join(render.suites(render.Version("3.14", {"suites": found})))
    assert "| html | 2.50 | 1.50 |" in page
    assert statistics.median(times["html"]["coverage"]) == 2.5
