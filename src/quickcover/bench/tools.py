"""The tools that are compared: what each is called, and its command line for a target."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from quickcover.bench.errors import UsageError
from quickcover.bench.target import Target

NONE = "none"
LINES = "lines"
BRANCHES = "branches"
#: What a tool measures: the columns of the table.
MODES = (NONE, LINES, BRANCHES)

#: Variables that would have a process measured, or measured otherwise.
FOREIGN = ("COVERAGE_", "COV_CORE_", "QUICKCOVER_")


@dataclass(frozen=True)
class Tool:
    """One way to measure, in every mode that it has."""

    name: str
    title: str
    kind: str
    modes: tuple[str, ...] = (LINES, BRANCHES)
    #: The class that has to do the work, as `--debug=sys` shows it; any if empty.
    tracer: str = ""
    env: dict[str, str] = field(default_factory=dict)
    #: Measured only if asked for by name.
    on_request: bool = False

    @property
    def checked(self) -> bool:
        """Can `--debug=sys` tell which core was at work?"""
        return self.kind in ("coverage", "quickcover")


@dataclass(frozen=True)
class Job:
    """One run of one tool."""

    tool: Tool
    mode: str
    target: Target
    #: A directory for what the tool writes; its rcfile is there already.
    scratch: Path
    source: str | None = None
    #: The same as directories, for SlipCover.
    directories: tuple[str, ...] = ()
    #: Have coverage.py say which core it took.
    debug: bool = False

    @property
    def rcfile(self) -> Path:
        """coverage.py's configuration."""
        return self.scratch / "rcfile"

    @property
    def debug_file(self) -> Path:
        """Where coverage.py writes what it took."""
        return self.scratch / "debug"


def _bare(job: Job) -> list[str]:
    return job.target.words


def _limit(job: Job) -> list[str]:
    limit = job.tool.name.removeprefix("empty-")
    limit += f"-{job.mode}" if limit == "monitoring" else ""
    return ["-m", "quickcover.bench.limit", limit, *job.target.words]


def _coverage(job: Job) -> list[str]:
    command = ["-m", job.tool.kind, "run", f"--rcfile={job.rcfile}"]
    command.append(f"--data-file={job.scratch / 'data'}")
    command += [f"--source={job.source}"] if job.source else []
    command += ["--debug=sys"] if job.debug else []
    return [*command, *job.target.words]


def _slipcover(job: Job) -> list[str]:
    command = ["-m", "slipcover", "--json", "--out", str(job.scratch / "data")]
    command += ["--branch"] if job.mode == BRANCHES else []
    command += ["--source", ",".join(job.directories)] if job.directories else []
    return [*command, *job.target.words]


_COMMANDS: dict[str, Callable[[Job], list[str]]] = {
    "none": _bare,
    "limit": _limit,
    "coverage": _coverage,
    "slipcover": _slipcover,
    "quickcover": _coverage,
}

_OUR_TRACERS = ("TraceTracer", "MonitoringTracer", "ProbeTracer")

TOOLS: tuple[Tool, ...] = (
    Tool(NONE, "none", "none", (NONE,)),
    Tool("empty-trace", "empty C trace function", "limit", (NONE,)),
    Tool("empty-monitoring", "empty sys.monitoring tool", "limit"),
    Tool("empty-python-trace", "empty Python trace function", "limit", (NONE,), on_request=True),
    Tool("ctrace", "coverage.py, ctrace", "coverage", tracer="CTracer",
         env={"COVERAGE_CORE": "ctrace"}),
    Tool("sysmon", "coverage.py, sysmon", "coverage", tracer="SysMonitor",
         env={"COVERAGE_CORE": "sysmon"}),
    Tool("pytrace", "coverage.py, pytrace", "coverage", tracer="PyTracer",
         env={"COVERAGE_CORE": "pytrace"}, on_request=True),
    Tool("slipcover", "SlipCover", "slipcover"),
    Tool("quickcover", "quickcover", "quickcover"),
    Tool("quickcover-trace", "quickcover, trace", "quickcover", tracer="TraceTracer",
         env={"QUICKCOVER_ENGINE": "trace"}, on_request=True),
    Tool("quickcover-monitoring", "quickcover, monitoring", "quickcover",
         tracer="MonitoringTracer", env={"QUICKCOVER_ENGINE": "monitoring"}, on_request=True),
    Tool("quickcover-probe", "quickcover, probe", "quickcover", tracer="ProbeTracer",
         env={"QUICKCOVER_ENGINE": "probe"}, on_request=True),
)  # fmt: skip


def choose(names: str | None) -> list[Tool]:
    """The tools of a comma-separated list of names or patterns; `none` is always among them.

    Without a list: all that aren't on request; SlipCover only where it is installed.

    Raises:
        UsageError: there is no such tool.
    """
    if names is None:
        return [
            tool
            for tool in TOOLS
            if not tool.on_request and (tool.kind != "slipcover" or not missing(tool))
        ]
    patterns = [name.strip() for name in names.split(",") if name.strip()]
    for pattern in patterns:
        if not any(fnmatchcase(tool.name, pattern) for tool in TOOLS):
            known = ", ".join(tool.name for tool in TOOLS)
            raise UsageError(f"no tool is called {pattern!r}; there are {known}")
    return [
        tool
        for tool in TOOLS
        if tool.name == NONE or any(fnmatchcase(tool.name, pattern) for pattern in patterns)
    ]


def missing(tool: Tool) -> str:
    """Why a tool can't be tried at all; empty if it can."""
    if tool.kind == "slipcover" and importlib.util.find_spec("slipcover") is None:
        return "not installed: pip install slipcover"
    return ""


def command(job: Job) -> list[str]:
    """The command line of a run."""
    return [*job.target.python, *_COMMANDS[job.tool.kind](job)]


def environment(job: Job) -> dict[str, str]:
    """The environment of a run: nothing that measures but what the tool wants."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
    env.setdefault("PYTHONHASHSEED", "0")  # the order of a set decides which way some programs go
    if job.target.module and job.target.name == "pytest" and _pytest_cov_loads(job, env):
        env["PYTEST_ADDOPTS"] = f"{env.get('PYTEST_ADDOPTS', '')} --no-cov".strip()
    if job.debug:
        env["COVERAGE_DEBUG_FILE"] = str(job.debug_file)
    return env | job.tool.env


def _pytest_cov_loads(job: Job, env: dict[str, str]) -> bool:
    """Would pytest-cov measure too, if the project's configuration says so?"""
    barred = "PYTEST_DISABLE_PLUGIN_AUTOLOAD" in env
    barred = barred or any(re.match(r"(-p)?no:(pytest_)?cov", a) for a in job.target.arguments)
    return not barred and importlib.util.find_spec("pytest_cov") is not None


def at_work(told: str) -> tuple[str, str]:
    """The tracer and quickcover's engine, from what `--debug=sys` told; empty where it didn't."""
    found = [re.search(rf"^ *{key}: ([\w-]+)", told, re.M) for key in ("core", "quickcover_engine")]
    tracer, engine = (match[1] if match else "" for match in found)
    return tracer, engine


def obstacle(tool: Tool, tracer: str, errors: str) -> str:
    """Why another core than the one that is wanted did the work; empty if it was that one."""
    if tool.kind == "quickcover" and not tracer.endswith(_OUR_TRACERS):
        found = re.search(r"quickcover[^\n]*; measuring with coverage.py's own core", errors)
        return found[0] if found else f"measured by {tracer or 'nobody'} instead of quickcover"
    if not tool.tracer or tracer == tool.tracer:
        return ""
    found = re.search(r"Can't use core=\w+: (.*?), using ", errors)
    return found[1] if found else f"measured by {tracer or 'nobody'} instead of {tool.tracer}"
