"""`quickcover run` without coverage.py: when it happens, and that nothing else is different."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage
from coverage.inorout import InOrOut

from quickcover import _program, _quickrun, _resolved

from ..conftest import STOCK, clean_environment
from .programs import WORK, write

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork"),
    pytest.mark.skipif(
        not hasattr(sys.modules[InOrOut.__module__], "_analyze_directory"),
        reason="this coverage.py decides by other rules: it always runs",
    ),
]

MAIN = """\
import os, sys
from work import work
print(work(len(sys.argv)), sys.argv, sys.path[0], __file__, __name__, __package__)
print(getattr(__loader__, "fullname", None), __spec__ and __spec__.name, sorted(globals()))
print(os.environ.get("COVERAGE_RUN"), os.environ.get("QUICKCOVER_INSTALL"))
"""
#: A `quickcover` command that tells whether coverage.py was imported.
LAUNCHER = """\
import os, sys
exec('''
class Finder:
    told, write = os.open(os.environ["TOLD_IN"], os.O_WRONLY), os.write
    @classmethod
    def find_spec(cls, name, path, target=None):
        if name == "coverage":
            cls.write(cls.told, b"slow")
sys.meta_path.insert(0, Finder)
''')
from {package} import main
sys.exit(main())
"""


@dataclass(frozen=True)
class Case:
    """A command line, and what is special about it."""

    #: From the options of `run` on.
    argv: tuple[str, ...] = ("main.py",)
    #: Texts of Python files.
    files: Mapping[str, str] = field(default_factory=dict)
    #: Lines of the [run] section.
    setting: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    status: int = 0
    #: The second run does without coverage.py.
    quick: bool = True
    #: coverage.py's own command prints the same.
    like_coverage: bool = True


@dataclass
class Outcome:
    """What a run left."""

    status: int
    stdout: str
    stderr: str
    data: Any
    #: coverage.py was imported.
    slow: bool


class Lab:
    """A directory for runs, with a cache of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path / "project"
        self.aside = path / "aside"
        for directory in (self.path, self.aside):
            directory.mkdir()
        for name, package in (("quick", "quickcover.cli"), ("theirs", "coverage.cmdline")):
            (self.aside / f"{name}.py").write_text(LAUNCHER.replace("{package}", package))
        write(self.path, work=WORK, main=MAIN)

    def run(self, case: Case, command: str = "quick") -> Outcome:
        """Run the case by a command."""
        for old in self.path.glob("**/.coverage*"):
            if is_data(old):
                old.unlink()
        told = self.aside / "told"
        told.write_text("")
        place = {"TOLD_IN": str(told), "XDG_CACHE_HOME": str(self.aside / "cache")}
        done = subprocess.run(
            [sys.executable, str(self.aside / f"{command}.py"), "run", *case.argv],
            cwd=self.path,
            env=clean_environment(**{**place, **case.env}),
            capture_output=True,
            text=True,
            timeout=120,
        )
        data = [content(file) for file in sorted(self.path.glob("**/.coverage*")) if is_data(file)]
        left = [*self.path.glob("**/.quickcover*")]
        assert not left
        return Outcome(done.returncode, done.stdout, done.stderr, data, told.read_text() != "")

    def kept(self) -> list[Path]:
        """The files of the cache."""
        return sorted((self.aside / "cache" / "quickcover").glob("*"))


def is_data(file: Path) -> bool:
    return not file.name.startswith(".coveragerc")


def content(file: Path) -> Any:
    """What a data file says; its name without what differs from run to run."""
    with sqlite3.connect(file) as connection:
        rows = {
            "meta": "select key, value from meta where key not in ('when', 'hash', 'sys_argv')",
            "files": "select path from file",
            "contexts": "select context from context",
            "lines": "select path, context, numbits from line_bits join file on file.id = file_id "
            "join context on context.id = context_id",
            "arcs": "select path, context, fromno, tono from arc join file on file.id = file_id "
            "join context on context.id = context_id",
            "tracers": "select * from tracer",
        }
        found = {name: sorted(connection.execute(query)) for name, query in rows.items()}
    connection.close()
    return re.sub(r"\.pid.*", "", file.name), found


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


FAILING = "from work import work\nwork(2)\ndef fail():\n    1 / 0\nfail()\n"
CASES = {
    "lines": Case(),
    "branches": Case(("--branch", "main.py", "x", "--branch")),
    "module": Case(("--branch", "-m", "main", "x")),
    "package": Case(
        ("-m", "pack"), {"pack/__init__": "import work\n", "pack/__main__": MAIN}
    ),
    "inner module": Case(
        ("-m", "pack.inner"), {"pack/__init__": "import work\n", "pack/inner": MAIN}
    ),
    "other directory": Case(("sub/main.py",), {"sub/main": MAIN, "sub/work": WORK}),
    "source": Case(("--source=.", "main.py"), {"pack/__init__": "", "pack/more": "x = 1\n"}),
    "source, not imported": Case(
        ("--source", "pack", "main.py"), {"pack/more": "x = 1\n"}, quick=False
    ),
    "source in setting": Case(
        files={"pack/__init__": "", "pack/more": "x = 1\n", "bare/no": "x = 1\n", "a~b": ""},
        setting="source = .\nomit = */more.py\n",
    ),
    "package as source": Case(("--source=work", "main.py"), quick=False),
    "no such source": Case(("--source=nothing", "main.py"), quick=False),
    "include": Case(("--include=work.py,*/nothing.py", "main.py")),
    "include and source": Case(("--source=.", "--include=work.py", "main.py"), quick=False),
    "omit": Case(("--omit", "work.py", "main.py")),
    # PyPy has finalizers there, and runs them when its garbage collector finds the time.
    "pylib": Case(("-L", "--omit=*/_hashlib/*", "main.py"), quick=False, like_coverage=False),
    "parallel": Case(("-p", "--branch", "main.py")),
    "parallel in setting": Case(setting="parallel = true\nbranch = true\n"),
    "data file": Case(("--data-file=.coverage_here", "main.py")),
    "data file in the environment": Case(env={"COVERAGE_FILE": ".coverage_there"}),
    "data file below": Case(("--data-file=below/.coverage", "main.py"), {"below/x": ""}),
    "relative": Case(setting="relative_files = true\nbranch = true\nsource = .\n"),
    "sigterm": Case(setting="sigterm = true\n"),
    "other file": Case(("--rcfile=other.py", "main.py"), {"other": "[run]\nbranch = true\n"}),
    "no data": Case(("--include=nothing.py", "main.py"), quick=False),
    "only in omitted": Case(("--omit=*", "main.py"), quick=False),
    "exit": Case(files={"main": "import sys\nsys.exit(7)\n"}, status=7),
    "exit with text": Case(files={"main": "import sys\nsys.exit('so')\n"}, status=1),
    "exit with None": Case(files={"main": "import sys\nsys.exit()\n"}),
    "exception": Case(files={"main": FAILING}, status=1),
    "chained exceptions": Case(
        files={"main": "try:\n    1 / 0\nexcept Exception as e:\n    raise OSError('x') from e\n"},
        status=1,
    ),
    "excepthook": Case(
        files={"main": "import sys\nsys.excepthook = lambda *e: print(e[2].tb_lineno)\n1/0\n"},
        status=1,
    ),
    "failing excepthook": Case(
        files={"main": "import sys\ndef hook(*e):\n    {}['hook']\nsys.excepthook = hook\n1 / 0\n"},
        status=1,
    ),
    "exiting excepthook": Case(
        files={"main": "import sys\nsys.excepthook = lambda *e: sys.exit(9)\n1 / 0\n"}, status=9
    ),
    "syntax error": Case(files={"main": "def :\n"}, status=1, quick=False, like_coverage=False),
    "no such file": Case(("nothing.py",), status=1, quick=False, like_coverage=False),
    "no such module": Case(("-m", "nothing"), status=1, quick=False, like_coverage=False),
    "no such inner module": Case(
        ("-m", "pack.nothing"), {"pack/__init__": ""}, status=1, quick=False, like_coverage=False
    ),
    "package without main": Case(
        ("-m", "pack"), {"pack/__init__": ""}, status=1, quick=False, like_coverage=False
    ),
    "failing package": Case(
        ("-m", "pack"), {"pack/__init__": "import nothing_here\n"}, status=1, quick=False,
        like_coverage=False,
    ),
    "directory": Case(("sub",), {"sub/__main__": "print(__file__, __package__)\n"}, quick=False),
    "encoding": Case(files={"main": "# coding: latin-1\nprint('\xe9')\n"}, quick=False),
    "form feed": Case(files={"main": "x = 1\n\f\nprint(x)\n"}),
    "no newline": Case(files={"main": "print(1)\nif not 1: print(2)"}),
    "nothing to run": Case((), status=1, quick=False, like_coverage=False),
    "command line in setting": Case(
        (), setting="command_line = main.py x\n", quick=False, like_coverage=False
    ),
    "unknown option": Case(("--nope", "main.py"), status=1, quick=False, like_coverage=False),
    "abbreviated option": Case(("--bra", "main.py"), quick=False),
    "append": Case(("--append", "main.py"), quick=False),
    "context": Case(("--context=c", "main.py"), quick=False),
    "context in setting": Case(setting="context = c\n", quick=False),
    "dynamic contexts": Case(setting="dynamic_context = test_function\n", quick=False),
    "concurrency": Case(setting="concurrency = thread\n"),
    "other plugin": Case(
        files={"plug": "def coverage_init(reg, options): pass\n"}, setting="plugins = plug\n",
        quick=False,
    ),
    "unknown setting": Case(setting="nonsense = 1\n", quick=False),
    "variable in setting": Case(setting="source = ${WHERE-.}\n", quick=False),
    "already imported": Case(
        ("--include=work.py", "main.py"), {"sitecustomize": "import work\n"},
        env={"PYTHONPATH": "."}, quick=False,
    ),
    "changed directory": Case(
        files={"main": "import os\nfrom work import work\nos.chdir('/')\nwork(2)\n"},
        setting="relative_files = true\nsource = .\n",
    ),
    "thread": Case(
        files={"main": "import threading\nfrom work import work\n"
               "t = threading.Thread(target=work, args=(2,))\nt.start()\nt.join()\n"},
    ),
    "fork": Case(
        files={"main": "import os\nfrom work import work\n"
               "if os.fork():\n    os.wait()\n    work(1)\nelse:\n    work(2)\n"},
        setting="parallel = true\n",
    ),
    "_exit": Case(files={"main": "import os, work\nwork.work(2)\nos._exit(3)\n"}, status=3),
    "modules gone": Case(
        files={"main": "import sys, work\nwork.work(2)\nsys.modules.clear()\nsys.path.clear()\n"},
        like_coverage=STOCK == "ctrace",  # coverage.py imports more at the end, with PyPy
    ),
}  # fmt: skip


def prepare(lab: Lab, case: Case) -> None:
    for name, text in case.files.items():
        file = lab.path / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="latin-1")
    (lab.path / ".coveragerc").write_text(f"[run]\n{case.setting}")


def without_places(text: str) -> str:
    """Warnings, without the line that warns; tracebacks, without the way to coverage.py's."""
    text = re.sub(r"(?ms)^Traceback (?:(?!^Trace).)*?coverage/execfile.*?(?=^\w)", "", text)
    return re.sub(r"(?m)^\S+:\d+: (CoverageWarning: .*\n)  .*\n", r"\1", text)


@pytest.mark.parametrize("name", CASES)
def test_same(lab: Lab, name: str) -> None:
    case = CASES[name]
    prepare(lab, case)
    first, second = lab.run(case), lab.run(case)
    assert (first.status, first.slow) == (case.status, True)
    assert second.slow != case.quick, second
    assert (second.status, second.stdout) == (case.status, first.stdout)
    assert without_places(second.stderr) == without_places(first.stderr)
    assert second.data == first.data
    if case.like_coverage:
        theirs = lab.run(case, "theirs")
        assert theirs.status == case.status
        assert theirs.stdout.replace("true None", "true 1") == second.stdout
        assert without_places(theirs.stderr) == without_places(second.stderr)
        if "other plugin" not in name:
            assert measured(theirs.data) == measured(second.data)


def measured(data: Any) -> Any:
    """What coverage.py's own core records alike: where, and which lines; not every arc."""
    return [
        (name, found["meta"], found["files"], found["contexts"], found["lines"],
         {(path, line) for path, _, *ends in found["arcs"] for line in ends if line > 0})
        for name, found in data
    ]  # fmt: skip


def quick(lab: Lab, case: Case) -> Outcome:
    """Run the case twice; the second run did without coverage.py, and said the same."""
    first, second = lab.run(case), lab.run(case)
    assert first.slow
    assert not second.slow
    assert (first.status, first.stdout, first.data) == (second.status, second.stdout, second.data)
    return second


def test_coverage_py_comes_later(lab: Lab) -> None:
    program = """\
import os
from work import work
work(0)
os.chdir("/")
os.environ["COVERAGE_FILE"] = "elsewhere"
import coverage
cov = coverage.Coverage.current()
assert cov is not None
assert os.getcwd() == "/" and os.environ["COVERAGE_FILE"] == "elsewhere"
work(1)
other = coverage.Coverage(data_file=None)
other.start()
work(2)
other.stop()
print(sorted(map(os.path.basename, other.get_data().measured_files())))
work(1)
"""
    case = Case(files={"main": program}, setting="branch = true\nsource = .\n")
    prepare(lab, case)
    first, second = lab.run(case), lab.run(case)
    assert first.slow and second.slow
    assert "'work.py'" in second.stdout
    assert (second.status, second.stdout, second.stderr) == (0, first.stdout, first.stderr)
    assert second.data == first.data


@pytest.mark.parametrize("signal", ["SIGTERM", "SIGINT"])
def test_signals(lab: Lab, signal: str) -> None:
    program = (
        "import os, signal, time\nfrom work import work\nwork(2)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"os.kill(os.getpid(), signal.{signal})\ntime.sleep(60)\n"
    )
    case = Case(files={"main": program}, setting="sigterm = true\n")
    prepare(lab, case)
    ended = quick(lab, case)
    assert ended.status < 0 and ended.data


@pytest.mark.parametrize("moment", ["start", "end"])
def test_warnings_are_coverage_pys(lab: Lab, moment: str) -> None:
    program = (
        "from quickcover import _startup\nfrom work import work\nwork(2)\n"
        "if _startup.State.child:\n"
        "    _startup.State.child.warn('It failed', slug='trace-changed')\n"
    )
    case = Case(files={"main": program if moment == "end" else MAIN})
    prepare(lab, case)
    if moment == "start":
        case = Case(("--include=main.py", "--source=.", "main.py"))
    first, second = lab.run(case), lab.run(case)
    assert second.slow and second.status == 0
    assert ("CoverageWarning: It failed (trace-changed); see" in second.stderr) == (moment == "end")
    assert [name for name, _ in second.data] == [".coverage"]
    assert len(second.data) == len(first.data)


def test_unwritable_data_file(lab: Lab) -> None:
    case = Case(status=1)
    prepare(lab, case)
    (lab.path / "data").mkdir()
    case = Case(("--data-file=data", "main.py"), status=1)
    first, second = lab.run(case), lab.run(case)
    assert first.status == second.status == 1
    assert "IsADirectoryError" in second.stderr and second.stderr == first.stderr


def test_coverage_py_cannot_come_at_the_end(lab: Lab) -> None:
    program = (
        "import sys\nfrom quickcover import _startup\nfrom work import work\nwork(2)\n"
        "child = _startup.State.child\n"
        "if child:\n    child.warn('told')\n    sys.modules['coverage'] = None\n"
    )
    case = Case(files={"main": program})
    prepare(lab, case)
    lab.run(case)
    done = lab.run(case)
    assert done.status == 0 and done.data
    lines = done.stderr.splitlines()
    assert lines[0] == "CoverageWarning: told"
    assert lines[1].startswith("CoverageWarning: coverage.py couldn't be used: ")


def test_configuration_that_changed_meanwhile(lab: Lab) -> None:
    program = (
        "from work import work\nwork(2)\n"
        "with open('.coveragerc', 'w') as file: file.write('[run]\\ntimid = true\\n')\n"
        "import coverage\nwork(1)\n"
    )
    case = Case(files={"main": program})
    prepare(lab, case)
    first = lab.run(case)
    prepare(lab, case)
    second = lab.run(case)
    assert second.status == 0 and second.data == first.data
    assert "coverage.py couldn't take over" in second.stderr


def linked(lab: Lab, target: str) -> None:
    link = lab.path / "link"
    link.unlink(missing_ok=True)
    link.symlink_to(target)


#: What is different for the third run.
CHANGES: dict[str, Callable[[Lab], Mapping[str, str]]] = {
    "setting": lambda lab: (lab.path / ".coveragerc").write_text("[run]\nbranch = true\n") and {},
    "no setting": lambda lab: (lab.path / ".coveragerc").unlink() or {},
    "engine": lambda lab: {"QUICKCOVER_ENGINE": "trace"},
    "core": lambda lab: {"COVERAGE_CORE": "ctrace"},
    "data file": lambda lab: {"COVERAGE_FILE": ".coverage_there"},
    "home": lambda lab: {"HOME": str(lab.path)},
    "debug": lambda lab: {"COVERAGE_DEBUG": "config"},
    "unknown variable": lambda lab: {"COVERAGE_TOMORROW": "1"},
    "source elsewhere": lambda lab: linked(lab, "/") or {},
    "source a file": lambda lab: linked(lab, "main.py") or {},
    "data directory gone": lambda lab: (lab.path / "data").rmdir() or {},
    "other coverage.py first": lambda lab: (
        (lab.path / "coverage.py").write_text("x = 1") and {"PYTHONPATH": str(lab.path)}
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changes(lab: Lab, change: str) -> None:
    (lab.path / "data").mkdir()
    linked(lab, ".")
    case = Case(("--data-file=data/.coverage", "main.py"), setting="source = link\n")
    if "data file" in change:
        case = Case(setting="source = link\n")
    prepare(lab, case)
    quick(lab, case)
    for data in (lab.path / "data").glob("*"):
        data.unlink()
    env = CHANGES[change](lab)
    third = lab.run(Case(case.argv, env=env))
    assert third.slow


@pytest.mark.parametrize("file", ["setup.cfg", "tox.ini", "pyproject.toml", ".coveragerc.toml"])
def test_files_that_come(lab: Lab, file: str) -> None:
    case = Case()
    quick(lab, case)
    section = "[tool.coverage.run]" if file == "pyproject.toml" else "[coverage:run]"
    (lab.path / file).write_text(
        f"{section.replace('coverage:', '')}\nbranch = true\n"
        if file == ".coveragerc.toml"
        else f"{section}\nbranch = true\n"
    )
    assert lab.run(case).slow
    assert not lab.run(case).slow


@pytest.mark.parametrize("part", [0.0, 0.3, 0.999])
def test_truncated_cache(lab: Lab, part: float) -> None:
    expected = quick(lab, Case())
    (kept,) = lab.kept()
    text = kept.read_bytes()
    kept.write_bytes(text[: int(len(text) * part)])
    done = lab.run(Case())
    assert done.slow and (done.stdout, done.data) == (expected.stdout, expected.data)
    assert not lab.run(Case()).slow


def test_damaged_cache(lab: Lab) -> None:
    expected = quick(lab, Case())
    (kept,) = lab.kept()
    text = bytearray(kept.read_bytes())
    for at in (0, 8, len(text) // 2, -1):
        damaged = text.copy()
        damaged[at] ^= 0xC1
        kept.write_bytes(damaged)
        done = lab.run(Case())
        assert done.slow and done.stderr == "" and done.data == expected.data


def test_no_place_for_the_cache(lab: Lab) -> None:
    (lab.aside / "cache").write_text("not a directory")
    nowhere: tuple[dict[str, str], ...] = (
        {}, {"XDG_CACHE_HOME": "", "HOME": ""}, {"XDG_CACHE_HOME": "a"}
    )  # fmt: skip
    for env in nowhere:
        for _ in range(2):
            done = lab.run(Case(env=env))
            assert done.slow and done.status == 0 and done.stderr == "" and done.data
    assert not (lab.path / "a").exists()


def test_many_at_once(lab: Lab) -> None:
    env = clean_environment(XDG_CACHE_HOME=str(lab.aside / "cache"))
    # Without -p only those that don't need coverage.py, which can't write one file twice at once.
    for options in (["-p"], ["-p"], []):
        command = [sys.executable, "-m", "quickcover", "run", *options, "main.py"]
        if not options:
            quick(lab, Case())
        running = [
            subprocess.Popen(command, cwd=lab.path, env=env, stdout=subprocess.DEVNULL)
            for _ in range(4)
        ]
        assert [one.wait(60) for one in running] == [0] * 4
        for file in lab.path.glob(".coverage*"):
            assert content(file)[1]["files"]
    assert len(lab.kept()) == 2


def test_other_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    package = str(Path(sys.modules["coverage"].__file__ or "").parent)
    here = {**_resolved.circumstances(["run"]), **_resolved.surroundings(package, [".x"], ["."])}
    told = {**here, "data_file": [str(tmp_path / ".coverage")]}
    _resolved.keep(told)
    assert _resolved.find(["run"]) == told
    (kept,) = (tmp_path / "quickcover").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    with monkeypatch.context() as patch:
        patch.setattr(os, "getuid", lambda: kept.stat().st_uid + 1)
        assert _resolved.find(["run"]) is None
    for part in ("ours", "coverage_stamps", "interpreter"):
        _resolved.keep({**told, part: [*told[part][:-1], "1 2"]})
        assert _resolved.find(["run"]) is None


def test_not_too_many_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(_resolved, "_MOST_FILES", 10)
    for number in range(25):
        _resolved.keep(_resolved.circumstances([str(number)]))
    assert 5 <= len([*(tmp_path / "quickcover").iterdir()]) <= 10


@pytest.mark.parametrize(
    "argv",
    [[], ["--branch"], ["--source"], ["-pm", "main"], ["--branch=1", "main.py"], ["--", "main.py"]],
    ids=" ".join,
)
def test_command_lines_that_are_not_read(argv: list[str]) -> None:
    with pytest.raises(LookupError):
        _quickrun.Command(["run", *argv])


def test_command_line() -> None:
    words = "run --source=a,b --omit c --rcfile= -p -m pack --branch".split()
    command = _quickrun.Command(words)
    settings: dict[str, Any] = {
        "source": ["a", "b"], "omit": ["c"], "config_file": "", "data_suffix": True
    }  # fmt: skip
    assert command.settings == settings
    assert (command.as_module, command.program) == (True, ["pack", "--branch"])
    Coverage(**{**settings, "config_file": False})


def test_programs_that_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, program="x = 1\n")
    for name in ("nothing.py", ".", "program.pyc"):
        with pytest.raises(_program.NotHereError):
            _program.Program([name], as_module=False)


def test_twice_in_one_process(lab: Lab) -> None:
    both = (
        "import sys\nfrom quickcover.cli import main\n"
        "for name in sys.argv[1:]:\n    main(['run', f'--data-file=.coverage_{name}', name])\n"
    )
    (lab.aside / "both.py").write_text(both)
    for name in ("one.py", "two.py", "three.py"):
        (lab.path / name).write_text("import sys\nprint('coverage' in sys.modules)\n")
    env = clean_environment(XDG_CACHE_HOME=str(lab.aside / "cache"))
    for names, expected in (
        (["one.py"], "True\n"),
        (["two.py"], "True\n"),
        (["one.py", "two.py"], "False\nFalse\n"),
        (["one.py", "three.py", "two.py"], "False\nTrue\nTrue\n"),
    ):
        command = [sys.executable, str(lab.aside / "both.py"), *names]
        done = subprocess.run(command, cwd=lab.path, env=env, capture_output=True, text=True)
        assert (done.stdout, done.stderr) == (expected, "")
        for name in names:
            _, data = content(lab.path / f".coverage_{name}")
            assert [Path(path).name for (path,) in data["files"]] == [name]
