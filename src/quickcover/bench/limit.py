"""Run a program under a tool that does nothing: the limit of what a real one can reach.

python -m quickcover.bench.limit LIMIT (SCRIPT | -m MODULE) [ARGUMENT...]
"""

from __future__ import annotations

import os
import runpy
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any


def nothing(frame: FrameType, event: str, argument: Any) -> Any:
    """An empty trace function."""
    return nothing


def start_python_trace() -> None:
    """The limit of a trace function written in Python."""
    threading.settrace(nothing)
    sys.settrace(nothing)


def start_trace() -> None:
    """The limit of a trace function written in C, in every thread from now on."""
    from quickcover import _native

    kept: list[_native.EmptyTrace] = []

    def start(frame: Any = None, event: Any = None, argument: Any = None) -> None:
        limit = _native.EmptyTrace()
        kept.append(limit)
        limit.start()

    threading.settrace(start)
    start()


def start_monitoring(branch: bool) -> None:
    """The limit of sys.monitoring: C callbacks that switch each place off at its first hit."""
    from quickcover import _env, _native

    if not _env.current().monitoring:
        sys.exit("this Python has no sys.monitoring")
    _kept.append(_native.EmptyMonitoring())
    _kept[-1].start(branch)


_kept: list[Any] = []

START: dict[str, Callable[[], None]] = {
    "python-trace": start_python_trace,
    "trace": start_trace,
    "monitoring-lines": lambda: start_monitoring(False),
    "monitoring-branches": lambda: start_monitoring(True),
}


def main() -> None:
    """The command; the program sees the `sys.argv` and `sys.path` that it is used to."""
    limit, *words = sys.argv[1:]
    START[limit]()
    if words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        if not os.path.isdir(words[0]) and not sys.flags.safe_path:
            sys.path[0] = os.path.dirname(os.path.abspath(words[0]))
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    main()
