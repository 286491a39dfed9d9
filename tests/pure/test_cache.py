"""Instrumented code on disk: found again, and never believed too much."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from quickcover import _env

pytestmark = pytest.mark.skipif(
    not _env.current().rewriting, reason="the python engine doesn't know this bytecode"
)

SOURCE = """\
def f(x):
    if x:
        return [y for y in range(x)]
    return 0

class C:
    @property
    def p(self):
        return f(1)

f(2)
C().p
"""

#: Measures a program; prints what was recorded, and how many code objects were laid out.
MEASURE = """\
import json, os, sys
import coverage, quickcover
from quickcover.pure import store
laid_out = 0
original = store.lay_out
def counted(code):
    global laid_out
    laid_out += 1
    return original(code)
store.lay_out = counted
quickcover.install()
cov = coverage.Coverage(data_file=None, branch=True, include=[sys.argv[1]], config_file=False)
cov.start()
if sys.argv[2:] == ["fork"]:
    import program
    child = os.fork()
    if not child:
        cov._collector.post_fork()
        os._exit(0)
    os.waitpid(child, 0)
    print(json.dumps(os.path.exists(os.environ["XDG_CACHE_HOME"] + "/quickcover/python")))
import program
cov.stop()
data = cov.get_data()
print(json.dumps([laid_out, sorted(data.arcs(sys.argv[1]))]))
"""


class Runs:
    """Measured runs of a program in processes of their own, with a cache directory of theirs."""

    def __init__(self, directory: Path) -> None:
        self.cache = directory / "cache"
        self.program = directory / "program.py"
        self.program.write_text(SOURCE)

    def __call__(self, *args: str, **variables: str) -> list[Any]:
        env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        env |= {"XDG_CACHE_HOME": str(self.cache), "QUICKCOVER_ENGINE": "python"} | variables
        run = subprocess.run(
            [sys.executable, "-c", MEASURE, str(self.program), *args],
            env=env, cwd=self.program.parent, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return [json.loads(line) for line in run.stdout.splitlines()]

    def files(self) -> list[Path]:
        return sorted((self.cache / "quickcover" / "python").glob("*"))


@pytest.fixture
def run(tmp_path: Path) -> Runs:
    return Runs(tmp_path.resolve())


def test_the_second_run_lays_nothing_out(run: Runs) -> None:
    [(first, arcs)] = run()
    [(second, same)] = run()
    assert first == 5
    assert second == 0
    assert same == arcs
    [file] = run.files()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_code_that_was_changed_is_laid_out_again(run: Runs) -> None:
    run()
    before = run.files()[0].stat().st_size
    run.program.write_text(SOURCE.replace("return 0", "return 1\n"))
    [(again, arcs)] = run()
    assert again > 0
    run.program.write_text(SOURCE.replace("def f", "def g").replace("f(", "g("))
    run()
    assert run.files()[0].stat().st_size < 2 * before  # what is no more has gone
    assert [4, -1] not in arcs


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "not ours"])
def test_a_file_that_is_wrong_is_not_there(run: Runs, damage: str) -> None:
    [(first, arcs)] = run()
    [file] = run.files()
    content = file.read_bytes()
    if damage == "not ours":
        file.chmod(0o666)
    else:
        flipped = content[:40] + bytes([content[40] ^ 1]) + content[41:]
        file.write_bytes({"empty": b"", "cut": content[:-9], "flipped": flipped}[damage])
    assert run() == [[first, arcs]]


def test_a_file_of_another_source_file_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quickcover.pure.cache import Cache, Layout

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    layout = Layout(1, b"code", b"lines", b"", b"places")
    names = []
    for letter in "ab":
        source = tmp_path / f"{letter}.py"
        source.write_text("")
        cache = Cache()
        assert cache.find(str(source), (letter,)) is None
        cache.keep(str(source), (letter,), layout)
        cache.save()
        assert Cache().find(str(source), (letter,)) == layout
        names.append(str(source))
    first, second = (cache._path(name) or "" for name in names)
    os.replace(first, second)
    assert Cache().find(names[1], ("a",)) is None
    os.replace(second, first)
    assert Cache().find(names[0], ("a",)) == layout


def test_nothing_is_written_where_python_writes_no_bytecode(run: Runs) -> None:
    run(PYTHONDONTWRITEBYTECODE="1")
    assert not run.files()


def test_nothing_is_written_without_a_place(run: Runs) -> None:
    [(first, arcs)] = run(XDG_CACHE_HOME="relative")
    assert first == 5
    assert not run.files()
    run.cache.write_text("a file")
    assert run() == [[first, arcs]]


def test_a_forked_child_leaves_it_to_its_parent(run: Runs) -> None:
    written_by_the_child, (first, _arcs) = run("fork")
    assert not written_by_the_child
    assert first == 5
    assert len(run.files()) == 1


def test_code_without_end_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    from quickcover.pure import cache

    monkeypatch.setattr(cache, "_LARGEST", 10_000)
    monkeypatch.setattr(cache, "_prefix", str)
    kept = cache.Cache()
    for number in range(1000):
        key = ("f", number, b"code", b"", b"", 0, (), 1, 0, 0)
        assert kept.find("some.py", key) is None
        kept.keep("some.py", key, cache.Layout(1, bytes(50), bytes(10), b"", bytes(30)))
    file = kept._files["some.py"]
    assert not file.layouts
    assert not file.changed
