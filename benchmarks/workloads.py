"""What is run: the programs, the cold import, and the loops that make code objects."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

HERE = Path(__file__).resolve().parent

STEADY = "steady"
IMPORT = "import"
CODES = "codes"


@dataclass(frozen=True)
class Workload:
    """One module with `run(n)`.

    steady: time is the process with n minus the same tool's process with 0.
    import, codes: time is that of `run` alone, between the tool's start and its stop.
    """

    name: str
    kind: str
    path: Path
    n: int
    package: str = ""
    """Measure this installed package instead of the directory of the module."""
    warm_up: int = 0
    """Call run() with this number before the time and the memory are taken."""

    def scaled(self, scale: float) -> int:
        """How much to run: at least once."""
        return max(1, round(self.n * scale)) if self.n > 1 else self.n


def default_n(path: Path) -> int:
    """DEFAULT_N of a module, read without importing it."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DEFAULT_N":
            value = ast.literal_eval(node.value)
            if isinstance(value, int):
                return value
    raise ValueError(f"{path} does not define DEFAULT_N")


def _all() -> list[Workload]:
    found = [
        Workload(path.stem, STEADY, path, default_n(path))
        for path in sorted((HERE / "programs").glob("[!_]*.py"))
    ]
    path = HERE / "cold_import" / "import_sympy.py"
    found.append(Workload(path.stem, IMPORT, path, default_n(path), package="sympy"))
    for path in sorted((HERE / "codes").glob("exec_*.py")):
        found.append(Workload(path.stem, CODES, path, default_n(path), warm_up=20_000))
    return found


def choose(patterns: list[str]) -> list[Workload]:
    """The workloads whose name or kind matches one of the patterns; all without patterns."""
    workloads = _all()
    for pattern in patterns:
        if not any(_matches(workload, pattern) for workload in workloads):
            names = ", ".join(workload.name for workload in workloads)
            raise ValueError(f"no program is called {pattern!r}: {names}")
    return [w for w in workloads if not patterns or any(_matches(w, p) for p in patterns)]


def _matches(workload: Workload, pattern: str) -> bool:
    return fnmatchcase(workload.name, pattern) or workload.kind == pattern
