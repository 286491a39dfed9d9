"""Programs that use sys.settrace themselves, and tools that run beside us.

A tracing measurer is a user of sys.settrace among others: who sets another function ends it. The
monitoring engine isn't, and goes on; so there it may see more than ctrace.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from . import facts
from .running import drive
from .scenes import Comparison, Scene

pytestmark = pytest.mark.filterwarnings("ignore::coverage.exceptions.CoverageWarning")

BEYOND = ("monitoring", "probe", "python")


def test_settrace_none(compare: Comparison) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load(
            """
import sys
def g(x):
    if x: return 1
def f(x):
    g(x)
    sys.settrace(None)
    a = 1
    g(0)
    if a:
        b = 2
"""
        )
        with scene.measuring():
            program.f(1)

    compare(scenario, sees_more=BEYOND)


def test_settrace_gettrace(compare: Comparison) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load(
            """
import sys
def g(x):
    if x: return 1
    sys.settrace(sys.gettrace())
    a = 2
    return a
def f(x):
    g(x)
    sys.settrace(sys.gettrace())
    a = 1
    g(0)
    if a:
        b = 2
    for i in range(2): g(i)
"""
        )
        with scene.measuring():
            program.f(1)
            program.g(0)

    compare(scenario)


def test_trace_function_set_aside_for_a_while(compare: Comparison) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load(
            """
import sys
def g(x):
    if x: return 1
    return 2
def f(x):
    a = 1
    saved = sys.gettrace()
    sys.settrace(None)
    g(0)
    a = 2
    sys.settrace(saved)
    b = g(1)
    if b:
        c = 1
    return c
def h(x):
    f(x)
    d = 1
"""
        )
        with scene.measuring():
            program.h(1)
            program.g(1)

    compare(scenario, sees_more=BEYOND)


def test_trace_function_of_the_program(compare: Comparison) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load(
            """
import sys
events = []
def trace(frame, event, arg):
    events.append(event)
    return trace
def g(x):
    if x:
        return 1
    return 2
def f(x):
    saved = sys.gettrace()
    sys.settrace(trace)
    g(x)
    sys.settrace(saved)
    g(0)
    return len(events)
"""
        )
        with scene.measuring():
            program.f(1)
            program.f(1)

    compare(scenario, sees_more=BEYOND)


def test_trace_function_restored_in_another_frame(compare: Comparison) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load(
            """
import sys
saved = []
def off():
    saved.append(sys.gettrace())
    sys.settrace(None)
def on():
    sys.settrace(saved.pop())
def g(x):
    if x:
        return 1
def f(x):
    a = 1
    off()
    b = 2
    on()
    c = 3
    if g(x):
        d = 4
"""
        )
        with scene.measuring():
            program.f(1)
            program.g(0)

    # ctrace has not seen that off() returned, so it takes lines of other frames, even of other
    # files, for lines of this program.
    compare.with_oracle(scenario, sees_more=BEYOND)


def test_a_thread_begins_in_our_thread(compare: Comparison) -> None:
    """As greenlets that pass for threads do: gevent's, say."""

    def scenario(scene: Scene) -> None:
        program = scene.load(
            """
import sys, threading
def thread(x):
    for i in range(x):
        if i: return 1
def f(x):
    a = 1
    sys.settrace(threading.gettrace())
    thread(x)
    if a:
        b = 2
    return x
def g(x):
    f(x)
    if x: return 1
    return 2
"""
        )
        with scene.measuring() as measurer:
            program.g(2)
            measurer.stop()
            measurer.start()
            program.g(0)

    # ctrace's new tracer knows nothing of the frames that are running.
    compare.with_oracle(scenario)


def test_local_trace_functions(compare: Comparison) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load(
            """
import sys
def f(x):
    frame = sys._getframe()
    saved = frame.f_trace
    a = 1
    frame.f_trace_lines = True
    b = 2
    frame.f_trace = saved
    if x:
        c = 3
"""
        )
        with scene.measuring():
            program.f(1)

    compare(scenario)


def test_a_profiler_beside_us(compare: Comparison) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load(
            """
def g(x):
    for i in range(x):
        yield i
def f(x):
    try:
        if x: raise ValueError
    except ValueError:
        return list(g(x))
"""
        )
        events = []
        sys.setprofile(lambda frame, event, arg: events.append(event))
        try:
            with scene.measuring():
                program.f(2)
        finally:
            sys.setprofile(None)
        assert events

    compare(scenario)


def test_the_trace_function_is_as_before_when_all_is_over(compare: Comparison) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load("def f(x):\n    return x\n")
        with scene.measuring():
            program.f(1)
        assert sys.gettrace() is None
        assert sys.getprofile() is None
        assert facts.monitoring_tools() == []

    compare(scenario)


def test_a_debugger_in_the_program(compare: Comparison) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load(
            """
import bdb
class Debugger(bdb.Bdb):
    def user_line(self, frame):
        self.set_step()
def g(x):
    if x: return 1
    return 2
def f(x):
    a = Debugger().runcall(g, x)
    b = g(0)
    return a + b
"""
        )
        with scene.measuring():
            program.g(1)
            program.f(0)

    # Whoever debugs ends tracing.
    compare(scenario, sees_more=BEYOND)


def test_settrace_in_a_coroutine(compare: Comparison) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load(
            """
import sys
class Wait:
    def __await__(self):
        yield 1
async def f(x):
    await Wait()
    saved = sys.gettrace()
    sys.settrace(None)
    await Wait()
    sys.settrace(saved)
    await Wait()
    if x:
        return 1
"""
        )
        with scene.measuring():
            drive(program.f(1))

    compare(scenario, sees_more=BEYOND)


PROGRAM = """
def g(x):
    for i in range(x):
        if i == 1: yield i
def f(x):
    try:
        if x: raise ValueError
    except ValueError:
        return list(g(x))
    return 0
"""


def test_another_tool_of_sys_monitoring(compare: Comparison, monitoring: Any) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load(PROGRAM)
        events = monitoring.events
        with other_tool(monitoring, 3, events.LINE | events.PY_START | events.PY_RETURN) as seen:
            with scene.measuring():
                program.f(2)
            with scene.measuring():
                program.f(0)
        assert seen

    compare(scenario)


def test_another_tool_that_disables_and_restarts(compare: Comparison, monitoring: Any) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load(PROGRAM)
        events = monitoring.events
        with other_tool(monitoring, 4, events.LINE, monitoring.DISABLE):
            with scene.measuring():
                program.f(2)
                monitoring.restart_events()
                program.f(2)
            with scene.measuring():
                monitoring.restart_events()
                program.f(0)

    compare(scenario)


def test_another_tool_with_local_events(compare: Comparison, monitoring: Any) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load(PROGRAM)
        codes = [program.f.__code__, program.g.__code__]
        with other_tool(monitoring, 3, 0, monitoring.DISABLE) as seen:
            for code in codes:
                monitoring.set_local_events(3, code, monitoring.events.LINE)
            with scene.measuring():
                program.f(2)
                for code in codes:
                    monitoring.set_local_events(3, code, 0)
                program.f(0)
            for code in codes:
                monitoring.set_local_events(3, code, monitoring.events.LINE)
            with scene.measuring():
                program.f(2)
        assert seen

    compare(scenario)


def test_the_tool_id_of_coverage_is_taken(compare: Comparison, monitoring: Any) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load(PROGRAM)
        with other_tool(monitoring, monitoring.COVERAGE_ID, monitoring.events.PY_START):
            with scene.measuring():
                program.f(2)

    compare(scenario)


@contextlib.contextmanager
def other_tool(
    monitoring: Any, tool: int, events: int, answer: object = None
) -> Iterator[list[Any]]:
    """A tool beside us that is told of events, and answers always the same."""
    seen: list[Any] = []

    def callback(*args: object) -> object:
        seen.append(args)
        return answer

    monitoring.use_tool_id(tool, "other")
    for event in (monitoring.events.LINE, monitoring.events.PY_START, monitoring.events.PY_RETURN):
        monitoring.register_callback(tool, event, callback)
    monitoring.set_events(tool, events)
    try:
        yield seen
    finally:
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)
