"""Every allocation of the extension fails once: no crash, and what was recorded is kept."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quickcover import _native

from .measuring import measures, program, tracer_for

MOST = 2_000
#: `make oom` lets each allocation fail; elsewhere, where that takes too long, every few.
STEP = int(os.environ.get("OOM_STEP", "7"))


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
    for n in range(1, MOST, STEP):
        failed, data = _attempt(engine, branch, n)
        for filename, hits in data.items():
            assert _unknown(hits, whole[filename]) == set()
        if not failed:
            assert {name: set(hits) for name, hits in data.items()} == {  # type: ignore[call-overload]
                name: set(hits)
                for name, hits in whole.items()  # type: ignore[call-overload]
            }
            if n > failures * STEP + 50:
                break
        failures += failed
    else:
        pytest.fail(f"still failing after {MOST} allocations")
    assert failures * STEP > 5


@pytest.mark.oom
def test_a_renewal_that_fails_loses_nothing(engine: str) -> None:
    for n in range(1, 50, min(STEP, 3)):
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


@pytest.mark.oom
def test_a_turn_that_fails_loses_nothing(engine: str) -> None:
    """What was recorded comes with this context or, after an error, with a later one."""
    failures = 0
    for n in range(1, 60, min(STEP, 3)):
        store = _native.Store()
        tracer = tracer_for(engine, store, measures("program.py"))
        tracer.start()
        program()()
        found: list[dict[str, bytes] | None] = []
        _native._fail_after(n)
        try:
            found += store.turn()
        except MemoryError:
            failures += 1
        finally:
            _native._fail_after(0)
        if None in found:
            assert isinstance(store.take_error(), MemoryError)
            failures += 1
        tracer.stop()
        found.append(store.drain(packed=True))
        lines = {
            line
            for recorded in found
            for packed in (recorded or {}).values()
            for line in memoryview(packed).cast("i")
        }
        assert lines >= {1, 2, 3, 4, 5, 7, 8}
    assert failures > 0 or engine == "trace"  # which needs no memory for it


@pytest.mark.oom
@pytest.mark.slow
def test_each_allocation_of_python_fails_once(engine: str) -> None:
    """No crash but those that CPython has by itself, when it makes a class."""
    pytest.importorskip("_testcapi")
    branch = engine != "monitoring"

    def outcomes(name: str) -> dict[str, int]:
        done = subprocess.run(
            [sys.executable, "-m", "tests.native.nomemory", name, str(branch), "1", "400"],
            cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True,
        )  # fmt: skip
        counts: dict[str, int] = json.loads(done.stdout)
        return counts

    plain, measured = outcomes("none"), outcomes(engine)
    assert measured["crash"] <= plain["crash"]
    assert measured["failed"] > plain["failed"] > 0
    assert measured["lost"] <= 2  # CPython may drop an event, and say nothing
