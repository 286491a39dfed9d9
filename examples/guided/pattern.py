"""Fills numbers into patterns: fill("%-5.2x|", 10) is "0a   |".  It has a bug."""

from __future__ import annotations


def fill(pattern: str, value: int) -> str:
    """The pattern with each %[-][width][.digits](d or x) replaced by the value.

    Raises:
        ValueError: the pattern is wrong.
    """
    out = ""
    at = 0
    while at < len(pattern):
        if pattern[at] != "%":
            out += pattern[at]
            at += 1
            continue
        at += 1
        left = pattern[at : at + 1] == "-"
        if left:
            at += 1
        width, at = number(pattern, at)
        digits = 0
        if pattern[at : at + 1] == ".":
            digits, at = number(pattern, at + 1)
        kind = pattern[at : at + 1]
        at += 1
        if kind == "d":
            text = str(value)
        elif kind == "x":
            text = f"{value:x}"
        else:
            raise ValueError(f"no such kind: {kind!r}")
        out += padded(text, width, digits, left)
    return out


def number(pattern: str, at: int) -> tuple[int, int]:
    """The number that stands there, 0 if there is none, and where it ends."""
    end = at
    while end < len(pattern) and pattern[end] in "0123456789":
        end += 1
    return int(pattern[at:end] or 0), end


def padded(text: str, width: int, digits: int, left: bool) -> str:
    """The text with zeros in front, then with spaces on one side."""
    if digits:
        text = text.rjust(digits, "0")
        if left:
            while len(text) != width:  # the bug: for ever, if there are more digits than width
                text += " "
                if len(text) > 1000:
                    raise AssertionError("this would never end")
    if left:
        return text.ljust(width)
    return text.rjust(width)
