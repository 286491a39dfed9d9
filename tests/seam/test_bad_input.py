"""Whatever the user gets wrong: a message on stderr, coverage.py's exit status, no data lost."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from quickcover import _select

from ..conftest import COMMON, STOCK, Runner, needs_extension
from .programs import OURS, PARTIAL, THEIRS, WHO, reported, told, write

#: Runs coverage.py's command after some sabotage.
SABOTAGED = """\
import sys
{sabotage}
from coverage.cmdline import main
sys.exit(main(sys.argv[1:]))
"""
OTHER_RELEASE = "import coverage.version\ncoverage.version.version_info = {version}\n"
NO_EXTENSION = "import sys\nsys.modules['quickcover._native'] = None\n"
BROKEN_EXTENSION = """\
import sys
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == "quickcover._native":
            raise OSError("undefined symbol: qc_gone")
sys.meta_path.insert(0, Broken())
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    who = "from who import who\nwho('program')\n"
    write(tmp_path, partial=PARTIAL, who=WHO, program=who)
    return tmp_path


def configure(directory: Path, text: str = "") -> None:
    (directory / ".coveragerc").write_text(f"[run]\nplugins = quickcover\n{text}")


# ------------------------------------------------------------------ engines that can't be had


@pytest.mark.parametrize("by", ["environment", "option"])
def test_unknown_engine(run_quickcover: Runner, program: Path, by: str) -> None:
    env = {}
    if by == "environment":
        env["QUICKCOVER_ENGINE"] = "warp"
    else:
        configure(program, "[quickcover]\nengine = warp\n")
    result = run_quickcover("run", "partial.py", env=env, status=1)
    origin = "QUICKCOVER_ENGINE" if by == "environment" else "[quickcover] engine"
    assert result.stdout == ""
    assert result.stderr == (
        f"Can't use engine 'warp' ({origin}): there is no such engine; "
        f"there are {', '.join(_select.ENGINES)}\n"
    )


def test_unknown_engine_under_coverage(run_coverage: Runner, program: Path) -> None:
    """coverage.py itself prints its errors to stdout."""
    configure(program, "[quickcover]\nengine = warp\n")
    result = run_coverage("run", "partial.py", status=1)
    assert "Can't use engine 'warp'" in result.stdout


@needs_extension
def test_engine_that_can_t(run_quickcover: Runner, program: Path) -> None:
    tracing = (
        "import coverage\n"
        "class Plugin(coverage.CoveragePlugin): pass\n"
        "def coverage_init(reg, options): reg.add_file_tracer(Plugin())\n"
    )
    write(program, tracing=tracing)
    (program / ".coveragerc").write_text("[run]\nplugins = tracing\n")
    env = {"QUICKCOVER_ENGINE": "monitoring", "PYTHONPATH": str(program)}
    result = run_quickcover("run", "partial.py", env=env, status=1)
    assert result.stdout == ""
    assert result.stderr.startswith("Can't use engine 'monitoring' (QUICKCOVER_ENGINE): ")
    assert "trace (can)" in result.stderr


def test_a_bad_engine_does_not_hurt_reports(
    run_quickcover: Runner, run_coverage: Runner, program: Path
) -> None:
    run_quickcover("run", "partial.py")
    configure(program, "[quickcover]\nengine = warp\n")
    for run in (run_quickcover, run_coverage):
        assert "partial.py" in run("report").stdout


def test_forced_engine_and_another_core(run_quickcover: Runner, program: Path) -> None:
    env = {"QUICKCOVER_ENGINE": COMMON, "COVERAGE_CORE": STOCK}
    result = run_quickcover("run", "partial.py", env=env, status=1)
    assert f"QUICKCOVER_ENGINE forces '{COMMON}'" in result.stderr


def test_unknown_option(run_quickcover: Runner, program: Path) -> None:
    configure(program, "[quickcover]\nengin = trace\n")
    result = run_quickcover("run", "partial.py")
    assert "Unrecognized option '[quickcover] engin='" in result.stderr


# ------------------------------------------------- coverage.py or the extension is no good

PROBLEMS = {
    "newer": (OTHER_RELEASE.format(version=(7, 18, 0, "final", 0)), "7.11.0 to 7.17.x, not 7.18.0"),
    "older": (OTHER_RELEASE.format(version=(7, 10, 9, "final", 0)), "7.11.0 to 7.17.x, not 7.10.9"),
    "missing": (NO_EXTENSION, "quickcover's C extension can't be loaded (ModuleNotFoundError: "),
    "broken": (BROKEN_EXTENSION, "C extension can't be loaded (OSError: undefined symbol: qc_gone"),
}
each_problem = pytest.mark.parametrize(
    "problem",
    [
        "newer",
        "older",
        pytest.param("missing", marks=needs_extension),
        pytest.param("broken", marks=needs_extension),
    ],
)


@pytest.mark.parametrize("by", ["plugin", "install"])
@each_problem
def test_unusable(run_python: Runner, program: Path, problem: str, by: str) -> None:
    sabotage, message = PROBLEMS[problem]
    if by == "plugin":
        configure(program)
    else:
        sabotage += "import quickcover; quickcover.install()\n"
    write(program, sabotaged=SABOTAGED.format(sabotage=sabotage))
    result = run_python("sabotaged.py", "run", "program.py")
    assert message in result.stderr
    assert "measuring with coverage.py's own core (no-quickcover)" in result.stderr
    assert result.stderr.count("(no-quickcover)") == 1
    assert told(program) == [f"program {THEIRS}"]
    assert (program / ".coverage").exists()
    quiet = "[run]\nplugins = quickcover\ndisable_warnings = no-quickcover\n"
    (program / ".coveragerc").write_text(quiet)
    assert run_python("sabotaged.py", "run", "program.py").stderr == ""


@each_problem
def test_unusable_but_forced(run_python: Runner, program: Path, problem: str) -> None:
    sabotage, message = PROBLEMS[problem]
    configure(program)
    write(program, sabotaged=SABOTAGED.format(sabotage=sabotage))
    env = {"QUICKCOVER_ENGINE": COMMON}
    result = run_python("sabotaged.py", "run", "program.py", env=env, status=1)
    assert message in result.stdout
    assert not (program / "who.txt").exists()


@each_problem
def test_unusable_and_reports(run_python: Runner, program: Path, problem: str) -> None:
    configure(program)
    write(program, sabotaged=SABOTAGED.format(sabotage=PROBLEMS[problem][0]))
    run_python("-m", "coverage", "run", "program.py")
    assert run_python("sabotaged.py", "report").stderr == ""
    shown = run_python("sabotaged.py", "debug", "sys").stdout
    assert "quickcover_engine: -none-: " in shown
    assert PROBLEMS[problem][1] in shown


@needs_extension
def test_core_by_name_when_unusable(run_python: Runner, program: Path) -> None:
    configure(program, "core = quickcover\n")
    write(program, sabotaged=SABOTAGED.format(sabotage=NO_EXTENSION))
    result = run_python("sabotaged.py", "run", "program.py")
    assert "(no-quickcover)" in result.stderr
    assert told(program) == [f"program {THEIRS}"]


def test_a_coverage_py_without_what_we_need(run_python: Runner, program: Path) -> None:
    configure(program)
    sabotage = "import coverage.plugin_support, quickcover\n" + (
        "sys.modules['coverage.disposition'] = None\n"
    )
    write(program, sabotaged=SABOTAGED.format(sabotage=sabotage))
    result = run_python("sabotaged.py", "run", "program.py")
    assert "quickcover doesn't work with this coverage.py: " in result.stderr
    assert told(program) == [f"program {THEIRS}"]


# ------------------------------------------- what coverage.py checks: the same with quickcover

SAME = {
    "nothing": ("run",),
    "unknown-command": ("rum",),
    "unknown-option": ("run", "--warp", "partial.py"),
    "missing-script": ("run", "missing.py"),
    "missing-module": ("run", "-m", "missing"),
    "directory": ("run", "."),
    "not-python": ("run", "--branch", "nonsense.py"),
    "raises": ("run", "raises.py"),
    "exits-with-3": ("run", "exits.py", "3"),
    "exits-with-text": ("run", "exits.py", "some text"),
    "broken-config": ("run", "--rcfile=broken.rc", "partial.py"),
    "bad-value": ("run", "--rcfile=bad.rc", "partial.py"),
    "missing-config": ("run", "--rcfile=missing.rc", "partial.py"),
    "missing-plugin": ("run", "--rcfile=plugin.rc", "partial.py"),
    "unwritable-data": ("run", "--data-file=directory", "partial.py"),
    "unreachable-data": ("run", "--data-file=partial.py/data", "partial.py"),
    "broken-data": ("report", "--data-file=partial.py"),
    "no-data": ("report",),
    "nothing-to-combine": ("combine",),
    "nothing-measured": ("run", "--include=nothing", "partial.py"),
}
FILES = {
    "raises.py": "print('before')\nraise ValueError('on purpose')\n",
    "exits.py": "import sys\nx = sys.argv[1]\nsys.exit(int(x) if x.isdigit() else x)\n",
    "nonsense.py": "a = = 1\n",
    "broken.rc": "[run\nbranch = true\n",
    "bad.rc": "[run]\nbranch = perhaps\n",
    "plugin.rc": "[run]\nplugins = missing_plugin\n",
}


@pytest.mark.parametrize("case", SAME)
def test_same_as_coverage(
    run_quickcover: Runner, run_coverage: Runner, program: Path, case: str
) -> None:
    (program / "directory").mkdir()
    for name, text in FILES.items():
        (program / name).write_text(text)
    seen = []
    for run in (run_coverage, run_quickcover):
        result = run(*SAME[case], status=None)
        data = {}
        if (program / ".coverage").exists():
            (program / "report.json").unlink(missing_ok=True)
            data = reported(run, program, status=None)
            (program / ".coverage").unlink()
        seen.append((result.returncode, _comparable(result.stdout + result.stderr), data))
    assert seen[0] == seen[1]


def _comparable(output: str) -> list[str]:
    """Output without the names of the programs, tracebacks of coverage.py, and our "Couldn't"."""
    output = output.replace("Couldn't measure or report: ", "")
    output = re.sub(r"at 0x\w+", "at", output)  # debug builds warn of what coverage.py leaves open
    lines = output.replace("quickcover", "coverage").replace("__main__.py", "coverage").splitlines()
    return sorted({line for line in lines if not line.startswith(("  ", "Traceback"))})


MESSAGES = {
    "missing-script": "No file to run: '",
    "missing-module": "No module named 'missing'",
    "broken-config": "Couldn't read config file broken.rc: ",
    "bad-value": "Couldn't read config file bad.rc: Not a boolean: perhaps",
    "unwritable-data": "Couldn't measure or report: IsADirectoryError: ",
    "unreachable-data": "Couldn't measure or report: FileExistsError: ",
    "broken-data": "Couldn't use data file ",
    "no-data": "No data to report.",
}


@pytest.mark.parametrize("case", MESSAGES)
def test_messages_are_on_stderr(run_quickcover: Runner, program: Path, case: str) -> None:
    (program / "directory").mkdir()
    for name, text in FILES.items():
        (program / name).write_text(text)
    result = run_quickcover(*SAME[case], status=1)
    assert result.stderr.startswith(MESSAGES[case])
    assert "Traceback" not in result.stderr
    assert result.stdout == ("1\n" if case == "unwritable-data" else "")


@pytest.mark.parametrize(
    ("end", "status"), [("raise ValueError", 1), ("import sys; sys.exit(7)", 7), ("1 / 0", 1)]
)
def test_data_of_what_ran_is_saved(
    run_quickcover: Runner, tmp_path: Path, branch_engine: str, end: str, status: int
) -> None:
    write(tmp_path, program=f"def f():\n    {end}\nf()\nprint('never')\n")
    env = {"QUICKCOVER_ENGINE": branch_engine}
    result = run_quickcover("run", "--branch", "program.py", env=env, status=status)
    assert "never" not in result.stdout
    report = reported(run_quickcover, tmp_path)
    assert report["program.py"] == {
        "executed_lines": [1, 2, 3],
        "missing_lines": [4],
        "executed_branches": [],
        "missing_branches": [],
    }


def test_ours_measured_it_all(run_quickcover: Runner, program: Path) -> None:
    run_quickcover("run", "program.py")
    assert told(program) == [f"program {OURS}"]


FULL_DISK = """
import resource, sys
from quickcover.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
sys.exit(main(["run", "--branch", "partial.py"]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_full_disk(run_python: Runner, program: Path) -> None:
    result = run_python("-c", FULL_DISK, status=1)
    assert result.stdout == "1\n"
    assert result.stderr.startswith("Couldn't measure or report: OperationalError: ")
    assert len(result.stderr.splitlines()) == 1
