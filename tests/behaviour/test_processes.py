"""Whole processes under `coverage run`: how they end, and what is in the data file then."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from coverage import CoverageData

from . import facts, reference
from .comparing import raw_differences, report_differences
from .measure import STOCK, Recorded
from .scenes import SAME_RAW_DATA

ENDS_BY_EXCEPTION = """
import atexit, signal, threading, time
def handler(number, frame):
    if number: return
    a = 1
signal.signal(signal.SIGUSR1, handler)
signal.raise_signal(signal.SIGUSR1)
started = threading.Event()
def wait(daemon):
    started.set()
    if daemon:
        time.sleep(60)
    return 1
threading.Thread(target=wait, args=[True], daemon=True).start()
started.wait()
def at_exit():
    b = 1
atexit.register(at_exit)
def deep(x):
    try:
        if x: return deep(x - 1)
        raise ValueError("the end")
    finally:
        print("leaving", x)
deep(2)
"""

ENDS_BY_EXIT = """
import sys, threading
def later():
    threading.main_thread().join()
    print("the main thread has ended")
def now(x):
    for i in range(x): print(i)
threading.Thread(target=later).start()
thread = threading.Thread(target=now, args=[2])
thread.start()
thread.join()
class Leaving:
    def __enter__(self):
        return self
    def __exit__(self, kind, error, traceback):
        if kind is SystemExit: print("leaving")
def main():
    with Leaving():
        while True:
            try:
                sys.exit(3)
            except Exception:
                print("never")
if __name__ == "__main__":
    main()
"""


@dataclass(frozen=True)
class Ended:
    """How a process ended and what was recorded of it."""

    status: int
    stdout: str
    last_of_stderr: str
    recorded: Recorded


def run_program(program: Path, name: str, branch: bool) -> Ended:
    """Run a program under `coverage run` with a core of coverage.py or an engine."""
    config = program.with_name(f"{name}.rc")
    core = f"core = {name}" if name in STOCK else "plugins = quickcover"
    config.write_text(f"[run]\nbranch = {branch}\n{core}\ndata_file = {name}.data\n")
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("COVERAGE", "COV_"))}
    if name not in STOCK:
        environ["QUICKCOVER_ENGINE"] = name
    done = subprocess.run(
        [sys.executable, "-m", "coverage", "run", f"--rcfile={config}", program.name],
        cwd=program.parent,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    data = CoverageData(str(program.with_name(f"{name}.data")))
    data.read()
    of_file = data.arcs if branch else data.lines
    recorded = {file: frozenset(of_file(file) or ()) for file in data.measured_files()}
    last = (done.stderr.splitlines() or [""])[-1]
    return Ended(done.returncode, done.stdout, last, recorded)


@pytest.mark.parametrize("name", facts.engines())
@pytest.mark.parametrize("source", [ENDS_BY_EXCEPTION, ENDS_BY_EXIT], ids=["exception", "exit"])
def test_the_process_ends_as_under_ctrace(
    tmp_path: Path, name: str, branch: bool, source: str
) -> None:
    if reference.why_not_ctrace():
        pytest.skip(reference.why_not_ctrace())
    program = tmp_path.resolve() / "program.py"
    program.write_text(source, encoding="utf-8")
    ctrace = run_program(program, "ctrace", branch)
    engine = run_program(program, name, branch)
    assert engine.status == ctrace.status != 0
    assert engine.stdout == ctrace.stdout
    assert engine.last_of_stderr == ctrace.last_of_stderr
    if name in SAME_RAW_DATA:
        difference = raw_differences(name, "ctrace", engine.recorded, ctrace.recorded)
    else:
        difference = report_differences(
            name, "ctrace", engine.recorded, ctrace.recorded, branch=branch
        )
    assert not difference, difference
