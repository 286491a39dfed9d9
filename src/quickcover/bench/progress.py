"""How far a long command is, on stderr: a bar with rich in a terminal, else a line."""

from __future__ import annotations

import importlib.util
import sys
import time
from typing import Any, Protocol

#: Elsewhere than in a terminal, a line after so many seconds.
_PAUSE = 30


class Progress(Protocol):
    """Shows how far something is."""

    def __call__(self, text: str, part: float) -> None:
        """Say what is going on, and which part (0 to 1) of the whole is done."""

    def close(self) -> None:
        """Take it away."""


class Line:
    """One line on stderr, rewritten on a terminal; elsewhere a new one now and then."""

    def __init__(self) -> None:
        """Start the clock."""
        self.began = time.monotonic()
        self.printed = 0.0
        self.terminal = sys.stderr.isatty()

    def __call__(self, text: str, part: float) -> None:
        """Show it."""
        now = time.monotonic()
        if not self.terminal and now - self.printed < _PAUSE:
            return
        self.printed = now
        elapsed = now - self.began
        left = f", {_time(elapsed * (1 - part) / part)} left" if part > 0.01 else ""
        line = f"{part:4.0%} {text}{left}"
        if self.terminal:
            print(f"\r{line:<78.78}", end="", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave an empty line."""
        if self.terminal:
            print(f"\r{'':78}\r", end="", file=sys.stderr, flush=True)


class Bar:
    """rich's progress bar."""

    def __init__(self) -> None:
        """Show the bar."""
        console: Any = importlib.import_module("rich.console")
        progress: Any = importlib.import_module("rich.progress")
        self.bar = progress.Progress(
            progress.BarColumn(),
            progress.TaskProgressColumn(),
            progress.TimeRemainingColumn(),
            progress.TextColumn("{task.description}"),
            console=console.Console(stderr=True),
            transient=True,
        )
        self.task = self.bar.add_task("", total=1.0)
        self.bar.start()

    def __call__(self, text: str, part: float) -> None:
        """Show it."""
        self.bar.update(self.task, completed=part, description=text)

    def close(self) -> None:
        """Remove the bar."""
        self.bar.stop()


def has_rich() -> bool:
    """Is rich installed?"""
    return importlib.util.find_spec("rich") is not None


def best() -> Progress:
    """The bar where it can be shown."""
    return Bar() if sys.stderr.isatty() and has_rich() else Line()


def _time(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
