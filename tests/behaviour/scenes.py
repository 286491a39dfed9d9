"""Scenes: small plays of starting, stopping and calling, acted once under each measurer.

A scenario is a function that gets a `Scene`; it loads programs, makes measurers, and notes what
they recorded. `Comparison` plays it under ctrace and under one other measurer, and compares notes.
"""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from . import facts
from .comparing import missed, raw_differences, report_differences
from .measure import Measurer, Recorded, measurer
from .running import no_garbage_collected

# The measurers whose raw data must be ctrace's; of others only the reports must be the same.
SAME_RAW_DATA = ("oracle", "trace")


class Scene:
    """One performance of a scenario: a directory of programs, and the measurer to be used."""

    def __init__(self, directory: Path, name: str, branch: bool) -> None:
        self.directory = directory
        self.name = name
        self.branch = branch
        self.notes: list[Recorded] = []

    def write(self, source: str, file: str = "program.py") -> Path:
        """Write a program."""
        path = self.directory / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"# {file}\n{source}", encoding="utf-8")
        return path

    def compile(self, source: str, file: str = "program.py") -> types.CodeType:
        """Write a program and compile it; it is run by whoever wants to."""
        path = self.write(source, file)
        return compile(path.read_text(encoding="utf-8"), str(path), "exec", dont_inherit=True)

    def load(self, source: str, file: str = "program.py") -> types.SimpleNamespace:
        """Write a program and run its body; what it defines is in the result."""
        namespace = {"__name__": "program", "__file__": str(self.directory / file)}
        exec(self.compile(source, file), namespace)
        return types.SimpleNamespace(**namespace)

    def measurer(self, subdirectory: str = "", *, branch: bool | None = None) -> Measurer:
        """A new measurer of the programs in this directory, or in one below it."""
        where = self.directory / subdirectory
        return measurer(self.name, where, branch=self.branch if branch is None else branch)

    @contextlib.contextmanager
    def measuring(self, subdirectory: str = "") -> Iterator[Measurer]:
        """Measure what happens in the block, and note what was recorded."""
        used = self.measurer(subdirectory)
        used.start()
        try:
            yield used
        finally:
            used.stop()
        self.note(used)

    def note(self, used: Measurer) -> None:
        """Note what the measurer recorded up to now."""
        self.notes.append(used.recorded())


Scenario = Callable[[Scene], None]


class Comparison:
    """Plays scenarios under ctrace and under the measurer `name`, and compares their notes."""

    def __init__(self, directory: Path, name: str, branch: bool) -> None:
        self.directory = directory
        self.name = name
        self.branch = branch

    def __call__(self, scenario: Scenario, *, sees_more: tuple[str, ...] = ()) -> None:
        """Play it under ctrace too. Those that `sees_more` names may execute more than ctrace."""
        self._against(facts.stock(), scenario, self.name in sees_more)

    def with_oracle(self, scenario: Scenario, *, sees_more: tuple[str, ...] = ()) -> None:
        """As above, for a scenario that ctrace gets wrong: the oracle is right."""
        if self.name != "oracle":
            self._against("oracle", scenario, self.name in sees_more)
        elif facts.stock() != "ctrace":
            pytest.skip("what ctrace gets wrong may be right here")
        else:
            with pytest.raises(AssertionError):
                self._against(facts.stock(), scenario, False)

    def _against(self, reference: str, scenario: Scenario, sees_more: bool) -> None:
        expected = self.play(scenario, reference)
        notes = self.play(scenario, self.name)
        assert len(notes) == len(expected)
        for mine, theirs in zip(notes, expected, strict=True):
            difference = self._difference(reference, mine, theirs, sees_more)
            assert not difference, difference

    def play(self, scenario: Scenario, name: str) -> list[Recorded]:
        """Play it once; the same directory serves all, so that files have the same names."""
        scene = Scene(self.directory, name, self.branch)
        try:
            with no_garbage_collected():
                scenario(scene)
        finally:
            # A C tracer that a program has set by sys.settrace() stays although it is stopped.
            sys.settrace(None)
        return scene.notes

    def _difference(self, reference: str, mine: Recorded, theirs: Recorded, sees_more: bool) -> str:
        if sees_more:
            return missed(self.name, reference, mine, theirs, branch=self.branch)
        if self.name in SAME_RAW_DATA:
            return raw_differences(self.name, reference, mine, theirs)
        return report_differences(self.name, reference, mine, theirs, branch=self.branch)
