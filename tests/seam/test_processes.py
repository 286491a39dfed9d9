"""Processes that come and go in every way: what coverage.py's core has of them, we have."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..conftest import STOCK, Runner
from .programs import WORK, write
from .same import same

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


@pytest.fixture(autouse=True)
def _no_files_left() -> Iterator[None]:
    """Remove what coverage.py 7.11.0 leaves for every Python to load if a process just ends."""
    installed = Path(sysconfig.get_path("purelib"))
    before = set(installed.glob("subcover_*.pth"))
    yield
    for file in set(installed.glob("subcover_*.pth")) - before:
        file.unlink(missing_ok=True)


PATCHED = "parallel = true\npatch =\n    subprocess\n    fork\n    execv\n    _exit"
CHILD = "import sys\nfrom work import work\nprint(work(len(sys.argv)), flush=True)\n"

#: Programs by what they do; all import `work`, and some run `child.py`.
PROGRAMS = {
    "fork": """\
if os.fork() == 0:
    work(1)
    sys.exit(0)
os.wait()
work(0)
""",
    "fork and _exit": """\
if os.fork() == 0:
    work(2)
    os._exit(0)
os.wait()
""",
    "_exit": """\
try:
    work(2)
    os._exit(0)
finally:
    print("never")
""",
    "fork of a fork": """\
if os.fork() == 0:
    work(1)
    if os.fork() == 0:
        work(2)
        os._exit(0)
    os.wait()
    os._exit(0)
os.wait()
""",
    "subprocess": """\
work(1)
subprocess.run([sys.executable, "child.py", "1"], check=True)
subprocess.run([sys.executable, "-c", "from work import work; work(1)"], check=True)
""",
    "os.system": "os.system(f'{sys.executable} child.py 1 2')\n",
    "posix_spawn": """\
os.waitpid(os.posix_spawn(sys.executable, [sys.executable, "child.py", "1"], os.environ), 0)
""",
    "threads and fork": """\
import threading
thread = threading.Thread(target=work, args=[2])
thread.start()
thread.join()
if os.fork() == 0:
    thread = threading.Thread(target=work, args=[1])
    thread.start()
    thread.join()
    os._exit(0)
os.wait()
""",
    "executor": """\
import concurrent.futures, multiprocessing
if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, context) as executor:
        print(list(executor.map(work, [0, 1, 2])))
""",
}


@pytest.mark.parametrize("kind", PROGRAMS)
def test_processes(run_python: Runner, tmp_path: Path, kind: str) -> None:
    if kind == "posix_spawn" and not hasattr(os, kind):
        pytest.skip(f"there is no os.{kind} here")
    program = f"import os, subprocess, sys\nfrom work import work\n{PROGRAMS[kind]}"
    write(tmp_path, work=WORK, child=CHILD, program=program)
    # After a fork pytrace doesn't see the frame that goes on.
    more = STOCK == "pytrace"
    found = same(run_python, tmp_path, "program.py", config=PATCHED, sees_more=more)
    assert "never" not in found.process.stdout


@pytest.mark.parametrize("function", ["execv", "execve", "execl", "execle", "execlp", "execvpe"])
def test_exec(run_python: Runner, tmp_path: Path, function: str) -> None:
    arguments = "sys.executable, 'child.py', '1'"
    arguments = arguments if function.startswith("execl") else f"[{arguments}]"
    environment = ", os.environ" if function.endswith("e") else ""
    program = (
        "import os, sys\nfrom work import work\nwork(0)\n"
        f"os.{function}(sys.executable, {arguments}{environment})\n"
    )
    write(tmp_path, work=WORK, child=CHILD, program=program)
    same(run_python, tmp_path, "program.py", config=PATCHED)


POOL = """\
import multiprocessing, sys
from work import work

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(2) as pool:
        print(pool.map(work, [0, 1, 2, 2]))
        pool.close()
        pool.join()
    process = context.Process(target=work, args=[1])
    process.start()
    process.join()
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("config", ["concurrency = multiprocessing,thread", PATCHED])
def test_multiprocessing(run_python: Runner, tmp_path: Path, method: str, config: str) -> None:
    write(tmp_path, work=WORK, program=POOL)
    parallel = "" if "parallel" in config else "parallel = true\n"
    same(run_python, tmp_path, "program.py", method, config=parallel + config)


TERMINATED = """\
import os, signal, sys, time
from work import work

def main():
    work(1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(30)
    work(2)

main()
"""


def test_sigterm(run_python: Runner, tmp_path: Path) -> None:
    write(tmp_path, work=WORK, program=TERMINATED)
    same(run_python, tmp_path, "program.py", config="sigterm = true", status=-15)


def test_sigterm_in_a_child(run_python: Runner, tmp_path: Path) -> None:
    program = """\
import multiprocessing, time
from work import work

def child(ready):
    work(2)
    ready.set(); time.sleep(30)  # one line: the signal may come before the pause

if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    process = context.Process(target=child, args=[ready])
    process.start()
    ready.wait()
    process.terminate()
    process.join()
"""
    write(tmp_path, work=WORK, program=program)
    config = "parallel = true\nsigterm = true\nconcurrency = multiprocessing"
    same(run_python, tmp_path, "program.py", config=config)
