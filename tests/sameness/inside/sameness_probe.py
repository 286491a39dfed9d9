"""Loaded inside the measured process: notes how each test ended and which tracer measured it.

A pytest plugin (`-p sameness_probe`), and plain functions for programs that are not pytest. The
notes are written as JSON to the file that SAMENESS_NOTES names.
"""

from __future__ import annotations

import json
import os
import random
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

outcomes: dict[str, str] = {}
tracers: list[str] = []  # those seen at work

random.seed(0)  # some suites draw their input, also when a test module is imported

ADDRESS = re.compile(r"\b0x[0-9a-f]+")


def note(test: str, outcome: str) -> None:
    """Remember how a test ended; the addresses in its name differ from run to run and go."""
    outcomes[ADDRESS.sub("0x", test)] = outcome


def tracer_name() -> str:
    """The class of the tracer that measures this process now."""
    import coverage

    current = coverage.Coverage.current()
    collector: Any = getattr(current, "_collector", None)
    return str(collector.tracer_name()) if collector is not None else "none"


def write_notes() -> None:
    """Leave everything noted in the file the parent process asked for."""
    notes = {"tracer": (tracers or [tracer_name()])[0], "outcomes": outcomes}
    with open(os.environ["SAMENESS_NOTES"], "w", encoding="utf-8") as out:
        json.dump(notes, out)


def pytest_configure(config: pytest.Config) -> None:
    """Make Hypothesis, where it is used, do the same in every run."""
    try:
        from hypothesis import HealthCheck, settings
    except ImportError:
        return
    settings.register_profile(
        "sameness",
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=25,
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("sameness")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Called for the set-up, the call and the tear-down of each test."""
    if not tracers:
        tracers.append(tracer_name())  # pytest-cov has stopped when the session finishes
    if report.when == "call" or report.outcome != "passed":
        outcome = "xfailed" if hasattr(report, "wasxfail") else report.outcome
        note(f"{report.nodeid} [{report.when}]", outcome)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Called for each file: one that can't be collected counts as a test."""
    if report.outcome != "passed":
        note(f"{report.nodeid} [collect]", report.outcome)


def pytest_sessionfinish() -> None:
    """The last moment at which `coverage run` still measures."""
    write_notes()
