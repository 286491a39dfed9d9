"""However quickcover gets in, the children of the measured process are measured by it too."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from quickcover import _engines

from ..conftest import COMMON, Runner
from .programs import OURS, THEIRS, WHO, reported, told, without_environment, write

CHILD = "from who import who\nwho('child')\n"

#: Each way a program can have a child, and the configuration that has coverage.py measure it.
PROCESSES = {
    "subprocess": (
        "patch = subprocess",
        "import subprocess, sys\nsubprocess.run([sys.executable, 'child.py'], check=True)\n",
    ),
    "execv": (
        "patch =\n    subprocess\n    execv",
        "import os, sys\n"
        "if os.fork() == 0:\n"
        "    os.execve(sys.executable, [sys.executable, 'child.py'], {'LC_ALL': 'C'})\n"
        "os.wait()\n",
    ),
    "fork": (
        "patch =\n    subprocess\n    fork\n    _exit",
        "import os\nfrom who import who\n"
        "if os.fork() == 0:\n    who('child')\n    os._exit(0)\n"
        "os.wait()\n",
    ),
}
MULTIPROCESSING = """\
import multiprocessing
import sys
from who import who

def work():
    who("child")

if __name__ == "__main__":
    process = multiprocessing.get_context(sys.argv[1]).Process(target=work)
    process.start()
    process.join()
    assert process.exitcode == 0
    who("parent")
"""
INSTALLING = """\
import quickcover
quickcover.install()
from coverage.cmdline import main
import sys
sys.exit(main(sys.argv[1:]))
"""

#: How quickcover gets in: by its command, by install(), by the environment, by the plugin.
WAYS = ("command", "install", "environment", "plugin")


def measure(run_python: Runner, directory: Path, way: str, setting: str, *program: str) -> None:
    """Run `program` measured, with quickcover let in by one way."""
    plugin = "plugins = quickcover\n" if way == "plugin" else ""
    config = f"[run]\nparallel = true\nbranch = true\n{plugin}{setting}\n"
    (directory / ".coveragerc").write_text(config)
    write(directory, who=WHO, installing=INSTALLING)
    commands = {
        "command": ("-m", "quickcover"),
        "install": ("installing.py",),
        "environment": ("-m", "coverage"),
        "plugin": ("-m", "coverage"),
        "stock": ("-m", "coverage"),
    }
    env = {"QUICKCOVER_INSTALL": "1"} if way == "environment" else {}
    run_python(*commands[way], "run", *program, env=env)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", [without_environment(kind, "execv") for kind in PROCESSES])
def test_processes(run_python: Runner, tmp_path: Path, kind: str, way: str) -> None:
    setting, text = PROCESSES[kind]
    write(tmp_path, child=CHILD, program=f"{text}from who import who\nwho('parent')\n")
    measure(run_python, tmp_path, way, setting, "program.py")
    assert told(tmp_path) == [f"child {OURS}", f"parent {OURS}"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(run_python: Runner, tmp_path: Path, method: str, way: str) -> None:
    write(tmp_path, program=MULTIPROCESSING)
    measure(run_python, tmp_path, way, "concurrency = multiprocessing", "program.py", method)
    assert told(tmp_path) == [f"child {OURS}", f"parent {OURS}"]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_children_s_data_are_the_same(
    run_python: Runner, run_coverage: Runner, tmp_path: Path, method: str
) -> None:
    write(tmp_path, program=MULTIPROCESSING)
    results = []
    for way in ("stock", "command"):
        measure(run_python, tmp_path, way, "concurrency = multiprocessing", "program.py", method)
        run_coverage("combine", "-q")
        results.append(reported(run_coverage, tmp_path))
    assert told(tmp_path)[0] == f"child {THEIRS}"
    assert results[0] == results[1]


def test_process_start_variable(run_python: Runner, tmp_path: Path) -> None:
    """A process that coverage.py measures from its start, by a configuration without us."""
    write(tmp_path, who=WHO, child=f"import coverage\ncoverage.process_startup()\n{CHILD}")
    (tmp_path / "other.rc").write_text("[run]\nparallel = true\n")
    env = {"COVERAGE_PROCESS_START": str(tmp_path / "other.rc"), "QUICKCOVER_INSTALL": "1"}
    run_python("child.py", env=env)
    assert told(tmp_path) == [f"child {OURS}"]


@pytest.mark.parametrize("value", ["", "0"])
def test_variable_that_says_no(run_coverage: Runner, tmp_path: Path, value: str) -> None:
    write(tmp_path, who=WHO, child=CHILD)
    run_coverage("run", "child.py", env={"QUICKCOVER_INSTALL": value})
    assert told(tmp_path) == [f"child {THEIRS}"]


def test_a_forced_engine_reaches_children(run_python: Runner, tmp_path: Path) -> None:
    text = (
        "import coverage\nprint(coverage.Coverage.current()._collector.tracer_name(), flush=True)\n"
    )
    program = f"{text}import subprocess, sys\nsubprocess.run([sys.executable, 'child.py'])\n"
    write(tmp_path, child=text, program=program)
    config = "[run]\npatch = subprocess\n[quickcover]\nengine = " + COMMON + "\n"
    (tmp_path / ".coveragerc").write_text(config)
    output = run_python("-m", "quickcover", "run", "program.py").stdout
    assert output.split() == [_engines.TRACERS[COMMON]] * 2


@pytest.mark.parametrize("setting", ["", "dynamic_context = test_function"])
def test_a_child_dies_of_an_interrupt(run_python: Runner, tmp_path: Path, setting: str) -> None:
    # With contexts, it starts coverage.py.
    write(
        tmp_path,
        # Where the tests run in the background, it is ignored.
        child="import os, signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "os.kill(os.getpid(), signal.SIGINT)\n",
        program="import subprocess, sys\n"
        "print(subprocess.run([sys.executable, 'child.py']).returncode)\n",
    )
    config = f"[run]\nplugins = quickcover\npatch = subprocess\n{setting}\n"
    (tmp_path / ".coveragerc").write_text(config)
    done = run_python("-m", "coverage", "run", "program.py")
    assert done.stdout == f"{-signal.SIGINT}\n"


def test_processes_that_measure_nothing_import_nothing(run_python: Runner) -> None:
    code = "import sys; print(sorted(name for name in sys.modules if 'cover' in name))"
    assert run_python("-c", code).stdout == "[]\n"
    installed = run_python("-c", code, env={"QUICKCOVER_INSTALL": "1"}).stdout
    assert installed == "['quickcover', 'quickcover._startup']\n"
