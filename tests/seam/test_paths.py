"""Real paths, the quick way, are those of coverage.py's own function."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from quickcover._paths import AbsFile

from ..conftest import Runner


def original(path: str) -> str:
    return os.path.abspath(os.path.realpath(path))


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
    ],
)
def test_answers_are_those_of_the_original(tree: Path, path: str) -> None:
    abs_file = AbsFile(original)
    whole = f"{tree}/{path}"
    assert abs_file(whole) == abs_file(whole) == original(whole)


def test_relative_paths_follow_the_directory(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    abs_file = AbsFile(original)
    for directory in ("real", "link", "real/deep"):
        monkeypatch.chdir(tree / directory)
        for path in ("file.py", "./file.py", "../file.py", ".", "<string>"):
            assert abs_file(path) == original(path)


def test_forget(tree: Path) -> None:
    abs_file = AbsFile(original)
    path = f"{tree}/link/file.py"
    before = abs_file(path)
    (tree / "link").unlink()
    (tree / "link").symlink_to("real/deep")
    abs_file.forget()
    assert abs_file(path) == original(path) != before


def test_coverage_uses_it(run_python: Runner) -> None:
    program = "import coverage.files, quickcover; quickcover.install(); print({})"
    program = program.format("coverage.files.abs_file")
    assert "AbsFile" in run_python("-c", program).stdout
