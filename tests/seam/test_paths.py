"""Real paths, the quick way, are those of coverage.py's own function."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quickcover import _native
from quickcover._paths import AbsFile

from ..conftest import Runner

#: What the program of `test_mocks_of_the_program` does meanwhile.
MOCKS = """\
import os.path
from unittest import mock

class Mock:
    def __getattr__(self, name):
        raise ZeroDivisionError(name)

with mock.patch("os.path", new=Mock()):
    import other
"""


def original(path: str) -> str:
    return os.path.abspath(os.path.realpath(path))


@pytest.fixture
def abs_file() -> AbsFile:
    return AbsFile(original, _native.real_path)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "real" / "file.py").touch()
    (tmp_path / "real" / "deep" / "file.py").touch()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real" / "alias.py").symlink_to("deep/file.py")
    (tmp_path / "real" / "deep" / "up").symlink_to("../..")
    (tmp_path / "real" / "broken.py").symlink_to("nowhere.py")
    (tmp_path / "real" / "circle").symlink_to("circle")
    return tmp_path


@pytest.mark.parametrize(
    "path",
    [
        "real/file.py",
        "link/file.py",
        "link/deep/file.py",
        "real/alias.py",
        "link/alias.py",
        "real/deep/up/link/file.py",
        "real/broken.py",
        "real/circle",
        "real/circle/file.py",
        "real//deep/../file.py",
        "link/deep/../file.py",
        "link/deep/up/../file.py",
        "real/.",
        "real/..",
        "real/",
        "missing/file.py",
        "",
        "real/file.py/below",
        "<string>",
        "real/d\u00e9j\u00e0.py",
        "real/\udcff.py",
        pytest.param("x" * 300, id="too long a name"),
        pytest.param("real/" * 2000, id="too long a path"),
    ],
)
def test_answers_are_those_of_the_original(abs_file: AbsFile, tree: Path, path: str) -> None:
    whole = f"{tree}/{path}"
    assert abs_file(whole) == original(whole)


@pytest.mark.parametrize("path", ["nul\0.py", "\ud800.py", None])
def test_errors_are_those_of_the_original(abs_file: AbsFile, path: Any) -> None:
    def outcome(function: Callable[[Any], str]) -> str:
        try:
            return function(path)
        except Exception as error:
            return repr(error)

    assert outcome(abs_file) == outcome(original)


@pytest.mark.skipif(sys.platform != "linux", reason="the C library isn't asked elsewhere")
def test_the_c_library_answers(tree: Path) -> None:
    assert _native.real_path(f"{tree}/link/alias.py") == f"{tree.resolve()}/real/deep/file.py"
    assert _native.real_path(f"{tree}/missing.py") is None


@pytest.mark.skipif(sys.platform != "linux", reason="the C library isn't asked elsewhere")
def test_no_file_can_be_opened(tree: Path) -> None:
    import resource

    path, real = f"{tree}/link/alias.py", f"{tree.resolve()}/real/deep/file.py"
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        found = _native.real_path(path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert found == real


def test_relative_paths_follow_the_directory(
    abs_file: AbsFile, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for directory in ("real", "link", "real/deep"):
        monkeypatch.chdir(tree / directory)
        for path in ("file.py", "./file.py", "../file.py", ".", "<string>"):
            assert abs_file(path) == original(path)


def test_links_that_change(abs_file: AbsFile, tree: Path) -> None:
    path = f"{tree}/link/file.py"
    before = abs_file(path)
    (tree / "link").unlink()
    (tree / "link").symlink_to("real/deep")
    assert abs_file(path) == original(path) != before
    (tree / "real").rename(tree / "moved")
    (tree / "real").symlink_to("moved")
    assert abs_file(path) == original(path) == f"{tree.resolve()}/moved/deep/file.py"


def test_one_decision_asks_once(tree: Path) -> None:
    asked = []

    def ask(path: str) -> str | None:
        asked.append(path)
        return _native.real_path(path)

    abs_file, path = AbsFile(original, ask), f"{tree}/link/file.py"
    abs_file.begin()
    real = abs_file(path)
    thread = threading.Thread(target=abs_file, args=[path])  # it has begun nothing
    thread.start(), thread.join()
    assert abs_file(path) == abs_file(real) == real == original(path)
    assert asked == [path, path]
    abs_file.end()
    (tree / "link").unlink()
    (tree / "link").symlink_to("real/deep")
    assert abs_file(path) == original(path) != real


def test_coverage_uses_it(run_python: Runner) -> None:
    program = """\
import coverage.files, quickcover
quickcover.install()
coverage.Coverage(data_file=None).start()
print(coverage.files.abs_file)
"""
    assert "AbsFile" in run_python("-c", program).stdout


def test_mocks_of_the_program(run_python: Runner, run_quickcover: Runner, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(MOCKS)
    (tmp_path / "other.py").write_text("a = 1\n")
    run_python("-c", "import other")  # leaves it compiled, for importlib needs less of os then
    done = run_quickcover("run", "program.py")
    assert "quickcover-error" not in done.stdout + done.stderr
    report = run_quickcover("report", "--include=other.py").stdout
    assert "100%" in report
