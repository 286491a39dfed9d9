"""Runs small random programs under an engine, some hundred a second, and compares with `trace`.

    python -m tests.behaviour.random_small --seed 0 --count 100000 --engine probe

Run it at the top of the repository. Each seed is a program of one function or two, with what calls
it; it runs unmeasured, under the trace engine and under the other one, by bare tracers. It must do
the same each time, and what coverage.py would report, with branches, must be the same. Here that is
found by quickcover's own analysis, which is fast; a program that differs is tried again by
random_programs, with coverage.py's, which tells of the difference or of none.
"""

from __future__ import annotations

import argparse
import gc
import marshal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import coverage
from coverage.python import PythonFileReporter
from coverage.results import Analysis, analysis_from_file_reporter

from quickcover import coveragepy_report

from ..native.measuring import TRACERS, measure
from . import facts
from .random_programs import Tester
from .random_source import Place, Writer
from .random_support import Support
from .running import cheap_collections, no_garbage_collected

BATCH = 2000  # programs per process
TOGETHER = 50  # programs in one measurement
PATIENCE = 600.0  # seconds for those

Log = list[tuple[object, ...]]
Arcs = list[tuple[int, int]]
Measured = dict[str, Arcs]  # file → arcs


class SmallWriter(Writer):
    """Writes one function or two, and a few statements."""

    def program(self) -> str:
        lines: list[str] = []
        for _ in range(self.random.randint(1, 2)):
            lines += self.function(Place("def", depth=1))
        for kind, name in self.functions * 2:
            lines.append(f"run(lambda: {self.call(kind, name)})")
        lines += self.block(Place("def", depth=3, may_return=False), at_least=1)
        return "\n".join(lines) + "\n"


class Small:
    """A small program, ready to run."""

    def __init__(self, seed: int, file: Path) -> None:
        self.seed = seed
        self.file = str(file)
        self.source = SmallWriter(seed).program()
        file.write_text(self.source, encoding="utf-8")
        self._code = marshal.dumps(compile(self.source, self.file, "exec"))

    def run(self) -> list[tuple[object, ...]]:
        """Run it as new code; return the log."""
        print(f"seed {self.seed}", file=sys.stderr)
        support = Support(self.seed)
        namespace = {"__name__": "program", **support.names()}
        code = marshal.loads(self._code)
        support.run(lambda: exec(code, namespace))
        namespace.clear()
        gc.collect(0)
        return support.log


class Data:
    """As much of coverage.py's data as an analysis asks for: the arcs of one file."""

    def __init__(self, arcs: Arcs) -> None:
        self._arcs = arcs

    def has_arcs(self) -> bool:
        return True

    def arcs(self, _filename: str) -> Arcs:
        return self._arcs

    def lines(self, _filename: str) -> set[int]:
        return {line for arc in self._arcs for line in arc if line > 0}


class Comparer:
    """Compares engines, in one directory."""

    def __init__(self, directory: Path, engine: str) -> None:
        self.engine = engine
        self.directory = directory.resolve()
        self.tester = Tester(directory, [engine])
        self.coverage = coverage.Coverage(data_file=None, config_file=False, branch=True)
        self.coverage.get_data().add_arcs({})
        self.way = coveragepy_report._Way(["# never"], ["# never"], branch=True)

    def differences(self, seeds: Sequence[int]) -> Iterator[str]:
        """How the programs of these seeds are measured otherwise than by the trace engine."""
        programs = [Small(seed, self.directory / f"program{seed}.py") for seed in seeds]
        logs, _ = self._run(programs, None)
        traced, expected = self._run(programs, "trace")
        measured, found = self._run(programs, self.engine)
        for number, program in enumerate(programs):
            file = program.file
            same = logs[number] == traced[number] == measured[number]
            if not same or not self._same(file, found.get(file, []), expected.get(file, [])):
                yield self._told(program)
            Path(file).unlink()

    def _told(self, program: Small) -> str:
        found = self.tester.difference(program.source, program.seed)
        return f"seed {program.seed}, {found.engine}: {found.told}\n" if found else ""

    def _run(self, programs: Sequence[Small], engine: str | None) -> tuple[list[Log], Measured]:
        """Run programs one after the other, in one measurement."""
        logs: list[Log] = []

        def work() -> None:
            logs.extend(program.run() for program in programs)

        with no_garbage_collected():
            if engine is None:
                work()
                return logs, {}
            files = [program.file for program in programs]
            return logs, measure(engine, work, *files, branch=True)

    def _same(self, file: str, mine: Arcs, theirs: Arcs) -> bool:
        """Whether coverage.py would report the same."""
        if set(mine) == set(theirs):
            return True
        reporter = Reporter(file, self.coverage)
        reporter.parsed = coveragepy_report._Parser(file, self.way)
        one, other = (self._analysis(reporter, file, arcs) for arcs in (mine, theirs))
        return (
            one.executed == other.executed
            and one.executed_branch_arcs() == other.executed_branch_arcs()
            and one.missing_branch_arcs() == other.missing_branch_arcs()
        )

    def _analysis(self, reporter: Reporter, file: str, arcs: Arcs) -> Analysis:
        data: Any = Data(arcs)
        return analysis_from_file_reporter(data, 0, reporter, file)


class Reporter(PythonFileReporter):
    """A file with its analysis already made."""

    parsed: Any

    @property
    def parser(self) -> Any:
        return self.parsed

    def no_branch_lines(self) -> set[int]:
        return set()


def check(seeds: range, engine: str) -> int:
    """Try these programs in this process; tell of those that differ, return their number."""
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda _: None  # generators that fail when they are closed
    failed = 0
    with tempfile.TemporaryDirectory() as directory:
        comparer = Comparer(Path(directory), engine)
        list(comparer.differences(seeds[:1]))  # imports what it needs
        with cheap_collections():
            for start in range(0, len(seeds), TOGETHER):
                for told in comparer.differences(seeds[start : start + TOGETHER]):
                    print(told, end="", flush=True)
                    failed += bool(told)
    return failed


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 if something differs or crashes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=1000, help="how many seeds")
    engines = [name for name in facts.engines() if name in TRACERS]
    parser.add_argument("--engine", choices=engines, default=engines[0])
    parser.add_argument("--here", action="store_true", help="in this process, not in batches")
    options = parser.parse_args(arguments)
    seeds = range(options.seed, options.seed + options.count)
    if options.here:
        return bool(check(seeds, options.engine))
    failed = 0
    for start in range(seeds.start, seeds.stop, BATCH):
        failed += _batch(range(start, min(start + BATCH, seeds.stop)), options.engine)
        print(f"up to seed {min(start + BATCH, seeds.stop) - 1}: {failed} with errors", flush=True)
    return bool(failed)


def _batch(seeds: range, engine: str) -> int:
    """Try these in a process, and the rest in another if it crashes; return how many failed."""
    command = [sys.executable, "-m", __spec__.name, "--here", f"--engine={engine}"]
    command += [f"--seed={seeds.start}", f"--count={len(seeds)}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        output, said, status = done.stdout, done.stderr, done.returncode
    except subprocess.TimeoutExpired as error:
        output, said, status = _text(error.stdout), _text(error.stderr), -1
    print(output, end="", flush=True)
    failed = sum(line.startswith("seed ") for line in output.splitlines())
    if status in (0, 1) and said.count("seed ") >= len(seeds):
        return failed
    last = int(said.rpartition("seed ")[2].split()[0])
    print(f"seed {last}: exit status {status}\n{said[-3000:]}", flush=True)
    return failed + 1 + (_batch(range(last + 1, seeds.stop), engine) if last + 1 in seeds else 0)


def _text(output: str | bytes | None) -> str:
    return output.decode() if isinstance(output, bytes) else output or ""


if __name__ == "__main__":
    sys.exit(main())
