"""Gravitation among five bodies: float arithmetic in long straight lines, few branches."""

from __future__ import annotations

import math
import sys

DEFAULT_N = 400_000
STEP = 0.01
DAYS = 365.24
SOLAR_MASS = 4 * math.pi * math.pi


class Body:
    """One body: place, speed and mass."""

    __slots__ = ("mass", "name", "vx", "vy", "vz", "x", "y", "z")

    def __init__(
        self,
        name: str,
        mass: float,
        place: tuple[float, float, float],
        speed: tuple[float, float, float],
    ) -> None:
        self.name = name
        self.mass = mass * SOLAR_MASS
        self.x, self.y, self.z = place
        self.vx, self.vy, self.vz = (component * DAYS for component in speed)


def make_system() -> list[Body]:
    """The sun and four made-up giants on near-circular, slightly tilted orbits."""
    bodies = [Body("sun", 1.0, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))]
    giants = [("a", 9.5e-4, 5.2), ("b", 2.9e-4, 9.5), ("c", 4.4e-5, 19.2), ("d", 5.2e-5, 30.1)]
    for index, (name, mass, radius) in enumerate(giants):
        angle = 1.7 * index
        speed = math.sqrt(SOLAR_MASS / radius) / DAYS
        place = (radius * math.cos(angle), radius * math.sin(angle), 0.02 * radius)
        velocity = (-speed * math.sin(angle), speed * math.cos(angle), 0.01 * speed)
        bodies.append(Body(name, mass, place, velocity))
    return bodies


def centre(bodies: list[Body]) -> None:
    """Give the first body the speed that leaves the whole system at rest."""
    px = py = pz = 0.0
    for body in bodies:
        px += body.vx * body.mass
        py += body.vy * body.mass
        pz += body.vz * body.mass
    sun = bodies[0]
    sun.vx -= px / sun.mass
    sun.vy -= py / sun.mass
    sun.vz -= pz / sun.mass


def attract(first: Body, second: Body, step: float) -> None:
    """Change the speeds of two bodies by their attraction during one step."""
    dx = first.x - second.x
    dy = first.y - second.y
    dz = first.z - second.z
    square = dx * dx + dy * dy + dz * dz
    if square < 1e-12:
        raise ArithmeticError(f"{first.name} and {second.name} collided")
    pull = step / (square * math.sqrt(square))
    weight = second.mass * pull
    first.vx -= dx * weight
    first.vy -= dy * weight
    first.vz -= dz * weight
    weight = first.mass * pull
    second.vx += dx * weight
    second.vy += dy * weight
    second.vz += dz * weight


def advance(bodies: list[Body], pairs: list[tuple[Body, Body]], step: float) -> None:
    """One step of the whole system."""
    for first, second in pairs:
        attract(first, second, step)
    for body in bodies:
        body.x += step * body.vx
        body.y += step * body.vy
        body.z += step * body.vz


def energy(bodies: list[Body], pairs: list[tuple[Body, Body]]) -> float:
    """Kinetic and potential energy: the checksum."""
    total = 0.0
    for body in bodies:
        total += 0.5 * body.mass * (body.vx**2 + body.vy**2 + body.vz**2)
    for first, second in pairs:
        distance = math.dist((first.x, first.y, first.z), (second.x, second.y, second.z))
        total -= first.mass * second.mass / distance
    return total


def run(n: int) -> str:
    """Advance the system by `n` steps."""
    bodies = make_system()
    centre(bodies)
    pairs = [(a, b) for i, a in enumerate(bodies) for b in bodies[i + 1 :]]
    for _ in range(n):
        advance(bodies, pairs, STEP)
    return f"{energy(bodies, pairs):.9f}"


def main(argv: list[str]) -> None:
    """Run N steps and print the checksum."""
    print(run(int(argv[1]) if len(argv) > 1 else DEFAULT_N))


if __name__ == "__main__":
    main(sys.argv)
