"""Compile and execute a source that is different each time: no two code objects are alike.

The bits of the counter choose between two statements each, so that the bytecode differs, not
the constants alone. All sources keep to the same few lines of one file.
"""

from __future__ import annotations

import sys

DEFAULT_N = 100_000
BITS = 17
_count = 0


def source_of(number: int) -> str:
    """A function whose operators spell the number in binary."""
    lines = ["def mix(x, y):"]
    for bit in range(BITS):
        lines.append("    x ^= y" if number >> bit & 1 else "    x += y")
    lines += ["    if x < 0:", "        x = -x", "    return x", "", "result = mix(1, 2)", ""]
    return "\n".join(lines)


def run(n: int) -> int:
    """Compile and execute `n` sources, going on where the last call stopped."""
    global _count
    total = 0
    for _ in range(n):
        _count += 1
        namespace: dict[str, int] = {}
        exec(compile(source_of(_count), __file__, "exec"), namespace)
        total += namespace["result"]
    return total


def main(argv: list[str]) -> None:
    """Execute N sources and print the checksum."""
    print(run(int(argv[1]) if len(argv) > 1 else DEFAULT_N))


if __name__ == "__main__":
    main(sys.argv)
