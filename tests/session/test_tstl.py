"""quickcover.tstl against the real TSTL: `make test-contract`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ..conftest import Runner
from .conftest import MakeSession

pytest.importorskip("tstl", reason="TSTL is not installed: make test-contract")
pytestmark = pytest.mark.slow

HARNESS = Path(__file__).resolve().parents[2] / "benchmarks" / "tstl"

#: Plays the same random operations, and tells all views after each.
PLAY = """
import json, random, sys
import sut as module
if {ours}:
    from quickcover import tstl
    tstl.adapt(module)
sut = module.sut()
random.seed(5)
told = []
def tell():
    names = ("all", "curr", "new", "newCurr")
    for kind in ("Branches", "Statements"):
        views = [getattr(sut, name + kind)() for name in names]
        told.append([sorted([x, list(y) if isinstance(y, tuple) else y] for x, y in v if
                            x.endswith("avltree.py")) for v in views])
for test in range(6):
    sut.restart()
    for _ in range(25):
        enabled = sut.enabled()
        sut.safely(enabled[random.randrange(len(enabled))])
        tell()
    if test == 3:
        sut.resetCov()
        tell()
if {ours}:
    assert 0 < sut.report("report.txt") < 100
    assert "avltree" in open("report.txt").read()
print(json.dumps(told))
"""


@pytest.fixture
def harness(run_python: Runner, tmp_path: Path) -> None:
    for file in ("avltree.py", "avl.tstl"):
        shutil.copy(HARNESS / file, tmp_path)
    run_python("-m", "tstl.harnessmaker", "avl.tstl")


def test_all_views_are_those_of_coverage(
    run_python: Runner, harness: None, make: MakeSession, engine: str, branch: bool
) -> None:
    if not branch:
        pytest.skip("TSTL always wants branches")
    env = {"COVERAGE_CORE": "ctrace", "PYTHONHASHSEED": "0", "COVERAGE_FILE": ":memory:"}
    stock = json.loads(run_python("-c", PLAY.format(ours=False), env=env).stdout)
    env = {"QUICKCOVER_ENGINE": engine, "PYTHONHASHSEED": "0"}
    ours = json.loads(run_python("-c", PLAY.format(ours=True), env=env).stdout)
    assert len(stock) == len(ours) == 302
    for number, (theirs, mine) in enumerate(zip(stock, ours, strict=True)):
        if number % 2 or engine == "trace":
            assert mine == theirs, number
        else:
            # The monitoring engine records fewer arcs: those of reports.
            assert [bool(view) for view in mine[:2]] == [bool(view) for view in theirs[:2]]


def test_the_random_tester_runs(run_python: Runner, harness: None) -> None:
    done = run_python("-m", "quickcover.tstl", "randomtester", "--seed", "1", "--maxTests", "20")
    assert "2000 TOTAL TEST OPERATIONS" in done.stdout
    assert "PERCENT COVERED" in done.stdout


def test_without_a_tool(run_python: Runner) -> None:
    done = run_python("-m", "quickcover.tstl", status=1)
    assert "usage" in done.stderr
