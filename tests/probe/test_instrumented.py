"""Probes in code that sys.monitoring, or a trace function, instruments in place meanwhile."""

from __future__ import annotations

import gc
import random
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.behaviour.random_source import Writer
from tests.behaviour.random_support import Support

from .conftest import FILE, Load, Prober

monitoring: Any = getattr(sys, "monitoring", None)
pytestmark = pytest.mark.skipif(monitoring is None, reason="needs sys.monitoring")

TOOL = 3
LOCAL_EVENTS = 9  # kinds of them
ALL = (1 << LOCAL_EVENTS) - 1


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Generators that nobody holds end with the collector: before or after, but not within."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def lines() -> Iterator[list[tuple[str, int]]]:
    """The lines that a tool sees; it has callbacks for all other local events, too."""
    seen: list[tuple[str, int]] = []

    def line(code: types.CodeType, number: int) -> None:
        if code.co_filename == FILE:
            seen.append((code.co_name, number))

    monitoring.use_tool_id(TOOL, "test")
    monitoring.set_events(TOOL, 0)  # of a tool before, that only freed its id: Hypothesis
    for event in range(LOCAL_EVENTS):
        monitoring.register_callback(TOOL, 1 << event, lambda *_: None)
    monitoring.register_callback(TOOL, monitoring.events.LINE, line)
    yield seen
    monitoring.set_events(TOOL, 0)
    monitoring.free_tool_id(TOOL)


def test_a_tool_that_comes_while_code_runs(
    prober: Prober, load: Load, lines: list[tuple[str, int]]
) -> None:
    f = load("""
def f(x, on):
    for i in x:
        if i == 2:
            on()
        elif i > 2:
            a = i
    b = [y for y in x]
    return b
""").f
    x = [1, 2, 3]
    assert f(x, lambda: monitoring.set_events(TOOL, ALL)) == x
    assert [number for _, number in lines] == [2, 3, 5, 6, 2, 7, 8]
    monitoring.set_events(TOOL, 0)
    assert f(x, int) == x
    arcs = prober.arcs()
    assert {(2, 3), (2, 7), (3, 4), (3, 5), (5, 2), (5, 6), (7, 8)} <= arcs


def test_local_events_of_a_function_that_was_never_called(
    prober: Prober, load: Load, lines: list[tuple[str, int]]
) -> None:
    body = "".join(f"    if x == {k}: y += {k}\n" for k in range(100))
    f = load(f"def f(x):\n    y = 0\n{body}    return y\n").f
    monitoring.set_local_events(TOOL, f.__code__, ALL)
    assert f(7) == 7
    assert len(lines) == 102
    monitoring.set_local_events(TOOL, f.__code__, 0)
    assert f(8) == 8
    assert len(lines) == 102
    assert prober.lines() >= set(range(2, 104))


def test_local_events_of_the_original(load: Load, lines: list[tuple[str, int]]) -> None:
    f = load("def f(x):\n    y = x\n    return y\n").f
    code = f.__code__
    monitoring.set_local_events(TOOL, code, monitoring.events.LINE)
    prober = Prober()
    prober.start()
    try:
        f(1)
        assert lines == [("f", 2), ("f", 3)]
        monitoring.set_local_events(TOOL, code, 0)
        f(1)
        assert lines == [("f", 2), ("f", 3)]
    finally:
        prober.stop()


def test_a_throw_before_the_first_line(prober: Prober, load: Load) -> None:
    """CPython instruments the code of such a generator although it doesn't begin to run."""
    f = load("def f(x):\n    yield x\n    yield 2\n").f
    events: list[tuple[str, int]] = []

    def trace(frame: types.FrameType, event: str, arg: object) -> Any:
        if frame.f_code.co_filename == FILE:
            events.append((event, frame.f_lineno))
        return trace

    sys.settrace(trace)
    try:
        with pytest.raises(KeyError):
            f(1).throw(KeyError())
        del events[:]
        assert list(f(1)) == [1, 2]
    finally:
        sys.settrace(None)
    assert [line for event, line in events if event == "line"] == [2, 3]


def test_a_line_is_set_while_probes_are_armed(prober: Prober, load: Load) -> None:
    f = load("""
def f(x):
    found = [0]
    if x:
        found.append(1)
    for i in found:
        found = found + [i]
    found.append(2)
    return found
""").f

    def trace(frame: types.FrameType, event: str, arg: object) -> Any:
        if frame.f_code.co_filename != FILE:
            return None
        if event == "line" and frame.f_lineno == 3:
            frame.f_lineno = 7
        return trace

    sys.settrace(trace)
    try:
        assert f(1) == [0, 2]
    finally:
        sys.settrace(None)
    assert f(1) == [0, 1, 0, 1, 2]
    assert prober.lines() == {1, 2, 3, 4, 5, 6, 7, 8}


@pytest.mark.parametrize("instructions", [False, True])
def test_a_trace_function_sees_no_line_again_where_a_frame_goes_on(
    load: Load, instructions: bool
) -> None:
    source = """
    def f(x):
        yield x
        y = yield 2
        y = (yield 3) or 1
        for z in range(2):
            yield z
        yield from range(2)
        x = [(yield 5),
             (yield 6),
             x]
    """
    found = []
    for measured in (False, True):
        lines: list[int] = []

        def trace(frame: types.FrameType, event: str, arg: object) -> Any:
            frame.f_trace_opcodes = instructions
            if event == "line" and frame.f_code.co_filename == FILE:
                lines.append(frame.f_lineno)  # noqa: B023
            return trace

        prober = Prober()
        if measured:
            prober.start()
        f = load(source).f
        sys.settrace(trace)
        try:
            assert list(f(1)) == [1, 2, 3, 0, 1, 0, 1, 5, 6]
        finally:
            sys.settrace(None)
            prober.stop()
        found.append(lines)
    assert found[0] == found[1]


class Meddler(Support):
    """Switches events and trace functions on and off while a program runs."""

    def __init__(self, seed: int, *, meddles: bool) -> None:
        super().__init__(seed)
        self.meddles = meddles
        self.dice = random.Random(seed + 1)
        self.ways: tuple[Callable[[], object], ...] = (
            lambda: monitoring.set_events(TOOL, self.dice.getrandbits(LOCAL_EVENTS)),
            self.set_local_events,
            monitoring.restart_events,
            lambda: sys.settrace(self.trace),
            lambda: sys.settrace(None),
            lambda: sys.setprofile(lambda *_: None),
            lambda: sys.setprofile(None),
        )

    def set_local_events(self) -> None:
        frame: types.FrameType | None = sys._getframe()
        while frame is not None and frame.f_code.co_filename != FILE:
            frame = frame.f_back
        if frame is not None:
            events = self.dice.getrandbits(LOCAL_EVENTS)
            monitoring.set_local_events(TOOL, frame.f_code, events)

    def trace(self, frame: types.FrameType, event: str, arg: object) -> Any:
        return self.trace if frame.f_code.co_filename == FILE else None

    def decides(self, probability: float) -> bool:
        if self.meddles and self.dice.random() < 0.3:
            self.dice.choice(self.ways)()
        return super().decides(probability)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.usefixtures("lines", "no_collection")
@pytest.mark.parametrize("seed", range(40))
def test_random_programs(seed: int) -> None:
    source = Writer(seed).program()
    found = []
    for meddles in (False, True):
        gc.collect()
        support = Meddler(seed, meddles=meddles)
        prober = Prober()
        prober.start()
        names = {"__name__": "probed", **support.names()}
        code = compile(source, FILE, "exec")
        support.run(lambda: exec(code, names))  # noqa: B023
        support.meddles = False
        sys.settrace(None)
        sys.setprofile(None)
        monitoring.set_events(TOOL, 0)
        prober.stop()
        found.append((list(support.log), prober.arcs()))
    assert found[0] == found[1]
