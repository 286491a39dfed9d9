"""A small module to measure: what is in stock, and what has to be ordered."""

from __future__ import annotations

from collections.abc import Iterator


class Inventory:
    """Counts things by name."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def add(self, name: str, count: int = 1) -> None:
        """Put `count` of a thing into the stock."""
        if count < 1:
            raise ValueError(f"cannot add {count}")
        self._counts[name] = self._counts.get(name, 0) + count

    def take(self, name: str, count: int = 1) -> int:
        """Take up to `count` of a thing; say how many there were."""
        taken = min(count, self._counts.get(name, 0))
        if taken:
            self._counts[name] -= taken
        return taken

    def scarce(self, limit: int) -> Iterator[str]:
        """The things of which less than `limit` are left."""
        for name, count in sorted(self._counts.items()):
            if count < limit:
                yield name
