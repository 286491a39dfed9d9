"""Many calls of small functions: functions, methods, properties, keywords, closures, recursion."""

from __future__ import annotations

import sys
from collections.abc import Callable

DEFAULT_N = 600
STEPS = 2_000


def increment(x: int) -> int:
    return x + 1


def add(x: int, y: int) -> int:
    return x + y


def clamp(x: int, *, low: int = 0, high: int = 1 << 40) -> int:
    if x < low:
        return low
    if x > high:
        return high
    return x


def total_of(*values: int) -> int:
    result = 0
    for value in values:
        result = add(result, value)
    return result


def fibonacci(k: int) -> int:
    if k < 2:
        return k
    return fibonacci(k - 1) + fibonacci(k - 2)


def is_even(k: int) -> bool:
    return True if k == 0 else is_odd(k - 1)


def is_odd(k: int) -> bool:
    return False if k == 0 else is_even(k - 1)


def adder(step: int) -> Callable[[int], int]:
    def apply(x: int) -> int:
        return x + step

    return apply


class Account:
    """A balance behind a property, with a method for each way to change it."""

    def __init__(self, balance: int) -> None:
        self._balance = balance
        self.refused = 0

    @property
    def balance(self) -> int:
        return self._balance

    def deposit(self, amount: int) -> None:
        if amount <= 0:
            raise ValueError("a deposit must be positive")
        self._balance += amount

    def withdraw(self, amount: int) -> bool:
        if amount > self.balance:
            self.refused += 1
            return False
        self._balance -= amount
        return True

    def fee(self) -> int:
        return 1


class Premium(Account):
    """The same account without a fee: a method that calls up."""

    def fee(self) -> int:
        return super().fee() - 1

    def withdraw(self, amount: int) -> bool:
        return super().withdraw(amount + self.fee())


def plain_functions(steps: int) -> int:
    x = 0
    for i in range(steps):
        x = increment(x)
        x = add(x, i)
        x = clamp(x, high=1 << 30)
        x = clamp(total_of(x, i, 1))
    return x


def methods(steps: int) -> int:
    accounts: list[Account] = [Account(100), Premium(100)]
    for i in range(steps):
        for account in accounts:
            account.deposit(1 + i % 7)
            account.withdraw(4)
    return sum(account.balance * 31 + account.refused for account in accounts)


def closures(steps: int) -> int:
    x = 0
    for i in range(steps):
        x = adder(i)(x)
    return x


def run(n: int) -> int:
    """Make all the calls `n` times."""
    total = 0
    for _ in range(n):
        total += plain_functions(STEPS)
        total += methods(STEPS)
        total += closures(STEPS)
        total += fibonacci(14)
        total += is_even(200)
    return total


def main(argv: list[str]) -> None:
    """Run N rounds and print the checksum."""
    print(run(int(argv[1]) if len(argv) > 1 else DEFAULT_N))


if __name__ == "__main__":
    main(sys.argv)
