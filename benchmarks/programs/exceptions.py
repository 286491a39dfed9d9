"""Exceptions as control flow: raised deep, caught far, with `finally`, `with` and chaining."""

from __future__ import annotations

import sys
from types import TracebackType

DEFAULT_N = 720
STEPS = 1_500


class Refused(Exception):
    """The root of the program's own exceptions."""


class TooDeep(Refused):
    """Raised at the bottom of a recursion."""

    def __init__(self, depth: int) -> None:
        super().__init__(depth)
        self.depth = depth


class BadToken(Refused):
    """Raised by the little parser."""


class Guard:
    """A context manager that swallows one kind of exception and counts."""

    def __init__(self, kind: type[Exception]) -> None:
        self.kind = kind
        self.swallowed = 0

    def __enter__(self) -> Guard:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if kind is None:
            return False
        if issubclass(kind, self.kind):
            self.swallowed += 1
            return True
        return False


def descend(depth: int) -> int:
    if depth == 0:
        raise TooDeep(depth)
    try:
        return descend(depth - 1)
    except TooDeep as error:
        error.depth += depth
        raise


def lookup(table: dict[int, int], key: int) -> int:
    try:
        value = table[key]
    except KeyError:
        value = table[key] = key * 7
    else:
        value += 1
    finally:
        if len(table) > 300:
            table.clear()
    return value


def parse(words: list[str]) -> int:
    total = 0
    for word in words:
        try:
            total += int(word)
        except ValueError as error:
            if word == "stop":
                break
            if not word:
                raise BadToken("an empty word") from error
            total -= 1
    else:
        total += 1_000
    return total


def convert(value: object) -> int:
    """Several handlers, of which the last is hardly ever needed."""
    try:
        return 100 // value  # type: ignore[operator]
    except ZeroDivisionError:
        return 0
    except TypeError:
        return -1
    except (OverflowError, MemoryError):
        return -2


def guarded(steps: int) -> int:
    guard = Guard(LookupError)
    items = [1, 2, 3]
    total = 0
    for i in range(steps):
        with guard:
            total += items[i % 4]
    return total + guard.swallowed


def run(n: int) -> int:
    """Raise and catch in all these ways, `n` times."""
    total = 0
    table: dict[int, int] = {}
    samples: list[object] = [1, 7, 0, "x", 5, None, 9, 3]
    for turn in range(n):
        for i in range(STEPS):
            total += lookup(table, (i * 17 + turn) % 350)
            total += convert(samples[i % len(samples)])
        for i in range(STEPS // 10):
            try:
                descend(8)
            except TooDeep as error:
                total += error.depth
            try:
                total += parse(["1", "22", "x", "3", "" if i % 5 == 0 else "4", "stop", "5"])
            except Refused as error:
                total += len(str(error))
        total += guarded(STEPS)
    return total


def main(argv: list[str]) -> None:
    """Run N rounds and print the checksum."""
    print(run(int(argv[1]) if len(argv) > 1 else DEFAULT_N))


if __name__ == "__main__":
    main(sys.argv)
