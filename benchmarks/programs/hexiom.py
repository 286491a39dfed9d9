"""A solver for a puzzle on a hexagonal board: each tile says how many neighbours it must have.

Puzzles are made by laying tiles at random and counting; the solver gets the tiles, and a few
that are nailed down, and finds some arrangement.
"""

from __future__ import annotations

import sys

DEFAULT_N = 430
RADIUS = 2
GAP = -1
DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1))
MAX_VISITS = 4_000


class Dice:
    """A linear congruential generator: the same puzzles on every Python."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def below(self, bound: int) -> int:
        self.state = (self.state * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        return (self.state >> 8) % bound


class Grid:
    """The cells of a hexagon and who touches whom."""

    def __init__(self, radius: int) -> None:
        reach = range(-radius, radius + 1)
        cells = [(q, r) for q in reach for r in reach if abs(q + r) <= radius]
        index = {cell: number for number, cell in enumerate(cells)}
        self.size = len(cells)
        self.neighbours: list[list[int]] = []
        for q, r in cells:
            around = [(q + dq, r + dr) for dq, dr in DIRECTIONS]
            self.neighbours.append([index[cell] for cell in around if cell in index])


class Puzzle:
    """How many tiles of each number there are, and which cells are given."""

    def __init__(self, grid: Grid, dice: Dice) -> None:
        self.grid = grid
        tiles = [dice.below(100) < 60 for _ in range(grid.size)]
        self.stock = [0] * 7
        self.given: dict[int, int] = {}
        for cell in range(grid.size):
            value = GAP
            if tiles[cell]:
                value = sum(tiles[neighbour] for neighbour in grid.neighbours[cell])
                self.stock[value] += 1
            if dice.below(100) < 15:
                self.given[cell] = value
        self.gaps = tiles.count(False)


class Solver:
    """Backtracking over the cells in order, cutting off what can't become right."""

    def __init__(self, puzzle: Puzzle) -> None:
        self.puzzle = puzzle
        self.neighbours = puzzle.grid.neighbours
        self.values: list[int | None] = [None] * puzzle.grid.size
        self.stock = list(puzzle.stock)
        self.gaps = puzzle.gaps
        self.visits = 0

    def possible(self, cell: int) -> bool:
        """Can the tile in this cell still have its number of neighbours?"""
        wanted = self.values[cell]
        if wanted is None or wanted == GAP:
            return True
        certain = unknown = 0
        for neighbour in self.neighbours[cell]:
            value = self.values[neighbour]
            if value is None:
                unknown += 1
            elif value != GAP:
                certain += 1
        return certain <= wanted <= certain + unknown

    def fits(self, cell: int) -> bool:
        if not self.possible(cell):
            return False
        for neighbour in self.neighbours[cell]:
            if not self.possible(neighbour):
                return False
        return True

    def candidates(self, cell: int) -> list[int]:
        given = self.puzzle.given.get(cell)
        if given is not None:
            return [given]
        found = [value for value in range(7) if self.stock[value]]
        if self.gaps:
            found.append(GAP)
        return found

    def take(self, value: int, count: int) -> bool:
        """Move tiles out of the stock, or back with a negative count."""
        if value == GAP:
            if self.gaps < count:
                return False
            self.gaps -= count
        else:
            if self.stock[value] < count:
                return False
            self.stock[value] -= count
        return True

    def solve(self, cell: int) -> bool:
        self.visits += 1
        if cell == len(self.values):
            return True
        if self.visits > MAX_VISITS:
            return False
        for value in self.candidates(cell):
            if not self.take(value, 1):
                continue
            self.values[cell] = value
            if self.fits(cell) and self.solve(cell + 1):
                return True
            self.values[cell] = None
            self.take(value, -1)
        return False


def verify(solver: Solver) -> None:
    """Count again, independently of the solver's bookkeeping."""
    for cell, value in enumerate(solver.values):
        if value is None:
            raise AssertionError(f"cell {cell} was left open")
        if value == GAP:
            continue
        count = sum(solver.values[neighbour] != GAP for neighbour in solver.neighbours[cell])
        if count != value:
            raise AssertionError(f"cell {cell} should have {value} neighbours, has {count}")


def run(n: int) -> int:
    """Make and solve `n` puzzles; those that need too long are given up."""
    dice = Dice(7)
    grid = Grid(RADIUS)
    total = 0
    for _ in range(n):
        solver = Solver(Puzzle(grid, dice))
        if solver.solve(0):
            verify(solver)
            total += 1
        total = (total * 31 + solver.visits) & 0xFFFFFFFF
    return total


def main(argv: list[str]) -> None:
    """Solve N puzzles and print the checksum."""
    print(run(int(argv[1]) if len(argv) > 1 else DEFAULT_N))


if __name__ == "__main__":
    main(sys.argv)
