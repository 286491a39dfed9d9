"""Programs that use sys.settrace themselves, and tools that run beside us.

A tracing measurer is a user of sys.settrace among others: who sets another function ends it. The
monitoring engine isn't, and goes on; so there it may see more than ctrace.
"""

from __future__ import annotations

import sys

import pytest

from .running import drive
from .scenes import Comparison, Scene

pytestmark = pytest.mark.filterwarnings("ignore::coverage.exceptions.CoverageWarning")

BEYOND = ("monitoring", "probe",)


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

    compare(scenario)


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
