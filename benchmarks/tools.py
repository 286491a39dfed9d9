"""The tools that are compared, and how each is switched on in a process (`driver.py` does it).

A tool here says nothing about Python versions: it is tried, and left out where it does not
start. So a forced core or engine must never be replaced silently by another one: `tracer` names
the class that has to do the work.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

NONE = "none"
EMPTY_TRACE = "empty-trace"
EMPTY_MONITORING = "empty-monitoring"
MODES = ("lines", "branches")


@dataclass(frozen=True)
class Tool:
    """One way to measure: `kind` is a key of `START` in driver.py."""

    name: str
    kind: str
    mode: str = ""
    tracer: str = ""
    env: dict[str, str] = field(default_factory=dict)

    @property
    def branch(self) -> bool:
        return self.mode == "branches"

    @property
    def counts_lines(self) -> bool:
        """Does it leave a data file of coverage.py's?"""
        return self.kind in ("coverage", "quickcover")

    def as_json(self) -> dict[str, Any]:
        """What the driver needs to know."""
        return {"kind": self.kind, "branch": self.branch, "tracer": self.tracer}


def _both_modes(name: str, kind: str, tracer: str = "", **env: str) -> list[Tool]:
    return [Tool(f"{name}/{mode}", kind, mode, tracer, env) for mode in MODES]


TOOLS: tuple[Tool, ...] = (
    Tool(NONE, NONE),
    Tool(EMPTY_TRACE, EMPTY_TRACE),
    *_both_modes(EMPTY_MONITORING, EMPTY_MONITORING),
    *_both_modes("ctrace", "coverage", "CTracer", COVERAGE_CORE="ctrace"),
    *_both_modes("pytrace", "coverage", "PyTracer", COVERAGE_CORE="pytrace"),
    *_both_modes("sysmon", "coverage", "SysMonitor", COVERAGE_CORE="sysmon"),
    *_both_modes("slipcover", "slipcover"),
    *_both_modes("trace", "quickcover", "TraceTracer", QUICKCOVER_ENGINE="trace"),
    *_both_modes("monitoring", "quickcover", "MonitoringTracer", QUICKCOVER_ENGINE="monitoring"),
    *_both_modes("probe", "quickcover", "ProbeTracer", QUICKCOVER_ENGINE="probe"),
    *_both_modes("python", "quickcover", "PythonTracer", QUICKCOVER_ENGINE="python"),
)


def choose(patterns: list[str]) -> list[Tool]:
    """The tools whose name, or name before the slash, matches; `none` is always among them."""
    for pattern in patterns:
        if not any(_matches(tool, pattern) for tool in TOOLS):
            raise ValueError(f"no tool is called {pattern!r}: {', '.join(t.name for t in TOOLS)}")
    return [
        tool
        for tool in TOOLS
        if not patterns or tool.name == NONE or any(_matches(tool, p) for p in patterns)
    ]


def _matches(tool: Tool, pattern: str) -> bool:
    short = tool.name.partition("/")[0]
    return fnmatchcase(tool.name, pattern) or fnmatchcase(short, pattern)
