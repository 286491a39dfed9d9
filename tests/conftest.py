"""Fixtures for all suites: the engines, and ways to run programs under coverage.py and quickcover.

Test bodies never ask for versions: the engine fixtures skip what can't be done here, and say why.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from quickcover import _engines, _env, _select

#: Suites of the extension, of what needs it (or hypothesis), and of programs that run CPython.
collect_ignore = (
    []
    if _env.current().extension
    else [
        *("native", "probe", "bench", "contract", "sameness", "coveragepy"),
        *("seam/test_paths.py", "seam/test_writing.py"),
        *("session/test_beside.py", "session/test_greenlets.py", "session/test_examples.py"),
        *("session/test_hypothesis.py", "session/test_hypofuzz.py", "session/test_tstl.py"),
    ]
)

#: coverage.py's own core that is the measure here, and an engine of ours that is always there.
STOCK = "ctrace" if _env.current().extension else "pytrace"
COMMON = "trace" if _env.current().extension else "python"

needs_extension = pytest.mark.skipif(
    not _env.current().extension, reason="needs what the C extension alone can do"
)

#: Runs one command and returns what came of it.
Runner = Callable[..., "subprocess.CompletedProcess[str]"]

#: Variables that would have a test's child processes measured, or measured otherwise.
_FOREIGN = ("COVERAGE_", "COV_CORE_", "QUICKCOVER_", "PYTEST_")


@pytest.fixture(scope="session", autouse=True)
def _cache_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what `quickcover run` keeps out of the user's cache directory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def _skip_unless_able(engine: str, request: _select.Request) -> None:
    """Skip if `engine` can't do what is asked on this Python."""
    try:
        _select.choose(request, _env.current(), _engines.available(), forced=engine)
    except _select.EngineError as error:
        pytest.skip(f"{engine}: {error}")


@pytest.fixture(params=_select.ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The name of every engine that can measure lines here."""
    _skip_unless_able(request.param, _select.Request())
    return str(request.param)


@pytest.fixture(params=_select.ENGINES)
def branch_engine(request: pytest.FixtureRequest) -> str:
    """The name of every engine that can measure branches here."""
    _skip_unless_able(request.param, _select.Request(branch=True))
    return str(request.param)


def clean_environment(**extra: str) -> dict[str, str]:
    """This process's environment without anything that concerns coverage, and `extra`."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN)}
    return {**kept, **extra}


@pytest.fixture
def run_python(tmp_path: Path) -> Runner:
    """Run this Python in `tmp_path`: `run_python(*args, env={...}, status=0)`.

    Fails unless it exits with `status`; None allows any.
    """

    def run(
        *args: str, env: Mapping[str, str] | None = None, status: int | None = 0
    ) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            [sys.executable, *args],
            cwd=tmp_path,
            env=clean_environment(**(env or {})),
            capture_output=True,
            text=True,
            timeout=120,
        )
        if status is not None and result.returncode != status:
            output = f"stdout:\n{result.stdout}\nstderr:\n{result.stderr}"
            pytest.fail(f"{args} exited with {result.returncode}, not {status}\n{output}")
        return result

    return run


@pytest.fixture
def run_quickcover(run_python: Runner) -> Runner:
    """Run a command of `quickcover` in `tmp_path`; options as for `run_python`."""
    return _prefixed(run_python, "quickcover")


@pytest.fixture
def run_coverage(run_python: Runner) -> Runner:
    """Run a command of `coverage` in `tmp_path`; options as for `run_python`."""
    return _prefixed(run_python, "coverage")


def _prefixed(run_python: Runner, module: str) -> Runner:
    def run(
        *args: str, env: Mapping[str, str] | None = None, status: int | None = 0
    ) -> subprocess.CompletedProcess[str]:
        return run_python("-m", module, *args, env=env, status=status)

    return run
