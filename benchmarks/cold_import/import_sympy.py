"""Import sympy: some 400 modules, nearly every line of which runs at most once.

The package is measured, not this file: see `Workload.package` in workloads.py.
"""

from __future__ import annotations

import importlib
import sys

DEFAULT_N = 1


def run(n: int) -> int:
    """Import the package (if n > 0); the checksum is how many of its modules came in."""
    if n:
        importlib.import_module("sympy")
    return sum(name.partition(".")[0] == "sympy" for name in sys.modules)


def main(argv: list[str]) -> None:
    """Import, and print the checksum."""
    print(run(int(argv[1]) if len(argv) > 1 else DEFAULT_N))


if __name__ == "__main__":
    main(sys.argv)
