"""Switching the dynamic context by hand: each context has all that was executed in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import facts
from .comparing import raw_differences, report_differences
from .measure import CoverageMeasurer, Recorded
from .running import no_garbage_collected
from .scenes import SAME_RAW_DATA, Scene

pytestmark = [
    pytest.mark.filterwarnings("error::coverage.exceptions.CoverageWarning"),
    pytest.mark.parametrize("name", facts.engines()),
]

PROGRAM = """
def f(x):
    if x:
        a = 1
    for i in range(x): a = i
    return x
def g(x):
    if x: return f(x - 1)
def count(x):
    while x:
        yield x
        x -= 1
"""


def in_contexts(name: str, directory: Path, branch: bool) -> dict[str, Recorded]:
    """What is recorded in each context of a small play."""
    scene = Scene(directory, name, branch)
    program = scene.load(PROGRAM)
    used = CoverageMeasurer(name, directory, branch)
    used.start()
    for number, x in enumerate((1, 1, 0, 1, 0, 0)):
        used.cov.switch_context(f"call {number}")
        program.g(x)
        if number == 3:
            used.cov.switch_context("same twice")
            program.f(2)
            used.cov.switch_context("same twice")
            program.f(0)
    for number in range(3):
        used.cov.switch_context(f"counting {number}")
        list(program.count(number))
    used.cov.switch_context("nothing")
    used.stop()
    return by_context(used)


def by_context(used: CoverageMeasurer) -> dict[str, Recorded]:
    data = used.cov.get_data()
    found = {}
    for context in sorted(data.measured_contexts()):
        data.set_query_context(context)
        found[context] = used.recorded()
    return found


def test_each_context_is_complete(tmp_path: Path, name: str, branch: bool) -> None:
    directory = tmp_path.resolve()
    with no_garbage_collected():
        ctrace = in_contexts("ctrace", directory, branch)
        engine = in_contexts(name, directory, branch)
    assert sorted(engine) == sorted(ctrace)
    for context, expected in ctrace.items():
        if name in SAME_RAW_DATA:
            difference = raw_differences(name, "ctrace", engine[context], expected)
        else:
            difference = report_differences(
                name, "ctrace", engine[context], expected, branch=branch
            )
        assert not difference, f"{context}: {difference}"


def test_contexts_by_line(tmp_path: Path, name: str, branch: bool) -> None:
    directory = tmp_path.resolve()
    found = []
    for used_name in ("ctrace", name):
        scene = Scene(directory, used_name, branch)
        program = scene.load(PROGRAM)
        used = CoverageMeasurer(used_name, directory, branch)
        used.start()
        for context in ("one", "two", "one"):
            used.cov.switch_context(context)
            program.g(len(context) - 2)
        used.stop()
        contexts = used.cov.get_data().contexts_by_lineno(str(directory / "program.py"))
        found.append({line: sorted(names) for line, names in contexts.items()})
    ctrace, engine = found
    assert engine == ctrace
