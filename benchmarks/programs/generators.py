"""Generators and closures: pipelines, `yield from`, `send`, and functions that make functions."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Iterator

DEFAULT_N = 370
LENGTH = 4_000


def numbers(seed: int, count: int) -> Iterator[int]:
    state = seed
    for _ in range(count):
        state = (state * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        yield state >> 12


def keep(test: Callable[[int], bool], items: Iterable[int]) -> Iterator[int]:
    for item in items:
        if test(item):
            yield item


def change(function: Callable[[int], int], items: Iterable[int]) -> Iterator[int]:
    for item in items:
        yield function(item)


def pairs(items: Iterable[int]) -> Iterator[tuple[int, int]]:
    previous: int | None = None
    for item in items:
        if previous is not None:
            yield previous, item
        previous = item


def batches(items: Iterable[int], size: int) -> Iterator[list[int]]:
    batch: list[int] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def not_divisible_by(divisor: int) -> Callable[[int], bool]:
    def test(item: int) -> bool:
        return item % divisor != 0

    return test


def compose(*functions: Callable[[int], int]) -> Callable[[int], int]:
    def composed(item: int) -> int:
        for function in functions:
            item = function(item)
        return item

    return composed


def counter() -> Callable[[], int]:
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return count

    return step


def averages() -> Generator[float, float, None]:
    """A running mean: values in by `send`, means out."""
    total, count, mean = 0.0, 0, 0.0
    while True:
        value = yield mean
        if value < 0:
            raise ValueError("only positive values have this mean")
        total += value
        count += 1
        mean = total / count


def inorder(low: int, high: int) -> Iterator[int]:
    """The numbers of a range, through a recursion of generators."""
    if low < high:
        middle = (low + high) // 2
        yield from inorder(low, middle)
        yield middle
        yield from inorder(middle + 1, high)


def pipeline(seed: int) -> int:
    scale = compose(lambda x: x & 0xFFFF, lambda x: x * 3, lambda x: x + 1)
    source = change(scale, keep(not_divisible_by(3), numbers(seed, LENGTH)))
    total = 0
    for first, second in pairs(source):
        total += first ^ second
    for batch in batches(keep(not_divisible_by(5), numbers(seed, LENGTH)), 16):
        total += max(batch) - min(batch)
    return total


def running(seed: int) -> int:
    means = averages()
    next(means)
    step = counter()
    last = 0.0
    for value in numbers(seed, LENGTH):
        last = means.send(float(value))
        step()
    means.close()
    return int(last) + step()


def run(n: int) -> int:
    """Run all the pipes `n` times."""
    total = 0
    for seed in range(n):
        total += pipeline(seed)
        total += running(seed)
        total += sum(inorder(0, 1_000))
    return total


def main(argv: list[str]) -> None:
    """Run N rounds and print the checksum."""
    print(run(int(argv[1]) if len(argv) > 1 else DEFAULT_N))


if __name__ == "__main__":
    main(sys.argv)
