"""Measuring with a bare tracer, without coverage.py: for tests of the C core alone."""

from __future__ import annotations

import gc
from collections.abc import Callable
from types import FrameType
from typing import Any

from quickcover import _native

TRACERS = {"trace": "TraceTracer", "monitoring": "MonitoringTracer", "probe": "ProbeTracer"}


class Disposition:
    """What coverage.py answers about a file."""

    def __init__(self, filename: str, trace: bool) -> None:
        self.source_filename = filename
        self.trace = trace
        self.file_tracer = None
        self.has_dynamic_filename = False


def measures(*filenames: str) -> Callable[[str, FrameType], Disposition]:
    """A `should_trace` for these files."""
    return lambda filename, frame: Disposition(filename, filename in filenames)


def tracer_for(
    engine: str, store: _native.Store, should_trace: Callable[[str, FrameType], Any]
) -> Any:
    """A tracer of an engine, ready to start."""
    tracer = getattr(_native, TRACERS[engine])()
    tracer.data = store
    tracer.should_trace = should_trace
    tracer.should_trace_cache = {}
    return tracer


def measure(
    engine: str,
    work: Callable[[], object],
    *filenames: str,
    branch: bool = False,
) -> dict[str, Any]:
    """What `work` hits in these files."""
    store = _native.Store(branch=branch)
    tracer = tracer_for(engine, store, measures(*filenames))
    tracer.start()
    try:
        work()
    finally:
        tracer.stop()
    error = store.take_error()
    if error is not None:
        raise error
    return store.drain()


def live() -> dict[str, int]:
    """What the C core holds, once what is garbage is gone."""
    gc.collect()
    return _native.live()


def grown(before: dict[str, int]) -> dict[str, int]:
    """By how much the C core holds more than `before`; less is not a leak, other code may die."""
    return {name: n - before[name] for name, n in live().items() if n > before[name]}


SOURCE = """\
def function(n):
    total = 0
    for i in range(n):
        if i % 2:
            total += i
        else:
            total -= i
    return total

def generator(n):
    for i in range(n):
        yield i

class Class:
    def method(self):
        try:
            raise KeyError(1)
        except KeyError:
            return [x for x in generator(3)]
        finally:
            self.done = True

function(5)
Class().method()
"""


def program(filename: str = "program.py", source: str = SOURCE) -> Callable[[], object]:
    """Something to measure: each call compiles and runs the source anew."""
    return lambda: exec(compile(source, filename, "exec"), {"__name__": "program"})
