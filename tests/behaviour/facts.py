"""What this interpreter can do, each fact found out by trying it.

Programs name the facts they need; a fixture skips those that need what is not there. Nothing in
the behaviour suite asks for versions.
"""

from __future__ import annotations

import functools
import sys
import warnings
from typing import Any

# Fact → a piece of source that only compiles where it holds.
_SYNTAX = {
    "type_parameters": "def f[T](): pass\ntype A = int",
    "type_parameter_defaults": "class C[T = int]: pass",
    "nested_f_strings": "f'{'a'}'",
    "except_without_parentheses": "try: pass\nexcept A, B: pass",
    "template_strings": "t'{1}'",
    "lazy_imports": "lazy import os",
    "unpacking_in_comprehensions": "[*i for i in ()]",
}


@functools.cache
def holds(fact: str) -> bool:
    """Whether the fact holds here; KeyError for a fact that nobody has defined."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(_SYNTAX[fact], "<fact>", "exec")
        except SyntaxError:
            return False
    return True


def missing(needs: tuple[str, ...]) -> str:
    """Why a program with these needs can't run here; empty if it can."""
    return ", ".join(f"no {fact.replace('_', ' ')} here" for fact in needs if not holds(fact))


def engines() -> tuple[str, ...]:
    """The engines that are there; those of the extension only when it was built."""
    from quickcover import _engines

    return _engines.available()


def stock() -> str:
    """The core of coverage.py that others are compared with: its C tracer where there is one."""
    from quickcover import _env

    return "ctrace" if _env.current().extension else "pytrace"


def unable(engine: str, *, branch: bool) -> str:
    """Why this engine can't measure lines, or branches, on this interpreter; empty if it can."""
    from quickcover import _env

    if engine == "python" and not _env.current().rewriting:
        return "the python engine doesn't know this Python's bytecode"
    if engine == "ctrace" and not _env.current().extension:
        return "coverage.py has no C tracer here"
    events = getattr(monitoring(), "events", None)
    if engine in ("monitoring", "sysmon"):
        if events is None:
            return "no sys.monitoring here"
        if branch and not hasattr(events, "BRANCH_LEFT"):
            return "sys.monitoring does not tell the sides of branches here"
    return ""


def leaves_try_star() -> bool:
    """Whether a `try` with `except*` may be left by `return`: PyPy's compiler crashes there."""
    from quickcover import _env

    return _env.is_cpython()


def traces_finalizers() -> bool:
    """Whether trace functions see what runs when generators are closed as garbage."""
    from quickcover import _env

    return _env.is_cpython()


def contexts_by_functions(engine: str) -> bool:
    """Whether this engine sees every call, as contexts that functions begin need."""
    return engine != "python"


def monitoring() -> Any:
    """sys.monitoring, or None where there is none."""
    return getattr(sys, "monitoring", None)


def monitoring_tools() -> list[str]:
    """The tools that have an id of sys.monitoring now."""
    if monitoring() is None:
        return []
    return [name for tool in range(6) if (name := monitoring().get_tool(tool)) is not None]
