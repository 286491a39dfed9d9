"""A tracer that is as simple as it can be: sys.settrace and two plain sets.

What it records, the way coverage.py's C tracer ("ctrace") defines it:

- A line is recorded when a line event says that the interpreter is about to run it.
- An arc (from, to) joins two lines that ran one after the other in one frame.
- Calling a function is the arc (-first, line), where `first` is the line at which its code begins.
- Leaving it, by returning or by an exception, is the arc (line, -first).
- A generator or coroutine that yields has not left: no arc. When it is resumed it goes on from the
  line at which it stands: no entry.
- A frame that was running before `start()` is not seen, except a generator that is resumed later.
- Every thread that begins while the oracle runs is seen too.

The interpreter calls the *global* trace function when a frame is entered or resumed, and what that
returns, the frame's *local* trace function, for all that happens there. So each stay in a frame,
from its call or resume to its return or yield, is an object of its own here: a `Visit`.

Not for measuring anything real, and not for programs that run into the recursion limit: the
tracer's own calls would run into it too, and the interpreter then switches tracing off.
"""

from __future__ import annotations

import opcode
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

# From 3.14 on the line of a return may be told by the return event alone, so ctrace looks there.
RETURN_TELLS_A_LINE = sys.version_info >= (3, 14)


class Oracle:
    """Records the lines and arcs of the files that `measures` says yes to."""

    # The oracles that have been started, the newest last. Only the newest one records.
    _started: list[Oracle] = []

    def __init__(self, measures: Callable[[str], bool]) -> None:
        self.measures = measures
        self.lines: set[tuple[str, int]] = set()
        self.arcs: set[tuple[str, int, int]] = set()

    def start(self) -> None:
        """Begin to record; an oracle that records already is paused until `stop()`."""
        self._started.append(self)
        self._trace_from_now_on()

    def stop(self) -> None:
        """End recording, and let the oracle that was paused by `start()` go on."""
        assert self._started[-1] is self, "oracles must be stopped in reverse order"
        self._started.pop()
        if self._started:
            self._started[-1]._trace_from_now_on()
        else:
            sys.settrace(None)
            threading.settrace(None)

    def is_recording(self) -> bool:
        return bool(self._started) and self._started[-1] is self

    def _trace_from_now_on(self) -> None:
        sys.settrace(self._on_call)
        threading.settrace(self._on_call)

    def _on_call(self, frame: FrameType, event: str, arg: Any) -> Visit | None:
        """The global trace function: called at each call of a function and each resume."""
        if self.is_recording() and self.measures(frame.f_code.co_filename):
            return Visit(self, frame)
        return None


class Visit:
    """One stay in a frame, from its call or resume to its return or yield."""

    def __init__(self, oracle: Oracle, frame: FrameType) -> None:
        self.oracle = oracle
        self.file = frame.f_code.co_filename
        self.first = frame.f_code.co_firstlineno
        self.line = -self.first if _is_entry(frame) else frame.f_lineno

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Visit:
        """The local trace function: called at each line, exception and return."""
        if not self.oracle.is_recording():
            return self
        if event == "line":
            self.oracle.lines.add((self.file, frame.f_lineno))
            self._go_to(frame.f_lineno)
        elif event == "return" and not _is_yield(frame):
            if RETURN_TELLS_A_LINE and frame.f_lineno not in (None, self.line):
                self._go_to(frame.f_lineno)
            self._go_to(-self.first)
        return self

    def _go_to(self, line: int) -> None:
        self.oracle.arcs.add((self.file, self.line, line))
        self.line = line


def _is_entry(frame: FrameType) -> bool:
    """Whether a call event is a real call: the argument of its RESUME is 0 only then.

    On PyPy, which has no RESUME, no instruction was run yet.
    """
    if frame.f_lasti < 0:
        return True
    if "RESUME" not in opcode.opmap:
        return False
    return _instruction(frame)[1] == 0


def _is_yield(frame: FrameType) -> bool:
    """Whether a return event is a yield.

    An exception thrown into a waiting generator that does not catch it looks the same where the
    frame then stands at its last yield too (3.11-3.13): ctrace takes that for a yield, so do we.
    """
    begun = frame.f_lasti >= 0  # what is thrown into a generator on PyPy may come before
    return begun and _instruction(frame)[0] in OPCODES_OF_YIELDS


def _instruction(frame: FrameType) -> tuple[int, int]:
    """The opcode and the argument of the instruction at which the frame stands."""
    opcode, argument = frame.f_code.co_code[frame.f_lasti : frame.f_lasti + 2]
    return opcode, argument


def _opcodes_of_yields() -> frozenset[int]:
    """The instructions at which a frame stands in the return event of a yield, by trying it."""
    seen: set[int] = set()

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        if event == "return":
            seen.add(_instruction(frame)[0])
        return trace

    def generator() -> Iterator[None]:
        yield

    def delegating() -> Iterator[None]:
        yield from generator()

    kept = [generator(), delegating()]  # closing them is to tell nothing
    before = sys.gettrace()
    sys.settrace(trace)
    for each in kept:
        next(each)
    sys.settrace(before)
    return frozenset(seen)


# YIELD_VALUE or the RESUME behind it: it depends on the version. PyPy has YIELD_FROM, too.
OPCODES_OF_YIELDS = _opcodes_of_yields()
