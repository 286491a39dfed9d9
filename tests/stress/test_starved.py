"""Kept from the data file by the disk: it is told, and the program is not disturbed.

Each situation is met by `coverage run` with coverage.py's own core, which is the measure, by the
same with quickcover, and by `quickcover run` for the first time and again, when it does without
coverage.py. The output, the exit status and what is told at the end have to be the same.
coverage.py itself may leave a damaged data file where the disk is full; what we write is whole.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import coverage
import pytest

from ..conftest import STOCK, clean_environment

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="POSIX alone")]

PROGRAM = """\
import resource, signal, sys
import many
for k in range(1500):
    getattr(many, f"f{k}")(k % 7)
print("done")
if "limit" in sys.argv:
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
"""
MODULE = "".join(
    f"def f{k}(x):\n    if x > {k}:\n        return x\n    return {k}\n" for k in range(1500)
)
CONFIG = "[run]\nbranch = true\nsource = .\nrelative_files = true\n"

#: How to run, by name: the module and what goes into the configuration.
WAYS = {
    "coverage.py": ("coverage", f"core = {STOCK}\n"),
    "coverage": ("coverage", "plugins = quickcover\n"),
    "quickcover": ("quickcover", ""),
    "quickcover again": ("quickcover", ""),
}

#: Prepares a directory in which there will be no room for data, for a while; options of the run.
Starving = Callable[[Path], "contextlib.AbstractContextManager[list[str]]"]


@contextlib.contextmanager
def mounted(directory: Path, options: str) -> Iterator[None]:
    """Mount a file system of its own over the directory, with what was in it."""
    kept = directory.with_name(directory.name + "-kept")
    shutil.copytree(directory, kept)
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(directory)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs to mount a file system")
    try:
        shutil.copytree(kept, directory, dirs_exist_ok=True)
        yield
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)


@contextlib.contextmanager
def a_full_disk(directory: Path) -> Iterator[list[str]]:
    with mounted(directory, "size=400k"):
        with contextlib.suppress(OSError), (directory / "filler").open("wb", 0) as filler:
            while True:
                filler.write(b"x" * 4096)
        yield []


@contextlib.contextmanager
def an_almost_full_disk(directory: Path) -> Iterator[list[str]]:
    with a_full_disk(directory):
        (directory / "filler").write_bytes(b"")
        used = shutil.disk_usage(directory).free - 20_000
        (directory / "filler").write_bytes(b"x" * used)
        yield []


@contextlib.contextmanager
def a_limited_file_size(_: Path) -> Iterator[list[str]]:
    yield ["limit"]


@contextlib.contextmanager
def a_read_only_directory(directory: Path) -> Iterator[list[str]]:
    if os.geteuid() == 0:
        with mounted(directory, "size=10m"):
            subprocess.run(["mount", "-o", "remount,ro", str(directory)], check=True)
            yield []
    else:
        directory.chmod(0o555)
        try:
            yield []
        finally:
            directory.chmod(0o755)


@contextlib.contextmanager
def a_directory_in_its_place(directory: Path) -> Iterator[list[str]]:
    (directory / ".coverage").unlink(missing_ok=True)
    (directory / ".coverage").mkdir()
    yield []


@contextlib.contextmanager
def a_device_that_is_full(directory: Path) -> Iterator[list[str]]:
    (directory / ".coverage").unlink(missing_ok=True)
    (directory / ".coverage").symlink_to("/dev/full")
    yield []


@contextlib.contextmanager
def a_directory_that_is_gone(directory: Path) -> Iterator[list[str]]:
    vanish = "import os, shutil\nshutil.rmtree(os.getcwd())\n"
    (directory / "program.py").write_text(PROGRAM + vanish, encoding="utf-8")
    yield []


SITUATIONS: dict[str, Starving] = {
    function.__name__.replace("_", " "): function
    for function in (
        a_full_disk,
        an_almost_full_disk,
        a_limited_file_size,
        a_read_only_directory,
        a_directory_in_its_place,
        a_device_that_is_full,
        a_directory_that_is_gone,
    )
}


def run(directory: Path, module: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-B", "-m", module, *args],
        cwd=directory, env=clean_environment(XDG_CACHE_HOME=str(directory.parent / "cache")),
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def make(directory: Path, config: str) -> None:
    directory.mkdir()
    (directory / "many.py").write_text(MODULE, encoding="utf-8")
    (directory / "program.py").write_text(PROGRAM, encoding="utf-8")
    (directory / ".coveragerc").write_text(CONFIG + config, encoding="utf-8")


class Outcome(NamedTuple):
    """What came of a run."""

    status: int
    output: list[str]  # of the program
    told: str  # at the end, to the user
    readable: bool  # what there is of data files

    def like(self, other: Outcome) -> bool:
        """It is what the other is: the message may be a message where that has a traceback."""
        return self[:2] == other[:2] and reason(self.told) == reason(other.told)


#: What SQLite and the system say, and what it means.
REASONS = {
    "disk is full": "full",
    "disk I/O error": "full",
    "File too large": "full",
    "No space left on device": "full",
    "unable to open database file": "can't be opened",
    "No such file or directory": "can't be opened",
    "Read-only file system": "read-only",
    "Permission denied": "read-only",
    "Is a directory": "a directory",
    "Operation not permitted": "a directory",
}


def reason(told: str) -> str:
    """Why it couldn't be saved, by the message; the message if it tells something else."""
    return next((REASONS[text] for text in REASONS if text in told), told)


def outcome(directory: Path, way: str, starving: Starving) -> Outcome:
    """Run in such a situation."""
    module, config = WAYS[way]
    make(directory, config)
    if way.endswith("again"):
        assert run(directory, module, "run", "program.py").returncode == 0
        (directory / ".coverage").unlink()
    with starving(directory) as options:
        done = run(directory, module, "run", "program.py", *options)
        files = [file for file in directory.glob(".coverage*") if file.name != ".coveragerc"]
        readable = all(is_readable(file) for file in files if file.is_file())
        assert not list(directory.glob(".quickcover-unfinished*"))
    said = (done.stdout + done.stderr).replace(str(directory), "directory").splitlines()
    return Outcome(done.returncode, said[:1], said[-1], readable)


def is_readable(file: Path) -> bool:
    """Is the data file whole, or empty as SQLite leaves it?"""
    if file.stat().st_size:
        data = coverage.CoverageData(str(file))
        try:
            data.read()
            for name in data.measured_files():
                data.arcs(name)
        except coverage.exceptions.CoverageException:
            return False
    return True


@pytest.mark.parametrize("name", SITUATIONS)
def test_run(tmp_path: Path, name: str) -> None:
    outcomes = {
        way: outcome(tmp_path / f"directory{number}", way, SITUATIONS[name])
        for number, way in enumerate(WAYS)
    }
    theirs = outcomes["coverage.py"]
    assert theirs.output == ["done"]
    for way, ours in outcomes.items():
        assert ours.like(theirs), (way, outcomes)
        assert ours.readable or not theirs.readable, (way, outcomes)


@pytest.mark.parametrize("name", ["a full disk", "a read only directory"])
def test_children(tmp_path: Path, name: str) -> None:
    """A child that can't save says so; it and its parent end as they would."""
    told = []
    for number, (module, config) in enumerate((WAYS["coverage.py"], WAYS["coverage"])):
        directory = tmp_path / f"directory{number}"
        make(directory, config + "patch = subprocess\n")
        (directory / "parent.py").write_text(
            "import subprocess, sys\n"
            "done = subprocess.run([sys.executable, '-B', 'program.py'])\n"
            "print(done.returncode)\n",
            encoding="utf-8",
        )
        with SITUATIONS[name](directory):
            done = run(directory, module, "run", "parent.py")
        told.append((done.returncode, done.stdout.replace(str(directory), "directory")))
        assert ".coverage" in done.stderr or "Error" in done.stderr, done
    assert told[0] == told[1]


@pytest.mark.parametrize("name", ["a full disk", "a read only directory"])
@pytest.mark.parametrize("report", ["report", "json"])
def test_reports(tmp_path: Path, name: str, report: str) -> None:
    """Reports need no room but for themselves: what they keep for later is done without."""
    directory = tmp_path / "directory"
    make(directory, WAYS["coverage"][1])
    assert run(directory, "coverage", "run", "program.py").returncode == 0
    arguments = [report, *(["-o", "-"] if report == "json" else [])]
    expected = run(directory, "coverage", *arguments)
    assert expected.returncode == 0, expected
    shutil.rmtree(directory / ".quickcover_cache", ignore_errors=True)
    with SITUATIONS[name](directory):
        found = run(directory, "coverage", *arguments)
    assert found.returncode == 0, found
    assert found.stderr == expected.stderr
    if report == "report":
        assert found.stdout == expected.stdout


@pytest.mark.parametrize("damage", [b"", b"nonsense" * 100, b"SQLite format 3\0" + b"\0" * 84])
@pytest.mark.parametrize("command", [["run", "--append", "program.py"], ["report"], ["combine"]])
def test_a_damaged_data_file(tmp_path: Path, command: list[str], damage: bytes) -> None:
    outcomes = []
    for number, (module, config) in enumerate((WAYS["coverage.py"], WAYS["coverage"])):
        directory = tmp_path / f"directory{number}"
        make(directory, config)
        name = ".coverage.one" if command == ["combine"] else ".coverage"
        (directory / name).write_bytes(damage)
        done = run(directory, module, *command)
        said = (done.stdout + done.stderr).replace(str(directory), "directory")
        outcomes.append((done.returncode, said))
        assert "Traceback" not in said
    assert outcomes[0] == outcomes[1]


def test_a_locked_data_file(tmp_path: Path) -> None:
    """The other's data are safe, and it is told that they couldn't be added to."""
    outcomes = []
    for number, (module, config) in enumerate((WAYS["coverage.py"], WAYS["coverage"])):
        directory = tmp_path / f"directory{number}"
        make(directory, config)
        assert run(directory, module, "run", "program.py").returncode == 0
        with contextlib.closing(sqlite3.connect(directory / ".coverage")) as other:
            other.execute("begin exclusive")
            done = run(directory, module, "run", "--append", "program.py")
            other.rollback()
        said = (done.stdout + done.stderr).replace(str(directory), "directory")
        outcomes.append((done.returncode, said))
        assert is_readable(directory / ".coverage")
    assert outcomes[0] == outcomes[1]
