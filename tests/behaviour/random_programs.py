"""Runs random programs under an engine and compares with ctrace; for hours, if asked to.

    python -m tests.behaviour.random_programs --seed 1 --count 1000 --engine monitoring

Run it at the top of the repository. Without --engine all engines are tested, with --engine oracle
the oracle. Each seed is one program; it is run unmeasured and then measured, with lines and with
branches, where coverage.py can report on them. It must do the same each time, and the reports must
be ctrace's (for the trace engine the raw data, too), or else the oracle's: where ctrace errs. The
first differing program is made as small as possible and shown, together with the command that
repeats it. If a run crashes or hangs, the seed is shown.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from coverage.parser import PythonParser

from . import facts, reference
from .comparing import raw_differences, report_differences
from .measure import Recorded, measurer
from .random_source import Writer
from .random_support import Support
from .running import cheap_collections, no_garbage_collected

BATCH = 50  # programs per process
PATIENCE = 1800.0  # seconds for those, shrinking included
LONGEST = 5  # seconds for one program while it is made smaller
ONLY_LINES = "coverage.py can't report on the branches"


@dataclass(frozen=True)
class Trial:
    """What one run of a program gave."""

    log: list[tuple[object, ...]]
    recorded: Recorded


@dataclass(frozen=True)
class Difference:
    """An engine that measures a program in another way than ctrace."""

    engine: str
    branch: bool
    told: str


class Tester:
    """Tries programs in one directory."""

    def __init__(self, directory: Path, engines: Sequence[str]) -> None:
        self.file = directory.resolve() / "program.py"
        self.engines = engines

    def difference(self, source: str, seed: int) -> Difference | None:
        """The first way in which the program is measured, or behaves, otherwise than it should."""
        problem = unreportable(source)
        if problem:
            print(f"{ONLY_LINES} of seed {seed}: {problem}", file=sys.stderr)
        for branch in (False,) if problem else (False, True):
            for engine in self.engines:
                if not facts.unable(engine, branch=branch):
                    told = self.difference_of(engine, source, seed, branch)
                    if told:
                        return Difference(engine, branch, told)
        return None

    def difference_of(self, engine: str, source: str, seed: int, branch: bool) -> str:
        """How one engine differs from ctrace; empty if it doesn't."""
        self.file.write_text(source, encoding="utf-8")
        expected = self._try(source, seed, reference.name(), branch)
        trial = self._try(source, seed, engine, branch)
        if not expected.log == trial.log == self._try(source, seed, None, branch).log:
            return f"it does something else when measured\n{source}"
        if engine == "trace" and not reference.why_not_ctrace():
            told = raw_differences("trace", "ctrace", trial.recorded, expected.recorded)
        else:
            told = report_differences(
                engine, reference.name(), trial.recorded, expected.recorded, branch=branch
            )
        if not told or engine == "oracle":
            return told
        oracle = self._try(source, seed, "oracle", branch)
        return report_differences(engine, "oracle", trial.recorded, oracle.recorded, branch=branch)

    def _try(self, source: str, seed: int, name: str | None, branch: bool) -> Trial:
        support = Support(seed)
        namespace = {"__name__": "program", **support.names()}
        code = compile(source, str(self.file), "exec")
        used = measurer(name, self.file.parent, branch=branch) if name else None
        with no_garbage_collected(), used_for_a_while(used):
            support.run(lambda: exec(code, namespace))
            log = list(support.log)
            if facts.traces_finalizers():
                namespace.clear()
                gc.collect()
        namespace.clear()
        gc.collect()  # so that nothing is left to run while the next is measured
        return Trial(log, used.recorded() if used else {})

    def smallest(self, source: str, seed: int, found: Difference) -> str:
        """The program without all that can be left out while it still differs in that way."""
        lines = source.splitlines()
        progress = True
        while progress:
            progress = False
            for start in range(len(lines)):
                for smaller in _without_block(lines, start):
                    if self._still_differs("\n".join(smaller) + "\n", seed, found):
                        lines, progress = smaller, True
                        break
        return "\n".join(lines) + "\n"

    def _still_differs(self, source: str, seed: int, found: Difference) -> bool:
        try:
            compile(source, "<smaller>", "exec")
        except SyntaxError:
            return False
        if not self._ends(source, seed):
            return False
        return bool(self.difference_of(found.engine, source, seed, found.branch))

    def _ends(self, source: str, seed: int) -> bool:
        """Whether it ends within seconds: with lines left out, a loop may lack its end."""
        child = os.fork()
        if child == 0:
            signal.alarm(LONGEST)
            self._try(source, seed, None, branch=False)
            os._exit(0)
        return os.waitpid(child, 0)[1] == 0


def unreportable(source: str) -> str:
    """Why coverage.py can't find the branches of a program, whatever ran; empty if it can.

    On PyPy it stumbles on some `with` statements.
    """
    parser = PythonParser(text=source)
    parser.parse_source()
    try:
        parser.arcs()
    except AssertionError as error:
        return str(error)
    return ""


def _without_block(lines: list[str], start: int) -> Iterator[list[str]]:
    """The lines without the one at `start`: with all that is indented below it, or unindented."""
    if start >= len(lines) or "not w(" in lines[start]:
        return
    margin = _margin(lines[start])
    end = start + 1
    while end < len(lines) and _margin(lines[end]) > margin:
        end += 1
    yield lines[:start] + lines[end:]
    yield lines[:start] + lines[start + 2 :]
    yield lines[:start] + lines[start + 3 :]
    if end > start + 1:
        yield lines[:start] + [line[4:] for line in lines[start + 1 : end]] + lines[end:]
    if end > start + 2:
        yield [*lines[: start + 1], " " * (margin + 4) + "pass", *lines[end:]]


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip())


@contextlib.contextmanager
def used_for_a_while(used: object) -> Iterator[None]:
    """Measure in the block, if there is something to measure with."""
    if used is None:
        yield
        return
    used.start()  # type: ignore[attr-defined]
    try:
        yield
    finally:
        used.stop()  # type: ignore[attr-defined]


def check(seeds: Sequence[int], engines: Sequence[str], *, shrink: bool) -> str:
    """Try the programs of these seeds in this process; tell of the first difference."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as directory, cheap_collections():
        tester = Tester(Path(directory), engines)
        for seed in seeds:
            print(f"seed {seed}", file=sys.stderr)
            source = Writer(seed).program()
            found = tester.difference(source, seed)
            if found:
                if shrink:
                    source = tester.smallest(source, seed, found)
                    told = tester.difference_of(found.engine, source, seed, found.branch)
                    found = replace(found, told=told)
                kind = "branches" if found.branch else "lines"
                return f"seed {seed}, {found.engine}, {kind}: {found.told}\n"
    return ""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 if something differs or crashes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=100, help="how many seeds")
    parser.add_argument(
        "--engine", action="append", help="an engine, a core, or oracle; repeatable"
    )
    parser.add_argument("--no-shrink", action="store_true", help="show the program as it was made")
    parser.add_argument("--here", action="store_true", help="in this process, not in batches")
    options = parser.parse_args(arguments)
    engines = options.engine or list(facts.engines())
    seeds = range(options.seed, options.seed + options.count)
    if options.here:
        found = check(seeds, engines, shrink=not options.no_shrink)
        print(found, end="")
        return bool(found)
    failed = 0
    start = seeds.start
    while start < seeds.stop:
        count = min(BATCH, seeds.stop - start)
        bad = _batch(range(start, start + count), engines, options.no_shrink)
        failed += bad is not None
        start = start + count if bad is None else bad + 1
    print(f"{len(seeds)} programs from seed {options.seed}, {failed} with errors")
    return bool(failed)


def _batch(seeds: range, engines: Sequence[str], no_shrink: bool) -> int | None:
    """Try these in a process; return the first seed with an error, which is told of."""
    command = [sys.executable, "-m", "tests.behaviour.random_programs", "--here"]
    command += [f"--seed={seeds.start}", f"--count={len(seeds)}"]
    command += [f"--engine={name}" for name in engines] + ["--no-shrink"] * no_shrink
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired as error:
        seed = _last_seed(bytes(error.stderr or b"").decode())
        print(f"seed {seed} takes more than {PATIENCE} s")
        return seed
    if done.returncode == 0:
        for line in done.stderr.splitlines():
            if line.startswith(ONLY_LINES):
                print(line, flush=True)
        return None
    seed = _last_seed(done.stderr)
    crash = f"seed {seed}: exit status {done.returncode}\n{done.stderr[-3000:]}"
    print(done.stdout or crash, flush=True)
    return seed


def _last_seed(stderr: str) -> int:
    """The seed that a process tried last, by what it said."""
    said = [line for line in stderr.splitlines() if line.startswith("seed ")]
    return int(said[-1].split()[1])


if __name__ == "__main__":
    sys.exit(main())
