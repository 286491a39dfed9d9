"""Line events that CPython never delivers, and which cost time for good unless they are removed."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import takewhile
from typing import Any

import pytest

from quickcover import _native

from .measuring import measures, tracer_for

pytestmark = pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="needs sys.monitoring")
monitoring: Any = getattr(sys, "monitoring", None)

FILE = "quiet.py"
TOOL = 5
SOURCE = """\
def f(x, y):
    z = [
        a
        for a in x]
    z = [a or y for a in z if a != 3]
    for a in z: y += a
    while y > 100: y -= 1
    return y or z
"""


def line_events(function: Any) -> list[int]:
    """The lines that have an event in the bytecode, but for what only exceptions reach."""
    instructions = dis.get_instructions(function, adaptive=True)
    usual = takewhile(lambda one: "RETURN" not in one.opname, instructions)
    return sorted({one.positions.lineno for one in usual if one.opname == "INSTRUMENTED_LINE"})


def function(calls: int = 0) -> Any:
    names: dict[str, Any] = {}
    exec(compile(SOURCE, FILE, "exec"), names)
    for _ in range(calls):
        assert names["f"]([0, 1, 3], 5) == 11
    return names["f"]


Measuring = Callable[[], AbstractContextManager[_native.Store]]


@pytest.fixture(params=[False, True], ids=["lines", "branches"])
def measuring(request: pytest.FixtureRequest) -> Measuring:
    """A tracer that runs."""
    if request.param and sys.version_info < (3, 14):
        pytest.skip("branches are the probe engine's")

    @contextmanager
    def measuring() -> Iterator[_native.Store]:
        store = _native.Store(branch=request.param)
        tracer = tracer_for("monitoring", store, measures(FILE))
        tracer.start()
        try:
            yield store
        finally:
            tracer.stop()
        assert store.take_error() is None

    return measuring


def test_code_that_was_seen_has_no_event_left(measuring: Measuring) -> None:
    with measuring():
        assert line_events(function(calls=2)) == []


def test_they_are_there_without_us() -> None:
    """Else CPython has mended it, and we need none of this."""
    monitoring.use_tool_id(TOOL, "test")
    monitoring.register_callback(TOOL, monitoring.events.LINE, lambda *_: monitoring.DISABLE)
    monitoring.set_events(TOOL, monitoring.events.LINE)
    try:
        assert line_events(function(calls=2)) != []
    finally:
        monitoring.set_events(TOOL, 0)
        monitoring.free_tool_id(TOOL)


def test_a_renewed_store_sees_the_lines_again(measuring: Measuring) -> None:
    with measuring() as store:
        f = function(calls=2)
        first = store.drain()
        store.renew()
        f([0, 1, 3], 5)
        again = store.drain()
        assert first[FILE] > again[FILE] != set()  # the module's body ran once
        assert {hit for hit in first[FILE] if hit not in again[FILE]} <= {1, (-1, 1), (1, -1)}
        f([0, 1, 3], 5)
        assert line_events(f) == []


@pytest.mark.parametrize("calls_before", [0, 1, 2])
def test_another_tool_sees_every_line(measuring: Measuring, calls_before: int) -> None:
    seen: list[int] = []

    def line(code: Any, number: int) -> None:
        if code.co_filename == FILE:
            seen.append(number)

    def run() -> list[int]:
        f = function(calls_before)
        seen.clear()
        monitoring.set_events(TOOL, monitoring.events.LINE)
        f([0, 1, 3], 5)
        f([0, 1, 3], 5)
        monitoring.set_events(TOOL, 0)
        return list(seen)

    monitoring.use_tool_id(TOOL, "test")
    monitoring.register_callback(TOOL, monitoring.events.LINE, line)
    try:
        alone = run()
        with measuring():
            assert run() == alone
    finally:
        monitoring.free_tool_id(TOOL)
