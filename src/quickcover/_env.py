"""Facts about interpreters, named by fact.  No other Python module asks for versions."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The name under which the monitoring engine takes a tool id of sys.monitoring.
TOOL_NAME = "quickcover"

#: sys.monitoring has ids for this many tools; the two above belong to CPython itself.
_TOOL_IDS = range(6)


@dataclass(frozen=True)
class Interpreter:
    """What an interpreter offers to the engines."""

    #: There is a `sys.monitoring`.
    monitoring: bool
    #: It reports the two sides of a branch as two events, so that each can be disabled by itself.
    branch_left_right: bool


#: The supported CPython versions, for documentation that speaks of all of them.
SUPPORTED: Mapping[str, Interpreter] = {
    "3.11": Interpreter(monitoring=False, branch_left_right=False),
    "3.12": Interpreter(monitoring=True, branch_left_right=False),
    "3.13": Interpreter(monitoring=True, branch_left_right=False),
    "3.14": Interpreter(monitoring=True, branch_left_right=True),
    "3.15": Interpreter(monitoring=True, branch_left_right=True),
}


def version() -> str:
    """This interpreter's version, as `SUPPORTED` spells it."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def release() -> str:
    """This interpreter's version in full."""
    import platform

    return platform.python_version()


def perf_trampoline() -> bool:
    """Can Python give its frames names that perf sees (`-X perf`)?"""
    return hasattr(sys, "activate_stack_trampoline")


def perf_jit() -> bool:
    """Can it do so without frame pointers (`-X perf_jit`)?"""
    return perf_trampoline() and sys.version_info >= (3, 13)


def current() -> Interpreter:
    """The facts of this interpreter, by asking it."""
    monitoring = _monitoring()
    return Interpreter(
        monitoring=monitoring is not None,
        branch_left_right=hasattr(getattr(monitoring, "events", None), "BRANCH_LEFT"),
    )


def tool_id_available() -> bool:
    """Is a tool id of sys.monitoring free, or ours already?"""
    monitoring = _monitoring()
    if monitoring is None:
        return False
    return any(monitoring.get_tool(tool) in (None, TOOL_NAME) for tool in _TOOL_IDS)


def _monitoring() -> Any:
    """`sys.monitoring`, or None."""
    return getattr(sys, "monitoring", None)
