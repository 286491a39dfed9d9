"""Random playouts on a 9 x 9 go board: captures, ko, no suicide, no filling of own eyes."""

from __future__ import annotations

import sys

DEFAULT_N = 480
SIZE = 9
WIDTH = SIZE + 2
EMPTY, BLACK, WHITE, EDGE = range(4)
AROUND = (1, -1, WIDTH, -WIDTH)
DIAGONALS = (WIDTH + 1, WIDTH - 1, -WIDTH + 1, -WIDTH - 1)
PASS = 0


class Dice:
    """A linear congruential generator: the same games on every Python."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def below(self, bound: int) -> int:
        self.state = (self.state * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        return (self.state >> 8) % bound


def other(colour: int) -> int:
    return BLACK + WHITE - colour


class Board:
    """Stones in one flat list with an edge around, and the point forbidden by ko."""

    def __init__(self) -> None:
        self.points = [EDGE] * (WIDTH * WIDTH)
        self.empty: list[int] = []
        for row in range(1, SIZE + 1):
            for column in range(1, SIZE + 1):
                self.points[row * WIDTH + column] = EMPTY
                self.empty.append(row * WIDTH + column)
        self.ko = PASS
        self.captured = 0

    def group(self, start: int) -> tuple[list[int], int]:
        """The stones of one group, and how many liberties it has (at most two are counted)."""
        colour = self.points[start]
        stones = [start]
        seen = {start}
        liberties = 0
        for stone in stones:
            for step in AROUND:
                point = stone + step
                if point in seen:
                    continue
                found = self.points[point]
                if found == colour:
                    seen.add(point)
                    stones.append(point)
                elif found == EMPTY:
                    seen.add(point)
                    liberties += 1
        return stones, liberties

    def is_eye(self, point: int, colour: int) -> bool:
        for step in AROUND:
            if self.points[point + step] not in (colour, EDGE):
                return False
        hostile = at_edge = 0
        for step in DIAGONALS:
            found = self.points[point + step]
            if found == EDGE:
                at_edge = 1
            elif found == other(colour):
                hostile += 1
        return hostile + at_edge < 2

    def legal(self, point: int, colour: int) -> bool:
        """Neither ko nor suicide."""
        if point == self.ko:
            return False
        for step in AROUND:
            if self.points[point + step] == EMPTY:
                return True
        self.points[point] = colour
        alive = self.group(point)[1] > 0 or any(
            self.points[point + step] == other(colour) and self.group(point + step)[1] == 0
            for step in AROUND
        )
        self.points[point] = EMPTY
        return alive

    def play(self, point: int, colour: int) -> None:
        self.points[point] = colour
        self.empty.remove(point)
        self.ko = PASS
        taken: list[int] = []
        for step in AROUND:
            neighbour = point + step
            if self.points[neighbour] != other(colour):
                continue
            stones, liberties = self.group(neighbour)
            if liberties == 0:
                self.remove(stones)
                taken.extend(stones)
        if len(taken) == 1 and len(self.group(point)[0]) == 1:
            self.ko = taken[0]

    def remove(self, stones: list[int]) -> None:
        for stone in stones:
            self.points[stone] = EMPTY
            self.empty.append(stone)
        self.captured += len(stones)

    def choose(self, colour: int, dice: Dice) -> int:
        """A random legal move that doesn't fill an eye, or a pass."""
        count = len(self.empty)
        if count == 0:
            return PASS
        start = dice.below(count)
        for offset in range(count):
            point = self.empty[(start + offset) % count]
            if self.is_eye(point, colour):
                continue
            if self.legal(point, colour):
                return point
        return PASS

    def score(self) -> int:
        """Area of black minus area of white."""
        total = 0
        for point, found in enumerate(self.points):
            if found == BLACK:
                total += 1
            elif found == WHITE:
                total -= 1
            elif found == EMPTY:
                owners = {self.points[point + step] for step in AROUND} - {EDGE}
                if owners == {BLACK}:
                    total += 1
                elif owners == {WHITE}:
                    total -= 1
        return total


def playout(dice: Dice) -> tuple[int, int, int]:
    """One game: score, moves, captures."""
    board = Board()
    colour = BLACK
    passes = moves = 0
    while passes < 2 and moves < 3 * SIZE * SIZE:
        point = board.choose(colour, dice)
        if point == PASS:
            passes += 1
        else:
            passes = 0
            board.play(point, colour)
        moves += 1
        colour = other(colour)
    return board.score(), moves, board.captured


def run(n: int) -> int:
    """Play `n` games."""
    dice = Dice(9)
    total = 0
    for _ in range(n):
        for number in playout(dice):
            total = (total * 31 + number) & 0xFFFFFFFF
    return total


def main(argv: list[str]) -> None:
    """Play N games and print the checksum."""
    print(run(int(argv[1]) if len(argv) > 1 else DEFAULT_N))


if __name__ == "__main__":
    main(sys.argv)
