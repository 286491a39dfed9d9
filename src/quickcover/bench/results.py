"""What was measured, and the JSON of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from quickcover.bench import stats
from quickcover.bench.errors import CommandError
from quickcover.bench.stats import Spread
from quickcover.bench.tools import NONE

_FORMAT = "quickcover-bench"
_VERSION = 1

#: The figures of a run, in the order of the table, and how each is called.
FIGURES = {"user": "user CPU", "wall": "wall", "memory": "peak memory"}


@dataclass
class Result:
    """All rounds of one tool in one mode."""

    tool: str
    mode: str
    title: str
    #: quickcover's engine, as the run itself told it.
    engine: str = ""
    #: Why there are no figures.
    failure: str = ""
    user: list[float] = field(default_factory=list)
    system: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    @property
    def label(self) -> str:
        """The tool with its mode."""
        return self.title if self.mode == NONE else f"{self.title}, {self.mode}"

    def add(self, user: float, system: float, wall: float, memory: float) -> None:
        """One more round."""
        self.user.append(user)
        self.system.append(system)
        self.wall.append(wall)
        self.memory.append(memory)


@dataclass
class Report:
    """A whole benchmark."""

    command: list[str]
    date: str
    machine: dict[str, Any]
    python: dict[str, Any]
    #: rounds, load before and after, ...
    settings: dict[str, Any]
    results: list[Result]

    @property
    def base(self) -> Result:
        """The rounds without any tool."""
        return next(result for result in self.results if result.tool == NONE)

    def find(self, tool: str, mode: str) -> Result | None:
        """One result."""
        for result in self.results:
            if (result.tool, result.mode) == (tool, mode):
                return result
        return None

    def ratio(self, result: Result, figure: str = "user") -> Spread | None:
        """One figure of a result, to the same without any tool."""
        if result.failure:
            return None
        return stats.ratios(getattr(result, figure), getattr(self.base, figure))

    def tools(self) -> Iterator[tuple[str, list[Result]]]:
        """The results by tool, in order."""
        for name in dict.fromkeys(result.tool for result in self.results):
            yield name, [result for result in self.results if result.tool == name]

    def as_json(self) -> str:
        """The report for machines; `ratios` repeats what can be computed."""
        found: dict[str, Any] = {_FORMAT: _VERSION, **asdict(self)}
        for result, shown in zip(self.results, found["results"], strict=True):
            shown["ratios"] = {
                figure: asdict(ratio) for figure in FIGURES if (ratio := self.ratio(result, figure))
            }
        return json.dumps(found, indent=1) + "\n"


def title(found: list[Result]) -> str:
    """The tool that these results are of; for quickcover also which engine it took by itself."""
    engines = dict.fromkeys(result.engine for result in found if result.engine)
    chose = engines and found[0].tool == "quickcover"
    return f"{found[0].title} ({', '.join(engines)})" if chose else found[0].title


def load(path: str) -> Report:
    """Read what `as_json` made.

    Raises:
        CommandError: it can't be read, or is something else.
    """
    try:
        found = json.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise CommandError(f"couldn't read {path}: {error.strerror}") from error
    except ValueError as error:
        raise CommandError(f"couldn't read {path}: it isn't JSON: {error}") from error
    if not isinstance(found, dict) or found.pop(_FORMAT, None) != _VERSION:
        raise CommandError(f"couldn't read {path}: `quickcover bench --json` didn't write it")
    try:
        results = found.pop("results")
        for result in results:
            result.pop("ratios", None)
        report = Report(**found, results=[Result(**result) for result in results])
        report.as_json()  # which needs every part of it
    except (TypeError, KeyError, AttributeError, StopIteration) as error:
        raise CommandError(f"couldn't read {path}: it is damaged: {error!r}") from error
    return report
