"""One way to measure for all that can: the oracle, coverage.py's cores and our engines.

A *measurer* is named "oracle", after a core of coverage.py ("ctrace", "sysmon", "pytrace") or
after an engine of quickcover ("trace", "monitoring", ...); "default" is the engine that quickcover
takes by itself. All of them measure the files below one
directory, and give what they recorded as {file: lines} or, with branches, {file: arcs}.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import coverage

from ..oracle import FileReport, Oracle, report

# What was recorded: the file's name → its line numbers, or its arcs (from, to).
Recorded = Mapping[str, frozenset[Any]]

# The name of a measurer → the class that does the work, to be sure that it does.
TRACERS = {
    "ctrace": "CTracer",
    "pytrace": "PyTracer",
    "sysmon": "SysMonitor",
    "trace": "TraceTracer",
    "monitoring": "MonitoringTracer",
    "probe": "ProbeTracer",
    "python": "PythonTracer",
}
STOCK = ("ctrace", "pytrace", "sysmon")


class Measurer(Protocol):
    """Measures what runs between start() and stop()."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def erase(self) -> None:
        """Forget what was recorded so far."""

    def recorded(self) -> Recorded: ...


def measurer(name: str, directory: Path, *, branch: bool) -> Measurer:
    """The measurer of that name, for the files below `directory`."""
    if name == "oracle":
        return OracleMeasurer(directory, branch)
    return CoverageMeasurer(name, directory, branch)


class OracleMeasurer:
    """The oracle as a measurer."""

    def __init__(self, directory: Path, branch: bool) -> None:
        prefix = str(directory) + os.sep
        self._oracle = Oracle(lambda file: file.startswith(prefix))
        self._branch = branch
        self.start = self._oracle.start
        self.stop = self._oracle.stop

    def erase(self) -> None:
        self._oracle.lines.clear()
        self._oracle.arcs.clear()

    def recorded(self) -> Recorded:
        if self._branch:
            found: set[tuple[str, Any]] = {(f, (a, b)) for f, a, b in self._oracle.arcs}
        else:
            found = set(self._oracle.lines)
        return {f: frozenset(x for g, x in found if g == f) for f, _ in found}


class CoverageMeasurer:
    """A Coverage object with one of coverage.py's cores or one of our engines."""

    def __init__(self, name: str, directory: Path, branch: bool) -> None:
        self._name = name
        self._branch = branch
        self.cov = coverage.Coverage(
            data_file=None, config_file=False, branch=branch, include=[f"{directory}/*"]
        )
        self.cov.set_option("run:disable_warnings", ["no-data-collected"])
        if name in STOCK:
            self.cov.set_option("run:core", name)
        else:
            self.cov.set_option("run:plugins", ["quickcover"])

    def start(self) -> None:
        engine = None if self._name in (*STOCK, "default") else self._name
        with environment(QUICKCOVER_ENGINE=engine, COVERAGE_CORE=None):
            self.cov.start()
        used = self.cov._collector.tracer_name()  # type: ignore[union-attr]
        if used != TRACERS.get(self._name, used):
            self.cov.stop()
            raise AssertionError(f"asked for {self._name}, but {used} measures")

    def stop(self) -> None:
        self.cov.stop()

    def erase(self) -> None:
        self.cov.erase()

    def recorded(self) -> Recorded:
        data = self.cov.get_data()
        of_file = data.arcs if self._branch else data.lines
        found = {file: frozenset(of_file(file) or ()) for file in data.measured_files()}
        return {file: places for file, places in found.items() if places}


#: The reports that were made: many engines record the same of the same file.
_reports: dict[tuple[str, bytes, frozenset[Any], bool], FileReport | None] = {}


def reported(recorded: Recorded, *, branch: bool) -> dict[str, FileReport]:
    """What coverage.py reports for what was recorded."""
    keys = {f: (f, Path(f).read_bytes(), places, branch) for f, places in recorded.items()}
    new = {file: recorded[file] for file, key in keys.items() if key not in _reports}
    made = (report(arcs=new) if branch else report(lines=new)) if new else {}
    _reports.update({keys[file]: made.get(file) for file in new})
    found = {file: _reports[key] for file, key in keys.items()}
    return {file: told for file, told in found.items() if told is not None}


@contextlib.contextmanager
def environment(**variables: str | None) -> Iterator[None]:
    """Environment variables for a while; None removes one."""
    before = {name: os.environ.get(name) for name in variables}
    _set_environment(variables)
    try:
        yield
    finally:
        _set_environment(before)


def _set_environment(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
