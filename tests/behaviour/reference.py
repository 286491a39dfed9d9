"""Which measurer is right: coverage.py's C tracer, or the oracle where that tracer is too old.

From Python 3.14 on, the line of a return may be told by the return event alone. Older releases of
coverage.py (7.11 for one) don't look there, and so miss lines and branches; newer ones do, and so
do the engines with any coverage.py. With an old one the oracle is the measure.
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from . import facts
from .measure import measurer

# The `break` after the inner loop goes to a return whose line only the return event tells.
SAMPLE = """\
def f(x):
    for i in range(3):
        for j in range(3):
            if j == x:
                break
        else:
            continue
        break
    return i
"""


@functools.cache
def name() -> str:
    """The name of the measurer that others are compared with: "ctrace" or "oracle".

    Where there is no C tracer, it is "pytrace".
    """
    if facts.stock() != "ctrace":
        return facts.stock()
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory).resolve() / "sample.py"
        file.write_text(SAMPLE, encoding="utf-8")
        namespace: dict[str, object] = {}
        exec(compile(SAMPLE, str(file), "exec"), namespace)
        found = []
        for one in ("ctrace", "oracle"):
            used = measurer(one, file.parent, branch=True)
            used.start()
            namespace["f"](5)  # type: ignore[operator]
            used.stop()
            found.append(used.recorded())
    return "ctrace" if found[0] == found[1] else "oracle"


def why_not_ctrace() -> str:
    """Why ctrace can't be the measure here; empty if it is."""
    if name() == "oracle":
        return "this coverage.py's ctrace misses the lines of returns"
    return "" if name() == "ctrace" else "there is no C tracer here"
