"""Loops of additions: almost every event is a line inside a loop, hardly any is a call."""

from __future__ import annotations

import sys

DEFAULT_N = 440
STEPS = 20_000


def count_up(limit: int) -> int:
    """A while loop of additions, its guard never taken."""
    total = 0
    i = 0
    while i < limit:
        if i < 0:
            raise ValueError("the counter went backwards")
        total += i
        i += 1
    return total


def add_range(limit: int) -> int:
    """A for loop whose branches are taken often, rarely and never."""
    total = 0
    for i in range(limit):
        total = total + i
        if i & 1:
            total += 3
        else:
            total -= 1
        if total > 1 << 60:
            total = 0
        if i % 1000 == 999:
            total ^= i
    return total


def nested(rows: int, columns: int) -> int:
    """Loops in loops, left by break and continue."""
    total = 0
    for row in range(rows):
        for column in range(columns):
            if column > row + 50:
                break
            if (row + column) % 3 == 0:
                continue
            total += row
            total += column
    return total


def over_list(values: list[int]) -> int:
    """Indexing and storing while iterating, and one comprehension."""
    for index in range(1, len(values)):
        value = values[index] + values[index - 1]
        if value >= 1_000_003:
            value -= 1_000_003
        values[index] = value
    return sum([value for value in values if value & 7])


def run(n: int) -> int:
    """Do the four loops `n` times."""
    total = 0
    for turn in range(n):
        total += count_up(STEPS)
        total += add_range(STEPS)
        total += nested(100, 100)
        total += over_list(list(range(turn, turn + 5_000)))
    return total


def main(argv: list[str]) -> None:
    """Run N rounds and print the checksum."""
    print(run(int(argv[1]) if len(argv) > 1 else DEFAULT_N))


if __name__ == "__main__":
    main(sys.argv)
