"""Medians over rounds, with their spread."""

from __future__ import annotations

import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """A median over rounds, and the smallest and largest of them."""

    median: float
    low: float
    high: float

    @staticmethod
    def of(values: list[float]) -> Spread | None:
        """Summarise some rounds; None if there are none."""
        if not values:
            return None
        return Spread(statistics.median(values), min(values), max(values))

    def overlaps(self, other: Spread) -> bool:
        """Could the difference be noise?"""
        return self.low <= other.high and other.low <= self.high


def ratios(values: list[float], base: list[float]) -> Spread | None:
    """How many times `base`; each ratio is formed within a round, because speed drifts."""
    return Spread.of([a / b for a, b in zip(values, base, strict=False) if b > 0])
