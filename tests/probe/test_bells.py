"""Code that nobody has called yet: its bell is unseen, and rings for whoever calls it first."""

from __future__ import annotations

import cProfile
import gc
import marshal
import sys
import threading
import types
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import FILE, Prober

SOURCE = """
def f(x):
    y = x + 1
    if y > 3:
        return [y, x]
    z = y * 2
    return (z, x)
""".lstrip("\n")

SHORT, LONG = {(2, 3), (3, 5), (5, 6), (6, -1)}, {(2, 3), (3, 4), (4, -1)}


def _inner(code: types.CodeType) -> types.CodeType:
    return next(item for item in code.co_consts if isinstance(item, types.CodeType))


def _clean() -> types.CodeType:
    return _inner(compile(SOURCE, "<clean>", "exec").replace(co_filename=FILE))


@pytest.fixture
def names() -> dict[str, Any]:
    return {"__name__": "probed"}


@pytest.fixture
def hung(prober: Prober, names: dict[str, Any]) -> types.CodeType:
    """The code of f, with a bell."""
    code = compile(SOURCE, FILE, "exec")
    exec(code, names)
    return _inner(code)


def _arcs(prober: Prober) -> set[tuple[int, int]]:
    return {arc for arc in prober.arcs() if max(arc) > 1}


@pytest.mark.parametrize(
    "look",
    [
        lambda code: code.co_code,
        lambda code: code.co_consts,
        lambda code: code.co_stacksize,
        lambda code: code.co_exceptiontable,
        lambda code: list(code.co_positions()),
        lambda code: code.replace(co_filename=""),
        lambda code: code.replace(co_filename="").co_code,
        lambda code: code.replace(co_filename="").co_stacksize,
        lambda code: marshal.dumps(code.replace(co_filename="")),
        lambda code: marshal.loads(marshal.dumps(code)).co_code,
        lambda code: marshal.loads(marshal.dumps(code)).co_stacksize,
        lambda code: code._co_code_adaptive,
    ],
)
def test_looks(hung: types.CodeType, look: Callable[[types.CodeType], object]) -> None:
    assert look(hung) == look(_clean())


def test_equality(prober: Prober, hung: types.CodeType, names: dict[str, Any]) -> None:
    other = _inner(compile(SOURCE, FILE, "exec"))
    for _ in range(2):
        assert hung == other
        assert other == hung
        assert hash(hung) == hash(other)
        names["f"](1)
        assert names["f"].__code__ == hung


def test_a_look_does_not_silence_it(
    prober: Prober, hung: types.CodeType, names: dict[str, Any]
) -> None:
    assert len(hung.co_code) > 0
    assert marshal.dumps(hung)
    assert hung.replace() == hung
    assert names["f"](1) == (4, 1)
    assert _arcs(prober) >= SHORT


def test_a_function_shows_the_same_code_before_and_after(
    prober: Prober, hung: types.CodeType, names: dict[str, Any]
) -> None:
    before = names["f"].__code__
    names["f"](5)
    assert names["f"].__code__ is before
    assert _arcs(prober) >= LONG


def test_calls(prober: Prober, hung: types.CodeType, names: dict[str, Any]) -> None:
    assert names["f"](1) == (4, 1)
    assert _arcs(prober) >= SHORT
    assert names["f"](5) == [6, 5]
    assert _arcs(prober) >= LONG - SHORT


def test_an_exception(prober: Prober, hung: types.CodeType, names: dict[str, Any]) -> None:
    with pytest.raises(TypeError) as info:
        names["f"]("")
    frame = info.traceback[-1]
    assert frame.lineno == 1
    assert frame.frame.code.raw == _clean()


def test_other_functions_of_the_same_code(
    prober: Prober, hung: types.CodeType, names: dict[str, Any]
) -> None:
    functions = [types.FunctionType(hung, {}) for _ in range(3)]
    nested = "def outer():\n" + "".join(f"    {line}\n" for line in SOURCE.splitlines())
    exec(compile(nested + "    return f\n", FILE, "exec"), names)
    functions += [names["outer"]() for _ in range(3)]
    for function in functions:
        for _ in range(2):
            assert function(1) == (4, 1)
            assert function(5) == [6, 5]
    assert _arcs(prober) >= {(line + 1, to + 1) for line, to in SHORT | LONG if line > 0 < to}
    assert names["outer"]()(1) == (4, 1)


def test_the_outer_function_is_gone(prober: Prober, names: dict[str, Any]) -> None:
    nested = "def outer():\n" + "".join(f"    {line}\n" for line in SOURCE.splitlines())
    exec(compile(nested + "    return f\n", FILE, "exec"), names)
    f = names.pop("outer")()
    gc.collect()
    assert f(1) == (4, 1)
    assert _arcs(prober) >= {(3, 4), (4, 6), (6, 7)}


def test_at_the_end_of_the_recursion_limit(prober: Prober, names: dict[str, Any]) -> None:
    def call_at(limit: int, function: Callable[[int], object]) -> object:
        before = sys.getrecursionlimit()
        try:
            sys.setrecursionlimit(limit)
            return function(1)
        except RecursionError:
            return None
        finally:
            sys.setrecursionlimit(before)

    source = "def f(x):\n    def g():\n        yield x\n    z = x + 1\n    return z\n"
    bare: dict[str, Any] = {}
    exec(compile(source, "<bare>", "exec"), bare)
    exec(compile(source, FILE, "exec"), names)
    limit = 1
    while call_at(limit, bare["f"]) is None:
        limit += 1
    assert call_at(limit - 1, names["f"]) is None
    assert call_at(limit, names["f"]) == 2
    assert _arcs(prober) >= {(2, 4), (4, 5)}


def test_under_a_trace_function(
    prober: Prober, hung: types.CodeType, names: dict[str, Any]
) -> None:
    def events(function: Callable[[int], object]) -> list[tuple[str, str, int]]:
        found = []

        def trace(frame: types.FrameType, event: str, arg: object) -> Any:
            found.append((frame.f_code.co_name, event, frame.f_lineno))
            assert frame.f_code.co_name != "f" or frame.f_code is function.__code__
            return trace

        sys.settrace(trace)
        function(1)
        sys.settrace(None)
        return found

    assert events(names["f"]) == events(types.FunctionType(_clean(), {}))
    assert _arcs(prober) >= SHORT


def test_under_a_profiler(prober: Prober, hung: types.CodeType, names: dict[str, Any]) -> None:
    found = []
    sys.setprofile(lambda frame, event, arg: found.append((frame.f_code.co_name, event)))
    names["f"](1)
    sys.setprofile(None)
    assert found[:2] == [("f", "call"), ("f", "return")]
    assert _arcs(prober) >= SHORT


def test_cprofile(prober: Prober, hung: types.CodeType, names: dict[str, Any]) -> None:
    profile = cProfile.Profile()
    profile.runcall(names["f"], 1)
    counts = {entry.code: entry.callcount for entry in profile.getstats()}
    calls = {code.co_name: n for code, n in counts.items() if not isinstance(code, str)}
    assert calls == {"f": 1}  # what C functions were called is by their names


@pytest.mark.parametrize("looks", [False, True])
def test_stop_and_start_again(
    prober: Prober, hung: types.CodeType, names: dict[str, Any], looks: bool
) -> None:
    nested = "def outer():\n" + "".join(f"    {line}\n" for line in SOURCE.splitlines())
    exec(compile(nested + "    return f\n", FILE, "exec"), names)
    names["outer"]()
    if looks:
        assert names["f"].__code__
    prober.stop()
    assert names["f"].__code__ is hung
    assert hung.co_code == _clean().co_code
    assert names["f"](1) == (4, 1)
    assert prober.arcs() and not prober.arcs()
    prober.start()
    try:
        assert names["f"](1) == (4, 1)
        assert names["outer"]()(5) == [6, 5]
        assert _arcs(prober) >= SHORT | {(3, 4), (4, 5)}
    finally:
        prober.stop()


def test_threads(prober: Prober, names: dict[str, Any]) -> None:
    source = "".join(SOURCE.replace("f(", f"f{k}(") for k in range(200))
    exec(compile(source, FILE, "exec"), names)

    def run() -> None:
        for k in range(200):
            assert names[f"f{k}"](1) == (4, 1)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert len(_arcs(prober)) >= 200 * len(SHORT)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring came with 3.12")
@pytest.mark.parametrize("stopped", [False, True])
def test_local_events(
    prober: Prober, hung: types.CodeType, names: dict[str, Any], stopped: bool
) -> None:
    monitoring = sys.monitoring
    tool, found = 4, []
    monitoring.use_tool_id(tool, "test")
    try:
        monitoring.register_callback(
            tool, monitoring.events.LINE, lambda code, line: found.append(line)
        )
        monitoring.set_local_events(tool, hung, monitoring.events.LINE)
        if stopped:
            prober.stop()
        assert names["f"](1) == (4, 1)
        assert found == [2, 3, 5, 6]
        monitoring.set_local_events(tool, hung, 0)
        assert names["f"](1) == (4, 1)
        assert found == [2, 3, 5, 6]
    finally:
        monitoring.free_tool_id(tool)
    assert stopped or _arcs(prober) >= SHORT


def test_another_tool_evaluates_frames(
    prober: Prober, hung: types.CodeType, names: dict[str, Any], evaluators: Any
) -> None:
    frames: list[str] = []
    evaluators.set_eval_frame_record(frames)
    found = names["f"](1)
    evaluators.set_eval_frame_default()
    assert found == (4, 1)
    assert "f" in frames and "ring" not in frames
    assert _arcs(prober) >= SHORT


def test_the_negative_of_a_class(prober: Prober) -> None:
    class Meta(type):
        pass

    class Negative(type):
        def __neg__(cls) -> str:
            return f"-{cls.__name__}"

    def error(cls: Any) -> str:
        with pytest.raises(TypeError) as info:
            -cls
        return str(info.value)

    plain, other, negative = Meta("A", (), {}), AssertionError, Negative("B", (), {})
    assert not hasattr(type, "__neg__")
    measured = error(plain), error(other)
    assert -negative == "-B"  # type: ignore[comparison-overlap]
    prober.stop()
    assert measured == (error(plain), error(other))
    assert measured == tuple(f"bad operand type for unary -: '{n}'" for n in ("Meta", "type"))


def test_code_that_ran_before(prober: Prober, names: dict[str, Any]) -> None:
    source = "def outer(v):\n" + "".join(f"    {line}\n" for line in SOURCE.splitlines())
    source += "    def g(y):\n        z = y + v\n        return z\n    return f(1), f(5), g(2)\n"
    prober.stop()
    exec(compile(source, FILE, "exec"), names)
    for _ in range(100):
        assert names["outer"](1) == ((4, 1), [6, 5], 3)
    prober.start()
    for _ in range(20):
        assert names["outer"](1) == ((4, 1), [6, 5], 3)
    expected = {(line + 1, to + 1) for line, to in SHORT | LONG if line > 0 < to}
    assert _arcs(prober) >= expected | {(9, 10)}


def test_the_tracer_is_stopped_while_it_decides(prober: Prober, names: dict[str, Any]) -> None:
    decide = prober.tracer.should_trace

    def stop_and_decide(name: str, frame: types.FrameType) -> object:
        if name == FILE:
            prober.stop()
        return decide(name, frame)

    prober.stop()
    prober.tracer.should_trace_cache = {}
    prober.tracer.should_trace = stop_and_decide
    prober.tracer.start()
    exec(compile(SOURCE, FILE, "exec"), names)
    assert names["f"](1) == (4, 1)
    assert names["f"].__code__ == _clean()
