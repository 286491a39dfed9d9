"""Threads, code that comes and goes, starts and stops, contexts, saves and forks, all at once.

    python races.py DIRECTORY SECONDS SEED BRANCH [fork]

Measures with quickcover in this process. Threads compile, run and drop code of program.py, with
pauses in the midst of measured lines; meanwhile this thread starts, stops, switches contexts and
saves, and runs lines of marks.py, each in the knowledge of whether and where it has to be recorded.
Prints what is wrong with the data; exits with 1 then. test_races.py runs it.
"""

from __future__ import annotations

import gc
import os
import random
import sys
import threading
import time
from pathlib import Path

import coverage

import quickcover

PROGRAM = """\
def work(pause, n):
    total = 0
    for i in range(n):
        pause()
        if i % 2:
            total += i
        else:
            total -= i
    return total

def steps(pause, n):
    for i in range(n):
        pause()
        try:
            yield i
        finally:
            pause()

def failing(pause):
    try:
        pause()
        raise KeyError(1)
    except KeyError:
        pause()
        raise ValueError from None

async def waiting(pause):
    pause()
    return [x async for x in counting(pause)]

async def counting(pause):
    for i in range(3):
        pause()
        yield i
"""
THREADS = 5


class Races:
    """All that happens at once."""

    def __init__(self, directory: Path, seed: int, *, branch: bool, fork: bool) -> None:
        self.program = directory / "program.py"
        self.marks = directory / "marks.py"
        self.program.write_text(PROGRAM, encoding="utf-8")
        self.marks.write_text("hit = 1\n" * 100_000, encoding="utf-8")
        self.random = random.Random(seed)
        self.fork = fork
        self.done = threading.Event()
        self.problems: list[str] = []
        self.cov = coverage.Coverage(
            data_file=str(directory / ".coverage"), config_file=False,
            branch=branch, source=[str(directory)],
        )  # fmt: skip
        self.expected: dict[str, set[int]] = {}
        self.context = ""  # the one that was switched to last: it outlives a stop
        self.turns = 0

    def pause(self) -> None:
        """Let another thread go on, now and then."""
        chance = random.random()
        if chance < 0.2:
            time.sleep(0)
        elif chance < 0.22:
            time.sleep(chance / 100)

    def thread(self) -> None:
        try:
            while not self.done.is_set():
                self.turns += 1
                self.once(random.randrange(6))
        except BaseException as error:
            self.problems.append(f"a thread failed: {error!r}")

    def once(self, choice: int) -> None:
        """Compile the program anew (other code each time, or the same) and use a part of it."""
        names: dict[str, object] = {}
        source = PROGRAM if choice else f"{PROGRAM}\nnumber = {random.random()}\n"
        exec(compile(source, str(self.program), "exec"), names)
        if names["work"](self.pause, 5) != -2:  # type: ignore[operator]
            self.problems.append("work() returned something else")
        kept = names["steps"](self.pause, 3)  # type: ignore[operator]
        next(kept)
        if choice == 1:
            names["itself"] = names  # garbage for the collector
        elif choice == 2:
            try:
                names["failing"](self.pause)  # type: ignore[operator]
            except ValueError:
                pass
        elif choice == 3:
            try:
                names["waiting"](self.pause).send(None)  # type: ignore[operator]
            except StopIteration:
                pass
        elif choice == 4 and self.fork and random.random() < 0.2:
            self.in_a_child(names)
        elif choice == 5:
            inner = threading.Thread(target=names["work"], args=(self.pause, 4))
            inner.start()
            inner.join()

    def in_a_child(self, names: dict[str, object]) -> None:
        """Fork here, in the midst of it all; the child works, too."""
        child = os.fork()
        if child == 0:
            status = 1
            try:
                gc.collect()
                status = 0 if names["work"](lambda: None, 5) == -2 else 2  # type: ignore[operator]
            finally:
                os._exit(status)
        status = os.waitpid(child, 0)[1]
        if status:
            self.problems.append(f"a child ended with {status}")

    def mark(self, line: int) -> None:
        exec(compile("\n" * (line - 1) + "hit = 1\n", str(self.marks), "exec"), {})

    def run(self, seconds: float) -> None:
        """Measure for a while; then look at the data."""
        sys.setswitchinterval(1e-5)
        threads = [threading.Thread(target=self.thread) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        try:
            until = time.monotonic() + seconds
            line = 0
            while time.monotonic() < until and line < 90_000:
                line = self.measure(line)
        finally:
            self.done.set()
            for thread in threads:
                thread.join()
        self.cov.save()
        self.look_at_the_data()
        print(f"{self.turns} turns of threads, {line} marks, {len(self.expected)} contexts")

    def measure(self, line: int) -> int:
        """From a start to a stop, and a line that is run beyond; the last line's number."""
        self.cov.start()
        for _ in range(self.random.randrange(6)):
            line += 1
            self.mark(line)
            self.expected.setdefault(self.context, set()).add(line)
            choice = self.random.randrange(5)
            if choice == 0:
                self.context = f"context {self.random.randrange(50)}"
                self.cov.switch_context(self.context)
            elif choice == 1:
                gc.collect()
            elif choice == 2:
                time.sleep(self.random.random() / 1000)
            elif choice == 3 and self.random.random() < 0.1:
                self.cov.save()
        self.cov.stop()
        line += 1
        self.mark(line)  # it isn't measured
        return line

    def look_at_the_data(self) -> None:
        data = self.cov.get_data()
        for context, lines in self.expected.items():
            data.set_query_context(context)
            found = set(data.lines(str(self.marks)) or ())
            if found != lines:
                lost, more = sorted(lines - found)[:5], sorted(found - lines)[:5]
                self.problems.append(f"{context!r}: lost {lost}, never ran {more}")
        data.set_query_contexts(None)
        known = set(range(1, PROGRAM.count("\n") + 4))
        unknown = set(data.lines(str(self.program)) or ()) - known
        if unknown:
            self.problems.append(f"lines that don't exist: {sorted(unknown)[:9]}")


def main() -> int:
    directory, seconds, seed, branch, *more = sys.argv[1:]
    quickcover.install()
    races = Races(Path(directory), int(seed), branch=branch == "True", fork="fork" in more)
    races.run(float(seconds))
    for problem in races.problems[:20]:
        print(problem)
    return 1 if races.problems else 0


if __name__ == "__main__":
    sys.exit(main())
