"""The decision for one Coverage object: is it measured by quickcover, and with which engine?

`_select.choose` weighs the engines; around it, this asks whether quickcover was asked for, whether
the user wants another core, and whether coverage.py's version and our C extension will do.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from quickcover import _engines, _env, _select, _startup

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What coverage.py calls us in `[run] plugins` and in `[run] core`.
NAME = "quickcover"

#: The tested coverage.py: from this release on ...
TESTED_FROM = (7, 11, 0)
#: ... up to every patch release of this one.
TESTED_TO = (7, 17)


class Config(Protocol):
    """The part of coverage.py's configuration that matters here."""

    @property
    def branch(self) -> bool: ...
    @property
    def core(self) -> str | None: ...
    @property
    def timid(self) -> bool: ...


@dataclass(frozen=True)
class Asked:
    """What one Coverage object asks for."""

    config: Config
    #: The `[quickcover]` section.
    options: Mapping[str, Any]
    #: Our plugin was loaded for it.
    plugin: bool
    #: A plugin tells which functions start contexts.
    plugin_contexts: bool
    #: Functions that are named as tests start contexts.
    test_contexts: bool
    #: The names of its file tracer plugins.
    file_tracers: tuple[str, ...]
    #: coverage.py's version.
    version: tuple[Any, ...]


@dataclass(frozen=True)
class Decision:
    """Whether a Coverage object is measured by us, with which engine, and why."""

    #: The engine; None if coverage.py's own core is to measure.
    engine: str | None
    verdicts: tuple[_select.Verdict, ...] = ()
    #: Why there is no engine.
    problem: str = ""
    #: "" if that is as the user wants it, "warning" if not, "error" if it must not go on.
    severity: str = ""


def decide(asked: Asked) -> Decision:
    """Decide.  A forced engine that can't be had is an error, anything else at most a warning."""
    if not (asked.plugin or _startup.active() or asked.config.core == NAME):
        return Decision(None, problem="nobody asked for quickcover")
    by_environment = os.environ.get(_startup.ENGINE_VARIABLE) or None
    forced = by_environment or asked.options.get("engine") or None
    other = _other_core(asked.config)
    if other is not None and by_environment is None:
        return Decision(None, problem=other)
    severity = "warning" if forced is None else "error"
    if other is not None:
        problem: str | None = f"{other}, but {_startup.ENGINE_VARIABLE} forces {forced!r}"
    else:
        problem = range_problem(asked.version) or _native_problem(forced)
    if problem is not None:
        return Decision(None, problem=problem, severity=severity)
    try:
        choice = _choose(asked, forced)
    except _select.EngineError as error:
        origin = _startup.ENGINE_VARIABLE if by_environment else f"[{NAME}] engine"
        wanted = NAME if forced is None else f"engine {forced!r} ({origin})"
        return Decision(None, problem=f"Can't use {wanted}: {error}", severity=severity)
    return Decision(choice.engine, choice.verdicts)


def _native_problem(forced: str | None) -> str | None:
    """Why the C extension can't be used, if it is needed."""
    return None if forced == _engines.PURE else _engines.native_problem()


def _choose(asked: Asked, forced: str | None) -> _select.Choice:
    """Let the chooser choose."""
    request = _select.Request(
        branch=asked.config.branch,
        plugin_contexts=asked.plugin_contexts,
        test_contexts=asked.test_contexts,
        file_tracers=asked.file_tracers,
        tool_id_available=_env.tool_id_available(),
        run_in_the_way=_engines.run_in_the_way(),
    )
    return _select.choose(request, _env.current(), _engines.available(), forced)


def _other_core(config: Config) -> str | None:
    """How the user asked for one of coverage.py's own cores, or None."""
    if config.timid:
        return "timid asks for coverage.py's pytrace core"
    if config.core not in (None, NAME):
        return f"[run] core (or COVERAGE_CORE) asks for coverage.py's {config.core!r} core"
    return None


def tested_range() -> str:
    """The tested releases of coverage.py, for people."""
    return f"{_dotted(TESTED_FROM)} to {_dotted(TESTED_TO)}.x"


def range_problem(version: tuple[Any, ...]) -> str | None:
    """What is wrong with that version of coverage.py, or None."""
    if version[:3] >= TESTED_FROM and version[: len(TESTED_TO)] <= TESTED_TO:
        return None
    return (
        f"this quickcover was tested with coverage.py {tested_range()}, not {_dotted(version[:3])}"
    )


def _dotted(version: tuple[Any, ...]) -> str:
    return ".".join(map(str, version))
