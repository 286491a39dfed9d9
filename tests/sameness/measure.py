"""Measure one suite with one core, in a process of its own, and read what came out."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .compare import FileReport
from .cores import UNMEASURED, Core, stock
from .lab import Lab, LabError
from .suites import INSIDE, Suite

TIMEOUT = 1800
"""Seconds after which a suite is taken to hang; ten times what the slowest needs."""

KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")


@dataclass
class Measurement:
    """What one run of one suite left."""

    files: dict[str, FileReport]
    outcomes: dict[str, str]
    tracer: str
    cpu: float
    """Seconds of user and system time, with the test suite's own children."""

    @property
    def passed(self) -> int:
        """How many tests passed."""
        return sum(outcome == "passed" for outcome in self.outcomes.values())

    def save(self, path: Path) -> None:
        """Keep it for the next session."""
        path.parent.mkdir(parents=True, exist_ok=True)
        files = {name: report.to_json() for name, report in self.files.items()}
        parts = {"files": files, "outcomes": self.outcomes, "tracer": self.tracer, "cpu": self.cpu}
        path.write_text(json.dumps(parts), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Measurement:
        """Read what `save` wrote."""
        parts = json.loads(path.read_text(encoding="utf-8"))
        files = {name: FileReport.from_json(entry) for name, entry in parts["files"].items()}
        return cls(files, parts["outcomes"], parts["tracer"], parts["cpu"])


def measure(
    lab: Lab,
    suite: Suite,
    core: Core,
    *,
    branch: bool,
    preload: str = "",
    pytest_cov: bool = False,
) -> Measurement:
    """Run the suite once under that core, from a fresh copy of its sources."""
    home = lab.unpack(suite)
    place = home.parent
    notes = place / "notes.json"
    config = _write_config(place / "coveragerc", lab, suite, core, branch)
    env = _environment(lab, suite, core, home, notes, preload)
    command = [str(lab.python), *arguments(suite, core, config, branch, pytest_cov)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    log = place / "log.txt"
    with open(log, "wb") as out:
        status = _call(command, home, env, out)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if not notes.exists() or status not in suite.good_status():
        raise LabError(f"{suite.name} under {core.name} did not end properly:\n{_tail(log)}")
    noted = json.loads(notes.read_text(encoding="utf-8"))
    if noted["tracer"] not in core.tracers:
        raise LabError(f"{suite.name}: {core.name} was asked for, {noted['tracer']} measured")
    measured = core.name != UNMEASURED
    files = _report(lab, suite, branch, home, env, log) if measured else {}
    return Measurement(files, noted["outcomes"], noted["tracer"], cpu)


def arguments(suite: Suite, core: Core, config: Path, branch: bool, pytest_cov: bool) -> list[str]:
    """What the interpreter is to run."""
    if core.name == UNMEASURED:
        return suite.command()
    if pytest_cov:
        options = ["--cov", f"--cov-config={config}", "--cov-report="]
        return [*suite.command(), *options, *(["--cov-branch"] if branch else [])]
    starter = [str(INSIDE / "preload.py")] if suite.preload else ["-m", "coverage"]
    return [*starter, "run", f"--rcfile={config}", *suite.command()]


def _write_config(path: Path, lab: Lab, suite: Suite, core: Core, branch: bool) -> Path:
    sources = [f"source = {','.join(suite.sources)}"] if suite.sources else []
    lines = [
        "[run]",
        f"branch = {branch}",
        f"data_file = {path.with_name('coverage.data')}",
        "relative_files = true",
        *sources,
        *core.config,
        *(line.format(stdlib=lab.interpreter.stdlib) for line in suite.config),
        "[report]",
        *suite.report_config,
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _environment(
    lab: Lab, suite: Suite, core: Core, home: Path, notes: Path, preload: str
) -> dict[str, str]:
    """Nothing of the caller's environment reaches the suite but what it needs to run at all."""
    scratch = home.parent / "tmp"
    scratch.mkdir()
    env = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    env |= {
        "PYTHONPATH": os.pathsep.join(
            str(path) for path in (home / suite.path, INSIDE, home.parent / "metadata")
        ),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SAMENESS_NOTES": str(notes),
        "SAMENESS_PRELOAD": preload,
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "80",
        "LINES": "24",
    }
    return env | dict(core.env)


def _report(
    lab: Lab, suite: Suite, branch: bool, home: Path, env: dict[str, str], log: Path
) -> dict[str, FileReport]:
    """The report is always made by stock coverage.py, whoever measured."""
    place = home.parent
    config = _write_config(place / "reportrc", lab, suite, stock(lab.interpreter.reference), branch)
    out = place / "report.json"
    command = [str(lab.python), "-m", "coverage", "json", f"--rcfile={config}", "-o", str(out)]
    neutral = {name: value for name, value in env.items() if not name.startswith("QUICKCOVER")}
    with open(log, "ab") as messages:
        status = _call([*command, "-q"], home, neutral, messages)
    if status != 0:
        raise LabError(f"{suite.name}: coverage json failed:\n{_tail(log)}")
    table: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))["files"]
    out.unlink()
    return {name: FileReport.from_json(entry) for name, entry in table.items()}


def _call(command: list[str], home: Path, env: dict[str, str], out: Any) -> int:
    with subprocess.Popen(
        command,
        cwd=home,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            return process.wait(TIMEOUT)
        except subprocess.TimeoutExpired as error:
            raise LabError(f"{' '.join(command)}: still running after {TIMEOUT} s") from error
        finally:
            _end_session(process.pid)


def _end_session(leader: int) -> None:
    """End the process and what it may have left running, which share a session of their own."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-3000:]
