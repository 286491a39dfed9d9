"""Some small random programs in every test run; a million by the command of random_small.py."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("quickcover._native")

from ..native.measuring import measure
from . import facts, random_small

ROOT = Path(__file__).parents[2]
ENGINES = [name for name in facts.engines() if name in ("probe", "monitoring")]


@pytest.mark.parametrize("engine", ENGINES)
def test_small_random_programs(engine: str) -> None:
    if facts.unable(engine, branch=True):
        pytest.skip(facts.unable(engine, branch=True))
    command = [sys.executable, "-m", "tests.behaviour.random_small", "--count=200"]
    command += ["--engine", engine]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_what_an_engine_loses_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each program loses its last line, which most reports would tell of: not within statements."""
    monkeypatch.setattr(random_small, "measure", losing)
    monkeypatch.setattr(random_small.Comparer, "_told", lambda _self, program: str(program.seed))
    comparer = random_small.Comparer(tmp_path, "lossy")
    assert len(list(comparer.differences(range(20)))) > 10


def losing(engine: str, work: Callable[[], object], *files: str, branch: bool) -> dict[str, Any]:
    found = measure("trace", work, *files, branch=branch)
    if engine == "lossy":
        for arcs in found.values():
            lost = max(line for _, line in arcs)
            arcs[:] = [arc for arc in arcs if lost not in arc]
    return found
