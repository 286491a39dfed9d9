"""A pytest plugin that writes every test's outcome, and the text of failures, to a JSON file.

The file's name is in OUTCOMES_FILE; it maps a test's id to {"outcome", "text"}.  An outcome is
"passed", "skipped", "xfailed", "xpassed", "failed", or "crashed" if the process died.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

# The later ones win over the earlier ones among a test's setup, call and teardown.
_RANKS = ("passed", "skipped", "xfailed", "xpassed", "failed", "crashed")


def pytest_configure(config: pytest.Config) -> None:
    """Take part in the process that gets all reports, not in xdist's workers."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Recorder(Path(os.environ["OUTCOMES_FILE"])))


class _Recorder:
    def __init__(self, file: Path) -> None:
        self._file = file
        # Test → phase → (outcome, text).  A phase that is repeated (flaky tests) counts once.
        self._phases: dict[str, dict[str, tuple[str, str]]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note one phase of one test."""
        test = re.sub(r"@\w+$", "", report.nodeid)  # xdist adds "@group" to the id
        text = "" if report.outcome == "passed" else report.longreprtext
        self._phases.setdefault(test, {})[report.when] = (_outcome(report), text)

    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        outcomes = {}
        for test, phases in self._phases.items():
            outcome, text = max(phases.values(), key=lambda phase: _RANKS.index(phase[0]))
            outcomes[test] = {"outcome": outcome, "text": text}
        self._file.write_text(json.dumps(outcomes, indent=0), encoding="utf-8")


def _outcome(report: pytest.TestReport) -> str:
    if report.when not in ("setup", "call", "teardown"):
        return "crashed"
    if hasattr(report, "wasxfail"):
        return "xfailed" if report.outcome == "skipped" else "xpassed"
    return report.outcome
