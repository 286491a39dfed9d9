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
    #: We know how to put probes into its bytecode.
    probes: bool
    #: There is a C extension for it.
    extension: bool = True
    #: We know how to rewrite its bytecode in Python.
    rewriting: bool = False


#: The supported interpreters, for documentation that speaks of all of them.
SUPPORTED: Mapping[str, Interpreter] = {
    "3.11": Interpreter(monitoring=False, branch_left_right=False, probes=True, rewriting=True),
    "3.12": Interpreter(monitoring=True, branch_left_right=False, probes=True),
    "3.13": Interpreter(monitoring=True, branch_left_right=False, probes=True),
    "3.14": Interpreter(monitoring=True, branch_left_right=True, probes=False),
    "3.15": Interpreter(monitoring=True, branch_left_right=True, probes=False),
    "PyPy 3.11": Interpreter(
        monitoring=False, branch_left_right=False, probes=False, extension=False, rewriting=True
    ),
}


def version() -> str:
    """This interpreter's version, as `SUPPORTED` spells it."""
    number = f"{sys.version_info.major}.{sys.version_info.minor}"
    return number if is_cpython() else f"PyPy {number}"


def release() -> str:
    """This interpreter's version in full."""
    import platform

    return platform.python_version()


def build() -> str:
    """This interpreter's build, for what must not be taken from one to another."""
    return f"{sys.implementation.cache_tag} {sys.version}"


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
        probes=_probes(),
        extension=is_cpython(),
        rewriting=_rewriting(),
    )


def is_cpython() -> bool:
    """Is this CPython?"""
    return sys.implementation.name == "cpython"


def _rewriting() -> bool:
    """Do we know this interpreter's bytecode well enough to write it in Python?"""
    if sys.version_info[:2] != (3, 11):
        return False
    if is_cpython():
        return True
    import opcode

    # Blocks and handlers are CPython 3.11's, the rest is older.
    return "PUSH_EXC_INFO" in opcode.opmap and "ROT_TWO" in opcode.opmap


def _probes() -> bool:
    """Do we know this interpreter's bytecode, and does it run nothing else?"""
    if not is_cpython() or sys.version_info >= (3, 14):
        return False
    return sys.version_info < (3, 13) or not jit_enabled()


def jit_enabled() -> bool:
    """May CPython compile bytecode to machine code, or run optimised copies of it?"""
    jit = getattr(sys, "_jit", None)
    if jit is not None:
        return bool(jit.is_enabled())
    import sysconfig

    return "experimental-jit" in (sysconfig.get_config_var("CONFIG_ARGS") or "")


def tool_id_available() -> bool:
    """Is a tool id of sys.monitoring free, or ours already?"""
    monitoring = _monitoring()
    if monitoring is None:
        return False
    return any(monitoring.get_tool(tool) in (None, TOOL_NAME) for tool in _TOOL_IDS)


def _monitoring() -> Any:
    """`sys.monitoring`, or None."""
    return getattr(sys, "monitoring", None)
