"""Which lines and columns instructions come from: the tables of lines, read and written.

PyPy's has an entry for each unit: a number, 0 or the line's distance from the first one plus 1;
then 0, or columns and the distance to the last line, a byte each.  CPython's has entries for up to
eight units, of several forms; two of them are enough to write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any

from quickcover import _env

#: PyPy: an entry of the table.  CPython: first and last line, first and last column, or None.
Position = Any

#: An entry's form: no location, or every number by itself.
_NOTHING, _LONG = 15, 14
_MOST_UNITS = 8


def _read_entries(code: CodeType, units: int) -> tuple[list[int], list[Position]]:
    """PyPy: the line (0: none) of each unit, and its entry."""
    table, first = code.co_linetable, code.co_firstlineno
    lines, positions = [], []
    at = 0
    end = len(table)
    while at < end:
        begin = at
        value = table[at]
        at += 1
        if value >= 0x80:
            value &= 0x7F
            shift = 7
            while True:
                byte = table[at]
                at += 1
                value |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    break
        if value:
            lines.append(first + value - 1)
            at += 3 if table[at] else 1
        else:
            lines.append(0)
        positions.append(table[begin:at])
    missing = units - len(lines)
    return lines + [0] * missing, positions + [b"\0"] * missing


def _write_entries(_first: int, positions: Sequence[Position], units: Sequence[int]) -> bytes:
    """PyPy: the table for instructions of so many units each."""
    return b"".join(map(bytes.__mul__, positions, units))


def _more_in_entry(position: Position) -> int:
    more: int = position[-1]
    return more


def _read_positions(code: CodeType, _units: int) -> tuple[list[int], list[Position]]:
    """CPython: the same, with a tuple for each unit."""
    positions = list(code.co_positions())
    return [position[0] or 0 for position in positions], positions


def _write_positions(first: int, positions: Sequence[Position], units: Sequence[int]) -> bytes:
    """CPython: the table for instructions of so many units each."""
    table = bytearray()
    line = first
    for position, size in zip(positions, units, strict=True):
        entry = bytearray()
        here, last, column, end = position
        form = _NOTHING
        if here is not None:
            form = _LONG
            _put(entry, (here - line) << 1 if here >= line else (line - here) << 1 | 1)
            _put(entry, (last or here) - here)
            _put(entry, 0 if column is None else column + 1)
            _put(entry, 0 if end is None else end + 1)
        while size:
            part = min(size, _MOST_UNITS)
            size -= part
            table.append(0x80 | form << 3 | part - 1)
            table += entry
            if here is not None:
                line = here
                if size:  # the next entry begins on the same line
                    entry = _again(entry)
    return bytes(table)


def _again(entry: bytearray) -> bytearray:
    """An entry without a distance of lines."""
    at = 0
    while entry[at] & 0x40:
        at += 1
    return bytearray(b"\0") + entry[at + 1 :]


def _put(table: bytearray, number: int) -> None:
    """Write a number, six bits in a byte."""
    while number >= 0x40:
        table.append(0x40 | number & 0x3F)
        number >>= 6
    table.append(number)


def _more_in_positions(position: Position) -> int:
    first, last = position[:2]
    return (last or first) - first if first else 0


#: The line (0: none) of each unit of a code object, and its position.
read: Callable[[CodeType, int], tuple[list[int], list[Position]]]
#: The table for a first line, and for instructions with these positions and of so many units each.
write: Callable[[int, Sequence[Position], Sequence[int]], bytes]
#: How many lines there are from the first to the last of a position.
more_lines: Callable[[Position], int]
#: Where an instruction comes from nowhere.
NOWHERE: Position

if _env.is_cpython():
    read, write, more_lines = _read_positions, _write_positions, _more_in_positions
    NOWHERE = (None, None, None, None)
else:
    read, write, more_lines = _read_entries, _write_entries, _more_in_entry
    NOWHERE = b"\0"
