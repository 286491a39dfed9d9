"""What PyPy 3.11's code objects look like, read and written.

An instruction is a code unit of two bytes, opcode and argument, with EXTENDED_ARG units before it
if the argument is larger than a byte.  Jumps are counted in units: absolute, or from the next unit
on.  The line table has an entry for each unit, the exception table is CPython 3.11's.

Reading, EXTENDED_ARG is folded into the instruction; units are left behind, and instructions are
named by their index.
"""

from __future__ import annotations

import opcode
from collections.abc import Iterable, Iterator
from types import CodeType
from typing import NamedTuple

_OPS = opcode.opmap


def _set(*names: str) -> frozenset[int]:
    """The opcodes of these names, as far as this Python has them."""
    return frozenset(_OPS[name] for name in names if name in _OPS)


EXTENDED_ARG = _OPS["EXTENDED_ARG"]
LOAD_CONST = _OPS["LOAD_CONST"]
LOAD_CLOSURE = _OPS["LOAD_CLOSURE"]
LOAD_FAST = _OPS["LOAD_FAST"]
DELETE_FAST = _OPS["DELETE_FAST"]
LOAD_DEREF = _OPS["LOAD_DEREF"]
STORE_ATTR = _OPS["STORE_ATTR"]
STORE_FAST = _OPS["STORE_FAST"]
JUMP_FORWARD = _OPS["JUMP_FORWARD"]
RETURN_VALUE = _OPS["RETURN_VALUE"]
RERAISE = _OPS["RERAISE"]
MAKE_FUNCTION = _OPS["MAKE_FUNCTION"]
#: An argument of MAKE_FUNCTION.
WITH_CLOSURE = 8
BUILD_TUPLE = _OPS["BUILD_TUPLE"]
YIELDS = _set("YIELD_VALUE", "YIELD_FROM")
#: With a default, so that this can be imported everywhere.
JUMP_ABSOLUTE = _OPS.get("JUMP_ABSOLUTE", -1)
ROT_TWO = _OPS.get("ROT_TWO", -1)
ROT_THREE = _OPS.get("ROT_THREE", -1)
DUP_TOP = _OPS.get("DUP_TOP", -1)
DUP_TOP_TWO = _OPS.get("DUP_TOP_TWO", -1)
POP_TOP = _OPS["POP_TOP"]
CALL_FUNCTION = _OPS.get("CALL_FUNCTION", -1)
PUSH_EXC_INFO = _OPS.get("PUSH_EXC_INFO", -1)
GET_ANEXT = _OPS.get("GET_ANEXT", -1)
#: Nothing may be put before it: it is one with the instructions that lead to it.
YIELD_FROM = _OPS.get("YIELD_FROM", -1)

RELATIVE = frozenset(opcode.hasjrel)
JUMPS = frozenset(opcode.hasjabs) | RELATIVE
#: Control goes nowhere but to the target.
UNCONDITIONAL = _set("JUMP_FORWARD", "JUMP_ABSOLUTE")
RAISES = _set("RAISE_VARARGS", "RERAISE")
#: Control doesn't go on to the next instruction.
ENDS = UNCONDITIONAL | RAISES | _set("RETURN_VALUE")

#: These never raise (an interrupt aside).
HARMLESS = _set(
    "NOP", "POP_TOP", "ROT_TWO", "ROT_THREE", "ROT_FOUR", "DUP_TOP", "DUP_TOP_TWO", "COPY", "SWAP",
    "LOAD_CONST", "LOAD_CLOSURE", "STORE_FAST", "STORE_DEREF", "STORE_GLOBAL", "MAKE_FUNCTION",
    "BUILD_TUPLE", "BUILD_LIST", "BUILD_STRING", "BUILD_CONST_KEY_MAP", "LIST_TO_TUPLE", "IS_OP",
    "LIST_APPEND", "LOAD_BUILD_CLASS", "LOAD_ASSERTION_ERROR", "PUSH_EXC_INFO", "POP_EXCEPT",
    "JUMP_FORWARD", "JUMP_ABSOLUTE", "RETURN_VALUE", "EXTENDED_ARG",
)  # fmt: skip
#: Nor does this in the body of a module, where names are stored in a plain dict.
STORE_NAME = _OPS["STORE_NAME"]

CO_OPTIMIZED, CO_VARARGS, CO_VARKEYWORDS = 0x1, 0x4, 0x8
#: Generators, coroutines, asynchronous generators.
CO_SUSPENDED = 0x20 | 0x80 | 0x200


class Handler(NamedTuple):
    """Where an exception lands: the index of an instruction, and the rest of the table's entry."""

    target: int
    depth_lasti: int


class Decoded(NamedTuple):
    """A code object's instructions; each list has an item for each of them."""

    ops: list[int]
    args: list[int]
    #: The instruction that a jump leads to; -1 where there is no jump.
    targets: list[int]
    #: 0 for an instruction that has none.
    lines: list[int]
    #: The line table's entry.
    positions: list[bytes]
    #: Index into `landings`; -1 where none catches what is raised.
    handlers: list[int]
    landings: list[Handler]


def decode(code: CodeType) -> Decoded:
    """Read a code object."""
    raw = code.co_code
    ops, args = list(raw[::2]), list(raw[1::2])
    lines, positions = _line_table(code.co_linetable, code.co_firstlineno, len(ops))
    index = range(len(ops) + 1)
    if EXTENDED_ARG in ops:
        ops, args, kept, folded = _fold(ops, args)
        # The first unit of an instruction is the one that has its line.
        begins = [0, *(unit + 1 for unit in kept[:-1])]
        lines, positions = [lines[k] for k in begins], [positions[k] for k in begins]
    else:
        kept, folded = list(index), list(index)
    targets = [-1] * len(ops)
    for k, op in enumerate(ops):
        if op in JUMPS:
            targets[k] = folded[args[k] + kept[k] + 1 if op in RELATIVE else args[k]]
    handlers = [-1] * len(ops)
    landings: list[Handler] = []
    for start, size, target, depth_lasti in _exception_table(code.co_exceptiontable):
        for k in range(folded[start], folded[start + size]):
            handlers[k] = len(landings)
        landings.append(Handler(folded[target], depth_lasti))
    return Decoded(ops, args, targets, lines, positions, handlers, landings)


def _fold(ops: list[int], args: list[int]) -> tuple[list[int], list[int], list[int], list[int]]:
    """Fold EXTENDED_ARG units into the instructions behind them.

    Returns:
        opcodes, arguments, the unit of each instruction, and the instruction of each unit (one more
        for the end).
    """
    found: list[int] = []
    values: list[int] = []
    kept: list[int] = []
    folded: list[int] = []
    argument = 0
    for unit, op in enumerate(ops):
        folded.append(len(found))
        argument = argument << 8 | args[unit]
        if op != EXTENDED_ARG:
            found.append(op)
            values.append(argument)
            kept.append(unit)
            argument = 0
    folded.append(len(found))
    return found, values, kept, folded


def _line_table(table: bytes, first: int, units: int) -> tuple[list[int], list[bytes]]:
    """The line (0: none) of each unit, and its entry.

    An entry is a number, 0 or the line's distance from the first one plus 1; then 0, or columns and
    the distance to the last line, a byte each.
    """
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


def _exception_table(table: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Start, size and target in units, and depth and lasti in one number."""
    numbers: list[int] = []
    value = 0
    for byte in table:
        value = value << 6 | byte & 0x3F
        if not byte & 0x40:
            numbers.append(value)
            value = 0
    rest = iter(numbers)
    return zip(rest, rest, rest, rest, strict=True)


def exception_table(entries: Iterable[tuple[int, int, int, int]]) -> bytes:
    """The table of these entries, which must be sorted."""
    table = bytearray()
    for entry in entries:
        mark = 0x80
        for number in entry:
            shift = 0
            while number >> shift + 6:
                shift += 6
            while shift >= 0:
                more = 0x40 if shift else 0
                table.append(mark | more | number >> shift & 0x3F)
                mark = 0
                shift -= 6
    return bytes(table)
