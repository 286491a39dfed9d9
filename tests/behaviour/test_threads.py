"""Programs with threads: begun before, while and after measuring."""

from __future__ import annotations

import _thread
import contextlib
import threading
import types
from collections.abc import Callable, Iterator

import pytest

from .scenes import Comparison, Scene

pytestmark = pytest.mark.filterwarnings("error::coverage.exceptions.CoverageWarning")

WORK = """
def first(x):
    if x:
        a = 1
    for i in range(x):
        a = i
    return x
def second(x):
    while x:
        x -= 1
    if x: return 1
def third(x):
    return [i for i in range(x) if i]
"""


class Worker:
    """A thread that does what it is told, one thing at a time."""

    def __init__(self) -> None:
        self._task: Callable[[], object] | None = None
        self._told = threading.Semaphore(0)
        self._done = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        self._told.acquire()
        while self._task is not None:
            self._task()
            self._done.release()
            self._told.acquire()

    def do(self, function: Callable[[int], object], x: int) -> None:
        self._task = lambda: function(x)
        self._told.release()
        self._done.acquire()

    def end(self) -> None:
        self._task = None
        self._told.release()
        self._thread.join()


@contextlib.contextmanager
def worker() -> Iterator[Worker]:
    """A worker that is sure to end."""
    one = Worker()
    try:
        yield one
    finally:
        one.end()


def in_threads(functions: list[Callable[[int], object]], x: int) -> None:
    """Call each function in a thread of its own."""
    threads = [threading.Thread(target=function, args=[x]) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_started_while_measuring(compare: Comparison) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load(WORK)
        with scene.measuring():
            in_threads([program.first, program.second, program.third], 2)
        with scene.measuring():
            in_threads([program.first, program.first], 0)
            program.second(1)

    compare(scenario)


def test_threads_started_by_threads(compare: Comparison) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load(
            WORK
            + """
import threading
def spawn(x):
    if x:
        thread = threading.Thread(target=spawn, args=[x - 1])
        thread.start()
        thread.join()
    else:
        first(1)
"""
        )
        with scene.measuring():
            in_threads([program.spawn], 3)

    compare(scenario)


def test_a_thread_that_outlives_the_stop(compare: Comparison) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load(WORK)
        used = scene.measurer()
        used.start()
        with worker() as thread:
            thread.do(program.first, 2)
            used.stop()
            scene.note(used)
            thread.do(program.second, 2)
            scene.note(used)

    compare(scenario)


def test_a_thread_from_one_measurement_in_the_next(compare: Comparison) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load(WORK)
        used = scene.measurer()
        used.start()
        with worker() as thread:
            thread.do(program.first, 2)
            used.stop()
            thread.do(program.first, 0)
            used.start()
            thread.do(program.second, 2)
            program.third(2)
            used.stop()
            scene.note(used)

    # To ctrace a thread is measured from its start to the next stop, and then never again.
    compare(scenario, sees_more=("monitoring", "probe", "python", "oracle"))


def test_a_thread_older_than_the_start(compare: Comparison) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load(WORK)
        with worker() as thread:
            thread.do(program.first, 1)
            with scene.measuring():
                thread.do(program.second, 2)
                program.third(2)

    # Only threads that begin while measuring are seen by ctrace; monitoring sees all.
    compare(scenario, sees_more=("monitoring", "probe", "python"))


def test_a_thread_without_the_threading_module(compare: Comparison) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load(WORK)
        with scene.measuring():
            done = threading.Lock()
            done.acquire()

            def work() -> None:
                program.first(2)
                done.release()

            _thread.start_new_thread(work, ())
            done.acquire()
            program.second(0)

    # Nothing tells ctrace of such a thread.
    compare(scenario, sees_more=("monitoring", "probe", "python"))


def test_a_thread_while_nested(compare: Comparison) -> None:
    def scenario(scene: Scene) -> None:
        one = scene.load(WORK, "one/a.py")
        two = scene.load(WORK, "two/b.py")
        with scene.measuring():
            in_threads([one.first, two.second], 1)
            with scene.measuring("two"):
                in_threads([one.second, two.first], 1)
            in_threads([one.third, two.third], 2)

    compare(scenario)


def test_a_generator_that_changes_threads(compare: Comparison) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load(
            """
def count(x):
    while x:
        yield x
        if x == 2:
            a = 1
        x -= 1
"""
        )
        with scene.measuring():
            counting = program.count(4)
            next(counting)
            for _ in range(2):
                in_threads([lambda _: next(counting)], 0)
            list(counting)

    compare(scenario)


def test_exceptions_in_threads(compare: Comparison) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load(
            """
def fail(x):
    try:
        if x: raise ValueError
        a = 1
    finally:
        b = 2
def leave(x):
    raise SystemExit
"""
        )
        hook, threading.excepthook = threading.excepthook, lambda args: None
        try:
            with scene.measuring():
                in_threads([program.fail, program.leave], 1)
        finally:
            threading.excepthook = hook

    compare(scenario)


def test_many_threads_at_once(compare: Comparison) -> None:
    def scenario(scene: Scene) -> None:
        programs: list[types.SimpleNamespace] = [scene.load(WORK, f"p{n}.py") for n in range(3)]
        with scene.measuring():
            for x in (0, 1, 2):
                in_threads([f for p in programs for f in (p.first, p.second, p.third)] * 2, x)

    compare(scenario)


def test_other_threads_of_the_program_and_its_own_settrace(compare: Comparison) -> None:
    def scenario(scene: Scene) -> None:
        program = scene.load(
            WORK
            + """
import threading
def run(x):
    seen = []
    threading.settrace(lambda frame, event, arg: seen.append(event))
    thread = threading.Thread(target=first, args=[x])
    thread.start()
    thread.join()
    return seen
"""
        )
        with scene.measuring():
            program.run(1)
            program.second(1)

    # The program has put its own function in the place of ctrace's.
    compare(scenario, sees_more=("monitoring", "probe", "python"))
