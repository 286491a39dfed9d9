"""Runs programs of the catalogue, measured or not.

The programs of a theme are run one after the other in a single measurement, each run of a program
from a file of its own: so a start and a stop per theme suffice, and files tell the runs apart.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import io
import sys
import types
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .measure import Measurer, Recorded
from .programs import Program


@dataclass(frozen=True)
class Run:
    """One run of a program: the calls to make after the module body, and the file it runs from."""

    program: Program
    calls: tuple[str, ...]
    file: Path


@dataclass(frozen=True)
class Measured:
    """What measuring some runs gave: the recorded places, and what each run did."""

    recorded: Recorded
    outcomes: dict[Run, str]


def write(programs: Iterable[Program], directory: Path) -> list[Run]:
    """Write each program once per run into `directory`."""
    runs = []
    for program in programs:
        for number, calls in enumerate(program.runs):
            file = directory / f"{program.theme}_{program.name}_{number}.py"
            # A line above everything, so that no function begins where the module does.
            file.write_text(f"# {program.id}: {calls}\n{program.source}", encoding="utf-8")
            runs.append(Run(program, tuple(filter(None, map(str.strip, calls.split(";")))), file))
    return runs


def measure(runs: Iterable[Run], measurer: Measurer | None) -> Measured:
    """Run them all, measured if there is a measurer."""
    ready = [(run, compile(run.file.read_text("utf-8"), str(run.file), "exec")) for run in runs]
    with no_garbage_collected():
        if measurer is None:
            return Measured({}, {run: perform(run, code) for run, code in ready})
        measurer.start()
        try:
            outcomes = {run: perform(run, code) for run, code in ready}
            gc.collect()
        finally:
            measurer.stop()
    return Measured(measurer.recorded(), outcomes)


@contextlib.contextmanager
def no_garbage_collected() -> Iterator[None]:
    """No collection by chance, so that abandoned generators are closed alike in every run."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextlib.contextmanager
def cheap_collections() -> Iterator[None]:
    """What exists by now is left out of all collections in the block, which makes them cheap."""
    gc.collect()
    freeze, unfreeze = getattr(gc, "freeze", None), getattr(gc, "unfreeze", None)
    if freeze is None or unfreeze is None:  # PyPy's are cheap as they are
        yield
        return
    freeze()
    try:
        yield
    finally:
        unfreeze()


def perform(run: Run, code: types.CodeType) -> str:
    """Run one program and tell what it did: its output and the results of its calls."""
    spec = importlib.util.spec_from_file_location(f"program_{run.file.stem}", run.file)
    assert spec
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    module.__dict__["drive"] = drive
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output):
            told = [_outcome(exec, code, module.__dict__)]
            for call in run.calls:
                told.append(_outcome(eval, _compiled(call), module.__dict__))
    finally:
        del sys.modules[module.__name__]
    return "\n".join([*told, output.getvalue()])


def drive(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end, whatever it yields."""
    while True:
        try:
            coroutine.send(None)
        except StopIteration as stop:
            return stop.value


def _compiled(call: str) -> types.CodeType:
    """A call compiled as an expression, if it is one, so that its value is known."""
    try:
        return compile(call, "<call>", "eval")
    except SyntaxError:
        return compile(call, "<call>", "exec")


def _outcome(function: Callable[..., Any], *args: Any) -> str:
    try:
        return _told(function(*args))
    except BaseException as error:
        return f"{type(error).__name__}: {error}"


def _told(value: object) -> str:
    """A value's repr if that is the same in every run, else its type."""
    text = repr(value)
    return type(value).__name__ if " at 0x" in text else text
