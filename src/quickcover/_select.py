"""The chooser: from what is asked and what the interpreter offers to an engine, with the reasons.

Pure: `choose` looks at nothing but its arguments.  An engine that can't do what is asked is never
taken, whoever asks for it; which one is preferred among those that can is the order of `ENGINES`.

`python -m quickcover._select` prints the table of default engines that stands in docs/engines.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from quickcover import _env

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    #: Says why an engine can't do what is asked, or None.
    Obstacle = Callable[["Request", _env.Interpreter], str | None]

#: The lines of docs/engines.md between which the table stands.
TABLE_BEGIN = "<!-- default engines: begin -->"
TABLE_END = "<!-- default engines: end -->"


class EngineError(ValueError):
    """An engine was forced that doesn't exist or can't do what is asked."""


@dataclass(frozen=True)
class Request:
    """What a Coverage object asks of an engine."""

    #: Measure branches too.
    branch: bool = False
    #: Functions start contexts of which a plugin alone knows; tests are known by their names.
    plugin_contexts: bool = False
    #: Functions that are named as tests start contexts.
    test_contexts: bool = False
    #: The names of the file tracer plugins.
    file_tracers: tuple[str, ...] = ()
    #: The coverage of each example: quickcover.Session.
    examples: bool = False
    #: The hits of one thread count alone.
    one_thread: bool = False
    #: The engine in pure Python is wanted, though there is an extension.
    pure: bool = False
    #: A tool id of sys.monitoring can be had.
    tool_id_available: bool = True
    #: What measures in this process with code records of its own: "coverage", "session", or "".
    run_in_the_way: str = ""


@dataclass(frozen=True)
class Verdict:
    """Why one engine was taken or wasn't."""

    engine: str
    taken: bool
    reason: str

    def __str__(self) -> str:
        return f"{self.engine}: {'taken' if self.taken else 'not taken'}: {self.reason}"


@dataclass(frozen=True)
class Choice:
    """The engine to use, and a verdict on every engine."""

    engine: str
    verdicts: tuple[Verdict, ...]


def _no_monitoring(_request: Request, interpreter: _env.Interpreter) -> str | None:
    return None if interpreter.monitoring else "this Python has no sys.monitoring"


def _no_tool_id(request: Request, _interpreter: _env.Interpreter) -> str | None:
    if request.tool_id_available:
        return None
    return "other tools hold all tool ids of sys.monitoring"


def _no_branches(request: Request, interpreter: _env.Interpreter) -> str | None:
    if not request.branch or interpreter.branch_left_right:
        return None
    return "this Python's sys.monitoring doesn't tell the two sides of a branch apart"


def _no_file_tracers(request: Request, _interpreter: _env.Interpreter) -> str | None:
    if not request.file_tracers:
        return None
    names = ", ".join(request.file_tracers)
    return f"file tracer plugins need every call and line, not just the first: {names}"


def _no_probes(_request: Request, interpreter: _env.Interpreter) -> str | None:
    return None if interpreter.probes else "there are no probes for this Python"


def _no_plugin_contexts(request: Request, _interpreter: _env.Interpreter) -> str | None:
    if not request.plugin_contexts:
        return None
    return "contexts started by plugins need every call"


def _no_hidden_frames(request: Request, interpreter: _env.Interpreter) -> str | None:
    if not request.test_contexts or not interpreter.extension:
        return None
    return "contexts of tests need frames that can be hidden, which only PyPy has"


def _no_examples(request: Request, interpreter: _env.Interpreter) -> str | None:
    if not request.examples or not interpreter.extension:
        return None
    return "sessions are made of the C extension where there is one"


def _no_one_thread(request: Request, _interpreter: _env.Interpreter) -> str | None:
    return "probes don't tell threads apart" if request.one_thread else None


def _no_room(request: Request, _interpreter: _env.Interpreter) -> str | None:
    if request.examples and request.run_in_the_way:
        return "a coverage run measures in this process, and probes serve one store"
    return _no_room_beside_session(request, _interpreter)


def _no_room_beside_session(request: Request, _interpreter: _env.Interpreter) -> str | None:
    if request.examples or request.run_in_the_way != "session":
        return None
    return "a session measures with probes in this process"


def _no_extension(_request: Request, interpreter: _env.Interpreter) -> str | None:
    return None if interpreter.extension else "there is no C extension for this Python"


def _no_rewriting(_request: Request, interpreter: _env.Interpreter) -> str | None:
    return None if interpreter.rewriting else "it doesn't know this Python's bytecode"


def _not_wanted(request: Request, interpreter: _env.Interpreter) -> str | None:
    if request.pure or not interpreter.extension:
        return None
    return "where there is a C extension it is used only if it is forced"


#: Every engine, the preferred ones first, with what can stand in its way.
_OBSTACLES: dict[str, tuple[Obstacle, ...]] = {
    "monitoring": (
        _no_extension,
        _no_monitoring,
        _no_tool_id,
        _no_branches,
        _no_file_tracers,
        _no_room_beside_session,
    ),
    "probe": (
        _no_extension,
        _no_probes,
        _no_file_tracers,
        _no_one_thread,
        _no_room,
    ),
    "trace": (_no_extension,),
    "python": (
        _no_rewriting,
        _not_wanted,
        _no_plugin_contexts,
        _no_hidden_frames,
        _no_examples,
        _no_file_tracers,
        _no_one_thread,
        _no_room_beside_session,
    ),
}

ENGINES = tuple(_OBSTACLES)


def choose(
    request: Request,
    interpreter: _env.Interpreter,
    available: Sequence[str],
    forced: str | None = None,
) -> Choice:
    """Choose an engine.

    Args:
        request: what is asked.
        interpreter: what the interpreter offers.
        available: the engines that are there (`_engines.available`).
        forced: the name of the only engine to consider.

    Raises:
        EngineError: the forced engine is unknown or can't do what is asked, or no engine can.
    """
    request = replace(request, pure=forced == "python")
    obstacles = {
        engine: _first_obstacle(engine, request, interpreter, available) for engine in ENGINES
    }
    able = [engine for engine in ENGINES if obstacles[engine] is None]
    if forced is not None:
        _check_forced(forced, obstacles)
        able = [forced]
    if not able:
        raise EngineError("no engine can do what is asked: " + _listed(obstacles))
    engine = able[0]
    verdicts = tuple(
        Verdict(name, name == engine, obstacle or _preference(name, engine, forced))
        for name, obstacle in obstacles.items()
    )
    return Choice(engine, verdicts)


def _first_obstacle(
    engine: str, request: Request, interpreter: _env.Interpreter, available: Sequence[str]
) -> str | None:
    """Why `engine` can't do what is asked, or None if it can."""
    for obstacle in _OBSTACLES[engine]:
        reason = obstacle(request, interpreter)
        if reason is not None:
            return reason
    return None if engine in available else "the C extension was built without it"


def _preference(name: str, engine: str, forced: str | None) -> str:
    """Why an engine that can do what is asked was taken or wasn't."""
    if forced is not None:
        return "forced" if name == engine else f"{engine} is forced"
    if name == engine:
        return "the fastest engine that can do what is asked"
    return f"{engine} can do what is asked, and is faster"


def _check_forced(forced: str, obstacles: dict[str, str | None]) -> None:
    """Raise EngineError unless the forced engine can do it."""
    if forced not in obstacles:
        raise EngineError(f"there is no such engine; there are {', '.join(ENGINES)}")
    if obstacles[forced] is not None:
        raise EngineError(f"{obstacles[forced]}; the engines are: {_listed(obstacles)}")


def _listed(obstacles: dict[str, str | None]) -> str:
    """Every engine, with its obstacle."""
    return ", ".join(
        f"{engine} (can)" if reason is None else f"{engine} (can't: {reason})"
        for engine, reason in obstacles.items()
    )


#: The rows of the table: feature, and the request that it makes.
_FEATURES: tuple[tuple[str, Request], ...] = (
    ("nothing more", Request()),
    ("contexts of tests (`dynamic_context = test_function`)", Request(test_contexts=True)),
    (
        "contexts started by plugins",
        Request(plugin_contexts=True),
    ),
    ("contexts switched by `Coverage.switch_context`", Request()),
    ("file tracer plugins", Request(file_tracers=("a plugin",))),
    ("threads", Request()),
    ("greenlet, gevent, eventlet", Request()),
    ("multiprocessing, subprocesses", Request()),
)


def default_engine(request: Request, interpreter: _env.Interpreter) -> str:
    """The engine that is taken if nobody forces one and all are there; else coverage.py's core."""
    try:
        return choose(request, interpreter, ENGINES).engine
    except EngineError:
        return "(pytrace)"


def table() -> str:
    """The default engines of all supported versions, as a Markdown table with a last newline."""
    lines = [
        f"| measured | together with | {' | '.join(_env.SUPPORTED)} |",
        f"|---|---|{'---|' * len(_env.SUPPORTED)}",
    ]
    for measured, branch in (("lines", False), ("lines and branches", True)):
        for feature, request in _FEATURES:
            asked = replace(request, branch=branch)
            engines = [default_engine(asked, facts) for facts in _env.SUPPORTED.values()]
            lines.append(f"| {measured} | {feature} | {' | '.join(engines)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(), end="")
