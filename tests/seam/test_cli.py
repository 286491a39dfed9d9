"""`quickcover CMD` does what `coverage CMD` does, and says the same."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import pytest

import quickcover

from ..conftest import Runner, clean_environment
from .programs import OURS, PARTIAL, THEIRS, WHO, reported, told, write

COMMANDS = ("annotate", "combine", "debug", "erase", "html", "json", "lcov", "report", "run", "xml")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    write(tmp_path, partial=PARTIAL)
    return tmp_path


@pytest.mark.parametrize("options", [(), ("--branch",)], ids=["lines", "branches"])
def test_same_reports(
    run_quickcover: Runner, run_coverage: Runner, program: Path, options: tuple[str, ...]
) -> None:
    results = []
    for run in (run_coverage, run_quickcover):
        assert run("run", *options, "partial.py").stdout == "1\n"
        results.append((run("report", "-m").stdout, reported(run, program)))
        run("erase")
    assert results[0] == results[1]


def test_it_measures_with_our_core(run_quickcover: Runner, tmp_path: Path) -> None:
    write(tmp_path, who=WHO, program="from who import who\nwho('script')\n")
    run_quickcover("run", "program.py")
    run_quickcover("run", "-m", "program")
    run_quickcover("run", "--timid", "program.py")
    assert told(tmp_path) == sorted([f"script {OURS}", f"script {OURS}", f"script {THEIRS}"])


def test_help_of_every_command(run_python: Runner) -> None:
    code = (
        "import sys\n"
        "from {package} import main\n"
        f"for command in {COMMANDS}:\n"
        "    sys.argv = ['{name}', command, '--help']\n"
        "    assert main() == 0\n"
    )
    theirs = run_python("-c", code.replace("{package}", "coverage.cmdline").replace("{name}", "it"))
    ours = run_python("-c", code.replace("{package}", "quickcover.cli").replace("{name}", "it"))
    assert ours.stdout == theirs.stdout
    assert ours.stdout.count("Usage: it ") == len(COMMANDS)


def test_help(run_quickcover: Runner) -> None:
    assert run_quickcover("run", "--help").stdout.startswith("Usage: quickcover run ")
    assert "usage: quickcover <command> [options] [args]" in run_quickcover("help").stdout
    assert "Use 'quickcover help' for help" in run_quickcover().stdout


def test_version(run_quickcover: Runner, run_coverage: Runner) -> None:
    ours = run_quickcover("--version").stdout
    assert ours == f"quickcover, version {quickcover.__version__}\n" + (
        run_coverage("--version").stdout
    )


def test_the_installed_command(program: Path) -> None:
    command = Path(sysconfig.get_path("scripts")) / "quickcover"
    result = subprocess.run(
        [command, "run", "partial.py"],
        cwd=program,
        env=clean_environment(),
        capture_output=True,
        text=True,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "1\n", "")
    assert (program / ".coverage").exists()


def test_arguments_and_path_of_the_program(
    run_quickcover: Runner, run_coverage: Runner, tmp_path: Path
) -> None:
    write(tmp_path, program="import sys\nprint(sys.argv, sys.path[0], __name__, __file__)\n")
    for arguments in (("program.py", "a", "-b"), ("-m", "program", "--branch")):
        ours = run_quickcover("run", *arguments).stdout
        assert ours == run_coverage("run", *arguments).stdout


def test_append(run_quickcover: Runner, program: Path) -> None:
    write(program, other="a = 1\n")
    run_quickcover("run", "partial.py")
    run_quickcover("run", "--append", "other.py")
    assert set(reported(run_quickcover, program)) == {"partial.py", "other.py"}


def test_combine(run_quickcover: Runner, program: Path) -> None:
    write(program, other="a = 1\n")
    run_quickcover("run", "-p", "partial.py")
    run_quickcover("run", "-p", "other.py")
    run_quickcover("combine", "-q")
    assert set(reported(run_quickcover, program)) == {"partial.py", "other.py"}


def test_fail_under(run_quickcover: Runner, program: Path) -> None:
    run_quickcover("run", "partial.py")
    run_quickcover("report", "--fail-under=90", status=2)
