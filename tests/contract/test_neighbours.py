"""Debuggers, profilers and other tools beside us: right data, and they keep their events."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import Runner
from ..seam.programs import write
from ..seam.same import CTRACE, OURS, check, run, same

pytestmark = pytest.mark.slow

WORK = """\
def work(x):
    total = 0
    for i in range(x):
        if i > 1:
            total += i
    return total

def other(x):
    if x:
        return 1
    return 2
"""

PROGRAM = "from work import other, work\nprint(work(3), other(0))\n"


def test_debugpy(run_python: Runner, tmp_path: Path) -> None:
    """A debugger that runs the program, with nobody connected, and with breakpoints set."""
    write(tmp_path, work=WORK, program=PROGRAM)
    listening = ("-Xfrozen_modules=off", "-m", "debugpy", "--listen", "127.0.0.1:0")
    runs = [
        run(
            run_python,
            tmp_path,
            (*listening, "-m", "coverage", "run", "program.py"),
            f"{core}\nsource = .",
        )
        for core in (CTRACE, OURS)
    ]
    # debugpy's trace function takes ctrace's place before 3.12.
    check(*runs, sees_more=True)
    assert [one.process.stdout for one in runs] == ["3 2\n"] * 2 or runs[1].process.stdout == (
        runs[0].process.stdout
    )


SLIPCOVER = """\
import sys
from slipcover import Slipcover
tool = Slipcover(branch=False)
from work import other, work
tool.instrument(work)
tool.instrument(other)
print(work(3), other(0))
seen = tool.get_coverage()["files"]
print([f["executed_lines"] for name, f in seen.items() if name.endswith("work.py")])
"""


def test_slipcover(run_python: Runner, tmp_path: Path) -> None:
    write(tmp_path, work=WORK, program=SLIPCOVER)
    found = same(run_python, tmp_path, "program.py", config="source = .")
    assert found.process.stdout.splitlines()[1] != "[[]]"


TESTMON_TESTS = """\
from work import other, work

def test_work():
    assert work(3) == 2

def test_other():
    assert other(0) == 2
"""


def test_testmon(run_python: Runner, tmp_path: Path) -> None:
    """pytest-testmon makes a Coverage object without a configuration: install() reaches it."""
    write(tmp_path, work=WORK, test_work=TESTMON_TESTS)
    pytest_ = ("-m", "pytest", "-q", "--testmon")
    env = {"QUICKCOVER_INSTALL": "1"}
    assert "2 passed" in run_python(*pytest_, env=env).stdout
    (tmp_path / "work.py").write_text(WORK.replace("return 2", "return 3"))
    result = run_python(*pytest_, env=env, status=1)
    assert "1 failed" in result.stdout, result.stdout
    assert "passed" not in result.stdout, result.stdout


XDIST = (("-n2",), ("--dist=load", "--tx=2*popen"), ("--dist=each", "--tx=popen"))


@pytest.mark.parametrize("workers", XDIST, ids=lambda workers: " ".join(workers))
@pytest.mark.parametrize("plugin", ["configured", "option"])
def test_xdist(run_python: Runner, tmp_path: Path, workers: tuple[str, ...], plugin: str) -> None:
    write(tmp_path, work=WORK, test_work=TESTMON_TESTS)
    tests = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--cov", "--cov-report=", *workers)
    theirs = run(run_python, tmp_path, tests, "core = ctrace")
    option, config = ((), OURS) if plugin == "configured" else (("--quickcover",), "")
    ours = run(run_python, tmp_path, (*tests, *option), config)
    check(theirs, ours)
