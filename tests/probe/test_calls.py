"""Contexts that a plugin begins: while none is open, it is asked about every call."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

from .conftest import Load, Prober

SOURCE = """
def f(x): return x
def test(x): return f(x)
def deep(n): return f(n) if n == 0 else deep(n - 1)
def test_deep(n): return deep(n)
def gen(x):
    yield x
    yield f(x)
def failing(): raise KeyError
def calls(*functions):
    for each in functions: each()
"""

Ask = Callable[[FrameType], str | None]


def _by_name(frame: FrameType) -> str | None:
    name = frame.f_code.co_name
    return name if name.startswith("test") else None


class Asked:
    """Keeps what the plugin is asked about in `SOURCE`, and what it is told."""

    def __init__(self, answer: Ask) -> None:
        self.answer = answer
        self.names: list[str] = []
        self.switches: list[str | None] = []

    def __call__(self, frame: FrameType) -> str | None:
        if frame.f_globals.get("__name__") == "probed":
            self.names.append(frame.f_code.co_name)
            return self.answer(frame)
        return None


@pytest.fixture
def asking() -> Iterator[Callable[..., tuple[Prober, Asked]]]:
    probers: list[Prober] = []

    def start(answer: Ask = _by_name) -> tuple[Prober, Asked]:
        prober, asked = Prober(), Asked(answer)
        prober.tracer.should_start_context = asked
        prober.tracer.switch_context = asked.switches.append
        prober.start()
        probers.append(prober)
        return prober, asked

    yield start
    for prober in probers:
        prober.stop()


def test_every_call_is_asked_about_but_in_a_context(load: Load, asking: Any) -> None:
    prober, asked = asking()
    names = load(SOURCE)
    names.calls(lambda: names.f(1), lambda: names.test(2), lambda: names.f(3))
    assert asked.names == ["<module>", "calls", "f", "test", "f"]
    assert asked.switches == ["test", None]
    assert prober.arcs() >= {(2, -2), (1, -1)}


def test_generators_are_asked_about_each_time_they_go_on(load: Load, asking: Any) -> None:
    _, asked = asking(lambda frame: f"{frame.f_code.co_name} {frame.f_lineno}")
    gen = load(SOURCE).gen
    asked.names.clear()
    asked.switches.clear()
    generator = gen(1)
    assert not asked.names
    assert list(generator) == [1, 1]
    assert asked.names == ["gen"] * 3
    assert asked.switches == ["gen 5", None, "gen 6", None, "gen 7", None]


def test_it_sees_the_frame_as_it_is_to_begin(load: Load, asking: Any) -> None:
    seen: list[tuple[Any, ...]] = []

    def answer(frame: FrameType) -> None:
        assert frame.f_back is not None
        seen.append((frame, frame.f_back.f_code.co_name, frame.f_lineno, dict(frame.f_locals)))

    _, asked = asking(answer)
    names = load(
        """
        def outer(a, b):
            c = 3
            def inner(d, *e, f=5): return a, c, d, sys._getframe()
            return inner(b, 6)
        def cells(a):
            return lambda: a
        """
    )
    names.outer.__globals__["sys"] = sys
    seen.clear()
    own = names.outer(1, 2)[-1]
    names.cells(7)()
    frames, callers, lines, variables = zip(*seen, strict=True)
    assert frames[1] is own
    assert callers == (sys._getframe().f_code.co_name, "outer") + (callers[0],) * 2
    assert lines == (1, 3, 5, 6)
    assert variables[0] == {"a": 1, "b": 2}
    assert variables[1].items() >= {"d": 2, "e": (6,), "f": 5}.items()
    assert variables[2] == {"a": 7}


def test_a_context_ends_with_its_frame_however_that_ends(load: Load, asking: Any) -> None:
    _, asked = asking(lambda frame: frame.f_code.co_name if frame.f_code.co_name != "f" else None)
    names = load(SOURCE)
    asked.switches.clear()
    try:
        names.failing()
    except KeyError as error:
        assert error.__context__ is None
        assert error.__traceback__ is not None and error.__traceback__.tb_next is not None
        assert error.__traceback__.tb_next.tb_next is None
    generator = names.gen(1)
    next(generator)
    with pytest.raises(ValueError) as info:
        generator.throw(ValueError(1))
    assert info.value.args == (1,)
    generator.close()
    assert asked.switches == ["failing", None, "gen", None, "gen", None]


def test_the_exception_keeps_what_it_was_raised_in(load: Load, asking: Any) -> None:
    asking()
    names = load("def test():\n    try: 1 / 0\n    except ZeroDivisionError: raise KeyError(1)\n")
    try:
        raise OSError
    except OSError:
        with pytest.raises(KeyError) as info:
            names.test()
    assert isinstance(info.value.__context__, ZeroDivisionError)


def test_a_failing_plugin_stops_measuring_and_is_told(load: Load, asking: Any) -> None:
    def answer(frame: FrameType) -> str | None:
        if frame.f_code.co_name == "f":
            raise LookupError("no context")
        return None

    prober, _ = asking(answer)
    names = load(SOURCE)
    assert names.f(1) == 1
    with pytest.raises(LookupError, match="no context"):
        prober.arcs()


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("where", ["ask", "begin", "end"])
def test_an_interruption_is_the_programs(
    load: Load, asking: Any, interruption: type[BaseException], where: str
) -> None:
    prober, asked = asking()
    names = load(SOURCE)
    left = [1]

    def interrupt(this: str) -> None:
        if where == this and left:
            left.clear()
            raise interruption

    def ask(frame: FrameType) -> str | None:
        if frame.f_code.co_name == "test":
            interrupt("ask")
        return _by_name(frame)

    def switch(context: str | None) -> None:
        asked.switches.append(context)
        interrupt("end" if context is None else "begin")

    prober.tracer.should_start_context = ask
    prober.tracer.switch_context = switch
    with pytest.raises(interruption) as info:
        names.test(1)
    assert info.traceback[-1].name in ("interrupt", "test", sys._getframe().f_code.co_name)
    asked.switches.clear()
    assert names.test(1) == 1
    assert asked.switches == ["test", None]
    assert prober.lines() >= {1, 2}


def test_stopping_and_starting_in_a_context(load: Load, asking: Any) -> None:
    prober, asked = asking()
    names = load(SOURCE)
    names.calls.__globals__["test_restarts"] = test = load(
        "def test_restarts(stop, start, test):\n    stop()\n    test(1)\n    start()\n    test(2)\n"
    ).test_restarts
    test(prober.stop, prober.start, names.test)
    names.test(3)
    assert asked.switches == ["test_restarts", "test", None, "test", None]


@pytest.mark.parametrize("in_context", [False, True])
def test_deep_recursion(load: Load, asking: Any, in_context: bool) -> None:
    """It takes no room on C's stack, or not much of it."""
    prober, asked = asking()
    names = load(SOURCE)
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(60_000)
    try:
        assert (names.test_deep if in_context else names.deep)(50_000) == 0
    finally:
        sys.setrecursionlimit(before)
    assert names.test(1) == 1
    assert asked.switches[-2:] == ["test", None]
    assert asked.names.count("deep") < 40_000
    if in_context:
        assert prober.arcs()
    else:
        with pytest.raises(RuntimeWarning, match="deep recursion"):
            prober.arcs()


def test_the_recursion_limit_is_as_it_was(load: Load, asking: Any) -> None:
    prober, _ = asking()
    names = load("def endless(n, most):\n    most[0] = n\n    endless(n + 1, most)\n")

    def reached() -> int:
        most = [0]
        with pytest.raises(RecursionError):
            names.endless(1, most)
        return most[0]

    measured = reached()
    prober.stop()
    assert abs(reached() - measured) <= 1
    assert prober.arcs()  # no warning


def test_another_tool_evaluates_frames(load: Load, asking: Any, evaluators: Any) -> None:
    frames: list[str] = []
    evaluators.set_eval_frame_record(frames)
    prober, asked = asking()
    names = load(SOURCE)
    names.test(1)
    assert asked.switches == ["test", None]
    assert frames.count("test") == 1
    prober.stop()
    names.test(1)
    assert frames.count("test") == 2
    assert prober.arcs()


@pytest.mark.parametrize("kilobytes", [128, 512])
def test_a_thread_with_a_small_stack(load: Load, asking: Any, kilobytes: int) -> None:
    prober, _ = asking()
    names = load(SOURCE)
    results: list[int] = []
    before = threading.stack_size(kilobytes << 10)
    try:
        worker = threading.Thread(target=lambda: results.append(names.deep(900)))
        worker.start()
        worker.join()
    finally:
        threading.stack_size(before)
    assert results == [0]
    with pytest.raises(RuntimeWarning, match="deep recursion"):
        prober.arcs()


def test_another_tool_was_there_when_it_stopped(load: Load, asking: Any, evaluators: Any) -> None:
    """It may go on to our evaluator for ever: ours must not go on to it."""
    prober, asked = asking()
    names = load(SOURCE)
    evaluators.set_eval_frame_record([])
    prober.stop()
    prober.start()
    names.test(1)
    with pytest.raises(RuntimeWarning, match="contexts may be missing"):
        prober.arcs()
    evaluators.set_eval_frame_default()
    prober.stop()
    prober.start()
    names.test(1)
    assert asked.switches == ["test", None]


def test_another_tool_takes_its_place(load: Load, asking: Any, evaluators: Any) -> None:
    prober, asked = asking()
    names = load(SOURCE)
    names.test.__globals__["f"] = lambda x: evaluators.set_eval_frame_record([])
    names.test(1)
    names.test(1)
    evaluators.set_eval_frame_default()
    assert asked.switches == ["test", None]
    with pytest.raises(RuntimeWarning, match="contexts may be missing"):
        prober.arcs()


def test_the_plugin_stops_measuring(load: Load, asking: Any) -> None:
    prober, asked = asking()
    names = load(SOURCE)

    def stop(frame: FrameType) -> str | None:
        if frame.f_code.co_name == "test":
            prober.stop()
        return _by_name(frame)

    prober.tracer.should_start_context = stop
    names.test(1)
    assert not asked.switches
    prober.tracer.should_start_context = asked
    prober.start()
    names.test(1)
    assert asked.switches == ["test", None]


def test_another_thread_begins_a_context_meanwhile(load: Load, asking: Any) -> None:
    prober, asked = asking()
    names = load(SOURCE)
    waits, goes_on = threading.Event(), threading.Event()

    def ask(frame: FrameType) -> str | None:
        if frame.f_code.co_name == "test" and threading.current_thread() is worker:
            waits.set()
            assert goes_on.wait(60)
            return "the worker's"
        return _by_name(frame)

    def in_a_context(_x: int) -> None:
        goes_on.set()
        worker.join()
        asked.switches.append("over")

    prober.tracer.should_start_context = ask
    worker = threading.Thread(target=names.test, args=(1,))
    worker.start()
    assert waits.wait(60)
    names.test_deep.__globals__["deep"] = in_a_context
    names.test_deep(1)
    assert asked.switches == ["test_deep", "over", None]


def test_the_context_of_an_exception_stays_where_something_is_told(
    load: Load, asking: Any, evaluators: Any
) -> None:
    asking()
    names = load(
        """
        def test(take):
            try: raise OSError
            except OSError:
                take([])
                raise KeyError(1)
        """
    )
    with pytest.raises(KeyError) as info:
        names.test(evaluators.set_eval_frame_record)
    assert isinstance(info.value.__context__, OSError)


def test_threads(load: Load, asking: Any) -> None:
    """One context at a time: what another thread runs meanwhile belongs to it."""
    _, asked = asking()
    names = load(SOURCE)
    inside, over = threading.Event(), threading.Event()

    def wait(x: int) -> int:
        inside.set()
        assert over.wait(60)
        return x

    worker = threading.Thread(target=names.test, args=(1,))
    names.test.__globals__["f"] = wait
    worker.start()
    assert inside.wait(60)
    names.test.__globals__["f"] = int
    names.test(2)
    over.set()
    worker.join()
    names.test(3)
    assert asked.switches == ["test", None, "test", None]


def test_a_trace_function_does_not_see_it(load: Load, asking: Any) -> None:
    _, asked = asking()
    names = load(SOURCE)
    seen: list[str] = []

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        seen.append(frame.f_code.co_name)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        names.test(1)
    finally:
        sys.settrace(before)
    assert set(seen) == {"test", "f"}
    assert asked.switches == ["test", None]


def test_variables_die_with_their_frame(load: Load, asking: Any) -> None:
    _, asked = asking()
    names = load(
        """
        class Dies:
            def __init__(self, died): self.died = died
            def __del__(self): self.died.append(1)
        def f(died):
            one = Dies(died)
        def test(died):
            two = Dies(died)
        """
    )
    died: list[int] = []
    names.f(died)
    assert died == [1]
    asked.names.clear()
    names.test(died)
    assert died == [1, 1]
    assert asked.names == ["test", "__del__"]  # the context is over, as with a trace function


def test_the_code_of_the_plugin_counts_where_the_program_runs_it(load: Load, asking: Any) -> None:
    prober, _ = asking()
    names = load(
        """
        def ask(frame):
            return helper(frame.f_code.co_name) if frame is not None else None
        def helper(name):
            try:
                if name == "test": return name
                raise KeyError
            except KeyError:
                return None
        def test(x):
            return other(x)
        def other(x): return helper(x)
        """
    )
    prober.tracer.should_start_context = names.ask
    prober.arcs()
    for name in ("test", "other"):
        names.test(name)
    found = prober.arcs()
    raised = {(5, 6), (6, 7), (7, 8), (8, -3)}
    assert {arc for arc in found if 3 < arc[0] < 9} == {(4, 5), (5, -3), *raised}
    assert (2, -1) not in found
    assert names.ask(None) is None
    assert (2, -1) in prober.arcs()


def test_cells_with_long_arguments(load: Load, asking: Any) -> None:
    seen: list[dict[str, Any]] = []
    asking(lambda frame: seen.append(dict(frame.f_locals)))
    parameters = ", ".join(f"v{n}" for n in range(300))
    names = load(f"def f({parameters}):\n    return lambda: (v0, v299)\n")
    seen.clear()
    assert names.f(*range(300))() == (0, 299)
    assert seen == [{f"v{n}": n for n in range(300)}, {"v0": 0, "v299": 299}]
