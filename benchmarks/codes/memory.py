"""How many bytes the C core takes for each code unit (two bytes of bytecode) that it measures.

    python benchmarks/codes/memory.py [--python PYTHON] [--merge FILE]

Three figures for each engine, divided by the code units of the code objects of sympy that ran; and
for the probe engine, which changes code before it runs, by those of the functions that were made,
too (three in four never run):

- core: what the core's own allocator says is alive;
- traced: what tracemalloc sees more than with the engine's limit (callbacks that record nothing);
- resident: the same for the resident memory of the process.

The limit has CPython's own instrumentation data too, so that this is not counted as ours. The
second and third include coverage.py's Python objects for each file and what malloc itself needs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from benchmarks import sources, tools
from benchmarks.goals import Goal
from benchmarks.measure import ChildError, Interpreter, scratch
from quickcover.bench import machine

PACKAGE = "sympy"
PROGRAM = Path(__file__).resolve().with_name("use_sympy.py")
#: Twice the bytecode.
LIMIT_BYTES = 4.0
TEXT = "bytes per code unit"
#: What it is called among the results.
NAME = "memory of code"
KINDS = ("core", "traced", "resident")
LIMITS = {"trace": tools.EMPTY_TRACE, "monitoring": tools.EMPTY_MONITORING}


@dataclass(frozen=True)
class Weight:
    """Bytes that one tool takes for so much code."""

    tool: str
    #: Of the code that ran; and that was made, too.
    units: int
    made: int
    codes: int
    core: int
    traced: int
    resident: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def instrumented(self) -> int:
        """The units of the code that the engine changes or has CPython watch."""
        return self.made if self.tool.startswith("probe/") else self.units


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
        made=code["made"],
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
    """The promise is about the core's own memory, and instrumented code; the rest is told."""
    for weight in weights:
        for kind in KINDS:
            promised = kind == "core"
            for units in sorted({weight.instrumented, weight.units}, reverse=True):
                text = f"{weight.tool}, {TEXT} of {units:,} in {PACKAGE}: {kind}"
                limit = LIMIT_BYTES if promised and units == weight.instrumented else None
                yield Goal(text, getattr(weight, kind) / units, limit)


def merge(path: Path, weights: list[Weight], load: list[float]) -> None:
    """Put the weights into a file of results, in the place of its own."""
    results = json.loads(path.read_text(encoding="utf-8"))
    results["memory"] = [weight.as_json() for weight in weights]
    others = [goal for goal in results["goals"] if TEXT not in goal["text"]]
    results["goals"] = [*others, *(goal.as_json() for goal in goals(weights))]
    later = [one for one in results.get("later", []) if not one["names"][0].startswith("memory")]
    how = {"date": machine.now(), "git": sources.git(), "settings": {"load": load}}
    results["later"] = [*later, {"names": [NAME], **how}]
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--python", default=sys.executable, help="interpreter (default: this one)")
    parser.add_argument("--merge", type=Path, help="a file of results that it is to be put into")
    options = parser.parse_args()
    began = machine.load()
    weights = measure(Interpreter(options.python), list(tools.TOOLS))
    print(f"{'bytes, and per code unit':26}{'codes':>8}{'units':>10}", *KINDS, sep="\t")
    for weight in weights:
        bytes_of = [getattr(weight, kind) for kind in KINDS]
        for units in sorted({weight.instrumented, weight.units}):
            cells = [f"{value:,} {value / units:.2f}" for value in bytes_of]
            print(f"{weight.tool:26}{weight.codes:8}{units:10}", *cells, sep="\t")
    if options.merge:
        merge(options.merge, weights, [began, machine.load()])
    return 0 if weights else 1


if __name__ == "__main__":
    sys.exit(main())
