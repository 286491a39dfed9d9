"""`pytest --quickcover` with pytest-cov: alone, and with pytest-xdist."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import Runner
from .programs import OURS, THEIRS, WHO, reported, told, write

pytest.importorskip("pytest_cov")

TESTS = """\
from who import who
from product import f

def test_one():
    who("test")
    assert f(1) == 1

def test_two():
    assert f(0) == 2
"""
PRODUCT = "def f(x):\n    if x:\n        return 1\n    return 2\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path, who=WHO, product=PRODUCT, test_product=TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def run_tests(run_python: Runner, *options: str, status: int = 0) -> str:
    arguments = ("-q", "-p", "no:cacheprovider", "-W", "error", *options)
    return run_python("-m", "pytest", *arguments, status=status).stdout


def test_option(run_python: Runner, project: Path) -> None:
    output = run_tests(run_python, "--quickcover", "--cov=.", "--cov-branch", "--cov-report=term")
    assert told(project) == [f"test {OURS}"]
    assert "product.py            4      0      2      0   100%" in output


def test_without_the_option(run_python: Runner, project: Path) -> None:
    run_tests(run_python, "--cov=.", "--cov-report=")
    assert told(project) == [f"test {THEIRS}"]


def test_option_in_addopts(run_python: Runner, project: Path) -> None:
    (project / "pytest.ini").write_text("[pytest]\naddopts = --quickcover\n")
    run_tests(run_python, "--cov=.", "--cov-report=")
    assert told(project) == [f"test {OURS}"]


def test_plugin_in_the_configuration(run_python: Runner, project: Path) -> None:
    (project / ".coveragerc").write_text("[run]\nplugins = quickcover\n")
    run_tests(run_python, "--cov=.", "--cov-report=")
    assert told(project) == [f"test {OURS}"]


def test_xdist(run_python: Runner, project: Path) -> None:
    pytest.importorskip("xdist")
    run_tests(run_python, "--quickcover", "--cov=.", "--cov-report=", "-n1")
    assert told(project) == [f"test {OURS}"]


def test_same_data(run_python: Runner, run_coverage: Runner, project: Path) -> None:
    results = []
    for options in ((), ("--quickcover",)):
        run_tests(run_python, *options, "--cov=.", "--cov-branch", "--cov-report=")
        results.append(reported(run_coverage, project))
    assert results[0] == results[1]


def test_contexts(run_python: Runner, project: Path) -> None:
    run_tests(run_python, "--quickcover", "--cov=.", "--cov-context=test", "--cov-report=")
    code = (
        "import coverage, os\n"
        "data = coverage.CoverageData(); data.read()\n"
        "contexts = data.contexts_by_lineno(os.path.abspath('product.py'))\n"
        "print([sorted(contexts[line]) for line in (2, 3, 4)])\n"
    )
    one, two = (f"test_product.py::test_{name}|run" for name in ("one", "two"))
    assert run_python("-c", code).stdout == f"{[[one, two], [one], [two]]}\n"


def test_without_pytest_cov(run_python: Runner, project: Path) -> None:
    output = run_tests(run_python, "--quickcover", "-p", "no:pytest_cov", "--deselect=test_one")
    assert "2 passed" in output or "1 passed" in output


def test_uninstalled_after_the_run(run_python: Runner, project: Path) -> None:
    code = (
        "import pytest\n"
        "status = pytest.main(['-q', '--quickcover', '--cov=.', '--cov-report='])\n"
        "assert status == 0, status\n"
        "from quickcover import _startup\n"
        "assert not _startup.active()\n"
    )
    run_python("-c", code)
    assert told(project) == [f"test {OURS}"]


def test_under_the_command(run_quickcover: Runner, project: Path) -> None:
    """quickcover was imported before pytest, which must not mind."""
    run_quickcover("run", "-m", "pytest", "-q", "-W", "error")
    assert told(project) == [f"test {OURS}"]


def test_the_plugin_imports_nothing(run_python: Runner, project: Path) -> None:
    write(
        project,
        test_product=(
            "import sys\n"
            "def test():\n"
            "    assert 'coverage' not in sys.modules\n"
            "    assert 'quickcover.pytest_plugin' in sys.modules\n"
            "    assert 'quickcover.coveragepy' not in sys.modules\n"
        ),
    )
    run_tests(run_python, "-p", "no:pytest_cov")


def test_a_bad_engine(run_python: Runner, project: Path) -> None:
    env = {"QUICKCOVER_ENGINE": "warp"}
    options = ("-m", "pytest", "-q", "--quickcover", "--cov=.")
    result = run_python(*options, env=env, status=None)
    assert result.returncode != 0
    assert "there is no such engine; there are monitoring, probe, trace" in result.stderr
