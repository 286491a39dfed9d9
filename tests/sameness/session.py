"""Run suites under several cores, compare each with the reference, and tell what differs."""

from __future__ import annotations

import linecache
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from .compare import Difference, compare_files, compare_outcomes, totals
from .cores import Core, can_measure, stock, unmeasured
from .explained import PYPY, explained
from .lab import LOADED_AT_START, Lab, LabError
from .measure import Measurement, measure
from .suites import Suite


@dataclass
class Result:
    """One cell of the table: a suite under a core, compared with the reference."""

    suite: str
    version: str
    python: str
    coverage: str
    core: str
    mode: str
    """lines or branches."""
    command: str = "coverage run"
    """coverage run, or pytest --cov."""
    differences: list[Difference] = field(default_factory=list)
    explained: int = 0
    """Further ones, in which ctrace is known to be wrong."""
    totals: dict[str, int] = field(default_factory=dict)
    tests: int = 0
    passed: int = 0
    cpu_reference: float = 0.0
    cpu: float = 0.0
    tracer: str = ""
    error: str = ""

    @property
    def same(self) -> bool:
        """Nothing differs, and nothing failed."""
        return not self.differences and not self.error

    def to_json(self, shown: int) -> dict[str, Any]:
        """The result with its first differences."""
        first = [asdict(difference) for difference in self.differences[:shown]]
        return asdict(self) | {"differences": len(self.differences), "first": first}

    def __str__(self) -> str:
        title = f"{self.suite} {self.version}".strip()
        cell = f"{title}, {self.command}, {self.mode}, {self.core} ({self.tracer}) on {self.python}"
        if self.error:
            return f"{cell}: FAILED\n{self.error}"
        size = (
            f"{self.totals['files']} files, {self.totals['files_at_work']} at work, "
            f"{self.totals['lines']} lines, {self.totals['branches']} branches, "
            f"{self.tests} tests, {self.passed} passed, "
            f"CPU {self.cpu_reference:.1f} -> {self.cpu:.1f} s"
        )
        known = f" and {self.explained} explained ones" if self.explained else ""
        return f"{cell}: {len(self.differences)} differences{known} ({size})"


def check_tests(suite: Suite, found: Measurement) -> None:
    """Refuse a result that says nothing, because most tests could not even begin."""
    if found.passed >= suite.least:
        return
    others = [f"    {test}: {how}" for test, how in found.outcomes.items() if how != "passed"]
    raise LabError(
        f"{found.passed} tests passed, {suite.least} at least should; the others:\n"
        + "\n".join(others[:20])
    )


@dataclass
class Session:
    """What to run, and how loudly."""

    lab: Lab
    shown: int = 20
    fresh: bool = False
    """Measure the reference again, even if its result is kept."""
    pytest_cov: bool = False
    """Run `pytest --cov`; the tests must end as they do when nothing is measured."""
    say: Callable[[str], None] = partial(print, flush=True)
    _preload: str | None = None

    def run(
        self, suites: Sequence[Suite], cores: Sequence[Core], modes: Sequence[str]
    ) -> list[Result]:
        """Every suite in every mode under every core that can do it."""
        results: list[Result] = []
        for suite in suites:
            if suite.module and not self.lab.has(suite.module):
                self.say(f"{suite.name}: passed over, this Python has no {suite.module}")
                continue
            if suite.program and self.pytest_cov:
                self.say(f"{suite.name}: passed over, it doesn't run pytest")
                continue
            for mode in modes:
                able = [c for c in cores if self._able(c, mode)]
                results.extend(self._compare(suite, able, mode))
        return results

    def _able(self, core: Core, mode: str) -> bool:
        python = self.lab.interpreter
        return can_measure(core.name, python.info, mode == "branches", python.pypy)

    def _compare(self, suite: Suite, cores: Sequence[Core], mode: str) -> list[Result]:
        results = []
        reference: Measurement | None = None
        command = "pytest --cov" if self.pytest_cov else "coverage run"
        for core in cores:
            result = Result(
                suite.name,
                suite.version,
                self.lab.interpreter.version,
                self.lab.coverage,
                core.name,
                mode,
                command,
            )
            try:
                if reference is None:
                    reference = self._reference(suite, mode)
                    check_tests(suite, reference)
                self._fill(result, suite, core, reference)
            except (LabError, OSError, subprocess.SubprocessError) as error:
                result.error = str(error)
            self._tell(result, suite)
            results.append(result)
        return results

    def _reference(self, suite: Suite, mode: str) -> Measurement:
        kept = self.lab.kept_result(
            suite, mode, self._preloaded(suite), *(["pytest-cov"] if self.pytest_cov else [])
        )
        if kept.exists() and not self.fresh:
            return Measurement.load(kept)
        result = self._measure(suite, stock(self.lab.interpreter.reference), mode)
        if self.pytest_cov:
            result.outcomes = self._measure(suite, unmeasured(), mode).outcomes
        result.save(kept)
        return result

    def _measure(self, suite: Suite, core: Core, mode: str) -> Measurement:
        return measure(
            self.lab,
            suite,
            core,
            branch=mode == "branches",
            preload=self._preloaded(suite),
            pytest_cov=self.pytest_cov,
        )

    def _fill(self, result: Result, suite: Suite, core: Core, reference: Measurement) -> None:
        found = self._measure(suite, core, result.mode)
        check_tests(suite, found)
        differences = [
            *compare_outcomes(reference.outcomes, found.outcomes),
            *compare_files(reference.files, found.files),
        ]
        interpreter = self.lab.interpreter
        known = explained(suite.name, PYPY if interpreter.pypy else interpreter.info)
        result.differences = [
            difference
            for difference in differences
            if str(difference).removeprefix(f"{interpreter.stdlib}/") not in known
        ]
        result.explained = len(differences) - len(result.differences)
        result.totals = totals(found.files.values())
        result.tests = len(found.outcomes)
        result.passed = found.passed
        result.cpu_reference, result.cpu = reference.cpu, found.cpu
        result.tracer = found.tracer

    def _tell(self, result: Result, suite: Suite) -> None:
        self.say(str(result))
        home = self.lab.work / suite.name / "work"
        for difference in result.differences[: self.shown]:
            self.say(f"    {difference}")
            for line in difference.place:
                text = linecache.getline(str(home / difference.file), line).rstrip()
                if line > 0 and text:
                    self.say(f"        {line:5} {text}")
        linecache.clearcache()
        left = len(result.differences) - self.shown
        if left > 0:
            self.say(f"    ... and {left} more")

    def _preloaded(self, suite: Suite) -> str:
        return self._loaded_at_start() if suite.preload else ""

    def _loaded_at_start(self) -> str:
        """The standard modules that are there when measuring begins, with any core installed."""
        if self._preload is None:
            names: set[str] = set()
            place = self.lab.work / "preload"
            place.mkdir(parents=True, exist_ok=True)
            (place / "program.py").write_text(LOADED_AT_START, encoding="utf-8")
            for config in ("core = ctrace", *self._quickcover_config()):
                names.update(self._loaded_with(place, config))
            self._preload = " ".join(sorted(names - {"__main__"}))
        return self._preload

    def _quickcover_config(self) -> tuple[str, ...]:
        installed = (self.lab.venv / "sameness-quickcover").exists()
        return ("plugins = quickcover",) if installed else ()

    def _loaded_with(self, place: Path, config: str) -> list[str]:
        rcfile = place / "coveragerc"
        rcfile.write_text(f"[run]\ndata_file = {place / 'data'}\nbranch = True\n{config}\n")
        command = [str(self.lab.python), "-m", "coverage", "run", f"--rcfile={rcfile}"]
        done = subprocess.run(
            [*command, str(place / "program.py")], capture_output=True, text=True, check=False
        )
        for line in done.stdout.splitlines():
            if line.startswith("LOADED "):
                return line.split()[1:]
        raise LabError(f"an empty program can't be measured with {config}: {done.stderr}")
