"""Count instructions instead of time: no noise, even on a busy machine.

    python benchmarks/instructions.py [--python PYTHON] [--scale X] [--keep DIRECTORY]
                                      [--programs NAME...] [--tools NAME...] [--merge FILE]

Runs under valgrind's callgrind, some 50 times slower than bare, so the programs are scaled down to
a hundredth. Instructions are not time (caches, mispredicted branches), but a tool that adds none
adds no time either. --keep leaves callgrind's files for callgrind_annotate, to see who is to blame;
--merge puts the ratios into a file of results, with those that it has. As many processes run at a
time as there are cores: that changes no count.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import sources, tools, workloads
from benchmarks.measure import Benchmark, ChildError, Interpreter, scratch
from benchmarks.tools import NONE, Tool
from benchmarks.workloads import IMPORT, STEADY, Workload
from quickcover.bench.machine import now


def collected(path: Path) -> int:
    """The total of a callgrind file."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(("summary:", "totals:")):
            return int(line.split()[1])
    raise ChildError(f"no total in {path}")


def count(benchmark: Benchmark, workload: Workload, tool: Tool, n: int, keep: Path) -> int:
    """Instructions of one process."""
    out = keep / f"{workload.name}-{tool.name.replace('/', '-')}-{n}.callgrind"
    prefix = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"]
    benchmark = copy.copy(benchmark)  # others count at the same time
    with scratch() as benchmark.data:
        request = {**benchmark.request(workload, tool, n), "leave": True, "warm_up": 0}
        benchmark.interpreter.run(request, tool, prefix)
    return collected(out)


def steady(benchmark: Benchmark, workload: Workload, tool: Tool, keep: Path) -> int | str:
    """How many instructions more a run of 2n takes than one of n; or why that can't be said.

    That leaves out start and end, and what is done once for each place in the code.
    """
    n = workload.scaled(benchmark.scale)
    less, more = (0, n) if workload.kind == IMPORT else (n, 2 * n)
    try:
        total = count(benchmark, workload, tool, more, keep)
        return total - count(benchmark, workload, tool, less, keep)
    except ChildError as error:
        return str(error)


def compare(benchmark: Benchmark, keep: Path) -> dict[str, dict[str, float]]:
    """Print a line for each workload and tool; the ratios to none, by tool."""
    pairs = [(workload, tool) for workload in benchmark.workloads for tool in benchmark.tools]
    ratios: dict[str, dict[str, float]] = {}
    base: int | str = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        totals = pool.map(lambda pair: steady(benchmark, *pair, keep), pairs)
        for (workload, tool), total in zip(pairs, totals, strict=True):
            base = total if tool.name == NONE else base
            line = f"{workload.name:14}{tool.name:28}{total:>16}"
            if isinstance(base, int) and isinstance(total, int):
                line += f"{total / base:8.4f}"
                if tool.name != NONE:
                    ratios.setdefault(tool.name, {})[workload.name] = total / base
            print(line, flush=True)
    return ratios


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--python", default=sys.executable, help="interpreter (default: this one)")
    parser.add_argument("--scale", type=float, default=0.01, help="factor on the programs' sizes")
    parser.add_argument("--programs", nargs="+", default=[STEADY], metavar="NAME")
    parser.add_argument("--tools", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--keep", type=Path, help="directory for callgrind's files")
    parser.add_argument("--merge", type=Path, help="a file of results for the ratios")
    options = parser.parse_args()
    try:
        chosen = tools.choose(options.tools), workloads.choose(options.programs)
    except ValueError as error:
        parser.error(str(error))
    benchmark = Benchmark(
        Interpreter(options.python), *chosen, options.scale, lambda text, part: None
    )
    benchmark.warm_up()
    for name, why in benchmark.left_out.items():
        print(f"left out: {name}: {why}")
    with tempfile.TemporaryDirectory() as directory:
        keep = options.keep or Path(directory)
        keep.mkdir(parents=True, exist_ok=True)
        ratios = compare(benchmark, keep)
    if options.merge:
        results = json.loads(options.merge.read_text(encoding="utf-8"))
        known = results.get("instructions", {}).get("ratios", {})
        ratios = known | {tool: known.get(tool, {}) | found for tool, found in ratios.items()}
        results["instructions"] = {"date": now(), "git": sources.git(), "ratios": ratios}
        options.merge.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
