"""Races of threads, starts, stops, contexts, saves and forks: nothing is lost, nothing crashes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from quickcover import _engines, _env, _select

from ..conftest import clean_environment

RACES = Path(__file__).with_name("races.py")

#: How long each lasts.
SECONDS = float(os.environ.get("STRESS_SECONDS", "1.5"))


def race(directory: Path, engine: str, *, branch: bool, fork: bool, seed: int = 1) -> str:
    """Run it under an engine; what it said."""
    request = _select.Request(branch=branch)
    try:
        _select.choose(request, _env.current(), _engines.available(), forced=engine)
    except _select.EngineError as error:
        pytest.skip(f"{engine}: {error}")
    options = [str(directory), str(SECONDS), str(seed), str(branch), *["fork"] * fork]
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", str(RACES), *options],
        env=clean_environment(QUICKCOVER_ENGINE=engine),
        capture_output=True, text=True, timeout=300 + 10 * SECONDS, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    assert "Traceback" not in said, said[-4000:]
    return said


@pytest.mark.parametrize("branch", [False, True], ids=["lines", "branches"])
@pytest.mark.parametrize("name", [name for name in _select.ENGINES if name != "python"])
def test_threads(tmp_path: Path, name: str, branch: bool) -> None:
    race(tmp_path, name, branch=branch, fork=False)


@pytest.mark.no_sanitizer  # whose own locks stay locked in a child
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("branch", [False, True], ids=["lines", "branches"])
@pytest.mark.parametrize("name", [name for name in _select.ENGINES if name != "python"])
def test_threads_that_fork(tmp_path: Path, name: str, branch: bool) -> None:
    race(tmp_path, name, branch=branch, fork=True, seed=2)
