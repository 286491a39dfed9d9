"""Work on many files, shared among processes.

The processes are fresh ones, not forks: whoever writes a report may have threads.  What they make
goes to where the task says; what one of them didn't manage is simply not there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

#: Characters of source that one more process must have to do to be worth its start.
_SHARE = 800_000

#: Our own entries of the path come first: where the user's come first, his token.py would too.
_BOOT = """\
import json, sys
call = json.load(sys.stdin)
sys.path += [entry for entry in call["path"] if entry not in sys.path]
from quickcover import _crew
_crew.serve(call)
"""

#: They say what this process measures; its helpers are not to be measured.
_NOT_INHERITED = (
    "COVERAGE_PROCESS_START",
    "COVERAGE_PROCESS_CONFIG",
    "QUICKCOVER_INSTALL",
    "QUICKCOVER_ENGINE",
)


def work(function: str, task: Any, sizes: Mapping[str, int]) -> None:
    """Call `function(task, names, done)` for all names, in several processes if there is much.

    Args:
        function: "module:name"; it calls `done()` after each name, and keeps its errors to itself.
        task: anything that JSON can tell.
        sizes: how much work each name is, in characters.
    """
    count = min(_cpus(), 1 + sum(sizes.values()) // _SHARE) if sys.executable else 1
    with _Progress(len(sizes)) as progress:
        if count == 1:
            _called(function)(task, sizes, progress.step)
            return
        # Where no more processes are to be had, who wanted the work done sees that it isn't.
        with suppress(OSError):
            _share(function, task, _parts(sizes, count), progress)


def serve(call: Mapping[str, Any]) -> None:
    """Do one part, in a process of the crew: a byte on stdout for each name that is done."""

    def done() -> None:
        os.write(1, b".")

    _called(call["function"])(call["task"], call["names"], done)


def _called(function: str) -> Callable[[Any, Iterable[str], Callable[[], None]], None]:
    module, name = function.split(":")
    found: Callable[[Any, Iterable[str], Callable[[], None]], None]
    found = getattr(import_module(module), name)
    return found


def _cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _parts(sizes: Mapping[str, int], count: int) -> list[list[str]]:
    """About the same amount of work for everybody: the next largest goes to who has least."""
    parts: list[tuple[int, list[str]]] = [(0, []) for _ in range(count)]
    for name in sorted(sizes, key=lambda name: -sizes[name]):
        least = min(range(count), key=lambda part: parts[part][0])
        amount, names = parts[least]
        names.append(name)
        parts[least] = amount + sizes[name], names
    return [names for _, names in parts if names]


def _share(function: str, task: Any, parts: list[list[str]], progress: _Progress) -> None:
    """Do the first part here, each other one in a process of its own, and wait for all."""
    environ = {key: value for key, value in os.environ.items() if key not in _NOT_INHERITED}
    flags = [f"-{'O' * sys.flags.optimize}"] if sys.flags.optimize else []
    flags += [f"-W{option}" for option in sys.warnoptions]
    path = [entry for entry in sys.path if isinstance(entry, str)]
    reading, writing = os.pipe()
    crew: list[subprocess.Popen[bytes]] = []
    try:
        for names in parts[1:]:
            one = subprocess.Popen(
                [sys.executable, "-P", *flags, "-c", _BOOT],
                stdin=subprocess.PIPE, stdout=writing, stderr=subprocess.DEVNULL, env=environ,
            )  # fmt: skip
            crew.append(one)
            call = {"path": path, "function": function, "task": task, "names": names}
            _tell(one, json.dumps(call).encode())
        os.close(writing)
        writing = -1
        _called(function)(task, parts[0], lambda: progress.step(1 + _come(reading)))
        while steps := os.read(reading, 4096):
            progress.step(len(steps))
        for one in crew:
            one.wait()
    finally:
        for one in crew:
            one.kill()
            one.wait()
        for descriptor in (reading, writing):
            if descriptor >= 0:
                os.close(descriptor)


def _come(reading: int) -> int:
    """How many bytes are there to be read?  They are read."""
    os.set_blocking(reading, False)
    try:
        return len(os.read(reading, 4096))
    except BlockingIOError:
        return 0
    finally:
        os.set_blocking(reading, True)


def _tell(one: subprocess.Popen[bytes], call: bytes) -> None:
    assert one.stdin is not None
    with suppress(OSError), one.stdin as stdin:  # it may have ended at once
        stdin.write(call)


class _Progress:
    """A line on stderr, if somebody sees it and has to wait."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._shown = False

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()

    def step(self, count: int = 1) -> None:
        """That many more are done."""
        self._done += count
        if self._done % 20 < count and sys.stderr is not None and sys.stderr.isatty():
            sys.stderr.write(f"\rAnalysing source files: {self._done} of {self._total}")
            sys.stderr.flush()
            self._shown = True
