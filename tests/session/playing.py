"""Programs in steps, each step an example: what a session sees of it, and what coverage.py does.

A program of the behaviour suite's catalogue becomes these steps: its module body, then the calls of
all its runs, each twice.  So most places are hit in several examples.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import io
import itertools
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from quickcover import Example, Session, _env

from ..behaviour import reference
from ..behaviour.measure import Measurer, Recorded, measurer
from ..behaviour.running import Run, drive

if _env.current().extension:
    from coverage.tracer import CFileDisposition, CTracer

TIMES = 2  # each call


@dataclass(frozen=True)
class Step:
    """One example: some piece of a program."""

    name: str
    work: Callable[[], object]


def steps(runs: Iterable[Run]) -> Iterator[Step]:
    """The steps of some programs, to be taken once, in this order."""
    for program, its in itertools.groupby(runs, lambda run: run.program):
        of_program = list(its)
        file = of_program[0].file
        module = types.ModuleType(f"program_{file.stem}")
        module.__dict__.update({"drive": drive, "__file__": str(file)})
        code = compile(file.read_text("utf-8"), str(file), "exec")
        yield Step(f"{program.id}: body", functools.partial(exec, code, module.__dict__))
        calls = dict.fromkeys(call for run in of_program for call in run.calls)
        for call in calls:
            work = functools.partial(exec, call, module.__dict__)
            yield from [Step(f"{program.id}: {call}", work)] * TIMES


def take(step: Step) -> None:
    """Take a step, whatever it prints or raises."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(BaseException):
        step.work()


class Bare:
    """coverage.py's C tracer without the rest of it: it starts and stops much faster."""

    def __init__(self, directory: Path, branch: bool) -> None:
        self._prefix = str(directory)
        self._branch = branch
        self._cache: dict[str, CFileDisposition] = {}
        self.erase()

    def _should_trace(self, filename: str, frame: FrameType) -> CFileDisposition:
        disposition = CFileDisposition()
        disposition.original_filename = disposition.canonical_filename = filename
        disposition.source_filename = filename
        disposition.trace = filename.startswith(self._prefix)
        disposition.reason = ""
        disposition.file_tracer = None
        disposition.has_dynamic_filename = False
        return disposition

    def start(self) -> None:
        tracer = self._tracer
        tracer.data = self._data
        tracer.trace_arcs = self._branch
        tracer.should_trace = self._should_trace
        tracer.should_trace_cache = self._cache
        tracer.concur_id_func = tracer.should_start_context = None
        tracer.lock_data = tracer.unlock_data = lambda: None
        tracer.start()

    def stop(self) -> None:
        self._tracer.stop()

    def erase(self) -> None:
        self._data: dict[str, set[int]] = {}
        self._tracer = CTracer()

    def recorded(self) -> Recorded:
        place = functools.partial(_unpacked, width=_width()) if self._branch else int
        return {file: frozenset(map(place, found)) for file, found in self._data.items() if found}

    def packed(self) -> set[int]:
        return set().union(*self._data.values())


def _unpacked(packed: int, width: int) -> tuple[int, int]:
    """An arc as coverage.py's Collector unpacks it: two numbers of so many bits, then two signs."""
    mask = (1 << width) - 1
    start, end = packed & mask, packed >> width & mask
    negative = packed >> 2 * width
    return -start if negative & 1 else start, -end if negative & 2 else end


@functools.cache
def _width() -> int:
    """How many bits a line has there; found out, because it differs between releases."""
    names: dict[str, Any] = {}
    exec(compile("def f():\n    return 1\n", "<width>", "exec"), names)
    bare = Bare(Path("<width>"), True)
    bare.start()
    names["f"]()
    bare.stop()
    arcs = {(-1, 2), (2, -1)}
    return next(w for w in range(8, 60) if {_unpacked(p, w) for p in bare.packed()} == arcs)


def reference_for(directory: Path, branch: bool) -> Measurer:
    """What is right."""
    if reference.name() == "ctrace":
        return Bare(directory, branch)
    return measurer(reference.name(), directory, branch=branch)


def measured(measurer: Measurer, plays: Iterable[Step]) -> list[Recorded]:
    """What a measurer records of each step, in a measurement of its own."""
    told = []
    gc.collect()  # else what others have left behind may end in one of ours
    gc.disable()
    try:
        for step in plays:
            measurer.start()
            take(step)
            measurer.stop()
            told.append(measurer.recorded())
            measurer.erase()
    finally:
        gc.enable()
    return told


def exampled(session: Session, plays: Iterable[Step]) -> list[Example]:
    """The example of each step."""
    told = []
    gc.collect()  # else what others have left behind may end in one of ours
    gc.disable()
    try:
        for step in plays:
            with session.example() as example:
                take(step)
            told.append(example)
    finally:
        gc.enable()
    return told


def recorded(example: Example, *, branch: bool) -> Recorded:
    """What an example hit, as measurers tell it."""
    found: dict[str, set[Any]] = {}
    if branch:
        for file, start, end in example.arcs():
            found.setdefault(file, set()).add((start, end))
    else:
        for file, line in example.lines():
            found.setdefault(file, set()).add(line)
    return {file: frozenset(places) for file, places in found.items()}


def function(path: Path, source: str, name: str = "f") -> Any:
    """A function of a program that is written to a file."""
    path.write_text(source, encoding="utf-8")
    names: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
    exec(compile(source, str(path), "exec"), names)
    return names[name]


#: A small program: lines 3, 4 and 7, and with more than two turns of its loop all from 3 on.
SOURCE = """\
# a program
def f(x):
    total = 0
    for i in range(x):
        if i > 1:
            total += i
    return total
"""


def lines(example: Any) -> set[int]:
    """The lines that an example, or a session, has seen, of whatever file."""
    return {line for _, line in example.lines()}
