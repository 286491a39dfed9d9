"""One small workload under one engine, without coverage.py: what `check.py` counts instructions of.

    python micro.py DIRECTORY-OF-QUICKCOVER WORKLOAD ENGINE MODE N LAYOUT

ENGINE is none, or one of quickcover's; what surrounds the workload is the same for all of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

WORK = "work.py"

#: Sources that define `run(n)`; each has one kind of event in its loop.
SOURCES = {
    "loop": """
def run(n):
    total = 0
    i = 0
    while i < n:
        total += i
        i += 1
    return total
""",
    "branches": """
def run(n):
    total = 0
    for i in range(n):
        if i & 1:
            total += 1
        elif i & 2:
            total -= 1
        else:
            total += 2
        if i < 0:
            total = 0
    return total
""",
    "calls": """
def leaf(i):
    return i + 1

def run(n):
    total = 0
    for i in range(n):
        total += leaf(i)
    return total
""",
    "generators": """
def numbers(n):
    for i in range(n):
        yield i

def run(n):
    total = 0
    for i in numbers(n):
        total += i
    return total
""",
    "exceptions": """
def fail(i):
    raise KeyError(i)

def run(n):
    total = 0
    for i in range(n):
        try:
            fail(i)
        except KeyError:
            total += 1
    return total
""",
}

#: A function that is new to the engine each time: the cost of a first hit.
COLD = """
def fresh_{i}(a, b=1):
    total = a
    for i in range(b):
        if i > 5:
            total += {i}
        elif i > 4:
            total -= 1
        else:
            total += i
    while total > 1000:
        total -= 1
    return total or None
fresh_{i}(3)
"""


class Disposition:
    """What coverage.py would answer about a file."""

    file_tracer = None
    has_dynamic_filename = False

    def __init__(self, filename: str) -> None:
        self.source_filename = filename
        self.trace = filename == WORK


def tracer_of(engine: str, store: Any) -> Any:
    """A tracer that measures WORK alone."""
    from quickcover import _native

    names = {"trace": "TraceTracer", "monitoring": "MonitoringTracer", "probe": "ProbeTracer"}
    tracer = getattr(_native, names[engine])()
    tracer.data = store
    tracer.should_trace = lambda filename, frame: Disposition(filename)
    tracer.should_trace_cache = {}
    return tracer


def hot(name: str, n: int, store: Any) -> Callable[[], object]:
    """The same places, again and again."""
    namespace: dict[str, Any] = {}
    exec(compile(SOURCES[name], WORK, "exec"), namespace)
    return lambda: namespace["run"](n)


def cold(name: str, n: int, store: Any) -> Callable[[], object]:
    """Each place once."""
    text = "".join(COLD.replace("{i}", str(i)) for i in range(n))
    code = compile(text, WORK, "exec")
    return lambda: exec(code, {})


def renewed(name: str, n: int, store: Any) -> Callable[[], object]:
    """Every place again in each of n contexts, as with a context for each test."""
    run = hot("branches", 20, store)

    def work() -> None:
        for _ in range(n):
            run()
            if store is not None:
                store.drain()
                store.renew()

    return work


#: Each workload, with how many rounds to count: those of 2n less those of n.
WORKLOADS: dict[str, tuple[Callable[[str, int, Any], Callable[[], object]], int]] = {
    **dict.fromkeys(SOURCES, (hot, 4000)),
    "cold": (cold, 100),
    "renewed": (renewed, 100),
}


def main() -> None:
    """The command."""
    directory, name, engine, mode, n, layout = sys.argv[1:]
    sys.path.insert(0, directory)
    from quickcover import _native

    store = None if engine == "none" else _native.Store(branch=mode == "branches")
    work = WORKLOADS[name][0](name, int(n), store)
    # Small objects of each size move all later ones: see LAYOUTS in check.py.
    kept = [bytes(size) for size in range(0, 480, 8) for _ in range(int(layout))]
    if engine == "none":
        work()
        return
    tracer = tracer_of(engine, store)
    tracer.start()
    work()
    tracer.stop()
    del kept
    assert store is not None
    error = store.take_error()
    if error is not None:
        raise error
    if name != "renewed" and not store.drain():
        sys.exit("nothing was measured")


if __name__ == "__main__":
    main()
