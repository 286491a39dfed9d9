"""How many bytes the C core takes for each code unit (two bytes of bytecode) that it measures.

    python benchmarks/codes/memory.py [--python PYTHON]

Three figures for each engine, all divided by the code units of the code objects of sympy that ran:

- core: what the core's own allocator says is alive;
- traced: what tracemalloc sees more than with the engine's limit (callbacks that record nothing);
- resident: the same for the resident memory of the process.

The limit has CPython's own instrumentation data too, so that this is not counted as ours. The
second and third include coverage.py's Python objects for each file and what malloc itself needs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from benchmarks import tools
from benchmarks.goals import Goal
from benchmarks.measure import ChildError, Interpreter, scratch

PACKAGE = "sympy"
PROGRAM = Path(__file__).resolve().with_name("use_sympy.py")
LIMIT_BYTES = 4.0
KINDS = ("core", "traced", "resident")
LIMITS = {"trace": tools.EMPTY_TRACE, "monitoring": tools.EMPTY_MONITORING}


@dataclass(frozen=True)
class Weight:
    """Bytes that one tool takes for so much code."""

    tool: str
    units: int
    codes: int
    core: int
    traced: int
    resident: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def measure(interpreter: Interpreter, available: list[tools.Tool]) -> list[Weight]:
    """Weigh all our engines among the tools."""
    ours = [tool for tool in available if tool.kind == "quickcover"]
    if not ours:
        return []
    code = _ask(interpreter, tools.TOOLS[0], "units")
    weights = []
    for tool in ours:
        try:
            weights.append(_weigh(interpreter, tool, code))
        except ChildError as error:
            print(f"memory of {tool.name}: {error}", file=sys.stderr)
    return weights


def _weigh(interpreter: Interpreter, tool: tools.Tool, code: dict[str, Any]) -> Weight:
    limit = _limit_of(tool)
    ours, theirs = _ask(interpreter, tool, "resident"), _ask(interpreter, limit, "resident")
    traced = _ask(interpreter, tool, "traced")["bytes"]
    traced -= _ask(interpreter, limit, "traced")["bytes"]
    return Weight(
        tool=tool.name,
        units=code["units"],
        codes=code["codes"],
        core=ours["core"],
        traced=traced,
        resident=ours["bytes"] - theirs["bytes"],
    )


def _limit_of(tool: tools.Tool) -> tools.Tool:
    """The tool with the same events that records nothing; `none` for an engine without events."""
    kind = LIMITS.get(tool.name.partition("/")[0], tools.NONE)
    return next(t for t in tools.TOOLS if t.kind == kind and t.mode in ("", tool.mode))


def _ask(interpreter: Interpreter, tool: tools.Tool, what: str) -> dict[str, Any]:
    with scratch() as data:
        request = {
            "op": "weigh",
            "what": what,
            "tool": tool.as_json(),
            "path": str(PROGRAM),
            "source": interpreter.facts["package_dir"][PACKAGE],
            "data": data,
        }
        return interpreter.ask(request, tool)


def goals(weights: list[Weight]) -> Iterator[Goal]:
    """The promise is about the core's own memory; the rest is told."""
    for weight in weights:
        for kind in KINDS:
            value = getattr(weight, kind) / weight.units
            text = f"{weight.tool}, bytes per code unit of {weight.units:,} in {PACKAGE}: {kind}"
            yield Goal(text, value, LIMIT_BYTES if kind == "core" else None)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--python", default=sys.executable, help="interpreter (default: this one)")
    interpreter = Interpreter(parser.parse_args().python)
    weights = measure(interpreter, list(tools.TOOLS))
    print(f"{'bytes, and per code unit':26}{'codes':>8}{'units':>10}", *KINDS, sep="\t")
    for weight in weights:
        bytes_of = [getattr(weight, kind) for kind in KINDS]
        cells = [f"{value:,} {value / weight.units:.2f}" for value in bytes_of]
        print(f"{weight.tool:26}{weight.codes:8}{weight.units:10}", *cells, sep="\t")
    return 0 if weights else 1


if __name__ == "__main__":
    sys.exit(main())
