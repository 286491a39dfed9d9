"""Debuggers, profilers and other tools beside us: right data, and they keep their events."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import Runner
from ..seam.programs import write
from ..seam.same import CTRACE, OURS, Run, check, run, same
from .debugging import PATIENCE, Client, free_port

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


#: Where a debugger with a breakpoint in the loop of `work` stops, each time with one step.
STOPS = [("breakpoint", 4), ("step", 3)] * 2 + [("breakpoint", 4), ("step", 5)]


def test_debugpy(run_python: Runner, tmp_path: Path) -> None:
    """A debugger that was there first, with a breakpoint in measured code."""
    write(tmp_path, work=WORK, program=PROGRAM)
    alone = run(run_python, tmp_path, ("-m", "coverage", "run", "program.py"), CTRACE)
    _, beside_ctrace = debug(run_python, tmp_path, CTRACE)
    ours, stops = debug(run_python, tmp_path, OURS)
    check(alone, ours)
    # Before 3.12 debuggers use sys.settrace: ctrace takes it from them, and so do we.
    assert stops in (STOPS, beside_ctrace)


def debug(run_python: Runner, tmp_path: Path, config: str) -> tuple[Run, list[tuple[str, int]]]:
    """Run the program under a debugger and coverage.py: what came of it, and where it stopped."""
    client = Client(free_port(), tmp_path / "work.py", breakpoint=4)
    client.start()
    listen = ("-m", "debugpy", "--listen", f"127.0.0.1:{client.port}", "--wait-for-client")
    command = ("-Xfrozen_modules=off", *listen, "-m", "coverage", "run", "program.py")
    result = run(run_python, tmp_path, command, config)
    client.join(PATIENCE)
    assert result.process.stdout == "2 2\n"
    return result, client.stops


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
    # Of another size: in the same second, Python would take it for what it has compiled.
    (tmp_path / "work.py").write_text(WORK.replace("return 2", "return 33"))
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
