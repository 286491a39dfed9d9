"""The arguments of Python that stand after `--`: what is run, and with which options."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from quickcover.bench.errors import UsageError

#: Options of Python that take a value, joined or as the next word.
_WITH_VALUE = "XW"
_LONG_WITH_VALUE = ("--check-hash-based-pycs",)
_NEED = "give a script, or -m and a module, after --"


@dataclass(frozen=True)
class Target:
    """A script or module, its arguments, and options for the interpreter."""

    options: tuple[str, ...]
    module: bool
    name: str
    arguments: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        """The script or module and its arguments, as Python, coverage.py and SlipCover take it."""
        return [*(("-m",) if self.module else ()), self.name, *self.arguments]

    @property
    def python(self) -> list[str]:
        """The interpreter that is running, with the options."""
        return [sys.executable, *self.options]


def parse(words: list[str] | None) -> Target:
    """Understand PYTHON-ARGS.

    Raises:
        UsageError: there is nothing to run, or it can't be run under every tool.
    """
    if not words:
        raise UsageError(f"nothing to run: {_NEED}")
    rest = list(words)
    options: list[str] = []
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word.startswith("--"):
            options += [word, *_value(rest, word in _LONG_WITH_VALUE)]
            continue
        flags, last, joined = _flags(word)
        if last == "c":
            raise UsageError("-c is not possible: write the code to a file")
        if last == "m":
            options += [f"-{flags}"] if flags else []
            name = joined or next(iter(_value(rest, True)), "")
            if not name:
                raise UsageError("-m needs the name of a module")
            return Target(tuple(options), True, name, tuple(rest))
        options += [word, *_value(rest, last != "" and not joined)]
    if not rest or rest[0] == "-":
        raise UsageError(f"no script: {_NEED}")
    if not os.path.exists(rest[0]):
        hint = " (leave out the name of the interpreter)" if "python" in rest[0] else ""
        raise UsageError(f"no such script: {rest[0]}{hint}")
    return Target(tuple(options), False, rest[0], tuple(rest[1:]))


def _flags(word: str) -> tuple[str, str, str]:
    """Split "-Bm..." into flags, the letter that takes a value (or ""), and a joined value."""
    for place, letter in enumerate(word[1:], 1):
        if letter in _WITH_VALUE + "mc":
            return word[1:place], letter, word[place + 1 :]
    return word[1:], "", ""


def _value(rest: list[str], wanted: bool) -> list[str]:
    """Take the next word, if it is wanted and there."""
    return [rest.pop(0)] if wanted and rest else []
