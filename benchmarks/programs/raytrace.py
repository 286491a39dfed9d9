"""A ray tracer: spheres over a chequered floor, with shadows and mirrors."""

from __future__ import annotations

import math
import sys
from typing import NamedTuple

DEFAULT_N = 2_700
WIDTH = 60
HEIGHT = 60
EPSILON = 1e-6
MAX_DEPTH = 3


class Vector:
    """Three floats that are never changed in place."""

    __slots__ = ("x", "y", "z")

    def __init__(self, x: float, y: float, z: float) -> None:
        self.x = x
        self.y = y
        self.z = z

    def __add__(self, other: Vector) -> Vector:
        return Vector(self.x + other.x, self.y + other.y, self.z + other.z)

    def __sub__(self, other: Vector) -> Vector:
        return Vector(self.x - other.x, self.y - other.y, self.z - other.z)

    def times(self, factor: float) -> Vector:
        return Vector(self.x * factor, self.y * factor, self.z * factor)

    def dot(self, other: Vector) -> float:
        return self.x * other.x + self.y * other.y + self.z * other.z

    def unit(self) -> Vector:
        length = math.sqrt(self.dot(self))
        if length == 0.0:
            raise ZeroDivisionError("a vector without length has no direction")
        return self.times(1.0 / length)

    def mirrored(self, normal: Vector) -> Vector:
        return self - normal.times(2.0 * self.dot(normal))


class Ray(NamedTuple):
    """A half line."""

    origin: Vector
    direction: Vector

    def at(self, distance: float) -> Vector:
        return self.origin + self.direction.times(distance)


class Surface:
    """What a thing looks like, and what every thing in a scene can answer."""

    def __init__(self, colour: Vector, mirror: float) -> None:
        self.colour = colour
        self.mirror = mirror

    def distance(self, ray: Ray) -> float | None:
        raise NotImplementedError

    def normal(self, point: Vector) -> Vector:
        raise NotImplementedError

    def colour_at(self, point: Vector) -> Vector:
        return self.colour


class Sphere(Surface):
    """A ball."""

    def __init__(self, centre: Vector, radius: float, colour: Vector, mirror: float) -> None:
        super().__init__(colour, mirror)
        self.centre = centre
        self.radius = radius

    def distance(self, ray: Ray) -> float | None:
        to_centre = self.centre - ray.origin
        along = to_centre.dot(ray.direction)
        if along < 0.0:
            return None
        gap = to_centre.dot(to_centre) - along * along
        inside = self.radius * self.radius - gap
        if inside < 0.0:
            return None
        near = along - math.sqrt(inside)
        return near if near > EPSILON else None

    def normal(self, point: Vector) -> Vector:
        return (point - self.centre).unit()


class Floor(Surface):
    """The plane y = 0 in two colours."""

    def distance(self, ray: Ray) -> float | None:
        if abs(ray.direction.y) < EPSILON:
            return None
        distance = -ray.origin.y / ray.direction.y
        return distance if distance > EPSILON else None

    def normal(self, point: Vector) -> Vector:
        return Vector(0.0, 1.0, 0.0)

    def colour_at(self, point: Vector) -> Vector:
        if (math.floor(point.x) + math.floor(point.z)) % 2:
            return self.colour
        return self.colour.times(0.3)


class Scene:
    """Things and one light."""

    def __init__(self, things: list[Surface], light: Vector) -> None:
        self.things = things
        self.light = light

    def first_hit(self, ray: Ray) -> tuple[float, Surface] | None:
        best: tuple[float, Surface] | None = None
        for thing in self.things:
            distance = thing.distance(ray)
            if distance is None:
                continue
            if best is None or distance < best[0]:
                best = (distance, thing)
        return best

    def lit(self, point: Vector) -> bool:
        ray = Ray(point, (self.light - point).unit())
        for thing in self.things:
            if thing.distance(ray) is not None:
                return False
        return True

    def colour(self, ray: Ray, depth: int) -> Vector:
        hit = self.first_hit(ray)
        if hit is None:
            return Vector(0.2, 0.3, 0.5 + 0.3 * ray.direction.y)
        distance, thing = hit
        point = ray.at(distance)
        normal = thing.normal(point)
        shade = 0.1
        if self.lit(point):
            shade += 0.9 * max(0.0, normal.dot((self.light - point).unit()))
        colour = thing.colour_at(point).times(shade)
        if thing.mirror > 0.0 and depth < MAX_DEPTH:
            reflected = Ray(point, ray.direction.mirrored(normal).unit())
            seen = self.colour(reflected, depth + 1)
            colour = colour.times(1.0 - thing.mirror) + seen.times(thing.mirror)
        return colour


def make_scene() -> Scene:
    things: list[Surface] = [Floor(Vector(0.9, 0.9, 0.9), 0.1)]
    for k in range(5):
        centre = Vector(1.6 * (k - 2), 0.7 + 0.2 * (k % 2), 4.0 + 0.5 * k)
        colour = Vector(0.2 * k, 1.0 - 0.15 * k, 0.5)
        things.append(Sphere(centre, 0.7, colour, 0.3 if k % 2 else 0.0))
    return Scene(things, Vector(-4.0, 6.0, -3.0))


def run(n: int) -> str:
    """Draw `n` rows, over and over the same picture."""
    scene = make_scene()
    eye = Vector(0.0, 1.2, -2.0)
    total = 0.0
    for count in range(n):
        y = 0.5 - (count % HEIGHT) / HEIGHT
        for column in range(WIDTH):
            direction = Vector(column / WIDTH - 0.5, y, 1.0).unit()
            colour = scene.colour(Ray(eye, direction), 0)
            total += colour.x + 2.0 * colour.y + 3.0 * colour.z
    return f"{total:.6f}"


def main(argv: list[str]) -> None:
    """Draw N rows and print the checksum."""
    print(run(int(argv[1]) if len(argv) > 1 else DEFAULT_N))


if __name__ == "__main__":
    main(sys.argv)
