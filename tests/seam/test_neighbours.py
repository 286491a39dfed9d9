"""Tools of the standard library beside us, in one process: right data, and they work as without."""

from __future__ import annotations

from pathlib import Path

import pytest

from quickcover import _engines, _env

from ..conftest import COMMON, STOCK, Runner
from .programs import write
from .same import OURS, run, same

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
START = "import sys\nfrom work import other, work\n"

#: Programs that print what their tool saw.
PROGRAMS = {
    "cProfile": """\
import cProfile, pstats
profile = cProfile.Profile()
profile.runcall(work, 3)
print(work(1), other(0))
calls = pstats.Stats(profile).stats
print(sorted(name for file, line, name in calls if file.endswith("work.py")))
""",
    "sys.setprofile": """\
events = []
sys.setprofile(lambda frame, event, arg: events.append((frame.f_code.co_name, event)))
work(3)
sys.setprofile(None)
other(1)
print(events)
""",
    "threading.setprofile": """\
import threading
events = []
threading.setprofile(lambda frame, event, arg: events.append(frame.f_code.co_name))
thread = threading.Thread(target=work, args=[3])
thread.start()
thread.join()
print(events.count("work"))
""",
    "tracemalloc": """\
import tracemalloc
tracemalloc.start()
work(3)
print(tracemalloc.is_tracing())
tracemalloc.stop()
other(1)
""",
    "faulthandler": """\
import faulthandler
faulthandler.enable()
faulthandler.dump_traceback_later(60)
print(work(3))
faulthandler.cancel_dump_traceback_later()
""",
}


@pytest.mark.parametrize("kind", PROGRAMS)
def test_tools(run_python: Runner, tmp_path: Path, kind: str) -> None:
    if "." not in kind:
        pytest.importorskip(kind)
    write(tmp_path, work=WORK, program=START + PROGRAMS[kind])
    found = same(run_python, tmp_path, "program.py", config="source = .")
    assert found.process.stdout == run_python("program.py").stdout


def test_settrace(run_python: Runner, tmp_path: Path) -> None:
    """A program that traces itself: it sees all its events, and we what ctrace sees or more."""
    program = """\
events = []
def trace(frame, event, arg):
    if frame.f_code.co_filename.endswith("work.py"):
        events.append((frame.f_lineno, event))
    return trace
saved = sys.gettrace()
sys.settrace(trace)
work(3)
sys.settrace(saved)
other(0)
print(events)
"""
    write(tmp_path, work=WORK, program=START + program)
    found = same(run_python, tmp_path, "program.py", config="source = .", sees_more=True)
    assert found.process.stdout == run_python("program.py").stdout


def test_pdb(run_python: Runner, tmp_path: Path) -> None:
    """A debugger with a breakpoint, which is left again by `continue`."""
    program = """\
import io, pdb
out = io.StringIO()
debugger = pdb.Pdb(stdin=io.StringIO("step\\nnext\\nnext\\np total\\ncontinue\\n"), stdout=out)
debugger.use_rawinput = False
debugger.set_trace()
print(work(3))
print(other(0))
print("0" in out.getvalue(), "work.py" in out.getvalue())
"""
    write(tmp_path, work=WORK, program=START + program)
    found = same(run_python, tmp_path, "program.py", config="source = .", sees_more=True)
    assert found.process.stdout.splitlines() == ["2", "2", "True True"]


SECOND = """\
import coverage
inner = coverage.Coverage(config_file=CONFIG, data_file="inner.data", branch=True, source=["."])
other(1)
inner.start()
work(1)
other(0)
inner.stop()
inner.save()
work(3)
data = inner.get_data()
print([sorted(data.lines(name)) for name in data.measured_files() if name.endswith("work.py")])
"""


def test_a_coverage_object_of_another_core(run_python: Runner, tmp_path: Path) -> None:
    """Stock coverage.py measures first, with its default core, and switches places off."""
    program = """\
import coverage
def measure(*plugins):
    cov = coverage.Coverage(config_file=False, data_file=None, branch=True, source=["."])
    cov.set_option("run:plugins", plugins)
    cov.start()
    work(3)
    other(0)
    cov.stop()
    data = cov.get_data()
    return [sorted(data.lines(name)) for name in data.measured_files() if "work" in name]
stock = measure()
print(measure("quickcover") == stock, measure() == stock, measure("quickcover") == stock)
"""
    write(tmp_path, work=WORK, program=START + program)
    assert run_python("program.py").stdout == "True True True\n"


@pytest.mark.parametrize("config", ["False", "True"])
def test_a_second_coverage_object(run_python: Runner, tmp_path: Path, config: str) -> None:
    """With quickcover (by the configuration) or with coverage.py's own core inside of ours."""
    write(tmp_path, work=WORK, program=START + SECOND.replace("CONFIG", config))
    if STOCK == "pytrace":  # it goes on recording in frames that it saw begin
        command = ("-m", "coverage", "run", "program.py")
        found = run(run_python, tmp_path, command, f"{OURS}\nsource = .")
    else:
        found = same(run_python, tmp_path, "program.py", config="source = .", sees_more=True)
    assert "[2, 3, 4, 6, 9, 11]" in found.process.stdout


NESTED = """\
import sys, coverage
def made(core):
    cov = coverage.Coverage(config_file=False, data_file=None, branch=True, source=["."])
    ours = core == "quickcover"
    cov.set_option("run:plugins" if ours else "run:core", ["quickcover"] if ours else core)
    return cov
def lines(cov):
    data = cov.get_data()
    return [sorted(data.lines(name)) for name in data.measured_files() if "work" in name]
outer, inner = map(made, sys.argv[1:])
outer.start()
other(1)
inner.start()
work(1)
other(0)
inner.stop()
work(3)
outer.stop()
print(lines(inner), lines(outer))
"""


@pytest.mark.skipif(STOCK == "pytrace", reason="it goes on recording in frames that it saw begin")
@pytest.mark.parametrize("other", ["ctrace", "sysmon", "pytrace"])
@pytest.mark.parametrize("inside", [False, True])
def test_nested_in_another_core(
    run_python: Runner, tmp_path: Path, other: str, inside: bool
) -> None:
    """The newest measures, and the other goes on afterwards, whatever they measure with."""
    write(tmp_path, work=WORK, program=START + NESTED)
    cores = (other, "quickcover") if inside else ("quickcover", other)
    found = run_python("program.py", *cores).stdout
    assert found == "[[2, 3, 4, 6, 9, 11]] [[2, 3, 4, 5, 6, 9, 10]]\n"


ALL_TAKEN = """\
import sys
for tool in range(6):
    sys.monitoring.use_tool_id(tool, "other")
import coverage
cov = coverage.Coverage(branch=False, source=["."])
cov.start()
from work import other, work
print(work(3), other(0))
cov.stop()
cov.save()
print(type(cov._collector).__module__, cov._collector.tracer_name())
"""


@pytest.mark.skipif(not _env.current().monitoring, reason="needs sys.monitoring")
@pytest.mark.parametrize("engine", ["", "monitoring"])
def test_all_tool_ids_are_taken(run_python: Runner, tmp_path: Path, engine: str) -> None:
    write(tmp_path, work=WORK, program=ALL_TAKEN)
    env = {"QUICKCOVER_ENGINE": engine} if engine else {}
    (tmp_path / ".coveragerc").write_text(f"[run]\n{OURS}\n")
    result = run_python("program.py", env=env, status=None)
    if engine:
        assert result.returncode != 0
        assert "tool ids" in result.stderr
    else:
        expected = "ProbeTracer" if _env.current().probes else _engines.TRACERS[COMMON]
        assert expected in result.stdout, result.stderr
