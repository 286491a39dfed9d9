"""Running the tools in turn, each run in a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from quickcover.bench import config, tools
from quickcover.bench.config import Settings
from quickcover.bench.errors import CommandError
from quickcover.bench.progress import Progress
from quickcover.bench.results import Result
from quickcover.bench.target import Target
from quickcover.bench.tools import BRANCHES, NONE, Job, Tool

_SPAWN = Path(__file__).with_name("_spawn.py")


@dataclass(frozen=True)
class Run:
    """What one process, with the children it waited for, used: seconds, and bytes at its peak."""

    status: int
    user: float
    system: float
    wall: float
    memory: int
    #: The last lines of what it said.
    output: str
    #: All that it wrote to stderr.
    errors: str


def spawn(command: list[str], env: dict[str, str]) -> Run:
    """Run a command to its end, its output kept from the terminal."""
    with contextlib.ExitStack() as stack:
        out, err = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(2))
        reader, writer = os.pipe()
        report = stack.enter_context(open(reader, encoding="ascii"))
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_SPAWN), str(writer), *command],
            env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            pass_fds=[writer], start_new_session=True,
        )  # fmt: skip
        os.close(writer)
        try:
            process.wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        said = []
        for file in (out, err):
            file.seek(0)
            said.append(file.read().decode(errors="replace"))
        figures = report.read().split()
    if len(figures) != 5:
        raise CommandError(f"couldn't run {command[0]}: {said[1].strip()}")
    status, user, system, wall, memory = figures
    output = (said[1].strip() or said[0].strip()).splitlines()[-5:]
    return Run(
        int(status), float(user), float(system), float(wall), int(memory),
        "\n".join(output), said[1],
    )  # fmt: skip


def complaint(run: Run) -> str:
    """How a run ended that should have ended otherwise."""
    last = run.output.splitlines()[-1].strip() if run.output else ""
    said = f": {last}" if last else ""
    if run.status < 0:
        return f"killed by {signal.Signals(-run.status).name}{said}"
    return f"exit status {run.status}{said}"


class Bench:
    """Some tools on one target."""

    def __init__(
        self, target: Target, chosen: list[Tool], settings: Settings, source: str | None
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            target: what to run.
            chosen: the tools.
            settings: the user's configuration of coverage.py.
            source: what to measure, as `coverage run --source`.
        """
        self.target = target
        self.settings = settings
        self.source = source
        self.status = 0
        self.pairs = [(tool, mode) for tool in chosen for mode in tool.modes]
        self.results = [
            Result(tool.name, mode, tool.title, failure=tools.missing(tool))
            for tool, mode in self.pairs
        ]

    def run(self, tool: Tool, mode: str, debug: bool = False) -> tuple[Run, str]:
        """Run one tool; also return what `--debug=sys` told, if asked for."""
        with tempfile.TemporaryDirectory(prefix="quickcover-bench-") as directory:
            job = Job(
                tool, mode, self.target, Path(directory), self.source,
                tuple(config.directories(self.settings, self.source)), debug,
            )  # fmt: skip
            if tool.checked:
                config.write(
                    self.settings,
                    job.rcfile,
                    branch=mode == BRANCHES,
                    quickcover=tool.kind == "quickcover",
                )
            run = spawn(tools.command(job), tools.environment(job))
            told = job.debug_file.read_text("utf-8") if job.debug_file.exists() else ""
        return run, told

    def warm_up(self, progress: Progress, ignore_failure: bool) -> None:
        """Run each once: fill caches, write .pyc files, see who can do it with which core.

        Raises:
            CommandError: the program fails without any tool.
        """
        for place, (tool, mode, result) in enumerate(self._alive()):
            progress(f"warm-up: {result.label}", place / len(self.pairs) / 10)
            run, told = self.run(tool, mode, debug=tool.checked)
            if tool.name == NONE:
                self.status = run.status
                if run.status and not ignore_failure:
                    raise CommandError(
                        f"the program fails without any tool, too: {complaint(run)}\n"
                        f"{run.output}\n(--ignore-failure measures it all the same)"
                    )
            self._judge(result, run)
            if tool.checked and not result.failure:
                tracer, result.engine = tools.at_work(told)
                result.failure = tools.obstacle(tool, tracer, run.errors)

    def measure(self, rounds: int, progress: Progress) -> None:
        """All rounds. Each runs every tool, in an order that changes from round to round."""
        for turn in range(rounds):
            alive = list(self._alive())
            shift = turn % len(alive)
            for place, (tool, mode, result) in enumerate(alive[shift:] + alive[:shift]):
                part = 0.1 + 0.9 * (turn + place / len(alive)) / rounds
                progress(f"round {turn + 1}/{rounds}: {result.label}", part)
                run, _ = self.run(tool, mode)
                result.add(run.user, run.system, run.wall, run.memory)
                self._judge(result, run)

    def _alive(self) -> Iterator[tuple[Tool, str, Result]]:
        """Those that have not failed."""
        for (tool, mode), result in zip(self.pairs, self.results, strict=True):
            if not result.failure:
                yield tool, mode, result

    def _judge(self, result: Result, run: Run) -> None:
        """A tool must not change how the program ends."""
        if run.status != self.status:
            result.failure = complaint(run)
