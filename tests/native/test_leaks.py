"""Nothing stays: records, links and bytes of the C core go back to where they were."""

from __future__ import annotations

import gc
import sys
import weakref

import pytest

from quickcover import _native

from .measuring import grown, live, measure, measures, program, tracer_for


@pytest.fixture(params=[False, True], ids=["lines", "branches"])
def branch(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def _measure(engine: str, branch: bool) -> None:
    try:
        measure(engine, program(), "program.py", branch=branch)
    except RuntimeError as error:
        pytest.skip(str(error))


@pytest.mark.leak
def test_all_is_given_back(engine: str, branch: bool) -> None:
    for _ in range(3):  # what is met for the first time stays known: the tests' own code
        _measure(engine, branch)
        before = live()
    for _ in range(20):
        _measure(engine, branch)
    assert grown(before) == {}


@pytest.mark.leak
def test_code_dies_while_it_is_measured(engine: str, branch: bool) -> None:
    store = _native.Store(branch=branch)
    tracer = tracer_for(engine, store, measures("program.py"))
    try:
        tracer.start()
    except RuntimeError as error:
        pytest.skip(str(error))
    try:
        namespace: dict[str, object] = {}
        exec(compile("def f():\n    return 1\nf()\n", "program.py", "exec"), namespace)
        dead = weakref.ref(namespace["f"].__code__)  # type: ignore[attr-defined]
        namespace.clear()
        gc.collect()
        assert dead() is None
    finally:
        tracer.stop()
    lines: set[int] = set()
    for hit in store.drain()["program.py"]:
        lines.update(hit if isinstance(hit, tuple) else (hit,))
    assert {1, 2, 3} <= lines


@pytest.mark.leak
def test_the_same_code_again_and_again_takes_no_more_memory(engine: str) -> None:
    store = _native.Store()
    tracer = tracer_for(engine, store, measures("program.py"))
    run = program()
    tracer.start()
    try:
        for _ in range(50):
            run()
        grown(live())  # is code that is met, too
        before = live()
        for _ in range(500):
            run()
        assert grown(before) == {}
    finally:
        tracer.stop()


@pytest.mark.leak
def test_ever_new_code_stays_bounded(engine: str) -> None:
    store = _native.Store()
    tracer = tracer_for(engine, store, measures("program.py"))
    before = live()["bytes"]  # the ids that sessions gave out stay
    tracer.start()
    try:
        for k in range(20_000):
            source = f"x = {k}\n" + "\n" * (k % 7) + f"y = x + {k}\n"
            exec(compile(source, "program.py", "exec"), {})
        assert live()["bytes"] - before < 8 << 20
    finally:
        tracer.stop()
    assert sorted(store.drain()["program.py"]) == list(range(1, 9))


@pytest.mark.leak
def test_references_stay_flat(engine: str, branch: bool) -> None:
    names = "DISABLE", None, "program.py"
    values = [getattr(getattr(sys, "monitoring", None), names[0], None), *names[1:]]
    for _ in range(3):
        _measure(engine, branch)
    gc.collect()
    before = [sys.getrefcount(value) for value in values]
    for _ in range(40):
        _measure(engine, branch)
    gc.collect()
    for value, old in zip(values, before, strict=True):
        assert sys.getrefcount(value) - old < 20, f"references to {value!r} grow"


@pytest.mark.leak
@pytest.mark.skipif(not hasattr(sys, "gettotalrefcount"), reason="needs a debug build of Python")
def test_the_total_of_all_references_stays_flat(engine: str, branch: bool) -> None:
    def growth() -> int:
        before: int = sys.gettotalrefcount()  # type: ignore[attr-defined]
        for _ in range(100):
            _measure(engine, branch)
        gc.collect()
        return sys.gettotalrefcount() - before  # type: ignore[attr-defined,no-any-return]

    _measure(engine, branch)
    # CPython keeps what it makes for code around us that is monitored for the first time.
    assert any(growth() < 50 for _ in range(12))
