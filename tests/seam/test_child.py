"""Subprocesses that measure without coverage.py: when they do, and that the data are the same."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from coverage import Coverage
from coverage.inorout import InOrOut

from quickcover import _child, _children, _datafile, _engines

from ..conftest import Runner
from .programs import WORK, reported, without_environment, write
from .same import CTRACE, OURS, run

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork"),
    pytest.mark.skipif(
        not hasattr(sys.modules[InOrOut.__module__], "_analyze_directory"),
        reason="this coverage.py decides by other rules: children start it",
    ),
]

#: Its end says whether coverage.py was there.
CHILD = """\
import sys
from work import work
print(work(len(sys.argv)), "coverage" in sys.modules, flush=True)
"""
PARENT = "import subprocess, sys\nsubprocess.run([sys.executable, *sys.argv[1:]], check=True)\n"
SETTING = "parallel = true\npatch = subprocess\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write(tmp_path, work=WORK, child=CHILD, parent=PARENT)
    return tmp_path


def measured(
    run_python: Runner, directory: Path, setting: str, *child: str, status: int = 0
) -> tuple[str, bool]:
    """Check that both cores report the same of `parent.py CHILD...`.

    Returns:
        The output with our core, and whether the child had coverage.py.
    """
    program = ("-m", "coverage", "run", "parent.py", *child)
    theirs = run(run_python, directory, program, f"{CTRACE}\n{setting}", status=status)
    ours = run(run_python, directory, program, f"{OURS}\n{setting}", status=status)
    assert ours.report == theirs.report
    assert not list(directory.glob(".quickcover*"))
    return ours.process.stdout, ours.process.stdout.endswith("True\n")


@pytest.mark.parametrize(
    "setting",
    ["", "source = .\n", "include = */work.py\n", "omit = */child.py\n", "omit = work.*\n",
     "source = .\nomit =\n    work.py\n    nothing/*\n"],
    ids=lambda setting: setting.replace("\n", " ") or "all",
)  # fmt: skip
def test_rules(run_python: Runner, directory: Path, setting: str) -> None:
    _, slow = measured(run_python, directory, SETTING + setting, "child.py", "x")
    assert not slow


@pytest.mark.parametrize(
    "child",
    [
        ("-m", "child"),
        ("-c", "import child"),
        ("-c", "import sys; sys.argv[:] = ['child.py']; exec(open('child.py').read())"),
        ("-c", "import runpy; runpy.run_path('child.py')"),
        ("-X", "utf8", "./child.py"),
    ],
    ids=["module", "import", "exec", "runpy", "options"],
)
def test_ways_to_start(run_python: Runner, directory: Path, child: tuple[str, ...]) -> None:
    _, slow = measured(run_python, directory, SETTING, *child)
    assert not slow


def test_lines(run_python: Runner, run_coverage: Runner, directory: Path) -> None:
    reports = []
    for core in (CTRACE, OURS):
        (directory / ".coveragerc").write_text(f"[run]\n{core}\n{SETTING}")
        done = run_python("-m", "coverage", "run", "parent.py", "child.py", "x")
        assert done.stdout == f"many {core == CTRACE}\n"
        run_coverage("combine", "-q")
        reports.append(reported(run_coverage, directory))
    assert reports[0] == reports[1]


def test_grandchildren(run_python: Runner, directory: Path) -> None:
    _, slow = measured(run_python, directory, SETTING, "parent.py", "parent.py", "child.py", "x")
    assert not slow


#: Children that end in every way, and what configures that they are measured.
ENDS = {
    "exit status": ("", "import work, sys\nwork.work(3)\nsys.exit('so')\n"),
    "exception": ("", "import work\nwork.work(3)\n1 / 0\n"),
    "_exit": ("    _exit\n", "import os, work\nwork.work(3)\nos._exit(1)\n"),
    "sigterm": ("sigterm = true\n", "import os, work\nwork.work(3)\nos.kill(os.getpid(), 15)\n"),
    "execv": (
        "    execv\n",
        "import os, sys, work\nwork.work(0)\n"
        "os.execv(sys.executable, [sys.executable, 'child.py', 'x', 'y'])\n",
    ),
    "execve": (
        "    execv\n",
        "import os, sys, work\nwork.work(0)\n"
        "os.execve(sys.executable, [sys.executable, 'child.py', 'x'], {'LC_ALL': 'C'})\n",
    ),
    "fork": (
        "",
        "import os, work\nwork.work(0)\n"
        "if os.fork():\n    os.wait()\n    work.work(1)\nelse:\n    work.work(2)\n",
    ),
    "thread": (
        "",
        "import threading, work\nthread = threading.Thread(target=work.work, args=(2,))\n"
        "thread.start()\nthread.join()\n",
    ),
    "coverage.py comes later": (
        "",
        "import work\nwork.work(0)\nimport coverage\nassert coverage.Coverage.current()\n"
        "for n in (2, 1):\n    work.work(n)\n",
    ),
    "changed directory": ("", "import os, work\nos.chdir('/')\nwork.work(2)\n"),
    "no modules": ("", "import sys, work\nwork.work(2)\nsys.modules.clear()\n"),
}  # fmt: skip


@pytest.mark.parametrize("end", [without_environment(end, "execve") for end in ENDS])
def test_ends(run_python: Runner, directory: Path, end: str) -> None:
    setting, program = ENDS[end]
    write(directory, end=program)
    write(directory, parent=PARENT.replace(", check=True", ""))
    setting = f"parallel = true\npatch =\n    subprocess\n{setting}"
    measured(run_python, directory, setting, "end.py")


@pytest.mark.parametrize(
    "setting",
    [
        "source_pkgs = work\n",
        "source = work\n",
        "dynamic_context = test_function\n",
        "context = some\n",
        "concurrency = multiprocessing\n",
        "timid = true\n",
        "patch =\n    subprocess\n    fork\n",
    ],
    ids=lambda setting: setting.splitlines()[0],
)
def test_coverage_where_more_is_asked(run_python: Runner, directory: Path, setting: str) -> None:
    setting = setting if "patch" in setting else SETTING + setting
    _, slow = measured(run_python, directory, setting, "child.py", "x")
    assert slow


def test_relative_patterns_and_another_directory(run_python: Runner, directory: Path) -> None:
    (directory / "below").mkdir()
    there = "import os, subprocess, sys\nos.chdir('below')\n"
    write(directory, parent=there + PARENT.partition("\n")[2])
    for setting, expected in (("omit = work.py\n", True), ("omit = */work.py\n", False)):
        _, slow = measured(run_python, directory, SETTING + setting, "../child.py", "x")
        assert slow == expected


def test_somebody_elses_measurement(run_python: Runner, directory: Path) -> None:
    other = (
        "import os, subprocess, sys\nfrom coverage.config import CoverageConfig\n"
        "config = CoverageConfig()\nconfig.parallel = True\nconfig.data_file = 'other'\n"
        "os.environ['COVERAGE_PROCESS_CONFIG'] = config.serialize()\n"
        "subprocess.run([sys.executable, 'child.py'], check=True)\n"
    )
    write(directory, other=other)
    (directory / ".coveragerc").write_text(f"[run]\nplugins = quickcover\n{SETTING}")
    done = run_python("-m", "coverage", "run", "other.py")
    assert done.stdout == "few True\n"
    assert len(list(directory.glob("other*"))) == 2


@pytest.mark.parametrize("message", ["", "nonsense", "interpreter\x1f9\x1econfig"])
def test_message_that_is_none(run_python: Runner, directory: Path, message: str) -> None:
    environ = {"QUICKCOVER_CHILD": message}
    assert run_python("child.py", env=environ).stdout == "few False\n"
    (directory / ".coveragerc").write_text("[run]\nparallel = true\nplugins = quickcover\n")
    environ["COVERAGE_PROCESS_START"] = str(directory / ".coveragerc")
    assert run_python("child.py", env=environ).stdout == "few True\n"
    assert list(directory.glob(".coverage.*"))


def test_data_file_that_cannot_be_written(run_python: Runner, directory: Path) -> None:
    gone = "import shutil, work\nwork.work(1)\nshutil.rmtree('data')\nprint('fine')\n"
    write(directory, gone=gone, parent=f"{PARENT}import os\nos.makedirs('data')\n")
    setting = f"plugins = quickcover\ndata_file = data/mine\n{SETTING}"
    (directory / ".coveragerc").write_text(f"[run]\n{setting}")
    (directory / "data").mkdir()
    done = run_python("-m", "coverage", "run", "parent.py", "gone.py")
    assert done.stdout == "fine\n"
    assert done.stderr.count("CoverageWarning: Couldn't save the coverage of this process: ") == 1


def test_nothing_changes_without_a_message(run_python: Runner, directory: Path) -> None:
    assert run_python("child.py", "x").stdout == "many False\n"
    assert not list(directory.glob(".coverage*"))


# -------------------------------------------------------------------------------- the parts


def files() -> list[str]:
    """Names of files of every kind, as code objects have them."""
    loaded = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    odd = ["", "<string>", "memory:x", "setup.py", "./x/../y.py", "/", "/x\udc80.py", "x\ny.py"]
    here = [str(path) for path in Path(__file__).parent.parent.rglob("*.py")]
    return sorted({*filter(None, loaded), *odd, *here, *(f"{name}c" for name in here[:9])})


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"source": ["tests"]},
        {"source": [str(Path(sys.prefix))]},
        {"include": ["*/test_*", "tests/seam/*"]},
        {"omit": ["*/seam/*", "*/site-packages/*"]},
        {"cover_pylib": True},
        {"source": ["."], "omit": ["tests/[a-m]*/*.py"]},
    ],
    ids=str,
)
def test_decisions_are_those_of_coverage(
    options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parent.parent.parent)
    cov = Coverage(data_file=None, config_file=False, **options)  # type: ignore[arg-type]
    cov._init()
    cov._init_for_start()
    told = _children._rules(cov)
    assert told is not None
    rules = _child.Rules(told, _engines.real_path("python"))
    decided = set()
    for path in ([], ["/nowhere", str(Path(sys.prefix) / "lib")]):
        monkeypatch.setattr(sys, "path", [*sys.path, *path])
        for name in files():
            for loaded in (None, name, f"{name}c", "/somewhere/else.py"):
                frame = SimpleNamespace(f_globals={"__file__": loaded} if loaded else {})
                theirs = cov._should_trace(name, frame)  # type: ignore[arg-type]
                ours = rules.disposition(name, frame)  # type: ignore[arg-type]
                expected = theirs.trace and "/quickcover/" not in theirs.canonical_filename
                assert ours.trace == expected, (name, loaded, theirs.reason)
                if ours.trace:
                    assert ours.source_filename == theirs.source_filename
                decided.add(ours.trace)
    assert False in decided
    assert (True in decided) or "source" in options


def test_messages() -> None:
    told = {"one": ["a"], "none": [], "many": ["", "b\nc", "\udc80"], "empty": [""]}
    assert _child.decoded(_child.encoded(told)) == told
    for mark in ("\x1e", "\x1f", "\0"):
        with pytest.raises(ValueError, match="control characters"):
            _child.encoded({"one": [mark]})


@pytest.mark.parametrize("lines", [[], [1], [7, 8, 9], range(1000), [100_000]])
def test_numbits(lines: list[int]) -> None:
    from coverage.numbits import nums_to_numbits

    assert _datafile.numbits(lines) == nums_to_numbits(list(lines))
