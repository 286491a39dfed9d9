"""From the text of `perf script` to the stacks that pass through a measuring core.

Pure: everything here works on text and numbers.  A stack is a tuple of frames, outermost first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

#: What a frame is: a function of the core, of Python (with the perf trampoline), of anything else.
CORE, PYTHON, OTHER = "core", "python", "other"


class Frame(NamedTuple):
    """One function on a stack."""

    name: str
    kind: str = OTHER


Stack = tuple[Frame, ...]


@dataclass(frozen=True)
class Sample:
    """One stack as perf saw it: (symbol, file) of each frame, outermost first."""

    weight: int
    frames: tuple[tuple[str, str], ...]


@dataclass
class Folded:
    """Equal stacks merged, with what they weigh."""

    stacks: Counter[Stack]
    #: The weight of all samples, also of those that don't pass through the core.
    total: int
    #: How many samples there were, and how many of them are in `stacks`.
    samples: int
    kept: int

    @property
    def weight(self) -> int:
        """The core's own time, with what it calls."""
        return sum(self.stacks.values())

    def text(self) -> str:
        """One line for each stack, as flame graph tools take it."""
        lines = (
            f"{';'.join(frame.name.replace(';', ':') for frame in stack)} {weight}"
            for stack, weight in self.stacks.items()
        )
        return "".join(f"{line}\n" for line in sorted(lines))


class Cost(NamedTuple):
    """A function of the core, or one that it calls: shares of the core's time."""

    frame: Frame
    #: In the function itself.
    own: float
    #: With what it calls.
    total: float


# "    1a2b symbol+0x1f (/path/of/file.so)"; perf adds "(inlined)" instead of a file at times.
_FRAME = re.compile(r"^\s+[0-9a-f]+\s+(?P<symbol>.*?)(?:\+0x[0-9a-f]+)?\s+\((?P<file>[^()]*)\)$")
# "python  9482/9482  17346.068523:    1001001 cpu-clock:uhppp: "
_HEAD = re.compile(r"^\S.*?\s\d[\d/]*\s+[\d.]+:\s+(?P<weight>\d+)\s+\S+")
_PYTHON = re.compile(r"^py::(?P<name>[^:]*):(?P<file>.*)$")
# What compilers append to the name of a function that they split or changed.
_CLONE = re.compile(r"(\.(isra|part|constprop|cold|lto_priv)(\.\d+)?)+$")
_PIDS = re.compile(r"^\S.*?\s(\d+)/\d+\s+[\d.]+:", re.M)


def samples(text: str) -> Iterator[Sample]:
    """Understand `perf script -F comm,pid,tid,time,event,ip,sym,dso,period`."""
    weight = 0
    frames: list[tuple[str, str]] = []
    for line in (*text.splitlines(), ""):
        if not line.strip():
            if weight and frames:
                yield Sample(weight, tuple(reversed(frames)))
            weight, frames = 0, []
        elif found := _FRAME.match(line):
            frames.append((found["symbol"].strip(), found["file"]))
        elif found := _HEAD.match(line):
            weight = int(found["weight"])


def processes(text: str) -> set[int]:
    """The ids of the processes that were seen."""
    return {int(pid) for pid in _PIDS.findall(text)}


def fold(found: Iterable[Sample], core: re.Pattern[str], alone: bool = False) -> Folded:
    """Keep the stacks that pass through the core, and merge equal ones.

    Args:
        found: the samples.
        core: matches the file that the core is in.
        alone: leave out what called the core.
    """
    folded = Folded(Counter(), 0, 0, 0)
    for sample in found:
        folded.total += sample.weight
        folded.samples += 1
        stack = _named(sample, core)
        first = next((i for i, frame in enumerate(stack) if frame.kind == CORE), None)
        if first is not None:
            folded.stacks[stack[first:] if alone else stack] += sample.weight
            folded.kept += 1
    return folded


def _named(sample: Sample, core: re.Pattern[str]) -> Stack:
    """The frames for people; a row of unknown functions of one file is one frame."""
    stack: list[Frame] = []
    for symbol, file in sample.frames:
        frame = _frame(symbol, file, core)
        if not (stack and frame == stack[-1] and frame.name.startswith("[")):
            stack.append(frame)
    return tuple(stack)


def _frame(symbol: str, file: str, core: re.Pattern[str]) -> Frame:
    if python := _PYTHON.match(symbol):
        return Frame(f"{python['name']} ({python['file'].rpartition('/')[2]})", PYTHON)
    kind = CORE if core.search(file) else OTHER
    if symbol in ("", "[unknown]"):
        return Frame(f"[{file.rpartition('/')[2].strip('[]') or 'unknown'}]", kind)
    return Frame(_CLONE.sub("", symbol), kind)


def top(folded: Folded) -> list[Cost]:
    """The functions from the core upwards, those that take most themselves first."""
    own: Counter[Frame] = Counter()
    total: Counter[Frame] = Counter()
    for stack, weight in folded.stacks.items():
        first = next(i for i, frame in enumerate(stack) if frame.kind == CORE)
        own[stack[-1]] += weight
        for frame in set(stack[first:]):
            total[frame] += weight
    costs = [Cost(frame, own[frame] / folded.weight, total[frame] / folded.weight)
             for frame in total]  # fmt: skip
    return sorted(costs, key=lambda cost: (-cost.own, -cost.total, cost.frame))


def nameless(folded: Folded) -> bool:
    """Has the core no function names at all?"""
    names = {frame.name for stack in folded.stacks for frame in stack if frame.kind == CORE}
    return bool(names) and all(name.startswith("[") for name in names)
