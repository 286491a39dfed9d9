"""Starting, stopping, nesting, renewing: what each store sees."""

from __future__ import annotations

import gc
import struct
import threading
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from quickcover import _native

from .measuring import measure, measures, program, tracer_for

ALL_LINES = {1, 2, 3, 4, 5, 7, 8, 10, 11, 12, 14, 15, 16, 17, 18, 19, 21, 23, 24}


def _function(
    filename: str = "program.py",
    source: str = "def f(x):\n    if x:\n        return 1\n    return 2\n",
) -> object:
    namespace: dict[str, object] = {}
    exec(compile(source, filename, "exec"), namespace)
    return namespace["f"]


def test_all_lines(engine: str) -> None:
    assert set(measure(engine, program(), "program.py")["program.py"]) == ALL_LINES


def test_every_start_sees_everything_again(engine: str) -> None:
    f = _function()
    for _ in range(3):
        assert set(measure(engine, lambda: f(1), "program.py")["program.py"]) == {2, 3}


def test_decisions_belong_to_one_store(engine: str) -> None:
    f = _function()
    assert measure(engine, lambda: f(1), "other.py") == {}
    assert measure(engine, lambda: f(1), "program.py") == {"program.py": [2, 3]}
    assert measure(engine, lambda: f(1), "other.py") == {}


def test_a_paused_store_goes_on(engine: str) -> None:
    f = _function()
    outer_store, inner_store = _native.Store(), _native.Store()
    outer = tracer_for(engine, outer_store, measures("program.py"))
    inner = tracer_for(engine, inner_store, measures("program.py"))
    outer.start()
    f(1)
    outer.stop()
    inner.start()
    f(0)
    inner.stop()
    outer.start()
    f(1)
    f(0)
    outer.stop()
    assert sorted(inner_store.drain()["program.py"]) == [2, 4]
    assert sorted(outer_store.drain()["program.py"]) == [2, 3, 4]


def test_drain_gives_only_what_is_new(engine: str) -> None:
    f = _function()
    store = _native.Store()
    tracer = tracer_for(engine, store, measures("program.py"))
    tracer.start()
    f(1)
    assert sorted(store.drain()["program.py"]) == [2, 3]
    f(1)
    assert store.drain() == {}
    f(0)
    tracer.stop()
    assert store.drain() == {"program.py": [4]}


@pytest.mark.parametrize("branch", [False, True])
def test_packed_hits_are_the_same(branch: bool) -> None:
    drained: list[dict[str, Any]] = []
    for packed in (False, True):
        store = _native.Store(branch=branch)
        tracer = tracer_for("trace", store, measures("program.py"))
        tracer.start()
        program()()
        tracer.stop()
        drained.append(store.drain(packed))  # type: ignore[call-overload]
        assert store.drain(packed=packed) == {}  # type: ignore[call-overload]
    item = struct.Struct("ii" if branch else "i")
    unpacked = list(item.iter_unpack(drained[1]["program.py"]))
    seen = [arc if branch else (arc,) for arc in drained[0]["program.py"]]
    assert unpacked == (sorted(seen) if branch else seen)


def test_turn_drains_and_renews(engine: str) -> None:
    f = _function()
    store = _native.Store()
    tracer = tracer_for(engine, store, measures("program.py"))
    tracer.start()
    for x in (1, 0, 1, 1):
        f(x)
        before, meanwhile = store.turn()
        lines = [line for (line,) in struct.iter_unpack("i", before["program.py"])]
        assert sorted(lines) == [2, 3 if x else 4]
        assert meanwhile == {}
    assert store.turn() == ({}, {})
    tracer.stop()


def test_renew_shows_everything_again(engine: str) -> None:
    f = _function()
    store = _native.Store()
    tracer = tracer_for(engine, store, measures("program.py"))
    tracer.start()
    for x in (1, 0, 1, 1):
        f(x)
        assert sorted(store.drain()["program.py"]) == [2, 3 if x else 4]
        store.renew()
    tracer.stop()


def test_renew_keeps_what_was_not_drained(engine: str) -> None:
    f = _function()
    store = _native.Store()
    tracer = tracer_for(engine, store, measures("program.py"))
    tracer.start()
    f(1)
    store.renew()
    f(0)
    tracer.stop()
    assert sorted(store.drain()["program.py"]) == [2, 3, 4]


def test_duplicates_share_what_was_seen(engine: str) -> None:
    store = _native.Store()
    tracer = tracer_for(engine, store, measures("program.py"))
    tracer.start()
    for x in (1, 1, 1, 0, 1):
        _function()(x)  # type: ignore[operator]
    tracer.stop()
    assert sorted(store.drain()["program.py"]) == [1, 2, 3, 4]


def test_renew_reaches_duplicates_that_were_never_armed(engine: str) -> None:
    functions = [_function(source="def f(x):\n    return 1\n") for _ in range(9)]
    store = _native.Store()
    tracer = tracer_for(engine, store, measures("program.py"))
    tracer.start()
    for f in functions:
        f(0)  # type: ignore[operator]
    for f in reversed(functions):
        assert store.drain() in ({"program.py": [2]}, {})
        store.renew()
        f(0)  # type: ignore[operator]
        assert store.drain() == {"program.py": [2]}
    tracer.stop()


def test_an_error_in_the_decision_is_latched(engine: str) -> None:
    def fail(filename: str, frame: object) -> object:
        raise ZeroDivisionError(filename)

    store = _native.Store()
    tracer = tracer_for(engine, store, fail)
    tracer.start()
    program()()
    tracer.stop()
    assert isinstance(store.take_error(), ZeroDivisionError)
    assert store.take_error() is None


def _interrupted(interruption: type[BaseException]) -> Callable[[str, FrameType], Any]:
    """A `should_trace` for program.py that a signal handler interrupts the first time."""
    interruptions = [interruption]

    def should_trace(filename: str, frame: FrameType) -> Any:
        if filename == "program.py" and interruptions:
            raise interruptions.pop()
        return measures("program.py")(filename, frame)

    return should_trace


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interruption_of_the_decision_is_the_programs(
    engine: str, interruption: type[BaseException]
) -> None:
    f: Any = _function()
    store = _native.Store()
    tracer = tracer_for(engine, store, _interrupted(interruption))
    if engine == "probe":  # it decides about functions that exist when it starts
        with pytest.raises(interruption):
            tracer.start()
    tracer.start()
    if engine != "probe":
        with pytest.raises(interruption):
            f(1)
    assert f(1) == 1
    tracer.stop()
    assert store.take_error() is None
    assert store.drain() == {"program.py": [2, 3]}


@pytest.mark.parametrize("branch", [False, True])
@pytest.mark.parametrize("resume", ["throw", "send"])
def test_an_interruption_of_the_decision_about_a_resumed_generator(
    branch_engine: str, resume: str, branch: bool
) -> None:
    generator: Any = _function(source="def f():\n    yield 1\n    yield 2\n")
    one, two = generator(), generator()
    next(one)
    next(two)
    store = _native.Store(branch=branch)
    tracer = tracer_for(branch_engine, store, _interrupted(KeyboardInterrupt))
    if branch_engine == "probe":  # it decides about generators that exist when it starts
        with pytest.raises(KeyboardInterrupt):
            tracer.start()
    tracer.start()
    if branch_engine != "probe":
        with pytest.raises(KeyboardInterrupt):
            getattr(one, resume)(ValueError())
    assert next(two) == 2
    tracer.stop()
    assert store.take_error() is None


def test_an_interrupted_call_ends_its_context() -> None:
    f: Any = _function()
    switches: list[str | None] = []
    tracer = tracer_for("trace", _native.Store(), _interrupted(KeyboardInterrupt))
    tracer.should_start_context = lambda frame: "f" if frame.f_code is f.__code__ else None
    tracer.switch_context = switches.append
    tracer.start()
    with pytest.raises(KeyboardInterrupt):
        f(1)
    tracer.stop()
    assert switches == ["f", None]


def test_data_must_be_a_store(engine: str) -> None:
    tracer = tracer_for(engine, _native.Store(), measures())
    with pytest.raises(TypeError, match="Store"):
        tracer.data = {}


def test_start_needs_its_attributes(engine: str) -> None:
    tracer = type(tracer_for(engine, _native.Store(), measures()))()
    with pytest.raises(TypeError, match="should_trace"):
        tracer.start()


def test_threads_and_code_that_comes_and_goes(engine: str) -> None:
    """Start, stop, renew and drain while other threads run, make and drop code."""
    store = _native.Store()
    done = threading.Event()
    errors: list[BaseException] = []

    def work() -> None:
        try:
            while not done.is_set():
                program()()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        seen: set[int] = set()
        for k in range(60):
            tracer = tracer_for(engine, store, measures("program.py"))
            tracer.start()
            program()()
            if k % 3 == 0:
                seen.update(store.drain().get("program.py", []))  # type: ignore[arg-type]
                store.renew()
            tracer.stop()
    finally:
        done.set()
        for thread in threads:
            thread.join()
    seen.update(store.drain().get("program.py", []))  # type: ignore[arg-type]
    assert not errors
    error = store.take_error()
    if engine == "probe":  # that a generator ran just when it started is told
        assert error is None or isinstance(error, RuntimeWarning)
    else:
        assert error is None
    assert seen == ALL_LINES


def test_a_tracer_outlives_the_decision_that_another_thread_waits_for(engine: str) -> None:
    """It is stopped and let go of while `should_trace` runs, in a callback of it."""
    if engine == "trace":
        pytest.skip("a thread has a tracer of its own")
    asked, answer = threading.Event(), threading.Event()
    file = f"outlived by {engine}.py"  # no other test's, which may be met here

    def should_trace(filename: str, frame: FrameType) -> Any:
        if filename == file:
            asked.set()
            assert answer.wait(60)
        return measures(file)(filename, frame)

    def only_the_tracer_has_this(filename: str, frame: FrameType) -> bool:
        return True

    store = _native.Store()
    tracer = tracer_for(engine, store, should_trace)
    tracer.check_include = only_the_tracer_has_this
    tracer_lives = weakref.ref(only_the_tracer_has_this)
    del only_the_tracer_has_this
    results: list[object] = []

    def work() -> None:
        results.append(_function(file)(1))  # type: ignore[operator]

    tracer.start()
    worker = threading.Thread(target=work)
    worker.start()
    assert asked.wait(60)
    tracer.stop()
    del tracer
    gc.collect()
    alive = tracer_lives() is not None
    answer.set()
    worker.join()
    assert alive
    assert results == [1]
    assert store.take_error() is None
    assert tracer_lives() is None
