"""Programs at the interpreter's edges: all is the same as under coverage.py's core."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from quickcover import _engines, _env, _select

from ..conftest import STOCK, clean_environment
from .programs import PROGRAMS, WORK

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="POSIX alone")]

#: Where coverage.py's core may lose lines, and why: ours has all that it has, or more.
SEES_MORE = {
    "interrupted at any time": "an exception of a signal handler in the core's callback ends it",
}


class Outcome(NamedTuple):
    """What a program did, and what was reported of it."""

    status: int
    said: str
    last: list[str]  # line of stderr
    files: dict[str, tuple[list[int], list[list[int]]]]  # lines and branches that were executed

    def covers(self, other: Outcome) -> bool:
        """It did the same as the other, and has all that was reported of that."""
        return self[:3] == other[:3] and all(
            set(lines) <= set(self.files[name][0])
            and {tuple(b) for b in branches} <= {tuple(b) for b in self.files[name][1]}
            for name, (lines, branches) in other.files.items()
        )


def run(directory: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run this Python there."""
    return subprocess.run(
        [sys.executable, *args],
        cwd=directory,
        env=clean_environment(),
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=600,
    )


def outcome(directory: Path, source: str, config: str, *, branch: bool) -> Outcome:
    """Run it as configured."""
    work = directory / "work"
    work.mkdir(parents=True)
    (work / "work.py").write_text(WORK, encoding="utf-8")
    (work / "program.py").write_text(source, encoding="utf-8")
    general = f"[run]\nbranch = {branch}\nrelative_files = true\nsource = .\n"
    (work / ".coveragerc").write_text(general + config, encoding="utf-8")
    done = run(work, "-m", "coverage", "run", "program.py")
    last = done.stderr.strip().splitlines()[-1:]
    files = {}
    if (work / ".coverage").exists():
        run(work, "-m", "coverage", "json", "-q", "--include=work.py,program.py")
        report = json.loads((work / "coverage.json").read_text(encoding="utf-8"))
        for name, found in report["files"].items():
            files[name] = found["executed_lines"], found.get("executed_branches", [])
    said = done.stdout.replace(str(work), "work")
    return Outcome(done.returncode, said, last, files)


Expected = Callable[[str, bool], Outcome]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Expected:
    """What comes of a program under coverage.py's core; each is run once."""
    known: dict[tuple[str, bool], Outcome] = {}

    def find(name: str, branch: bool) -> Outcome:
        if (name, branch) not in known:
            directory = tmp_path_factory.mktemp("theirs")
            config = f"core = {STOCK}\n"
            known[name, branch] = outcome(directory, PROGRAMS[name], config, branch=branch)
        return known[name, branch]

    return find


@pytest.mark.parametrize("branch", [False, True], ids=["lines", "branches"])
@pytest.mark.parametrize("engine", [name for name in _select.ENGINES if name != "python"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_same(tmp_path: Path, expected: Expected, name: str, engine: str, branch: bool) -> None:
    request = _select.Request(branch=branch)
    try:
        _select.choose(request, _env.current(), _engines.available(), forced=engine)
    except _select.EngineError as error:
        pytest.skip(f"{engine}: {error}")
    config = f"plugins = quickcover\n[quickcover]\nengine = {engine}\n"
    found = outcome(tmp_path, PROGRAMS[name], config, branch=branch)
    if name in SEES_MORE:
        assert found.covers(expected(name, branch)), (found, expected(name, branch))
    else:
        assert found == expected(name, branch)
