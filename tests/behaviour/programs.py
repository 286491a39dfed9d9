"""The catalogue of small programs: programs/*.txt, one file per theme.

A file holds programs, each below a head:

    %% name                 the name, unique in its file
    needs: fact             a fact of facts.py without which the program can't run (may be repeated)
    run: f(0); f(1)         how it is run after its module body: calls, each on its own (may be
                            repeated; without it the module body is all there is)

Every run is a measurement of its own, from a file of its own, so a program with three runs says
three times which lines and branches are executed. The programs are not meant to be good style:
where the line breaks are is what is being tested.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

DIRECTORY = Path(__file__).with_name("programs")


@dataclass(frozen=True)
class Program:
    """One program of the catalogue."""

    theme: str
    name: str
    needs: tuple[str, ...]
    runs: tuple[str, ...]
    source: str

    @property
    def id(self) -> str:
        return f"{self.theme}.{self.name}"


@functools.cache
def catalogue() -> tuple[Program, ...]:
    """Every program of every theme."""
    return tuple(
        _parse(path.stem, text)
        for path in sorted(DIRECTORY.glob("*.txt"))
        for text in ("\n" + path.read_text(encoding="utf-8")).split("\n%% ")[1:]
    )


@functools.cache
def themes() -> dict[str, tuple[Program, ...]]:
    """The programs of each theme."""
    names = {program.theme for program in catalogue()}
    return {n: tuple(p for p in catalogue() if p.theme == n) for n in sorted(names)}


def _parse(theme: str, text: str) -> Program:
    name, *lines = text.split("\n")
    heads: dict[str, list[str]] = {"needs": [], "run": []}
    while lines and lines[0].partition(":")[0] in heads:
        key, _, value = lines.pop(0).partition(":")
        heads[key].append(value.strip())
    source = "\n".join(lines).strip("\n") + "\n"
    return Program(theme, name, tuple(heads["needs"]), tuple(heads["run"] or [""]), source)
