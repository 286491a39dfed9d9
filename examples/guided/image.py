"""Reads the header of a small image format: a Q, version, flags, width, height.  It has a bug."""

from __future__ import annotations

PALETTE = 1
TILES = 2


def header(data: bytes) -> dict[str, int]:
    """What a header says.

    Raises:
        ValueError: it is no header.
    """
    if byte(data, 0) != ord("Q"):
        raise ValueError("not of this format")
    version = byte(data, 1)
    if version not in (1, 2, 3):
        raise ValueError(f"no such version: {version}")
    flags = byte(data, 2)
    found = {"version": version, "width": byte(data, 3), "height": byte(data, 4)}
    if flags & PALETTE:
        found["colours"] = byte(data, 5) or 256
    if version < 3:
        return found
    if flags & TILES:
        found["tiles"] = -(-found["width"] // byte(data, 6))  # the bug: tiles of width 0
    return found


def byte(data: bytes, at: int) -> int:
    """One byte of the header."""
    if at >= len(data):
        raise ValueError("the header is too short")
    return data[at]
