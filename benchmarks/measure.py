"""Running workloads in processes of their own, tool after tool, in rounds.

Speed drifts on any machine, so a round runs every tool on a workload back to back, and a ratio is
formed within a round. The order of the tools changes from round to round.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.tools import NONE, Tool
from benchmarks.workloads import CODES, STEADY, Workload

DRIVER = Path(__file__).resolve().with_name("driver.py")
FOREIGN = ("COV_", "COVERAGE_", "QUICKCOVER_", "PYTHON")
TIMEOUT = 1800


class ChildError(Exception):
    """A measured process ended badly; the text is the last thing it said."""


@dataclass
class Sample:
    """One process: user CPU seconds of the whole, and what the driver reported."""

    user: float
    system: float
    report: dict[str, Any]


@dataclass
class Series:
    """All rounds of one tool on one workload."""

    seconds: list[float | None] = field(default_factory=list)
    """The time to compare, start and end subtracted; None for a round that failed."""
    whole: list[float] = field(default_factory=list)
    start: list[float] = field(default_factory=list)
    finish: list[float] = field(default_factory=list)
    growth: list[int] = field(default_factory=list)
    files: int = 0
    lines: int = 0
    checksum: str = ""
    failure: str = ""


Table = dict[str, dict[str, Series]]
Progress = Callable[[str, float], None]


class Interpreter:
    """The Python that is measured."""

    def __init__(self, executable: str) -> None:
        self.executable = executable
        self.facts = self.ask({"op": "facts", "packages": ["sympy", "quickcover"]})

    def ask(self, request: dict[str, Any], tool: Tool | None = None) -> dict[str, Any]:
        return self.run(request, tool).report

    def run(
        self, request: dict[str, Any], tool: Tool | None = None, prefix: Sequence[str] = ()
    ) -> Sample:
        """Run the driver and wait for it; the times are those of this child alone."""
        command = [*prefix, self.executable, "-s", str(DRIVER), json.dumps(request)]
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            process = subprocess.Popen(
                command, stdout=out, stderr=err, env=_environment(tool), cwd=tempfile.gettempdir()
            )
            try:
                status, usage = _wait(process)
            except BaseException:
                process.kill()
                process.wait()
                raise
            out.seek(0)
            err.seek(0)
            answer, complaints = out.read().strip(), err.read().strip().splitlines()
        if status or not answer:
            last = complaints[-1] if complaints else "no output"
            raise ChildError(last if status >= 0 else f"killed by signal {-status}: {last}")
        return Sample(usage.ru_utime, usage.ru_stime, json.loads(answer.splitlines()[-1]))


def _environment(tool: Tool | None) -> dict[str, str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # users have compiled files, and the python engine's
    env["PYTHONHASHSEED"] = "0"
    if tool is not None:
        env.update(tool.env)
    return env


def _wait(process: subprocess.Popen[bytes]) -> tuple[int, Any]:
    """Like Popen.wait, with the child's resource usage, and with an end to endless loops."""
    deadline = time.monotonic() + TIMEOUT
    pause = 0.001
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage
        if time.monotonic() > deadline:
            process.kill()
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


@contextmanager
def scratch() -> Iterator[str]:
    """The path of a data file, in a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="quickcover-bench-") as directory:
        yield str(Path(directory) / "data")


class Benchmark:
    """Some workloads under some tools on one interpreter."""

    def __init__(
        self,
        interpreter: Interpreter,
        tools: list[Tool],
        workloads: list[Workload],
        scale: float,
        progress: Progress,
    ) -> None:
        self.interpreter = interpreter
        self.tools = tools
        self.workloads = workloads
        self.scale = scale
        self.progress = progress
        self.left_out: dict[str, str] = {}
        self.table: Table = {w.name: {t.name: Series() for t in tools} for w in workloads}
        self.data = ""

    def request(self, workload: Workload, tool: Tool, n: int) -> dict[str, Any]:
        source = str(workload.path.parent)
        if workload.package:
            source = self.interpreter.facts["package_dir"][workload.package]
        return {
            "op": "measure",
            "tool": tool.as_json(),
            "path": str(workload.path),
            "n": n,
            "warm_up": min(workload.warm_up, n),
            "source": source,
            "data": self.data,
        }

    def warm_up(self) -> None:
        """Bring files into the cache, write .pyc files, and drop the tools that don't start."""
        with scratch() as self.data:
            for workload in self.workloads:
                self.progress(f"warm-up: {workload.name}", 0.0)
                self.interpreter.run(self.request(workload, Tool(NONE, NONE), 0))
            usable = []
            for tool in self.tools:
                self.progress(f"warm-up: {tool.name}", 0.0)
                try:
                    self.interpreter.run(self.request(self.workloads[0], tool, 0), tool)
                    usable.append(tool)
                except ChildError as error:
                    self.left_out[tool.name] = str(error)
        self.tools = usable
        for row in self.table.values():
            for name in self.left_out:
                row.pop(name, None)

    def measure(self, rounds: int, once: Container[str] = ()) -> None:
        """All rounds, of tools in `once` the first alone; none goes on where it failed."""
        total = rounds * len(self.workloads) * len(self.tools)
        done = 0
        for turn in range(rounds):
            for workload in self.workloads:
                row = self.table[workload.name]
                shift = turn % len(self.tools)
                for tool in self.tools[shift:] + self.tools[:shift]:
                    text = f"round {turn + 1}/{rounds}: {workload.name}, {tool.name}"
                    self.progress(text, done / total)
                    if not row[tool.name].failure and not (turn and tool.name in once):
                        self.one(workload, tool, row[tool.name])
                    done += 1

    def one(self, workload: Workload, tool: Tool, series: Series) -> None:
        """One round of one tool on one workload."""
        with scratch() as self.data:
            try:
                series.seconds.append(self.seconds(workload, tool, series))
                if tool.counts_lines and not series.lines:
                    counts = self.interpreter.ask({"op": "lines", "data": self.data})
                    series.files, series.lines = counts["files"], counts["lines"]
            except ChildError as error:
                series.failure = str(error)
                series.seconds.append(None)

    def seconds(self, workload: Workload, tool: Tool, series: Series) -> float:
        """The time to compare; everything else goes into `series`."""
        idle = 0.0
        if workload.kind == STEADY:
            idle = self.interpreter.run(self.request(workload, tool, 0), tool).user
            Path(self.data).unlink(missing_ok=True)
        n = workload.scaled(self.scale)
        sample = self.interpreter.run(self.request(workload, tool, n), tool)
        report = sample.report
        series.whole.append(sample.user)
        series.start.append(report["start"])
        series.finish.append(report["finish"])
        if workload.kind == CODES:
            series.growth.append(report["growth"])
        series.checksum = report["checksum"]
        body: float = report["body"]
        return sample.user - idle if workload.kind == STEADY else body


def compile_package(interpreter: Interpreter, name: str) -> None:
    """Write the .pyc files of a package, so that its import compiles nothing."""
    directory = interpreter.facts["package_dir"][name]
    command = [interpreter.executable, "-m", "compileall", "-q", directory]
    subprocess.run(command, check=True, stdout=sys.stderr)
