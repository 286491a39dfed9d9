"""The engine and the reasons are shown, wherever coverage.py shows how it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import quickcover
from quickcover import _engines, _select

from ..conftest import COMMON, STOCK, Runner, needs_extension
from .programs import write

PLUGIN = "[run]\nplugins = quickcover\n"


def shown(text: str, key: str) -> list[str]:
    """The lines of one entry of a `sys` section."""
    match = re.search(rf"^ *{key}: (.*(?:\n {{20,}}\S.*)*)", text, re.MULTILINE)
    assert match is not None, f"no {key} in:\n{text}"
    return [line.strip() for line in match[1].splitlines()]


def check(text: str, engine: str | None = None) -> None:
    """Everything that must be shown is there, once."""
    assert text.count("quickcover_version:") == 1
    assert shown(text, "quickcover_version") == [quickcover.__version__]
    assert shown(text, "quickcover_extension") == [_engines.extension()]
    assert "7.11.0 to 7.17.x; this is " in shown(text, "quickcover_tested_with")[0]
    [taken] = shown(text, "quickcover_engine")
    assert taken in _engines.available()
    assert engine in (None, taken)
    verdicts = shown(text, "quickcover_engines")
    assert [verdict.partition(":")[0] for verdict in verdicts] == list(_select.ENGINES)
    assert [verdict for verdict in verdicts if ": taken: " in verdict] == [
        verdict for verdict in verdicts if verdict.startswith(f"{taken}: ")
    ]


def test_coverage_debug_sys(run_coverage: Runner, tmp_path: Path) -> None:
    (tmp_path / ".coveragerc").write_text(PLUGIN)
    check(run_coverage("debug", "sys").stdout)


def test_coverage_debug_sys_of_others(run_coverage: Runner) -> None:
    assert "quickcover_" not in run_coverage("debug", "sys").stdout


@pytest.mark.parametrize("configured", [True, False])
def test_quickcover_debug_sys(run_quickcover: Runner, tmp_path: Path, configured: bool) -> None:
    if configured:
        (tmp_path / ".coveragerc").write_text(PLUGIN)
    check(run_quickcover("debug", "sys").stdout)


def test_debug_sys_of_a_run(run_quickcover: Runner, tmp_path: Path) -> None:
    write(tmp_path, program="a = 1\n")
    check(run_quickcover("run", "--debug=sys", "program.py").stderr)


def test_debug_plugin_and_sys(run_coverage: Runner, tmp_path: Path) -> None:
    (tmp_path / ".coveragerc").write_text(PLUGIN)
    write(tmp_path, program="a = 1\n")
    check(run_coverage("run", "--debug=sys,plugin,core", "program.py").stderr)


@needs_extension
def test_what_would_be_chosen(run_quickcover: Runner, tmp_path: Path) -> None:
    tracing = "def coverage_init(reg, options): reg.add_file_tracer(coverage.CoveragePlugin())\n"
    write(tmp_path, tracing="import coverage\n" + tracing)
    (tmp_path / ".coveragerc").write_text("[run]\nplugins = tracing\n")
    env = {"PYTHONPATH": str(tmp_path)}
    check(run_quickcover("debug", "sys", env=env).stdout, "trace")


def test_a_forced_engine(run_quickcover: Runner) -> None:
    check(run_quickcover("debug", "sys", env={"QUICKCOVER_ENGINE": COMMON}).stdout, COMMON)


@pytest.mark.parametrize(
    ("env", "reason"),
    [
        ({"COVERAGE_CORE": STOCK}, f"'{STOCK}' core"),
        ({"QUICKCOVER_ENGINE": "warp"}, "there is no such engine"),
    ],
)
def test_no_engine(run_quickcover: Runner, env: dict[str, str], reason: str) -> None:
    [engine] = shown(run_quickcover("debug", "sys", env=env).stdout, "quickcover_engine")
    assert engine.startswith("-none-: ")
    assert reason in engine
