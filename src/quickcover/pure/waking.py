"""Functions that instrument themselves when they are called for the first time.

Most functions of an imported package are never called.  So those that the body of a module or
class makes get a stub for their code: it has all that can be seen of a function's signature, and
its first call puts the instrumented code in its place.  The stub's frame is hidden from tracebacks
and `sys._getframe` (PyPy can do that).

If somebody makes another function of the stub's code, that has globals and a closure of its own;
so the stub calls a function that it makes in its own frame.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

from quickcover.pure import bytecode

try:
    import __pypy__  # type: ignore[import-not-found]
except ImportError:
    __pypy__ = None


def hidden(function: Any) -> Any:
    """Hide a function's frames, where that is possible; return the function."""
    return function if __pypy__ is None else __pypy__.hidden_applevel(function)


#: How far away the caller of a hidden function is for it.
CALLER = 1 if __pypy__ is None else 0


def quietly(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function of ours without debuggers and profilers seeing it.

    (But for cProfile, which PyPy has in another way.)
    """
    trace, profile = sys.gettrace(), sys.getprofile()
    if trace is None and profile is None:
        return function(*args)
    sys.settrace(None)
    if callable(profile):
        sys.setprofile(None)
    try:
        return function(*args)
    finally:
        if callable(profile):
            sys.setprofile(profile)
        sys.settrace(trace)


hidden(quietly)


class Stub:
    """Marks the code of stubs: the last of their constants, and what leads back."""

    __slots__ = ("original",)

    def __init__(self, original: CodeType) -> None:
        """Remember what the stub stands for."""
        self.original = original

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        """Pickled, it is nothing."""
        return type(None), ()


def stub_of(code: CodeType) -> Stub | None:
    """What marks this code as a stub's; None if it is none."""
    last = code.co_consts[-1] if code.co_consts else None
    return last if type(last) is Stub else None


def can_sleep(code: CodeType) -> bool:
    """Can a stub stand for this code?  Not for generators and coroutines."""
    return bool(code.co_flags & bytecode.CO_OPTIMIZED) and not (
        code.co_flags & bytecode.CO_SUSPENDED
    )


def put_to_sleep(
    function: FunctionType,
    wake: Callable[[CodeType], CodeType | None],
    each_call: Callable[..., Any] | None = None,
) -> None:
    """Have a function get other code when it is called for the first time.

    Args:
        function: the function.
        wake: given the function's code, returns the code to run; None to run that, and sleep on.
        each_call: the function keeps its stub, and this is called instead of it each time: with a
            function of the code to run, the original code, and positional and named arguments.
    """
    awake = _Awake(function, wake, each_call)
    awake.stub = function.__code__ = _stub(awake.original, awake)
    hidden(function)


class _Awake:
    """What a stub calls, with a function of the original code and all arguments."""

    __slots__ = ("each_call", "function", "original", "stub", "wake")

    def __init__(
        self,
        function: FunctionType,
        wake: Callable[[CodeType], CodeType | None],
        each_call: Callable[..., Any] | None,
    ) -> None:
        self.function = function
        self.original = function.__code__
        self.wake = wake
        self.each_call = each_call
        self.stub: CodeType | None = None

    def __call__(
        self,
        made: FunctionType,
        positional: tuple[Any, ...],
        rest: tuple[Any, ...] | None,
        keywords: tuple[Any, ...],
        others: dict[str, Any] | None,
    ) -> Any:
        woken = quietly(self.wake, self.original)
        if woken is not None:
            made.__code__ = woken
        if self.each_call is not None:
            given, named = _arguments(self.original, positional, rest, keywords, others)
            return self.each_call(made, self.original, given, named)
        if woken is not None and self.function.__code__ is self.stub:
            self.function.__code__ = woken
        return call_unmeasured(made, positional, rest, keywords, others)

    def __reduce__(self) -> tuple[Callable[[], Callable[..., Any]], tuple[()]]:
        """Pickled with the stub's code, it has the original code run."""
        return _pickled, ()


def _pickled() -> Callable[..., Any]:
    return call_unmeasured


def call_unmeasured(
    made: FunctionType,
    positional: tuple[Any, ...],
    rest: tuple[Any, ...] | None,
    keywords: tuple[Any, ...],
    others: dict[str, Any] | None,
) -> Any:
    """Call a function as a stub was called."""
    given, named = _arguments(made.__code__, positional, rest, keywords, others)
    return made(*given, **named)


def _arguments(
    code: CodeType,
    positional: tuple[Any, ...],
    rest: tuple[Any, ...] | None,
    keywords: tuple[Any, ...],
    others: dict[str, Any] | None,
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """All positional and all named arguments."""
    names = code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount]
    named = dict(zip(names, keywords, strict=True))
    return (*positional, *(rest or ())), {**named, **(others or {})}


hidden(_Awake.__call__)
hidden(call_unmeasured)
hidden(_arguments)


def _stub(code: CodeType, awake: Callable[..., Any]) -> CodeType:
    """Code that gives all arguments to `awake`, and returns what that returns."""
    first = code.co_consts[:1] or (None,)
    constants = (*first, awake, code, code.co_qualname, None, Stub(code))
    body = _body_of(code)
    return CodeType(
        code.co_argcount,
        code.co_posonlyargcount,
        code.co_kwonlyargcount,
        code.co_nlocals,
        code.co_argcount + code.co_kwonlyargcount + len(code.co_freevars) + 8,
        code.co_flags,
        body,
        constants,
        (),
        code.co_varnames,
        code.co_filename,
        code.co_name,
        code.co_qualname,
        code.co_firstlineno,
        b"\1\0" * (len(body) // 2),
        b"",
        code.co_freevars,
        code.co_cellvars,
    )


#: Bodies by what they depend on; most functions have few arguments and no cells.
_bodies: dict[tuple[object, ...], bytes] = {}


def _body_of(code: CodeType) -> bytes:
    """The stub's instructions, from those written before if they are the same."""
    names = code.co_varnames if code.co_cellvars else ()
    flags = code.co_flags & (bytecode.CO_VARARGS | bytecode.CO_VARKEYWORDS)
    free = len(code.co_freevars)
    shape = (code.co_argcount, code.co_kwonlyargcount, flags, free, names, code.co_cellvars)
    found = _bodies.get(shape)
    if found is None:
        found = _body(code)
        if not names:
            _bodies[shape] = found
    return found


def _body(code: CodeType) -> bytes:
    """The stub's instructions.  Only the number of arguments, and which are cells, matter."""
    cells = {name: number for number, name in enumerate(code.co_cellvars)}
    written = bytearray()

    def put(op: int, argument: int = 0) -> None:
        if argument > 0xFF:
            put(bytecode.EXTENDED_ARG, argument >> 8)
        written.extend((op, argument & 0xFF))

    def load(number: int) -> None:
        cell = cells.get(code.co_varnames[number])
        if cell is None:
            put(bytecode.LOAD_FAST, number)
        else:
            put(bytecode.LOAD_DEREF, cell)

    put(bytecode.LOAD_CONST, 1)
    for number in range(len(code.co_freevars)):
        put(bytecode.LOAD_CLOSURE, len(code.co_cellvars) + number)
    if code.co_freevars:
        put(bytecode.BUILD_TUPLE, len(code.co_freevars))
    put(bytecode.LOAD_CONST, 2)
    put(bytecode.MAKE_FUNCTION, bytecode.WITH_CLOSURE if code.co_freevars else 0)
    for number in range(code.co_argcount):
        load(number)
    put(bytecode.BUILD_TUPLE, code.co_argcount)
    at = code.co_argcount + code.co_kwonlyargcount
    if code.co_flags & bytecode.CO_VARARGS:
        load(at)
        at += 1
    else:
        put(bytecode.LOAD_CONST, 4)
    for number in range(code.co_argcount, code.co_argcount + code.co_kwonlyargcount):
        load(number)
    put(bytecode.BUILD_TUPLE, code.co_kwonlyargcount)
    if code.co_flags & bytecode.CO_VARKEYWORDS:
        load(at)
    else:
        put(bytecode.LOAD_CONST, 4)
    put(bytecode.CALL_FUNCTION, 5)
    put(bytecode.RETURN_VALUE)
    return bytes(written)
