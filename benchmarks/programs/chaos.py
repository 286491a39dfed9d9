"""The chaos game: a point jumps between the corners of polygons and draws fractals."""

from __future__ import annotations

import math
import sys

DEFAULT_N = 530
JUMPS = 3_000
SIZE = 64


class Dice:
    """A linear congruential generator: the same numbers on every Python."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def below(self, bound: int) -> int:
        self.state = (self.state * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        return (self.state >> 8) % bound


class Point:
    """A point of the plane that is never changed in place."""

    __slots__ = ("x", "y")

    def __init__(self, x: float, y: float) -> None:
        self.x = x
        self.y = y

    def toward(self, other: Point, part: float) -> Point:
        return Point(self.x + (other.x - self.x) * part, self.y + (other.y - self.y) * part)

    def turned(self, cosine: float, sine: float) -> Point:
        return Point(self.x * cosine - self.y * sine, self.x * sine + self.y * cosine)

    def inside(self) -> bool:
        return -1.0 <= self.x <= 1.0 and -1.0 <= self.y <= 1.0


class Picture:
    """A grid of counters over the square from (-1, -1) to (1, 1)."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.cells = [[0] * size for _ in range(size)]
        self.outside = 0

    def plot(self, point: Point) -> None:
        if not point.inside():
            self.outside += 1
            return
        column = int((point.x + 1.0) * 0.5 * (self.size - 1))
        row = int((point.y + 1.0) * 0.5 * (self.size - 1))
        self.cells[row][column] += 1

    def checksum(self) -> int:
        total = self.outside
        for row, cells in enumerate(self.cells):
            for column, count in enumerate(cells):
                if count:
                    total = (total * 31 + count * (row + 1) + column) & 0xFFFFFFFF
        return total


class Game:
    """The rules of one fractal: corners, how far to jump, a turn, which corner is forbidden."""

    def __init__(self, corners: int, part: float, turn: float, forbidden: int | None) -> None:
        angles = [2 * math.pi * k / corners for k in range(corners)]
        self.corners = [Point(math.cos(angle), math.sin(angle)) for angle in angles]
        self.part = part
        self.cosine = math.cos(turn)
        self.sine = math.sin(turn)
        self.forbidden = forbidden
        self.last = 0

    def choose(self, dice: Dice) -> Point:
        count = len(self.corners)
        choice = dice.below(count)
        if self.forbidden is not None:
            while (choice - self.last) % count == self.forbidden:
                choice = dice.below(count)
        self.last = choice
        return self.corners[choice]

    def jump(self, point: Point, dice: Dice) -> Point:
        moved = point.toward(self.choose(dice), self.part)
        if self.sine:
            moved = moved.turned(self.cosine, self.sine)
        return moved


def play(game: Game, picture: Picture, dice: Dice, jumps: int) -> None:
    """Let one point jump, leaving out the first jumps while it is not yet on the fractal."""
    point = Point(0.1, 0.2)
    for turn in range(jumps):
        point = game.jump(point, dice)
        if turn < 20:
            continue
        picture.plot(point)


def run(n: int) -> int:
    """Play each game with `n` points."""
    dice = Dice(2026)
    picture = Picture(SIZE)
    games = [Game(3, 0.5, 0.0, None), Game(4, 0.5, 0.0, 2), Game(5, 0.62, 0.3, 0)]
    for turn in range(n):
        play(games[turn % len(games)], picture, dice, JUMPS)
    return picture.checksum()


def main(argv: list[str]) -> None:
    """Play with N points and print the checksum."""
    print(run(int(argv[1]) if len(argv) > 1 else DEFAULT_N))


if __name__ == "__main__":
    main(sys.argv)
