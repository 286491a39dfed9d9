"""What a suite is: a program to measure, where it comes from, and what of it is measured.

The suites themselves are in the tables of projects.py (packages from PyPI) and stdlib.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

INSIDE = Path(__file__).parent / "inside"
"""Modules that run in the measured process."""

PYTEST = (
    "-m pytest -q --tb=short -p sameness_probe -p no:cacheprovider -p no:randomly -p no:xdist"
).split()


@dataclass(frozen=True)
class Suite:
    """One thing to measure."""

    name: str
    version: str = ""
    """Of the source distribution; empty if the interpreter itself brings the code."""
    path: str = "src"
    """The directory in the source distribution that goes on sys.path."""
    sources: tuple[str, ...] = ()
    """What is measured: directories in the source distribution."""
    tests: tuple[str, ...] = ("tests",)
    """Arguments for pytest."""
    least: int = field(default=1, repr=False)
    """How many tests must pass, or the suite is broken and its result says nothing."""
    needs: tuple[str, ...] = ()
    """Packages that the tests import; all are pinned in requirements.txt."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Test files and node ids that don't run (of a program: tests), each with the reason."""
    program: tuple[str, ...] = ()
    """Arguments for `coverage run`, instead of pytest."""
    config: tuple[str, ...] = ()
    """More lines for the [run] section; {stdlib} is where the standard library is."""
    report_config: tuple[str, ...] = ()
    """Lines for the [report] section."""
    preload: bool = False
    """Import what coverage.py and quickcover import before anything is measured."""
    module: str = ""
    """A module that the interpreter may lack, and then the suite is passed over."""

    def good_status(self) -> tuple[int, ...]:
        """How the process may end: a pytest that could not collect everything ends with more."""
        return (0,) if self.program else (0, 1)

    def command(self) -> list[str]:
        """The arguments of `coverage run`."""
        arguments = list(self.program) or [*PYTEST, *self.tests]
        for name in self.left_out:
            test = self.program or "::" in name
            arguments.append(f"--deselect={name}" if test else f"--ignore={name}")
        return arguments
