"""Killed at any moment: the data file that is left can be read, or is not there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import coverage
import coverage.exceptions
import pytest

from ..conftest import clean_environment

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="POSIX alone")]

#: How often each command is killed.
ROUNDS = int(os.environ.get("STRESS_ROUNDS", "20"))

MODULE = "".join(
    f"def f{k}(x):\n    if x > {k}:\n        return x\n    return {k}\n" for k in range(400)
)
PROGRAM = """\
import many
for k in range(400):
    getattr(many, f"f{k}")(k % 7)
"""


def start(directory: Path, *args: str) -> subprocess.Popen[bytes]:
    """Start a command of coverage.py there."""
    return subprocess.Popen(
        [sys.executable, "-m", "coverage", *args],
        cwd=directory,
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "many.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    config = "[run]\nbranch = true\nplugins = quickcover\nsource = .\n"
    (tmp_path / ".coveragerc").write_text(config, encoding="utf-8")
    return tmp_path


def killed_at_any_time(directory: Path, *args: str) -> Iterator[int]:
    """Kill the command at a random moment, ROUNDS times; the number of each round."""
    began = time.monotonic()
    assert start(directory, *args).wait() == 0
    takes = time.monotonic() - began
    chosen = random.Random(1)
    for number in range(ROUNDS):
        process = start(directory, *args)
        time.sleep(chosen.random() * takes)
        process.send_signal(signal.SIGKILL)
        process.wait()
        yield number


def check_readable(file: Path, *, sure: bool = True) -> None:
    """The data file can be read, or, if that isn't `sure`, coverage.py says that it can't.

    Its writer, which combines, has no journal: where it was killed in the midst of its work, the
    file is damaged, under its own core as well (docs/reliability.md).
    """
    if file.exists() and file.stat().st_size > 0:
        data = coverage.CoverageData(str(file))
        try:
            data.read()
            for name in data.measured_files():
                data.arcs(name)
        except coverage.exceptions.DataError as error:
            assert not sure and str(file) in str(error)
            file.unlink()


def report(directory: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "coverage", "report"],
        cwd=directory, env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_run(project: Path) -> None:
    for _ in killed_at_any_time(project, "run", "program.py"):
        check_readable(project / ".coverage")
    assert start(project, "run", "program.py").wait() == 0
    assert "many.py" in report(project)


def test_run_in_parallel(project: Path) -> None:
    """Each process has a file of its own; those that were whole are combined."""
    for _ in killed_at_any_time(project, "run", "-p", "program.py"):
        pass
    for file in project.glob(".coverage.*"):
        check_readable(file)
    assert start(project, "run", "-p", "program.py").wait() == 0
    assert start(project, "combine").wait() == 0
    assert "many.py" in report(project)


def test_combine(project: Path) -> None:
    for _ in range(12):
        assert start(project, "run", "-p", "program.py").wait() == 0
    for _ in killed_at_any_time(project, "combine", "--keep"):
        check_readable(project / ".coverage", sure=False)
    assert start(project, "combine", "--keep").wait() == 0
    assert "many.py" in report(project)


@pytest.mark.parametrize("command", ["html", "xml", "report"])
def test_reports(project: Path, command: str) -> None:
    """What a killed report leaves in the cache hurts no later one."""
    assert start(project, "run", "program.py").wait() == 0
    expected = report(project)
    for number in killed_at_any_time(project, command):
        with (project / "many.py").open("a", encoding="utf-8") as file:
            file.write(f"# {number}\n")  # it has to be analysed again
    check_readable(project / ".coverage")
    assert report(project) == expected


def test_two_at_once(project: Path) -> None:
    """Two runs that append to one file end well, or one says why not."""
    assert start(project, "run", "program.py").wait() == 0
    both = [start(project, "run", "--append", "program.py") for _ in range(2)]
    assert {process.wait() for process in both} <= {0, 1}
    assert "many.py" in report(project)
