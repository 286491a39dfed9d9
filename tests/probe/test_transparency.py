"""What a program can see of twins and probes: nothing, but for what docs/engines.md names."""

from __future__ import annotations

import dis
import inspect
import io
import marshal
import pdb
import pickle
import re
import sys
import textwrap
import traceback
import types
from collections.abc import Callable
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
    for name in (
        "co_code",
        "co_consts",
        "co_linetable",
        "co_exceptiontable",
        "co_names",
        "co_stacksize",
    ):
        assert getattr(twin, name) == getattr(code, name), name
    assert twin == code
    assert code == twin
    assert hash(twin) == hash(code)
    assert {twin: 1}[code] == 1
    assert list(twin.co_lines()) == list(code.co_lines())
    assert list(twin.co_positions()) == list(code.co_positions())
    assert marshal.loads(marshal.dumps(twin)) == code
    assert twin.replace() == code


@pytest.mark.parametrize(
    "look",
    [
        lambda code: code.co_code,
        lambda code: code.replace().co_code,
        lambda code: marshal.loads(marshal.dumps(code)).co_code,
        lambda code: marshal.loads(marshal.dumps([code]))[0].co_code,
    ],
)
def test_the_first_look_at_code_that_never_ran(
    f: Any, code: types.CodeType, look: Callable[[types.CodeType], bytes]
) -> None:
    assert look(f.__code__) == code.co_code


def test_code_of_a_running_frame_marshalled(prober: Prober) -> None:
    """What stands in its constants never ran, or has probes."""
    source = textwrap.dedent("""
    def outer():
        def ran(x):
            return lambda: [x for x in x]

        def never(x):
            return lambda: {x for x in x}

        yield
        ran([1])
        yield
    """)
    names: dict[str, Any] = {}
    exec(compile(source, FILE, "exec"), names)
    prober.stop()
    running = names["outer"]()
    next(running)
    prober.start()
    copies = [marshal.loads(marshal.dumps(running.gi_code))]
    next(running)
    copies.append(marshal.loads(marshal.dumps(running.gi_code)))
    for copy in copies:
        assert _bytecode(copy) == _bytecode(names["outer"].__code__)
        assert _bytecode(copy) == _bytecode(_inner(compile(source, FILE, "exec")))


def _inner(code: types.CodeType) -> types.CodeType:
    return next(c for c in code.co_consts if isinstance(c, types.CodeType))


def _bytecode(code: types.CodeType) -> list[bytes]:
    """That of the code and all code in it."""
    inner = (_bytecode(c) for c in code.co_consts if isinstance(c, types.CodeType))
    return [code.co_code, *(one for some in inner for one in some)]


def test_dis(f: Any, code: types.CodeType) -> None:
    def listing(what: Any, **kwargs: Any) -> str:
        out = io.StringIO()
        dis.dis(what, file=out, depth=0, **kwargs)
        return re.sub(" at 0x[0-9a-f]+", "", out.getvalue())

    assert listing(f) == listing(code)
    assert listing(f, adaptive=True) == listing(code, adaptive=True)
    f(3)
    assert listing(f) == listing(code)


def test_a_specialised_loop_whose_end_was_not_seen(prober: Prober, load: Load) -> None:
    source = "def f(items):\n    for item in items:\n        if item > 200:\n            return\n"
    bare: dict[str, Any] = {}
    exec(compile(source, "<bare>", "exec"), bare)

    def loops(f: Any) -> list[str]:
        for _ in range(3):
            f(range(1000))
        names = [one.opname for one in dis.get_instructions(f, adaptive=True)]
        return [name for name in names if name.startswith("FOR_ITER")]

    assert loops(load(source).f) == loops(bare["f"])


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
    before = inspect.signature(exec)
    prober.stop()
    assert inspect.signature(exec) == before


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


def test_trace_functions_of_opcodes_see_no_line_twice(prober: Prober, load: Load) -> None:
    source = """
def f(x):
    try:
        y = 1 / x
        z = [y]
    except ZeroDivisionError:
        y = 2
    finally:
        z = 3
    return y, z
""".lstrip("\n")

    def lines(function: Callable[[int], object]) -> list[int]:
        found = []

        def trace(frame: types.FrameType, event: str, arg: object) -> Any:
            frame.f_trace_opcodes = True
            if event == "line":
                found.append(frame.f_lineno)
            return trace

        sys.settrace(trace)
        function(0)
        function(1)
        sys.settrace(None)
        return found

    bare: dict[str, Any] = {}
    exec(compile(source, "<bare>", "exec"), bare)
    assert lines(load(source).f) == lines(bare["f"])


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


def test_attributes_of_code_with_a_way_out(prober: Prober, load: Load) -> None:
    source = "def f(x):\n    for i in x:\n        pass\n"
    f = load(source).f
    f([1])
    compiled = compile(source, FILE, "exec")
    code = next(c for c in compiled.co_consts if isinstance(c, types.CodeType))
    assert f.__code__.co_exceptiontable == code.co_exceptiontable == b""
    assert f.__code__.co_stacksize == code.co_stacksize
    assert f.__code__ == code
    assert f.__code__.replace() == code
    assert marshal.loads(marshal.dumps(f.__code__)) == code


def test_cloudpickle(prober: Prober, load: Load) -> None:
    cloudpickle = pytest.importorskip("cloudpickle")
    f = load("def f(x):\n    for i in x:\n        pass\n    return 7\n").f
    f([1])
    copy = pickle.loads(cloudpickle.dumps(f))
    assert copy([2]) == 7
    with pytest.raises(TypeError):
        copy(None)


def test_pdb(prober: Prober, load: Load) -> None:
    f = load("def f(x):\n    a = x\n    for i in range(2):\n        a += i\n    return a\n").f

    def session() -> str:
        out = io.StringIO()
        debugger = pdb.Pdb(stdin=io.StringIO("s\nn\nn\nn\np a\nn\nn\nr\nc\n"), stdout=out)
        assert debugger.runcall(f, 5) == 6
        return re.sub("0x[0-9a-f]+", "", out.getvalue())

    first = session()
    assert session() == first
    prober.stop()
    assert session() == first
