"""Count instructions instead of time: no noise, even on a busy machine.

    python benchmarks/instructions.py [--python PYTHON] [--scale X] [--keep DIRECTORY]
                                      [--programs NAME...] [--tools NAME...]

Runs under valgrind's callgrind, some 50 times slower than bare, so the programs are scaled down to
a hundredth. Instructions are not time (caches, mispredicted branches), but a tool that adds none
adds no time either. --keep leaves callgrind's files for callgrind_annotate, to see who is to blame.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import tools, workloads
from benchmarks.measure import Benchmark, ChildError, Interpreter, scratch
from benchmarks.tools import NONE, Tool
from benchmarks.workloads import IMPORT, STEADY, Workload


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
    with scratch() as benchmark.data:
        request = {**benchmark.request(workload, tool, n), "leave": True, "warm_up": 0}
        benchmark.interpreter.run(request, tool, prefix)
    return collected(out)


def compare(benchmark: Benchmark, workload: Workload, keep: Path) -> None:
    """One line for each tool: how many instructions more a run of 2n takes than one of n.

    That leaves out start and end, and what is done once for each place in the code.
    """
    n = workload.scaled(benchmark.scale)
    base = 0
    for tool in benchmark.tools:
        try:
            less, more = (0, n) if workload.kind == IMPORT else (n, 2 * n)
            total = count(benchmark, workload, tool, more, keep)
            total -= count(benchmark, workload, tool, less, keep)
        except ChildError as error:
            print(f"{workload.name:14}{tool.name:28}{error}", flush=True)
            continue
        base = total if tool.name == NONE else base
        ratio = f"{total / base:8.4f}" if base else ""
        print(f"{workload.name:14}{tool.name:28}{total:16,}{ratio}", flush=True)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--python", default=sys.executable, help="interpreter (default: this one)")
    parser.add_argument("--scale", type=float, default=0.01, help="factor on the programs' sizes")
    parser.add_argument("--programs", nargs="+", default=[STEADY], metavar="NAME")
    parser.add_argument("--tools", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--keep", type=Path, help="directory for callgrind's files")
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
        for workload in benchmark.workloads:
            compare(benchmark, workload, keep)
    return 0


if __name__ == "__main__":
    sys.exit(main())
