"""What a program can see of twins and probes: nothing, but for what docs/engines.md names."""

from __future__ import annotations

import dis
import inspect
import io
import marshal
import pickle
import re
import sys
import traceback
import types
from typing import Any

import pytest

from .conftest import FILE, Load, Prober

SOURCE = """
def f(x):
    try:
        if x:
            return [y for y in range(x)]
        for a in x:
            pass
    except TypeError as error:
        raise ValueError from error
    finally:
        b = 1
"""


def _bare() -> Any:
    names: dict[str, Any] = {"__name__": "probed"}
    exec(compile(SOURCE.lstrip("\n"), "<bare>", "exec"), names)
    return names["f"]


@pytest.fixture
def f(prober: Prober, load: Load) -> Any:
    return load(SOURCE).f


@pytest.fixture
def code() -> types.CodeType:
    compiled = compile(SOURCE.lstrip("\n"), FILE, "exec")
    return next(c for c in compiled.co_consts if isinstance(c, types.CodeType))


def test_code_looks_like_its_original(f: Any, code: types.CodeType) -> None:
    twin = f.__code__
    for name in ("co_code", "co_consts", "co_linetable", "co_exceptiontable", "co_names", "co_stacksize"):
        assert getattr(twin, name) == getattr(code, name), name
    assert twin == code
    assert code == twin
    assert hash(twin) == hash(code)
    assert {twin: 1}[code] == 1
    assert list(twin.co_lines()) == list(code.co_lines())
    assert list(twin.co_positions()) == list(code.co_positions())
    assert marshal.loads(marshal.dumps(twin)) == code
    assert twin.replace() == code


def test_dis(f: Any, code: types.CodeType) -> None:
    def listing(what: Any, **kwargs: Any) -> str:
        out = io.StringIO()
        dis.dis(what, file=out, depth=0, **kwargs)
        return re.sub(" at 0x[0-9a-f]+", "", out.getvalue())

    assert listing(f) == listing(code)
    assert listing(f, adaptive=True) == listing(code)
    f(3)
    assert listing(f) == listing(code)


def test_tracebacks(f: Any) -> None:
    def told(function: Any) -> list[str]:
        try:
            function(0)
        except ValueError as error:
            text = "".join(traceback.format_exception(error))
            return text.replace("<bare>", FILE).splitlines()
        raise AssertionError

    assert told(f) == told(_bare())


def test_line_numbers_of_frames(prober: Prober, load: Load) -> None:
    lines = load("""
import sys
def lines():
    found = [sys._getframe().f_lineno]
    found.append(sys._getframe().f_lineno)
    return found, sys._getframe().f_lasti
""").lines
    first = lines()
    assert first[0] == [3, 4]
    assert lines() == first


def test_functions_pickle_by_name(prober: Prober) -> None:
    assert pickle.loads(pickle.dumps(exec)) is exec
    assert pickle.loads(pickle.dumps(eval)) is eval
    assert repr(exec) == "<built-in function exec>"
    assert str(inspect.signature(exec)) == "(source, globals=None, locals=None, /, *, closure=None)"


def test_exec_is_put_back() -> None:
    before = exec, eval, types.FunctionType.__new__
    prober = Prober()
    prober.start()
    prober.stop()
    assert (exec, eval, types.FunctionType.__new__) == before


def _events(function: Any) -> list[tuple[str, int]]:
    events: list[tuple[str, int]] = []

    def trace(frame: types.FrameType, event: str, arg: object) -> Any:
        if frame.f_code.co_name != "f":
            return None
        events.append((event, frame.f_lineno - frame.f_code.co_firstlineno))
        return trace

    sys.settrace(trace)
    try:
        function(3)
        function([])
    finally:
        sys.settrace(None)
    return events


def test_trace_functions_see_no_line_twice(f: Any) -> None:
    assert _events(f) == _events(_bare())


def test_a_trace_function_jumps(prober: Prober, load: Load) -> None:
    jump = load("""
def jump():
    found = []
    found.append(1)
    found.append(2)
    found.append(3)
    return found
""").jump

    def trace(frame: types.FrameType, event: str, arg: object) -> Any:
        if frame.f_code.co_name != "jump":
            return None
        if event == "line" and frame.f_lineno == 4:
            frame.f_lineno = 5
        return trace

    sys.settrace(trace)
    try:
        assert jump() == [1, 3]
    finally:
        sys.settrace(None)
