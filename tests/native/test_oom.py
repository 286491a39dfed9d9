"""Every allocation of the extension fails once: no crash, and what was recorded is kept."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from quickcover import _native

from .measuring import measures, program, tracer_for

MOST = 2_000


@pytest.fixture(autouse=True)
def no_garbage() -> Iterator[None]:
    """Only `_attempt` collects: starting enters each function there is, the dead ones too."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def _attempt(engine: str, branch: bool, fail_at: int) -> tuple[bool, dict[str, object]]:
    """Measure with the `fail_at`-th allocation failing: did one fail, and what was recorded?"""
    store = _native.Store(branch=branch)
    tracer = tracer_for(engine, store, measures("program.py"))
    failed = False
    gc.collect(0)  # what the last attempt left
    _native._fail_after(fail_at)
    try:
        try:
            tracer.start()
        except MemoryError:
            return True, {}
        try:
            program()()
        finally:
            tracer.stop()
        failed = isinstance(store.take_error(), MemoryError)
        try:
            data = store.drain()
        except MemoryError:
            failed = True
            data = store.drain()
    finally:
        _native._fail_after(0)
    return failed, data


def _unknown(hits: Any, whole: Any) -> set[Any]:
    """What is hit that a whole run doesn't hit.

    (n, n) says that line n was hit and that nothing is known of what came before and after it: as
    where measuring ended there.
    """
    lines = {abs(line) for arc in whole if isinstance(arc, tuple) for line in arc}
    return set(hits) - set(whole) - {(line, line) for line in lines}


@pytest.mark.oom
@pytest.mark.parametrize("branch", [False, True], ids=["lines", "branches"])
def test_each_allocation_fails_once(engine: str, branch: bool) -> None:
    try:
        _, whole = _attempt(engine, branch, 0)
    except RuntimeError as error:
        pytest.skip(str(error))
    failures = 0
    for n in range(1, MOST):
        failed, data = _attempt(engine, branch, n)
        for filename, hits in data.items():
            assert _unknown(hits, whole[filename]) == set()
        if not failed:
            assert {name: set(hits) for name, hits in data.items()} == {  # type: ignore[call-overload]
                name: set(hits)
                for name, hits in whole.items()  # type: ignore[call-overload]
            }
            if n > failures + 50:
                break
        failures += failed
    else:
        pytest.fail(f"still failing after {MOST} allocations")
    assert failures > 5


@pytest.mark.oom
def test_a_renewal_that_fails_loses_nothing(engine: str) -> None:
    for n in range(1, 50):
        store = _native.Store()
        tracer = tracer_for(engine, store, measures("program.py"))
        tracer.start()
        program()()
        tracer.stop()
        lost: set[int] = set()
        _native._fail_after(n)
        try:
            store.renew()
        except MemoryError:
            pass
        finally:
            _native._fail_after(0)
        for lines in store.drain().values():
            lost.update(lines)  # type: ignore[arg-type]
        assert lost >= {1, 2, 3, 4, 5, 7, 8}
