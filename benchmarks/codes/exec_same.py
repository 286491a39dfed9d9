"""Compile and execute the same source again and again: each time a new code object.

This is what templates, dataclasses and test runners do. A tool that keeps code objects, or
something for each of them, alive grows here; one that looks at each anew gets slow.
"""

from __future__ import annotations

import sys

DEFAULT_N = 100_000

SOURCE = """\
def render(items, limit=3):
    parts = []
    for item in items:
        if item is None:
            continue
        if len(parts) >= limit:
            break
        parts.append(str(item))
    return ", ".join(parts)


result = render([1, None, 2])
"""


def run(n: int) -> int:
    """Compile and execute `n` times, as code of this file: so it is measured code."""
    total = 0
    for _ in range(n):
        namespace: dict[str, str] = {}
        exec(compile(SOURCE, __file__, "exec"), namespace)
        total += len(namespace["result"])
    return total


def main(argv: list[str]) -> None:
    """Execute N times and print the checksum."""
    print(run(int(argv[1]) if len(argv) > 1 else DEFAULT_N))


if __name__ == "__main__":
    main(sys.argv)
