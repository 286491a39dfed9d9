"""`quickcover bench` from the command line."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from quickcover import _env
from quickcover.bench import running
from quickcover.bench.progress import Line

from ..conftest import Runner

#: Long enough for the clock of user time, which goes by ticks on some machines.
PROGRAM = """\
import os, sys
def work(n):
    total = 0
    for i in range(n):
        if i % 3:
            total += i
    return total
while os.times().user < 0.05:
    work(20_000)
print(sys.argv, __name__, work(20_000))
"""

#: Ends otherwise if somebody traces or monitors it.
SHY = """\
import sys
monitoring = getattr(sys, "monitoring", None)
watched = monitoring and any(monitoring.get_tool(tool) for tool in range(6))
sys.exit("somebody is watching" if sys.gettrace() or watched else 0)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "work.py").write_text(PROGRAM)
    return tmp_path


def test_every_tool(run_quickcover: Runner, program: Path) -> None:
    done = run_quickcover(
        "bench", "--rounds=2", "--tools=*", "--json=out.json", "--", "-B", "work.py", "x", "-y"
    )
    report = json.loads((program / "out.json").read_text())
    assert report["command"] == ["-B", "work.py", "x", "-y"]
    assert report["python"]["version"] == _env.release()
    failures = {}
    for result in report["results"]:
        if result["failure"]:
            failures[result["tool"]] = result["failure"]
        else:
            assert all(len(result[key]) == 2 for key in ("user", "wall", "memory")), result
            assert result["ratios"]["user"]["low"] > 0
    able = {"none", "empty-trace", "ctrace", "pytrace", "quickcover", "quickcover-trace"}
    assert not able & set(failures)
    if not _env.current().monitoring:
        assert "this Python has no sys.monitoring" in failures["empty-monitoring"]
        assert "this Python has no sys.monitoring" in failures["quickcover-monitoring"]
        # In the words of coverage.py, or ours where an old one says nothing and takes ctrace.
        assert "sysmon" in failures
    assert done.stdout.splitlines()[0].split() == ["tool", "none", "lines", "branches"]
    assert "warm-up: none" in done.stderr
    assert sorted(path.name for path in program.iterdir()) == ["out.json", "work.py"]


def test_module(run_quickcover: Runner, program: Path) -> None:
    done = run_quickcover("bench", "--rounds=1", "--tools=empty-trace", "--", "-m", "work", "x")
    assert "empty C trace function" in done.stdout
    assert "not measured" not in done.stdout


def test_configuration_counts(run_quickcover: Runner, program: Path) -> None:
    (program / ".coveragerc").write_text("[run]\nbranch = true\nplugins = missing_plugin\n")
    done = run_quickcover("bench", "--rounds=1", "--tools=ctrace", "--", "work.py", status=1)
    assert "No module named 'missing_plugin'" in done.stdout
    assert "no tool could be measured" in done.stderr


def test_a_tool_that_changes_the_end_is_a_row(run_quickcover: Runner, tmp_path: Path) -> None:
    (tmp_path / "shy.py").write_text(SHY)
    done = run_quickcover("bench", "--rounds=1", "--tools=ctrace", "--", "shy.py", status=1)
    assert "not measured: exit status 1: somebody is watching" in done.stdout


def test_program_that_fails(run_quickcover: Runner, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import sys\nsys.exit('no way')\n")
    bench = ("bench", "--rounds=1", "--tools=ctrace")
    done = run_quickcover(*bench, "--", "bad.py", status=1)
    assert "the program fails without any tool, too: exit status 1: no way" in done.stderr
    assert done.stdout == ""
    done = run_quickcover(*bench, "--ignore-failure", "--", "bad.py")
    assert "not measured" not in done.stdout


@pytest.mark.parametrize(
    "words, reason",
    [
        ("", "nothing to run"),
        ("--", "nothing to run"),
        ("--rounds=0 -- work.py", "0 is not above 0"),
        ("--wrong -- work.py", "unrecognized arguments: --wrong"),
        ("--tools=foo -- work.py", "no tool is called 'foo'"),
        ("-- none.py", "no such script: none.py"),
        ("--plot=x.pdf -- work.py", "must end in .svg or .png"),
        ("--json=no/x.json -- work.py", "no such directory: no"),
        ("--rcfile=none -- work.py", "couldn't read 'none' as a config file"),
        ("--compare a.json b.json", "couldn't read a.json: No such file"),
        ("--compare a.json b.json -- work.py", "--compare runs nothing"),
    ],
)
def test_bad_input(run_quickcover: Runner, program: Path, words: str, reason: str) -> None:
    done = run_quickcover("bench", *words.split(), status=1)
    assert reason in done.stderr
    assert done.stderr.startswith("quickcover bench: ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_compare(run_quickcover: Runner, program: Path) -> None:
    run_quickcover("bench", "--rounds=1", "--tools=ctrace", "--json=a.json", "--", "work.py")
    done = run_quickcover("bench", "--compare", "a.json", "a.json")
    assert "coverage.py, ctrace, lines" in done.stdout
    assert "within the spread" in done.stdout


def test_help(run_quickcover: Runner) -> None:
    text = run_quickcover("bench", "--help").stdout
    assert "quickcover bench [options] -- PYTHON-ARGS" in text
    assert run_quickcover("help", "bench").stdout == text
    assert "    bench " in run_quickcover("help").stdout


def test_spawn_counts_children_and_their_memory() -> None:
    child = "import time\nheap = bytearray(60_000_000)\nwhile time.process_time() < 0.3: pass"
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])"
    run = running.spawn([sys.executable, "-c", code], dict(os.environ))
    assert run.status == 0
    assert run.user + run.system > 0.3
    assert 60e6 < run.memory < 100e6


def test_memory_is_not_that_of_who_asks() -> None:
    heap = bytearray(b"x") * 80_000_000
    run = running.spawn([sys.executable, "-c", "pass"], dict(os.environ))
    assert 2e6 < run.memory < len(heap)


def test_spawn_tells_how_it_ended() -> None:
    code = "import os, sys; print('said', file=sys.stderr); sys.stderr.flush(); os.abort()"
    run = running.spawn([sys.executable, "-c", code], dict(os.environ))
    assert running.complaint(run) == "killed by SIGABRT: said"


def test_progress_line(capsys: pytest.CaptureFixture[str]) -> None:
    line = Line()
    line.terminal = True
    line("round 1", 0.5)
    line.close()
    assert "50% round 1, 0 s left" in capsys.readouterr().err
