"""Count the engines' instructions on small workloads, and fail if they grew by more than 3 %.

    python benchmarks/check.py [--write] [--workloads NAME...] [--engines NAME...] [--verbose]
                                                                               (make bench-check)

callgrind counts the same each time, on a busy machine, too. For each workload, engine and mode
there are two figures, of a run of 2n less one of n, so that start and end are not in them:

- own: instructions in quickcover's extension module;
- added: instructions of the whole process more than without an engine.

`added` can double where an object that comes and goes each round lies at the end of one of
Python's pools of memory. What has grown is therefore counted again with the heap laid out in
other ways, and the least counts.

They are compared with those in benchmarks/counts, of the same Python version. `own` depends on the
compiler of the extension, `added` on the build of the interpreter, too: where these are others than
those in the file, the figures are shown but not judged. --write replaces the file.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import quickcover
from benchmarks.micro import WORKLOADS
from quickcover import _env, _native, _select
from quickcover.bench.progress import Line

HERE = Path(__file__).resolve().parent
MOST_GROWTH = 0.03
#: Less is noise of another kind: the order of a list of free blocks, say.
LEAST = 2_000
MODES = ("lines", "branches")
#: How many objects of each size are on the heap before the work.
LAYOUTS = (0, 3, 8, 17)

#: {workload: {engine/mode: {own, added}}}
Counts = dict[str, dict[str, dict[str, int]]]


class CountError(Exception):
    """A run that failed."""


@dataclass(frozen=True)
class Count:
    """Instructions of one process: all, and those in our extension."""

    total: int
    own: int

    def __sub__(self, other: Count) -> Count:
        return Count(self.total - other.total, self.own - other.own)


def parse(text: str) -> Count:
    """Add up a callgrind file. A line of costs after `calls=` is the callee's: counted there."""
    names: dict[str, str] = {}
    total = own = 0
    inside = skip = False
    for line in text.splitlines():
        if line.startswith("ob="):
            number, _, name = line[3:].partition(" ")
            names.setdefault(number, name)
            inside = "/quickcover/_native." in names[number]
        elif line.startswith("cob="):
            number, _, name = line[4:].partition(" ")
            names.setdefault(number, name)
        elif line.startswith("calls="):
            skip = True
        elif line[:1] in "0123456789+-*" and line:
            if skip:
                skip = False
                continue
            cost = int(line.split()[1])
            total += cost
            own += cost if inside else 0
    return Count(total, own)


def run(workload: str, engine: str, mode: str, n: int, layout: int) -> Count:
    """Count one process."""
    package = str(Path(quickcover.__file__).parent.parent)
    env = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "counts"
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}",
             sys.executable, "-s", "-S", "-P", str(HERE / "micro.py"),
             package, workload, engine, mode, str(n), str(layout)],
            capture_output=True, text=True, env=env, check=False,
        )  # fmt: skip
        if done.returncode or not out.exists():
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise CountError(f"{workload}, {engine}/{mode}: {last}")
        return parse(out.read_text(encoding="utf-8", errors="replace"))


def able() -> Iterator[tuple[str, str]]:
    """The engines and modes that there are here."""
    for engine in _select.ENGINES:
        for mode in MODES:
            request = _select.Request(branch=mode == "branches")
            try:
                _select.choose(request, _env.current(), _native.ENGINES, forced=engine)
            except _select.EngineError:
                continue
            yield engine, mode


def count(workloads: list[str], engines: list[str], layouts: tuple[int, ...]) -> Counts:
    """All figures. As many processes at a time as there are cores: that changes no count."""
    pairs = [("none", "lines"), *(pair for pair in able() if pair[0] in engines)]
    runs = product(workloads, pairs, layouts)
    jobs = [(w, *pair, n, layout) for w, pair, layout in runs for n in sizes(w)]
    progress = Line()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        waiting = [pool.submit(run, *job) for job in jobs]
        try:
            for done, future in enumerate(as_completed(waiting)):
                progress(f"{done + 1} of {len(jobs)}", done / len(jobs))
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    progress.close()
    found = dict(zip(jobs, (future.result() for future in waiting), strict=True))

    def difference(*run: str) -> Count:
        less, more = sizes(run[0])
        counts = [found[*run, more, k] - found[*run, less, k] for k in layouts]
        return min(counts, key=lambda each: each.total)

    counts: Counts = {}
    for workload in workloads:
        none = difference(workload, *pairs[0])
        row = counts[workload] = {}
        for engine, mode in pairs[1:]:
            more = difference(workload, engine, mode)
            row[f"{engine}/{mode}"] = {"own": more.own, "added": more.total - none.total}
    return counts


def sizes(workload: str) -> tuple[int, int]:
    """The sizes of the two runs; the difference leaves out start and end."""
    n = WORKLOADS[workload][1]
    return n, 2 * n


def environment() -> dict[str, str]:
    """What the figures depend on beside our code: those of `own`, and all."""
    library = Path(_native.__file__).read_bytes()
    compiler = re.search(rb"(GCC: \([^)]*\) [\d.]+|clang version [\w.+~-]+)", library)
    build = f"{platform.python_version()}, {' '.join(platform.python_build())}"
    return {
        "architecture": platform.machine(),
        "extension": compiler[0].decode() if compiler else "unknown",
        "python": f"{build}, {platform.python_compiler()}",
    }


def judged(then: dict[str, str], now: dict[str, str]) -> list[str]:
    """Which figures can be compared."""
    if any(then.get(key) != now[key] for key in ("architecture", "extension")):
        return []
    return ["own", "added"] if then.get("python") == now["python"] else ["own"]


@dataclass(frozen=True)
class Change:
    """One figure that is not what it was."""

    text: str
    then: int
    now: int

    @property
    def growth(self) -> float:
        return (self.now - self.then) / self.then if self.then > 0 else float(self.now > 0)

    @property
    def matters(self) -> bool:
        return abs(self.now - self.then) > LEAST and abs(self.growth) > MOST_GROWTH

    def __str__(self) -> str:
        return f"{self.text:44}{self.then:14,} -> {self.now:14,} {self.growth:+8.1%}"


def changes(then: Counts, now: Counts, kinds: list[str]) -> list[Change]:
    """Every figure that both have."""
    return [
        Change(f"{workload}, {tool}, {kind}", then[workload][tool][kind], figures[kind])
        for workload, row in now.items()
        for tool, figures in row.items()
        if tool in then.get(workload, {})
        for kind in kinds
    ]


def path() -> Path:
    """Where the counts of this Python are."""
    return HERE / "counts" / f"cpython-{_env.version()}.json"


def worse(changed: list[Change], kinds: list[str]) -> list[Change]:
    """Those that have grown, of the kinds that are judged."""
    return [c for c in changed if c.matters and c.growth > 0 and c.text.endswith(tuple(kinds))]


def compare(now: Counts, engines: list[str], verbose: bool) -> int:
    """Tell what grew; the exit status."""
    then: dict[str, Any] = json.loads(path().read_text(encoding="utf-8"))
    here = environment()
    kinds = judged(then["environment"], here)
    for key, value in here.items():
        if then["environment"].get(key) != value:
            print(f"another {key}: {value}; counted with {then['environment'].get(key)}")
    first = changes(then["counts"], now, ["own", "added"])
    again = list(dict.fromkeys(c.text.partition(",")[0] for c in worse(first, kinds)))
    if again:
        now = now | count(again, engines, LAYOUTS)
    found = changes(then["counts"], now, ["own", "added"])
    grown = worse(found, kinds)
    for change in found:
        if verbose or change.matters:
            print(f"{'GROWN  ' if change in grown else '       '}{change}")
    if grown:
        print(f"{len(grown)} figures have grown by more than {MOST_GROWTH:.0%}")
        return 1
    if not kinds:
        print("nothing is judged here: count with this compiler first (--write)")
    elif any(change.matters for change in found):
        print("no figure that counts has grown; --write keeps the new ones")
    else:
        print(f"{len(found)} figures, none has changed by more than {MOST_GROWTH:.0%}")
    return 0


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="replace the counts of this Python")
    parser.add_argument("--engines", nargs="+", default=_select.ENGINES, choices=_select.ENGINES)
    parser.add_argument("--verbose", action="store_true", help="show every figure")
    parser.add_argument("--workloads", nargs="+", default=list(WORKLOADS), choices=WORKLOADS)
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("bench-check: skipped, valgrind is not installed (Debian: apt install valgrind)")
        return 0
    if not options.write and not path().exists():
        print(f"bench-check: skipped, there is no {path().name}: write it with --write")
        return 0
    try:
        layouts = LAYOUTS if options.write else LAYOUTS[:1]
        counts = count(options.workloads, options.engines, layouts)
        if not options.write:
            return compare(counts, options.engines, options.verbose)
    except CountError as error:
        print(f"bench-check: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench-check: interrupted", file=sys.stderr)
        return 130
    if path().exists():
        before = json.loads(path().read_text(encoding="utf-8"))["counts"]
        counts = before | {name: before.get(name, {}) | row for name, row in counts.items()}
    found = {"environment": environment(), "counts": counts}
    path().parent.mkdir(exist_ok=True)
    path().write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"written: {path()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
