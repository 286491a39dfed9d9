"""The oracle against programs whose lines and arcs were found by reading them."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import coverage
import pytest
from coverage.jsonreport import JsonReporter

from . import Oracle, report
from .report import report_of

Arcs = set[tuple[int, int]]


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str], SimpleNamespace]:
    """Load a program from a file."""

    def load(source: str) -> SimpleNamespace:
        file = tmp_path.resolve() / "program.py"
        file.write_text(source, encoding="utf-8")
        namespace: dict[str, object] = {}
        exec(compile(source, str(file), "exec"), namespace)
        return SimpleNamespace(**namespace, file=str(file))

    return load


def watch(program: SimpleNamespace, act: Callable[[], object]) -> tuple[set[int], Arcs]:
    """The lines and arcs of the program in which `act` results."""
    oracle = Oracle(lambda file: file == program.file)
    oracle.start()
    try:
        act()
    except ValueError:
        pass
    finally:
        oracle.stop()
    return {line for _, line in oracle.lines}, {(a, b) for _, a, b in oracle.arcs}


BRANCH = """\
def f(x):
    if x:
        raise ValueError
    return g()
def g():
    return 1
"""


def test_a_call_and_a_return(load: Callable[[str], SimpleNamespace]) -> None:
    program = load(BRANCH)
    lines, arcs = watch(program, lambda: program.f(0))
    assert lines == {2, 4, 6}
    assert arcs == {(-1, 2), (2, 4), (4, -1), (-5, 6), (6, -5)}


def test_an_exception_leaves_too(load: Callable[[str], SimpleNamespace]) -> None:
    program = load(BRANCH)
    lines, arcs = watch(program, lambda: program.f(1))
    assert lines == {2, 3}
    assert arcs == {(-1, 2), (2, 3), (3, -1)}


def test_a_yield_does_not_leave(load: Callable[[str], SimpleNamespace]) -> None:
    program = load("def f():\n    yield 1\n    yield 2\n")
    lines, arcs = watch(program, lambda: list(program.f()))
    assert lines == {2, 3}
    assert arcs == {(-1, 2), (2, 3), (3, -1)}


def test_a_generator_begun_before(load: Callable[[str], SimpleNamespace]) -> None:
    program = load("def f():\n    yield 1\n    yield 2\n")
    generator = program.f()
    next(generator)
    lines, arcs = watch(program, lambda: list(generator))
    assert lines == {3}
    assert arcs == {(2, 3), (3, -1)}


def test_threads(load: Callable[[str], SimpleNamespace]) -> None:
    program = load("def f():\n    return 1\n")

    def act() -> None:
        thread = threading.Thread(target=program.f)
        thread.start()
        thread.join()

    lines, _ = watch(program, act)
    assert lines == {2}
    program.f()
    assert lines == {2}


def test_nested(load: Callable[[str], SimpleNamespace]) -> None:
    program = load("def f():\n    return 1\ndef g():\n    return 2\n")
    outer, inner = Oracle(lambda file: file == program.file), Oracle(lambda file: True)
    outer.start()
    inner.start()
    program.f()
    inner.stop()
    program.g()
    outer.stop()
    assert outer.lines == {(program.file, 4)}
    assert (program.file, 2) in inner.lines


def test_the_report_says_what_the_json_report_says(tmp_path: Path) -> None:
    file = str(tmp_path.resolve() / "program.py")
    Path(file).write_text(BRANCH + "if g():  # pragma: no cover\n    a = 1\n", encoding="utf-8")
    for branch in (False, True):
        cov = coverage.Coverage(data_file=None, config_file=False, branch=branch)
        if branch:
            arcs = {file: [(-1, 2), (2, 4), (4, -1)]}
            found = report(arcs=arcs)[file]
            cov.get_data().add_arcs(arcs)
        else:
            found = report(lines={file: [1, 2, 4]})[file]
            cov.get_data().add_lines({file: [1, 2, 4]})
        assert report_of(cov)[file] == found
        out = io.StringIO()
        JsonReporter(cov).report(None, out)
        (shown,) = json.loads(out.getvalue())["files"].values()
        assert shown["executed_lines"] == list(found.executed_lines)
        assert shown["missing_lines"] == list(found.missing_lines)
        assert shown["excluded_lines"] == list(found.excluded_lines) == [7, 8]
        for part in ("executed_branches", "missing_branches"):
            branches = sorted(map(tuple, shown.get(part, [])))
            assert branches == list(getattr(found, part))
