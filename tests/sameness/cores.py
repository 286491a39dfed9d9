"""The measuring cores that can be compared, and what each can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

STOCK_TRACERS = {"ctrace": "CTracer", "sysmon": "SysMonitor", "pytrace": "PyTracer"}
"""coverage.py's own cores, and the class that tells in the measured process which one works."""

ENGINE_TRACERS = {
    "trace": "TraceTracer",
    "monitoring": "MonitoringTracer",
    "probe": "ProbeTracer",
    "python": "PythonTracer",
}

DEFAULT = "default"
"""The name that stands for the engine quickcover chooses by itself."""

REFERENCE = "ctrace"
"""What the others are compared with."""

PYPY_REFERENCE = "pytrace"
"""What they are compared with where there is no C tracer."""

UNMEASURED = "none"
"""The name that stands for no measuring at all."""


@dataclass(frozen=True)
class Core:
    """One way to measure."""

    name: str
    config: tuple[str, ...]
    """Lines for the [run] section."""
    tracers: frozenset[str]
    """One of these classes must be found at work."""
    env: Mapping[str, str] = field(default_factory=dict)
    quickcover: bool = False


def stock(name: str) -> Core:
    """One of coverage.py's own cores."""
    return Core(name, (f"core = {name}",), frozenset({STOCK_TRACERS[name]}))


def unmeasured() -> Core:
    """The suite on its own."""
    return Core(UNMEASURED, (), frozenset({"none"}))


def engine(name: str) -> Core:
    """One of quickcover's engines, or the one it takes if nobody asks for another."""
    if name == DEFAULT:
        tracers = frozenset(ENGINE_TRACERS.values())
        return Core(DEFAULT, ("plugins = quickcover",), tracers, quickcover=True)
    return Core(
        name,
        ("plugins = quickcover",),
        frozenset({ENGINE_TRACERS[name]}),
        {"QUICKCOVER_ENGINE": name},
        quickcover=True,
    )


def can_measure(name: str, version: tuple[int, int], branch: bool, pypy: bool = False) -> bool:
    """Whether an engine claims this much on a Python of that version (docs/engines.md)."""
    if pypy:
        return name in ("python", *STOCK_TRACERS, DEFAULT)
    if name == "python":
        return version == (3, 11)
    if name == "monitoring":
        return version >= ((3, 14) if branch else (3, 12))
    if name == "probe":
        return version <= (3, 13) and (branch or version == (3, 11))
    return True
