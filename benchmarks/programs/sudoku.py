"""A sudoku solver: candidates as bit masks, single candidates propagated, then guesses."""

from __future__ import annotations

import sys

DEFAULT_N = 2_600
ALL = 0x1FF
HOLES = 57


class Dice:
    """A linear congruential generator: the same puzzles on every Python."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def below(self, bound: int) -> int:
        self.state = (self.state * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        return (self.state >> 8) % bound

    def shuffle(self, items: list[int]) -> None:
        for last in range(len(items) - 1, 0, -1):
            chosen = self.below(last + 1)
            items[last], items[chosen] = items[chosen], items[last]


def make_peers() -> list[list[int]]:
    """For each cell, the twenty cells that must differ from it."""
    peers: list[list[int]] = []
    for cell in range(81):
        row, column = divmod(cell, 9)
        around = set()
        for k in range(9):
            around.add(row * 9 + k)
            around.add(k * 9 + column)
            around.add((row // 3 * 3 + k // 3) * 9 + column // 3 * 3 + k % 3)
        around.discard(cell)
        peers.append(sorted(around))
    return peers


PEERS = make_peers()


def count_bits(mask: int) -> int:
    count = 0
    while mask:
        mask &= mask - 1
        count += 1
    return count


def assign(cells: list[int], cell: int, digit: int) -> bool:
    """Fix one cell; False when that contradicts another."""
    if not cells[cell] & digit:
        return False
    cells[cell] = digit
    for peer in PEERS[cell]:
        if not eliminate(cells, peer, digit):
            return False
    return True


def eliminate(cells: list[int], cell: int, digit: int) -> bool:
    """Take one candidate away, and follow up when a single one is left."""
    mask = cells[cell]
    if not mask & digit:
        return True
    mask &= ~digit
    if mask == 0:
        return False
    cells[cell] = mask
    if mask & (mask - 1):
        return True
    for peer in PEERS[cell]:
        if not eliminate(cells, peer, mask):
            return False
    return True


def most_constrained(cells: list[int]) -> int:
    """The open cell with the fewest candidates, or -1 when none is open."""
    best, fewest = -1, 10
    for cell, mask in enumerate(cells):
        if mask & (mask - 1) == 0:
            continue
        count = count_bits(mask)
        if count == 2:
            return cell
        if count < fewest:
            best, fewest = cell, count
    return best


def search(cells: list[int], guesses: list[int]) -> list[int] | None:
    cell = most_constrained(cells)
    if cell < 0:
        return cells
    mask = cells[cell]
    while mask:
        digit = mask & -mask
        mask ^= digit
        guesses[0] += 1
        attempt = cells[:]
        if assign(attempt, cell, digit):
            solved = search(attempt, guesses)
            if solved is not None:
                return solved
    return None


def make_puzzle(dice: Dice) -> list[int]:
    """A full grid with its rows, columns and digits shuffled, and holes in it (zeros)."""
    digits = list(range(9))
    dice.shuffle(digits)
    rows: list[int] = []
    columns: list[int] = []
    for band in range(3):
        for lines in (rows, columns):
            three = [3 * band, 3 * band + 1, 3 * band + 2]
            dice.shuffle(three)
            lines.extend(three)
    grid = [1 << digits[(r * 3 + r // 3 + c) % 9] for r in rows for c in columns]
    cells = list(range(81))
    dice.shuffle(cells)
    for cell in cells[:HOLES]:
        grid[cell] = 0
    return grid


def solve(puzzle: list[int], guesses: list[int]) -> list[int]:
    cells = [ALL] * 81
    for cell, digit in enumerate(puzzle):
        if digit and not assign(cells, cell, digit):
            raise ValueError("the puzzle contradicts itself")
    solved = search(cells, guesses)
    if solved is None:
        raise ValueError("the puzzle has no solution")
    return solved


def run(n: int) -> int:
    """Make and solve `n` puzzles."""
    dice = Dice(81)
    guesses = [0]
    total = 0
    for _ in range(n):
        for mask in solve(make_puzzle(dice), guesses):
            total = (total * 31 + mask) & 0xFFFFFFFF
    return total ^ guesses[0]


def main(argv: list[str]) -> None:
    """Solve N puzzles and print the checksum."""
    print(run(int(argv[1]) if len(argv) > 1 else DEFAULT_N))


if __name__ == "__main__":
    main(sys.argv)
