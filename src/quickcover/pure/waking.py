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
from collections.abc import Callable, Mapping
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


#: Are there stubs?  Their frames must be hidden.
CAN_SLEEP = __pypy__ is not None

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

#: Given a function's code and globals, returns the code to run, or None.
Wake = Callable[[CodeType, Mapping[str, Any]], CodeType | None]
EachCall = Callable[..., Any]


def can_sleep(code: CodeType) -> bool:
    """Can a stub stand for this code?  Not for generators and coroutines."""
    flags = code.co_flags
    return CAN_SLEEP and bool(flags & bytecode.CO_OPTIMIZED) and not flags & bytecode.CO_SUSPENDED


def put_to_sleep(function: FunctionType, wake: Wake, each_call: EachCall | None = None) -> None:
    """Have a function get other code when it is called for the first time.

    Args:
        function: the function.
        wake: given the function's code and globals, returns the code to run; None to run that,
            and sleep on.
        each_call: the function keeps its stub, and this is called instead of it each time: with a
            function of the code to run, the original code, and positional and named arguments.
    """
    code = function.__code__
    awake = Awake(function, code, wake, each_call)
    awake.stub = function.__code__ = _stub(code, awake)
    hidden(function)


class Awake:
    """What a stub calls, with a function of the original code and all arguments.

    It is also the last of the stub's constants, and so marks it as one.
    """

    __slots__ = ("each_call", "function", "original", "stub", "wake")

    def __init__(
        self, function: FunctionType, original: CodeType, wake: Wake, each_call: EachCall | None
    ) -> None:
        self.function = function
        self.original = original
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
        woken = quietly(self.wake, self.original, made.__globals__)
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


hidden(Awake.__call__)
hidden(call_unmeasured)
hidden(_arguments)


def _stub(code: CodeType, awake: Awake) -> CodeType:
    """Code that gives all arguments to `awake`, and returns what that returns."""
    body, lines = _body_of(code)
    constants = code.co_consts
    return CodeType(
        code.co_argcount,
        code.co_posonlyargcount,
        code.co_kwonlyargcount,
        code.co_nlocals,
        code.co_argcount + code.co_kwonlyargcount + len(code.co_freevars) + 8,
        code.co_flags,
        body,
        (constants[0] if constants else None, code, None, awake),
        (),
        code.co_varnames,
        code.co_filename,
        code.co_name,
        code.co_qualname,
        code.co_firstlineno,
        lines,
        b"",
        code.co_freevars,
        code.co_cellvars,
    )


#: Bodies and their line tables by what they depend on.
_bodies: dict[Any, tuple[bytes, bytes]] = {}


def _body_of(code: CodeType) -> tuple[bytes, bytes]:
    """The stub's instructions and lines, from those written before if they are the same."""
    # One integer is found faster than a tuple: this is asked for each function there is.
    shape: Any = code.co_argcount << 40 | code.co_kwonlyargcount << 20 | len(code.co_freevars)
    shape = shape << 4 | code.co_flags & (bytecode.CO_VARARGS | bytecode.CO_VARKEYWORDS)
    if code.co_cellvars:
        shape = shape, len(code.co_cellvars), _cells(code)
    found = _bodies.get(shape)
    if found is None:
        body = _body(code)
        found = _bodies[shape] = body, b"\1\0" * (len(body) // 2)
    return found


def _cells(code: CodeType) -> tuple[tuple[int, int], ...]:
    """Arguments that are in cells: their numbers, and those of the cells."""
    flags = code.co_flags
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(flags & bytecode.CO_VARARGS) + bool(flags & bytecode.CO_VARKEYWORDS)
    names = code.co_varnames[:count]
    return tuple(
        [(names.index(name), cell) for cell, name in enumerate(code.co_cellvars) if name in names]
    )


def _body(code: CodeType) -> bytes:
    """The stub's instructions.  Only the number of arguments, and which are cells, matter."""
    cells = dict(_cells(code))
    written = bytearray()

    def put(op: int, argument: int = 0) -> None:
        if argument > 0xFF:
            put(bytecode.EXTENDED_ARG, argument >> 8)
        written.extend((op, argument & 0xFF))

    def load(number: int) -> None:
        cell = cells.get(number)
        if cell is None:
            put(bytecode.LOAD_FAST, number)
        else:
            put(bytecode.LOAD_DEREF, cell)

    awake, original, none = 3, 1, 2  # constants
    put(bytecode.LOAD_CONST, awake)
    for number in range(len(code.co_freevars)):
        put(bytecode.LOAD_CLOSURE, len(code.co_cellvars) + number)
    if code.co_freevars:
        put(bytecode.BUILD_TUPLE, len(code.co_freevars))
    put(bytecode.LOAD_CONST, original)
    put(bytecode.MAKE_FUNCTION, bytecode.WITH_CLOSURE if code.co_freevars else 0)
    for number in range(code.co_argcount):
        load(number)
    put(bytecode.BUILD_TUPLE, code.co_argcount)
    at = code.co_argcount + code.co_kwonlyargcount
    if code.co_flags & bytecode.CO_VARARGS:
        load(at)
        at += 1
    else:
        put(bytecode.LOAD_CONST, none)
    for number in range(code.co_argcount, code.co_argcount + code.co_kwonlyargcount):
        load(number)
    put(bytecode.BUILD_TUPLE, code.co_kwonlyargcount)
    if code.co_flags & bytecode.CO_VARKEYWORDS:
        load(at)
    else:
        put(bytecode.LOAD_CONST, none)
    put(bytecode.CALL_FUNCTION, 5)
    put(bytecode.RETURN_VALUE)
    return bytes(written)
