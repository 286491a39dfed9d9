"""Gets hold of code before it runs; what coverage.py sees of the engine.

Code that is about to run comes by `exec` or `eval`, which imports use, too.  Functions that exist
when measuring starts are found by the garbage collector.  What is nested in instrumented code was
instrumented with it, or is put to sleep when a function is made of it.

Only one tracer measures at a time: coverage.py stops one before it starts another.
"""

from __future__ import annotations
import __future__

import builtins
import gc
import sys
import weakref
from _thread import get_ident
from abc import abstractmethod
from collections.abc import Callable, Mapping
from types import (
    AsyncGeneratorType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
)
from typing import Any, ClassVar, overload

from quickcover.pure.bytecode import CO_OPTIMIZED
from quickcover.pure.cache import CACHE
from quickcover.pure.hits import Mark
from quickcover.pure.store import RECORDS, Store
from quickcover.pure.waking import CALLER, Awake, can_sleep, hidden, put_to_sleep, quietly

_BEGUN = "had begun before measuring started: what is left of it isn't measured"


class _Running:
    """What of a frame coverage.py asks for, of code that is about to run."""

    f_back = None
    f_lineno = 1

    def __init__(
        self,
        module: Mapping[str, Any],
        code: CodeType | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        self.f_globals = module
        self.f_locals = module if variables is None else variables
        self.f_code = code


class _Process:
    """The tracer that measures this process."""

    tracer: PythonTracer | None = None
    #: Code objects that were exchanged: by their id, themselves and what runs in their place.
    exchanged: ClassVar[dict[int, tuple[weakref.ref[CodeType], weakref.ref[CodeType]]]] = {}

    @classmethod
    def found(cls, code: CodeType) -> CodeType | None:
        """What runs in place of `code`, if there is something yet."""
        known = cls.exchanged.get(id(code))
        return known[1]() if known is not None and known[0]() is code else None

    @classmethod
    def forget(cls) -> None:
        """Forget code that is gone."""
        gone = [key for key, (code, _) in cls.exchanged.items() if code() is None]
        for key in gone:
            del cls.exchanged[key]


def _existing() -> tuple[list[FunctionType], list[Any]]:
    """All functions, and all generators and coroutines."""
    functions, suspended = [], []
    if hasattr(gc, "unfreeze"):  # not on PyPy
        gc.unfreeze()
    for item in gc.get_objects():
        kind = type(item)
        if kind is FunctionType:
            functions.append(item)
        elif kind is GeneratorType or kind is CoroutineType or kind is AsyncGeneratorType:
            suspended.append(item)
    return functions, suspended


def _is_instrumented(code: CodeType) -> bool:
    return bool(code.co_consts) and type(code.co_consts[-1]) is Mark


def _made(first: Any, second: Any = None) -> None:
    """The body of a measured module or class has made a function, the last of these.

    It is about to be given to the one before, which may keep its code object to know its frames
    by: then it gets the code that will run now.  That would be a waste for most methods.
    """
    tracer = _Process.tracer
    if tracer is None:
        return
    if second is None:
        if type(first) is FunctionType:
            quietly(tracer.meet, first)
    elif type(second) is FunctionType:
        quietly(tracer.meet, second, not _keeps_no_code(first))


hidden(_made)


def _keeps_no_code(decorator: Any) -> bool:
    if type(decorator) is MethodType:
        return type(decorator.__self__) is property  # its setter, say
    return any(decorator is known for known in _KEEP_NO_CODE)


class PythonTracer:
    """Measures the whole process through instrumented code; coverage.py's Tracer protocol."""

    data: Store
    lock_data: Callable[[], None]
    unlock_data: Callable[[], None]
    trace_arcs: bool
    should_trace: Callable[[str, FrameType], Any]
    should_trace_cache: dict[str, Any]
    warn: Callable[..., None]
    concur_id_func: Callable[[], Any] | None = None
    threading: Any = None
    file_tracers: dict[str, str]
    check_include: Callable[[str, FrameType], bool]
    should_start_context: Callable[[FrameType], str | None] | None = None
    switch_context: Any = None
    disable_plugin: Callable[[Any], None]

    def __init__(self, *, test_contexts: bool = False, chained: bool = False) -> None:
        """Make one, which is not started."""
        self._names: dict[str, str | None] = {}
        self._deciding: set[int] = set()  # threads
        self._test_contexts = test_contexts
        self._context: str | None = None
        self._hooks: list[tuple[str, Any, Any]] = []

    # ------------------------------------------------------------- for coverage.py

    def start(self) -> None:
        """Start measuring.

        Raises:
            RuntimeError: another tracer of this engine measures.
        """
        if _Process.tracer is self:
            return
        if _Process.tracer is not None:
            raise RuntimeError("the python engine is measuring already")
        store = self.data
        self._names = {}
        store.decide = self._decided
        store.measuring = True
        store.activity = True  # nothing tells of calls to what isn't measured
        RECORDS.clear()
        _Process.tracer = self
        self._guarded(self._meet_all)
        if _Process.tracer is self:
            self._hook("exec")
            self._hook("eval")

    def stop(self) -> None:
        """Stop measuring.  More calls do nothing."""
        inner = _Process.tracer
        if isinstance(inner, SessionTracer) and inner.outer is self:
            self._guarded(self.data.collect)
            inner.outlive()
            return
        if inner is not self:
            return
        self._guarded(self.data.collect)
        self._release()
        self._guarded(CACHE.save)

    def post_fork(self) -> None:
        """Stop in a child; what the parent has laid out is the parent's to keep."""
        CACHE.forget()
        self.stop()

    def activity(self) -> bool:
        """Has any code begun to run since the last reset?"""
        return self.data.activity

    def reset_activity(self) -> None:
        """Forget that there was activity."""
        self.data.activity = False

    def get_stats(self) -> None:
        """Return None: nothing to print when stopping."""

    # ------------------------------------------------------------------- decisions

    def _decided(self, filename: str, module: Mapping[str, Any]) -> str | None:
        """The source file's name if the file is measured, else None."""
        try:
            return self._names[filename]
        except KeyError:
            pass
        disposition = self.should_trace_cache.get(filename)
        if disposition is None:
            disposition = self._asked(filename, module)
            self.should_trace_cache[filename] = disposition
        name = disposition.source_filename if disposition.trace else None
        self._names[filename] = name
        return name

    def _wanted(self, filename: str, module: Mapping[str, Any]) -> bool:
        """Is the file measured, by this tracer or the one around it?"""
        return self._decided(filename, module) is not None

    def _asked(self, filename: str, module: Mapping[str, Any]) -> Any:
        """What coverage.py says to a file; this thread is deciding until it has."""
        frame: Any = _Running(module)
        nested = self.is_deciding()
        self._deciding.add(get_ident())
        try:
            return self.should_trace(filename, frame)
        finally:
            if not nested:
                self._deciding.discard(get_ident())

    def is_deciding(self) -> bool:
        """Does this thread run coverage.py's decision about a file?"""
        return get_ident() in self._deciding

    # ----------------------------------------------------------------- instrumenting

    def exchange(self, code: CodeType, module: Mapping[str, Any]) -> CodeType:
        """The code to run in place of `code`: instrumented if its file is measured."""
        if not self._wanted(code.co_filename, module):
            return code
        self.data.activity = True
        if _is_instrumented(code):
            return code
        if RECORDS.crowded():
            self.data.sweep()
            _Process.forget()
        return self._instrumented(code, module)

    def _instrumented(self, code: CodeType, module: Mapping[str, Any]) -> CodeType:
        known = _Process.found(code)
        if known is not None:
            return known
        constants = code.co_consts
        # In few Python loops: each type of constant would be compiled for itself by PyPy's JIT.
        kinds = [*map(type, constants)]
        if CodeType in kinds:
            constants = self._with_instrumented(code, kinds, module)
        instrumented = RECORDS.record(code, module, _made).applied(code, constants)
        _Process.exchanged[id(code)] = weakref.ref(code), weakref.ref(instrumented)
        return instrumented

    def _with_instrumented(
        self, code: CodeType, kinds: list[type], module: Mapping[str, Any]
    ) -> tuple[Any, ...]:
        """The constants, with instrumented code in place of nested code that won't have a stub."""
        function_body = code.co_flags & CO_OPTIMIZED
        constants = list(code.co_consts)
        at = -1
        for _ in range(kinds.count(CodeType)):
            at = kinds.index(CodeType, at + 1)
            item = constants[at]
            if function_body or not can_sleep(item) or item.co_name in _CALLED_AT_ONCE:
                constants[at] = self._instrumented(item, module)
        return tuple(constants)

    def meet(self, function: FunctionType, at_once: bool = False) -> None:
        """Have a function measured from its next call on, if its file is.

        Args:
            function: it has just been made, or measuring has just begun.
            at_once: the code that will run is to be there before the first call.
        """
        code = function.__code__
        last = type(code.co_consts[-1]) if code.co_consts else None
        if last is Mark or last is Awake:
            return
        contexts = self._test_contexts and self._begins_contexts(code)
        if can_sleep(code) and (contexts or not at_once):
            put_to_sleep(function, _woken, _in_context if contexts else None)
        else:
            if contexts:
                self._doubt([code], "is a generator or coroutine: its context isn't recorded")
            function.__code__ = self._instrumented(code, function.__globals__)

    def _begins_contexts(self, code: CodeType) -> bool:
        """May a call of a function with that code begin a context, by its name?"""
        return code.co_name.startswith(("test", "runTest"))

    def begin_context(
        self, function: FunctionType, code: CodeType, arguments: tuple[Any, ...]
    ) -> bool:
        """A function is called that may begin a context; does it?"""
        if self._context is not None or self.should_start_context is None:
            return False
        frame: Any = _Running(
            function.__globals__, code, dict(zip(code.co_varnames, arguments, strict=False))
        )
        self._context = self._guarded(self.should_start_context, frame)
        if self._context is not None:
            self._guarded(self.switch_context, self._context)
        return self._context is not None

    def end_context(self) -> None:
        """The function that has begun the context is over."""
        self._context = None
        self._guarded(self.switch_context, None)

    def _meet_all(self) -> None:
        """Meet the functions that exist, and say what can't be measured."""
        functions, suspended = _existing()
        for function in functions:
            code = function.__code__
            if type(code) is CodeType and self._wanted(code.co_filename, function.__globals__):
                self.meet(function)
        self._doubt(self._making())
        if self._lost(suspended):
            del suspended
            gc.collect()  # some may be gone
            self._doubt(self._lost(_existing()[1]))

    def _making(self) -> list[CodeType]:
        """The code of frames that run, and may make functions and classes of code they have."""
        found = []
        for top in sys._current_frames().values():
            frame: FrameType | None = top
            while frame is not None:
                code = frame.f_code
                if (
                    any(type(item) is CodeType for item in code.co_consts)
                    and not _is_instrumented(code)
                    and self._wanted(code.co_filename, frame.f_globals)
                ):
                    found.append(code)
                frame = frame.f_back
        return found

    def _lost(self, suspended: list[Any]) -> list[CodeType]:
        """The code of generators and coroutines that will go on without being measured."""
        found = []
        for item in suspended:
            prefix = _SUSPENDED[type(item)]
            code, frame = getattr(item, f"{prefix}_code"), getattr(item, f"{prefix}_frame")
            if frame is None or type(code) is not CodeType or _is_instrumented(code):
                continue
            if self._wanted(code.co_filename, frame.f_globals):
                found.append(code)
        return found

    def _doubt(self, lost: list[CodeType], why: str = _BEGUN) -> None:
        """Say what isn't measured."""
        for code in lost[:1]:
            place = f"{code.co_filename} line {code.co_firstlineno}"
            self.data.fail(RuntimeWarning(f"{code.co_qualname}, {place}, {why}"))

    # ----------------------------------------------------------------------- hooks

    def _hook(self, name: str) -> None:
        """Put a function of ours in the place of `exec` or `eval`."""
        original = getattr(builtins, name)

        def replaced(source: Any, /, *scopes: Any, **more: Any) -> Any:
            tracer = _Process.tracer
            if not scopes or scopes[0] is None:
                frame = sys._getframe(CALLER)
                scopes = (frame.f_globals, *(scopes[1:] or (frame.f_locals,)))
            if type(source) is not CodeType:
                try:
                    flags = sys._getframe(CALLER).f_code.co_flags
                except ValueError:  # a thread begins with this call
                    flags = 0
                source = _compiled(source, name, flags)
            elif tracer is not None and isinstance(scopes[0], dict):
                source = quietly(tracer.about_to_run, source, scopes[0])
            return original(source, *scopes, **more)

        hidden(replaced)
        replaced.__name__ = replaced.__qualname__ = name
        replaced.__doc__ = original.__doc__
        replaced.__module__ = original.__module__
        self._hooks.append((name, replaced, original))
        setattr(builtins, name, replaced)

    def about_to_run(self, code: CodeType, module: Mapping[str, Any]) -> CodeType:
        """The code to run in place of `code`; `code` itself after an error."""
        return self._guarded(self.exchange, code, module) or code

    def _guarded(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call; an error stops measuring, but reaches nobody here."""
        try:
            return function(*args)
        except Exception as error:
            self.data.fail(error)
            self._release()
        return None

    def _release(self) -> None:
        """Let go of the process."""
        self.data.measuring = False
        _Process.tracer = None
        for name, replaced, original in self._hooks:
            if getattr(builtins, name) is replaced:
                setattr(builtins, name, original)
        self._hooks = []


class SessionTracer(PythonTracer):
    """Measures for a session; a coverage run around it goes on and gets every hit, too."""

    #: The tracer of the coverage run.
    outer: PythonTracer | None = None

    def start(self) -> None:
        """Start measuring."""
        self.outer = _Process.tracer
        if self.outer is None:
            super().start()
        else:
            self.outer.data.collect()
            for record in RECORDS.by_key.values():
                record.lend()
                record.since = []
            self._test_contexts = self.outer._test_contexts
            self.data.decide = self._decided
            self.data.measuring = True
            _Process.tracer = self
            self._guarded(self._meet_all)
        if self.data.measuring:
            RECORDS.session = self.data

    def outlive(self) -> None:
        """The coverage run ends before the session."""
        assert self.outer is not None
        self.outer.data.measuring = False
        self._hooks, self.outer._hooks = self.outer._hooks, []
        self.outer = None

    def exchange(self, code: CodeType, module: Mapping[str, Any]) -> CodeType:
        """The code to run in place of `code`."""
        if self.outer is not None and RECORDS.crowded():
            self.outer.data.collect()
        return super().exchange(code, module)

    def begin_context(
        self, function: FunctionType, code: CodeType, arguments: tuple[Any, ...]
    ) -> bool:
        """A function is called that may begin a context of the coverage run; does it?"""
        return self.outer is not None and self.outer.begin_context(function, code, arguments)

    def end_context(self) -> None:
        """The function that has begun the context is over."""
        if self.outer is not None:
            self.outer.end_context()

    def is_deciding(self) -> bool:
        """Does this thread run a decision about a file?"""
        return super().is_deciding() or (self.outer is not None and self.outer.is_deciding())

    def _wanted(self, filename: str, module: Mapping[str, Any]) -> bool:
        wanted = super()._wanted(filename, module)
        return (self.outer is not None and self.outer._wanted(filename, module)) or wanted

    def _release(self) -> None:
        RECORDS.session = None
        if self.outer is None:
            super()._release()
        else:
            self.data.measuring = False
            _Process.tracer, self.outer = self.outer, None


def measures() -> str:
    """What measures in this process with this engine: "session", "coverage" or ""."""
    if _Process.tracer is None:
        return ""
    return "session" if isinstance(_Process.tracer, SessionTracer) else "coverage"


def _woken(original: CodeType, module: Mapping[str, Any]) -> CodeType | None:
    """The code for a function that is called for the first time; None if it is to sleep on.

    A decision may call it, as a mock say: to measure it then could take the same decision.
    """
    tracer = _Process.tracer
    if tracer is None:
        return original
    if tracer.is_deciding():
        return None
    woken: CodeType = tracer.about_to_run(original, module)
    return woken


def _in_context(
    function: FunctionType, code: CodeType, arguments: tuple[Any, ...], named: dict[str, Any]
) -> Any:
    """Call a function that may begin a context."""
    tracer = _Process.tracer
    if tracer is None or not quietly(tracer.begin_context, function, code, arguments):
        return function(*arguments, **named)
    try:
        return function(*arguments, **named)
    finally:
        quietly(tracer.end_context)


hidden(_in_context)


def _compiled(source: Any, mode: str, flags: int) -> Any:
    """Compile what `exec` or `eval` is given as text, with the features that its caller imports.

    They would take this module's.  What isn't text stays as it is, for them to complain of.
    """
    if not isinstance(source, (str, bytes, bytearray, memoryview)):
        return source
    text = source if isinstance(source, str) else bytes(source)
    if mode == "eval":
        text = text.lstrip(" \t") if isinstance(text, str) else text.lstrip(b" \t")
    return compile(text, "<string>", mode, flags & _FEATURES, dont_inherit=True)


hidden(_compiled)

#: The flags of all features that a module can import from `__future__`.
_FEATURES = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)

#: Code of these names is called where it is made, at once.
_CALLED_AT_ONCE = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})

#: Decorators that don't look at the code of what they decorate.
_KEEP_NO_CODE = (property, staticmethod, classmethod, abstractmethod, overload)

#: What may be suspended, and how its attributes are called.
_SUSPENDED = {GeneratorType: "gi", CoroutineType: "cr", AsyncGeneratorType: "ag"}
