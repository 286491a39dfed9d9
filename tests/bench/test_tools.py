"""Which tools there are, and how each is started."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from quickcover.bench import tools
from quickcover.bench.errors import UsageError
from quickcover.bench.target import Target
from quickcover.bench.tools import BRANCHES, LINES, NONE, Job

SCRIPT = Target((), False, "script.py", ("a",))
MODULE = Target(("-B",), True, "pytest", ("tests",))


def tool(name: str) -> tools.Tool:
    (found,) = [tool for tool in tools.TOOLS if tool.name == name]
    return found


def job(name: str, mode: str, target: Target = SCRIPT, **more: object) -> Job:
    return Job(tool(name), mode, target, Path("/s"), **more)  # type: ignore[arg-type]


def names(patterns: str | None) -> list[str]:
    return [tool.name for tool in tools.choose(patterns)]


def test_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "missing", lambda tool: "no")
    usual = ["none", "empty-trace", "empty-monitoring", "ctrace", "sysmon", "quickcover"]
    assert names(None) == usual
    monkeypatch.setattr(tools, "missing", lambda tool: "")
    assert set(names(None)) - set(usual) == {"slipcover"}
    assert names("quickcover, ctrace") == ["none", "ctrace", "quickcover"]
    assert names("quickcover*") == [
        "none", "quickcover", "quickcover-trace", "quickcover-monitoring", "quickcover-probe",
    ]  # fmt: skip
    assert names("slipcover") == ["none", "slipcover"]
    with pytest.raises(UsageError, match="no tool is called 'foo'; there are none, "):
        tools.choose("foo")


@pytest.mark.parametrize(
    "made, command",
    [
        (job("none", NONE), "script.py a"),
        (job("none", NONE, MODULE), "-B -m pytest tests"),
        (job("empty-trace", NONE), "-m quickcover.bench.limit trace script.py a"),
        (job("empty-monitoring", LINES, MODULE),
         "-B -m quickcover.bench.limit monitoring-lines -m pytest tests"),
        (job("ctrace", LINES),
         "-m coverage run --rcfile=/s/rcfile --data-file=/s/data script.py a"),
        (job("quickcover", BRANCHES, MODULE, source="x", debug=True),
         "-B -m quickcover run --rcfile=/s/rcfile --data-file=/s/data --source=x --debug=sys "
         "-m pytest tests"),
        (job("slipcover", LINES), "-m slipcover --json --out /s/data script.py a"),
        (job("slipcover", BRANCHES, directories=("d", "e")),
         "-m slipcover --json --out /s/data --branch --source d,e script.py a"),
    ],
)  # fmt: skip
def test_command(made: Job, command: str) -> None:
    assert tools.command(made) == [sys.executable, *command.split()]


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERAGE_CORE", "pytrace")
    monkeypatch.setenv("QUICKCOVER_INSTALL", "1")
    monkeypatch.setenv("OTHER", "kept")
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    bare = tools.environment(job("none", NONE))
    assert not any(key.startswith(tools.FOREIGN) for key in bare)
    assert (bare["OTHER"], bare["PYTHONHASHSEED"]) == ("kept", "0")
    assert tools.environment(job("ctrace", LINES))["COVERAGE_CORE"] == "ctrace"
    debug = tools.environment(job("quickcover-trace", LINES, debug=True))
    assert (debug["QUICKCOVER_ENGINE"], debug["COVERAGE_DEBUG_FILE"]) == ("trace", "/s/debug")


def test_pytest_cov_stays_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
    monkeypatch.setenv("PYTEST_ADDOPTS", "-q")
    assert tools.environment(job("none", NONE, MODULE))["PYTEST_ADDOPTS"] == "-q --no-cov"
    barred = Target((), True, "pytest", ("-p", "no:cov"))
    assert tools.environment(job("none", NONE, barred))["PYTEST_ADDOPTS"] == "-q"
    assert tools.environment(job("none", NONE))["PYTEST_ADDOPTS"] == "-q"


def test_who_was_at_work() -> None:
    told = "   core: TraceTracer\n  CTracer: available\n  quickcover_engine: trace\n"
    assert tools.at_work(told) == ("TraceTracer", "trace")
    assert tools.at_work("") == ("", "")


@pytest.mark.parametrize(
    "name, tracer, errors, reason",
    [
        ("ctrace", "CTracer", "", ""),
        ("quickcover", "MonitoringTracer", "", ""),
        ("sysmon", "CTracer", "W: Can't use core=sysmon: it is old, using default core",
         "it is old"),
        ("sysmon", "CTracer", "", "measured by CTracer instead of SysMonitor"),
        ("quickcover", "CTracer", "", "measured by CTracer instead of quickcover"),
        ("quickcover", "CTracer", "W: quickcover is ill; measuring with coverage.py's own core\n",
         "quickcover is ill; measuring with coverage.py's own core"),
        ("ctrace", "", "", "measured by nobody instead of CTracer"),
    ],
)  # fmt: skip
def test_obstacle(name: str, tracer: str, errors: str, reason: str) -> None:
    assert tools.obstacle(tool(name), tracer, errors) == reason
