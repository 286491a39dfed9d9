"""The classes behind the engines' names: those of the C extension, and the one in pure Python.

Every import here is paid for by every measured subprocess.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # importing typing takes longer than all of this
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: The engines, with the class that is coverage.py's tracer.
TRACERS = {
    "monitoring": "MonitoringTracer",
    "probe": "ProbeTracer",
    "trace": "TraceTracer",
    "python": "PythonTracer",
}

#: The engine that needs no extension.
PURE = "python"


def load_native() -> Any:
    """Our C extension.

    Raises:
        Exception: whatever its import raises.
    """
    from quickcover import _native

    return _native


def _meant() -> bool:
    """Is there meant to be an extension for this Python?"""
    from quickcover import _env

    return _env.current().extension


def native_problem() -> str | None:
    """Why the C extension can't be used, or None; also where there isn't meant to be one."""
    if not _meant():
        return None
    try:
        load_native()
    except Exception as error:  # a broken extension module can raise anything
        return f"quickcover's C extension can't be loaded ({type(error).__name__}: {error})"
    return None


def extension() -> str:
    """The C extension's file, or what is wrong with it."""
    if not _meant():
        return "none for this Python"
    problem = native_problem()
    return str(getattr(load_native(), "__file__", "built in")) if problem is None else problem


def available() -> tuple[str, ...]:
    """The engines that are there, whatever they can do."""
    native = _meant() and native_problem() is None
    return (*load_native().ENGINES, PURE) if native else (PURE,)


def run_in_the_way() -> str:
    """What measures in this process with code records of its own; see `_select.Request`."""
    pure = sys.modules.get("quickcover.pure.tracer")
    measures = str(pure.measures()) if pure is not None else ""
    if measures or not _meant() or native_problem() is not None:
        return measures
    return str(load_native().run_in_the_way())


def sessions() -> Any:
    """The module with the part of sessions that knows what was hit."""
    if _meant():
        return load_native()
    from quickcover.pure import session

    return session


def tracer_class(engine: str) -> Any:
    """The class of an engine's tracers."""
    return getattr(_module(engine), TRACERS[engine])


def store_class(engine: str) -> Any:
    """The class of what an engine records into."""
    return _module(engine).Store


def real_path(engine: str) -> Callable[[str], str | None]:
    """What gives the real path of a file, or None where `os.path.realpath` has to be asked."""
    found: Callable[[str], str | None] = getattr(_module(engine), "real_path", _no_answer)
    return found


def _no_answer(_path: str) -> None:
    return None


def _module(engine: str) -> Any:
    if engine != PURE:
        return load_native()
    from quickcover import pure

    return pure
