"""Reports come out the same, whether their analyses are kept, made by several processes, or not."""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from quickcover import _crew
from quickcover._analyses import DIRECTORY, Cache, pack, unpack

from ..conftest import Runner, clean_environment

#: Large modules of the standard library.
LARGE = ["_pydecimal", "argparse", "doctest", "inspect", "pickletools", "tarfile", "typing"]

#: What differs between any two reports: when they were made, and by what (html's status.json).
MOMENT = re.compile(r'timestamp="\d+"|"timestamp": "[^"]*"|created at [^<]*|"globals":"\w+"')

REPORTS: dict[str, list[str]] = {
    "report": ["report", "-m"],
    "xml": ["xml", "-q", "-o", "out"],
    "json": ["json", "-q", "-o", "out"],
    "pretty json": ["json", "-q", "--pretty-print", "-o", "out"],
    "lcov": ["lcov", "-q", "-o", "out"],
    "html": ["html", "-q", "-d", "out"],
    "annotate": ["annotate", "-d", "out"],
}


def make_project(directory: Path, names: list[str], branch: bool) -> None:
    """Much source, as a program that is measured with coverage.py alone."""
    for name in names:
        text = (Path(os.__file__).parent / f"{name}.py").read_text("utf-8")
        (directory / f"my_{name}.py").write_text(text, "utf-8")
    (directory / "main.py").write_text("".join(f"import my_{name}\n" for name in names))
    (directory / ".coveragerc").write_text(f"[run]\nbranch = {branch}\nsource = .\n")
    command = [sys.executable, "-m", "coverage", "run", "main.py"]
    subprocess.run(command, cwd=directory, env=clean_environment(), check=True, timeout=120)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory with enough source for analyses to be kept, measured with branches."""
    make_project(tmp_path, ["inspect"], branch=True)
    return tmp_path


def outcome(directory: Path, stdout: str) -> dict[str, str]:
    """What a report wrote, by file."""
    found = {"stdout": stdout}
    out = directory / "out"
    if out.is_file():
        found["out"] = MOMENT.sub("", out.read_text("utf-8"))
        out.unlink()
    elif out.is_dir():
        found |= {
            path.name: MOMENT.sub("", path.read_text("utf-8", "replace"))
            for path in out.glob("*.*")
        }
        shutil.rmtree(out)
    return found


def cached(directory: Path) -> list[str]:
    """The files that have an analysis."""
    path = directory / DIRECTORY / "analyses-1.sqlite"
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as connection:
        return sorted(Path(row[0]).name for row in connection.execute("select path from analysis"))


@pytest.mark.parametrize(
    ("branch", "kinds"),
    [(False, ["report", "json"]), (True, list(REPORTS))],
    ids=["lines", "branches"],
)
def test_same_reports(
    run_python: Runner, run_quickcover: Runner, tmp_path: Path, branch: bool, kinds: list[str]
) -> None:
    make_project(tmp_path, LARGE, branch)
    assert sum(path.stat().st_size for path in tmp_path.glob("my_*.py")) > _crew._SHARE
    for command in map(REPORTS.__getitem__, kinds):
        theirs = outcome(tmp_path, run_python("-m", "coverage", *command).stdout)
        # The first of all is from cold.
        assert outcome(tmp_path, run_quickcover(*command).stdout) == theirs
    assert len(cached(tmp_path)) == len(list(tmp_path.glob("*.py")))


#: Counts how often a parser begins to work in this process.
COUNTING = """\
import sys
from coverage import parser
parsed = []
begin = parser.PythonParser.__init__
def counting(self, *args, **kwargs):
    parsed.append(kwargs)
    return begin(self, *args, **kwargs)
parser.PythonParser.__init__ = counting
from quickcover.cli import main
status = main(sys.argv[1:])
print("parsed", len(parsed))
sys.exit(status)
"""


#: Counts how often the data file is opened.
OPENING = """\
import sys
from coverage import sqlitedb
opened = []
connect = sqlitedb.sqlite3.connect
def counting(name, **kwargs):
    opened.append(name)
    return connect(name, **kwargs)
sqlitedb.sqlite3.connect = counting
from quickcover.cli import main
status = main(sys.argv[1:])
print("opened", sum(".coverage" in str(name) for name in opened))
sys.exit(status)
"""


@pytest.mark.parametrize("kind", ["report", "json", "html"])
def test_the_data_file_is_opened_for_a_report(run_python: Runner, project: Path, kind: str) -> None:
    """Not for each question about each file."""
    done = run_python("-c", OPENING, *REPORTS[kind])
    assert int(done.stdout.split()[-1]) <= 6
    (project / ".coverage").unlink()
    done = run_python("-c", OPENING, *REPORTS[kind], status=1)
    assert "No data to report" in done.stdout + done.stderr
    assert (project / ".coverage").exists() == (kind == "html")  # coverage.py makes it


def test_only_what_changed_is_parsed(run_python: Runner, project: Path) -> None:
    def parsed() -> str:
        return run_python("-c", COUNTING, "report").stdout.splitlines()[-1]

    assert parsed() == "parsed 2"
    assert parsed() == "parsed 0"
    changed = project / "main.py"
    changed.write_text(changed.read_text() + "\nif False:\n    print()\n")
    assert parsed() == "parsed 1"
    (project / ".coveragerc").write_text("[run]\nbranch = true\n[report]\nexclude_also = raise\n")
    assert parsed() == "parsed 2"
    assert parsed() == "parsed 0"
    assert len(cached(project)) > len(list(project.glob("*.py")))


def test_changes_show(run_python: Runner, run_quickcover: Runner, project: Path) -> None:
    before = run_quickcover("report", "-m").stdout
    changed = project / "my_inspect.py"
    changed.write_text("import sys\n" * 7 + changed.read_text())
    after = run_quickcover("report", "-m").stdout
    assert after != before
    assert after == run_python("-m", "coverage", "report", "-m").stdout
    (project / ".coveragerc").write_text("[report]\nexclude_also = raise\npartial_also = for\n")
    other = run_quickcover("report", "-m").stdout
    assert other != after
    assert other == run_python("-m", "coverage", "report", "-m").stdout


def test_small_projects_keep_nothing(run_quickcover: Runner, tmp_path: Path) -> None:
    (tmp_path / "small.py").write_text("print()\n")
    run_quickcover("run", "small.py")
    run_quickcover("report")
    assert cached(tmp_path) == []
    assert not (tmp_path / DIRECTORY).exists()


def test_cache_is_no_data(run_quickcover: Runner, project: Path) -> None:
    run_quickcover("report")
    (project / ".coverage").rename(project / ".coverage.1")
    run_quickcover("combine")
    assert (project / ".coverage").exists()
    assert not (project / ".coverage.1").exists()
    assert len(cached(project)) > 0
    assert (project / DIRECTORY / ".gitignore").read_text().splitlines()[-1] == "*"


@pytest.mark.parametrize("damage", ["no database", "short", "nonsense", "no table", "a file"])
def test_damaged_cache(
    run_python: Runner, run_quickcover: Runner, project: Path, damage: str
) -> None:
    theirs = run_python("-m", "coverage", "report", "-m").stdout
    run_quickcover("report")
    path = project / DIRECTORY / "analyses-1.sqlite"
    if damage == "no database":
        path.write_bytes(b"what is this?" * 1000)
    elif damage == "short":
        path.write_bytes(path.read_bytes()[:10_000])
    elif damage == "a file":
        (project / DIRECTORY).rename(project / "elsewhere")
        (project / DIRECTORY).touch()
    else:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(
                "drop table analysis" if damage == "no table"
                else "update analysis set state = zeroblob(9), fragments = zeroblob(9)"
            )  # fmt: skip
    for _ in range(3):
        done = run_quickcover("report", "-m")
        assert done.stdout == theirs
        assert done.stderr == ""
    if damage in ("no database", "no table"):
        assert len(cached(project)) > 0


@pytest.mark.parametrize("executable", ["", "/nowhere/python", "/bin/false"])
def test_no_helpers(run_python: Runner, tmp_path: Path, executable: str) -> None:
    make_project(tmp_path, LARGE, branch=False)
    theirs = run_python("-m", "coverage", "report", "-m").stdout
    code = f"import sys\nsys.executable = {executable!r}\nfrom quickcover.cli import main\n"
    assert run_python("-c", f"{code}main(['report', '-m'])").stdout == theirs


def test_helpers_are_not_measured_nor_misled(run_python: Runner, tmp_path: Path) -> None:
    project = tmp_path
    make_project(project, LARGE, branch=False)
    theirs = run_python("-m", "coverage", "report", "-m").stdout
    (project / "tokenize.py").write_text("raise SystemExit('not this one')\n")
    (project / "json.py").write_text("raise SystemExit('nor this one')\n")
    config = str(project / ".coveragerc")
    measured = {"COVERAGE_PROCESS_START": config}
    done = run_python("-P", "-m", "quickcover", "report", "-m", env=measured)
    assert done.stdout == theirs
    assert sorted(path.name for path in project.glob(".coverage*")) == [".coverage", ".coveragerc"]


@pytest.mark.parametrize("ignore", [False, True])
def test_source_that_is_wrong_or_missing(
    run_python: Runner, run_quickcover: Runner, project: Path, ignore: bool
) -> None:
    (project / "my_inspect.py").write_text("if\n" * 90_000)
    (project / "main.py").unlink()
    options = ["-i"] if ignore else []
    theirs = run_python("-m", "coverage", "report", *options, status=None)
    for _ in range(2):
        ours = run_quickcover("report", *options, status=None)
        assert ours.returncode == theirs.returncode
        # Our messages about errors are on stderr.
        texts = [done.stdout + done.stderr for done in (ours, theirs)]
        assert sorted(texts[0].splitlines()) == sorted(texts[1].splitlines())


def test_two_reports_in_one_process(run_python: Runner, project: Path) -> None:
    code = (
        "import coverage, quickcover, sys\nquickcover.install()\n"
        "cov = coverage.Coverage()\ncov.load()\n"
        "cov.report()\nprint('----')\n"
        "cov.exclude('raise')\ncov.report()\nprint('----')\n"
        "cov.clear_exclude()\ncov.report()\n"
    )
    ours = run_python("-c", code)
    theirs = run_python("-c", code.replace("quickcover.install()", ""))
    assert ours.stdout == theirs.stdout
    assert len(set(ours.stdout.split("----"))) > 1


def test_what_is_kept_is_plain() -> None:
    data = {"set": {1, -2}, "arcs": {(1, -1): [("x", None)]}, "list": [1.5, "\udc80"]}
    assert unpack(pack(data)) == data
    with pytest.raises(ValueError, match="no plain data"):
        pack([Path])


class _Hostile:
    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch hostile",)


def test_reports_at_once_and_killed(run_python: Runner, tmp_path: Path) -> None:
    make_project(tmp_path, LARGE, branch=True)
    theirs = run_python("-m", "coverage", "report", "-m").stdout
    command = [sys.executable, "-m", "quickcover", "report", "-m"]

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            command, cwd=tmp_path, env=clean_environment(), text=True, stdout=subprocess.PIPE
        )

    for seconds in (0.3, 0.6, 0.9, 1.2, 1.5):
        with start() as killed, suppress(subprocess.TimeoutExpired):
            try:
                killed.communicate(timeout=seconds)
            finally:
                killed.kill()
    running = [start() for _ in range(3)]
    assert [one.communicate(timeout=120)[0] for one in running] == [theirs] * 3
    assert len(cached(tmp_path)) == len(list(tmp_path.glob("*.py")))


def test_cache_runs_no_code(run_quickcover: Runner, project: Path) -> None:
    first = run_quickcover("report", "-m").stdout
    with closing(sqlite3.connect(project / DIRECTORY / "analyses-1.sqlite")) as connection:
        with connection:
            connection.execute("update analysis set state = ?", (pickle.dumps(_Hostile()),))
    assert run_quickcover("report", "-m").stdout == first
    assert not (project / "hostile").exists()


def test_parts_are_even() -> None:
    sizes = {str(size): size for size in range(1, 100)}
    parts = _crew._parts(sizes, 3)
    assert sorted(name for part in parts for name in part) == sorted(sizes)
    amounts = [sum(sizes[name] for name in part) for part in parts]
    assert max(amounts) - min(amounts) < 10


def test_cache_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = Cache.beside(str(tmp_path / "file" / ".coverage"))
    assert not cache.keep([])
    assert cache.state("x", b"") is None


def test_json_totals_are_numbers(run_quickcover: Runner, project: Path) -> None:
    for _ in range(2):
        run_quickcover("json", "-q", "-o", "out.json")
        totals = json.loads((project / "out.json").read_text())["totals"]
        assert totals["num_statements"] > 1000
