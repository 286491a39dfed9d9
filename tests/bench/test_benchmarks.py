"""The benchmark suite's own tools: the guard's arithmetic, and the page of results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks import check, micro, render
from benchmarks.check import Change, Count

from quickcover import _native, _select

CALLGRIND = """\
version: 1
positions: line
events: Ir
summary: 200

ob=(1) /usr/bin/python3
fl=(1) ???
fn=(1) eval
0 60
+3 20
cfn=(2) on_event
cob=(2) /site/quickcover/_native.cpython.so
calls=7 0
0 100
ob=(2)
fn=(2)
0 90
* 10
cob=(1)
cfn=(1)
calls=1 0
* 15
ob=(1)
fn=(3) rest
-4 20
"""


def test_callgrind_file() -> None:
    assert check.parse(CALLGRIND) == Count(total=200, own=100)
    assert check.parse(CALLGRIND) - check.parse(CALLGRIND) == Count(0, 0)


def test_growth() -> None:
    assert not Change("", 100_000, 102_900).matters
    assert Change("", 100_000, 103_100).matters
    assert Change("", 100_000, 90_000).growth == pytest.approx(-0.1)
    assert not Change("", 100, 200).matters  # too few to mean anything
    assert Change("", 0, 5_000).matters


HERE = {"architecture": "a", "extension": "gcc", "python": "p"}


@pytest.mark.parametrize(
    "other, kinds",
    [
        ({}, ["own", "added"]),
        ({"python": "q"}, ["own"]),
        ({"extension": "clang"}, []),
        ({"architecture": "b"}, []),
    ],
)
def test_only_what_can_be_compared_is_judged(other: dict[str, str], kinds: list[str]) -> None:
    assert check.judged({**HERE, **other}, HERE) == kinds


@pytest.mark.parametrize(
    "own, added, again, python, status, said",
    [
        (100_000, 900_000, None, "p", 0, "none has changed by more than 3%"),
        (104_000, 900_000, 900_000, "p", 1, "GROWN  loop, trace/lines, own"),
        (100_000, 990_000, 980_000, "p", 1, "GROWN  loop, trace/lines, added"),
        (100_000, 990_000, 900_000, "p", 0, "none has changed by more than 3%"),
        (100_000, 990_000, None, "q", 0, "no figure that counts has grown"),
        (90_000, 900_000, None, "p", 0, "--write keeps the new ones"),
    ],
)
def test_comparison(
    own: int, added: int, again: int | None, python: str, status: int, said: str,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    kept = {"loop": {"trace/lines": {"own": 100_000, "added": 900_000}}}
    (tmp_path / "counts.json").write_text(json.dumps({"environment": HERE, "counts": kept}))
    monkeypatch.setattr(check, "path", lambda: tmp_path / "counts.json")
    monkeypatch.setattr(check, "environment", lambda: {**HERE, "python": python})

    def count(workloads: list[str], engines: list[str], layouts: tuple[int, ...]) -> check.Counts:
        assert again is not None and workloads == ["loop"] and layouts == check.LAYOUTS
        return {"loop": {"trace/lines": {"own": own, "added": again}}}

    monkeypatch.setattr(check, "count", count)
    counts = {"loop": {"trace/lines": {"own": own, "added": added}}}
    assert check.compare(counts, ["trace"], False) == status
    assert said in capsys.readouterr().out


def test_no_valgrind(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(check.shutil, "which", lambda name: None)
    monkeypatch.setattr(check.sys, "argv", ["check.py"])
    assert check.main() == 0
    assert "skipped, valgrind is not installed" in capsys.readouterr().out


@pytest.mark.parametrize("mode", check.MODES)
@pytest.mark.parametrize("name", micro.WORKLOADS)
def test_workloads_are_measured(name: str, mode: str, engine: str) -> None:
    if (engine, mode) not in check.able():
        pytest.skip(f"{engine} can't measure {mode} here")
    store = _native.Store(branch=mode == "branches")
    work = micro.WORKLOADS[name][0](name, 3, store)
    tracer = micro.tracer_of(engine, store)
    tracer.start()
    work()
    tracer.stop()
    assert store.take_error() is None
    assert name == "renewed" or store.drain()[micro.WORK]


# ------------------------------------------------------------------------------- the page


def result(**workloads: dict[str, list[float]]) -> dict[str, Any]:
    """A result file: {workload: {tool: [median, low, high]}}."""
    tools = list(dict.fromkeys(["none", *(tool for found in workloads.values() for tool in found)]))
    return {
        "date": "2020-01-01 00:00", "git": {"dirty": False, "stale": False},
        "machine": {"cpu": "x", "cores": 2, "system": "Linux"},
        "python": {"version": "3.14.0", "compiler": "cc", "packages": {"coverage": "7.17"}},
        "settings": {"rounds": 5, "scale": 1, "load": [0.1, 0.2]},
        "tools": tools, "left_out": {"sysmon/branches": "ConfigError: too old; the engines are x"},
        "workloads": {
            name: {"kind": "steady", "n": 1, "tools": {
                tool: {"ratio": dict(zip(("median", "low", "high"), ratio, strict=True)),
                       "start": [0.1], "finish": [0.01], "seconds": [1.0]}
                for tool, ratio in found.items()}}
            for name, found in workloads.items()
        },
        "summary": {tool: {"mean": 1.5, "worst": 2.0, "least": 1.0} for tool in tools},
        "goals": [{"text": "a goal", "value": 2.0, "limit": 1.1, "at_least": False,
                   "reached": False}],
    }  # fmt: skip


def test_page_tells_where_others_are_ahead() -> None:
    own = f"{_select.default_engine(_select.Request(branch=True), render._env.SUPPORTED['3.14'])}"
    data = result(
        fast={f"{own}/branches": [1.0, 0.9, 1.1], "ctrace/branches": [3.0, 2.9, 3.1]},
        slow={f"{own}/branches": [3.0, 2.9, 3.1], "ctrace/branches": [2.0, 1.9, 2.1]},
        even={f"{own}/branches": [1.1, 1.0, 1.2], "ctrace/branches": [1.05, 1.0, 1.1]},
    )
    page = render.document([render.Version("3.14", data)])
    behind = page.partition("## Where quickcover is not ahead")[2].partition("## Python")[0]
    assert "- 3.14: slow, branches: 2.00 with coverage.py, ctrace, 3.00 with quickcover\n" in behind
    assert "1.10 with quickcover (within the spread)" in behind
    assert "fast, branches" not in behind
    assert "not reached: a goal: 2.00, meant to be at most 1.1" in behind
    assert "| fast | 3.00 | **1.00** |" in page
    assert "- coverage.py, sysmon, branches: too old\n" in page


def test_page_shows_instructions_and_contexts() -> None:
    data = result(one={"ctrace/branches": [3.0, 2.9, 3.1]}, two={})
    data["workloads"]["two"]["kind"] = "import"
    data["instructions"] = {"ratios": {"ctrace/branches": {"one": 3.25, "two": 1.5}}}
    setups = {"ctrace": {"seconds": [1.0], "to none": 1.4}}
    setups["ctrace/plugin"] = {"seconds": [2.0, 4.0], "to ctrace": 3.0, "to none": 4.2}
    data["contexts"] = {"date": "2020-01-01", "project": "packaging 1", "tests": 3, "rounds": 2}
    data["contexts"] |= {"branches": True, "setups": setups}
    page = render.document([render.Version("3.14", data)])
    assert "| coverage.py, ctrace: branches | 3.250 |" in page
    assert "| coverage.py, ctrace: branches, import_sympy | 1.500 |" in page
    assert "| ctrace | 1.00 | - | 1.40 |" in page
    assert "| ctrace/plugin | 3.00 | 3.00 | 4.20 |" in page


def test_page_is_that_of_the_results() -> None:
    made = render.document(render.load(render.RESULTS))
    assert render.PAGE.read_text(encoding="utf-8") == made, "make performance"
    for line in made.splitlines():
        if line.startswith("!["):
            assert (render.PAGE.parent / line.partition("(")[2].rstrip(")")).exists()


def test_charts(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    versions = render.load(render.RESULTS)
    render.charts(versions, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        path.name for path in render.CHARTS.glob("*.svg")
    }
