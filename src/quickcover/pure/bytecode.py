"""What code objects look like, read and written: those of PyPy 3.11, and CPython 3.11's.

An instruction is a code unit of two bytes, opcode and argument, with EXTENDED_ARG units before it
if the argument is larger than a byte, and with CPython's caches behind it.  Jumps are counted in
units: absolute, or from the next unit on, or back from there.  `locations` has the tables of lines.
The exception table is CPython 3.11's.

Reading, EXTENDED_ARG and caches are folded into the instruction; units are left behind, and
instructions are named by their index.
"""

from __future__ import annotations

import opcode
from collections.abc import Iterable, Iterator
from types import CodeType
from typing import NamedTuple

from quickcover.pure import locations
from quickcover.pure.locations import Position

_OPS = opcode.opmap


def _set(*names: str) -> frozenset[int]:
    """The opcodes of these names, as far as this Python has them."""
    return frozenset(_OPS[name] for name in names if name in _OPS)


def _op(name: str) -> int:
    """The opcode of this name; one that occurs nowhere if this Python hasn't got it."""
    return _OPS.get(name, -1)


EXTENDED_ARG = _op("EXTENDED_ARG")
LOAD_CONST = _op("LOAD_CONST")
LOAD_CLOSURE = _op("LOAD_CLOSURE")
LOAD_FAST = _op("LOAD_FAST")
DELETE_FAST = _op("DELETE_FAST")
LOAD_DEREF = _op("LOAD_DEREF")
STORE_ATTR = _op("STORE_ATTR")
STORE_FAST = _op("STORE_FAST")
#: In the body of a module names are stored in a plain dict.
STORE_NAME = _op("STORE_NAME")
JUMP_FORWARD = _op("JUMP_FORWARD")
RETURN_VALUE = _op("RETURN_VALUE")
RERAISE = _op("RERAISE")
MAKE_FUNCTION = _op("MAKE_FUNCTION")
#: An argument of MAKE_FUNCTION.
WITH_CLOSURE = 8
BUILD_TUPLE = _op("BUILD_TUPLE")
POP_TOP = _op("POP_TOP")
PUSH_EXC_INFO = _op("PUSH_EXC_INFO")
GET_ANEXT = _op("GET_ANEXT")
#: The body of a class may be on its line.
LOAD_BUILD_CLASS = _op("LOAD_BUILD_CLASS")
YIELDS = _set("YIELD_VALUE", "YIELD_FROM")
COPIES = _set("COPY", "DUP_TOP")
STORES = _set(
    "STORE_FAST", "STORE_NAME", "STORE_GLOBAL", "STORE_DEREF", "STORE_ATTR", "STORE_SUBSCR"
)
#: PyPy alone has these.
ROT_TWO, ROT_THREE = _op("ROT_TWO"), _op("ROT_THREE")
DUP_TOP, DUP_TOP_TWO = _op("DUP_TOP"), _op("DUP_TOP_TWO")
CALL_FUNCTION = _op("CALL_FUNCTION")
#: Nothing may be put before it: it is one with the instructions that lead to it.
YIELD_FROM = _op("YIELD_FROM")
#: CPython: the loop of a `yield from` or `await`, with a YIELD_VALUE between these.  Who throws
#: into it looks at it, so nothing may be put inside.
SEND = _op("SEND")
SEND_AGAIN = _op("JUMP_BACKWARD_NO_INTERRUPT")
#: CPython: what stands before it, in the beginning, prepares the frame.
RESUME = _op("RESUME")

RELATIVE = frozenset(opcode.hasjrel)
#: Those of them that go back.
BACKWARD = frozenset(op for op in RELATIVE if "BACKWARD" in opcode.opname[op])
JUMPS = frozenset(opcode.hasjabs) | RELATIVE
#: Jumps to what stands before.
JUMP_BACK = _op("JUMP_BACKWARD" if BACKWARD else "JUMP_ABSOLUTE")
#: What a jump back is called if it goes forward.
TURNED = {op: _op(opcode.opname[op].replace("BACKWARD", "FORWARD")) for op in BACKWARD}
#: Control goes nowhere but to the target.
UNCONDITIONAL = _set("JUMP_FORWARD", "JUMP_ABSOLUTE", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT")
RAISES = _set("RAISE_VARARGS", "RERAISE")
#: Control doesn't go on to the next instruction.
ENDS = UNCONDITIONAL | RAISES | _set("RETURN_VALUE")

#: PyPy: where a handler begins with PUSH_EXC_INFO, coverage.py's trace function looks at no line.
HANDLERS_HIDE = RESUME < 0

#: How many units of cache an instruction has.
CACHES: list[int] = list(getattr(opcode, "_inline_cache_entries", [0] * 256))
HAS_CACHES = any(CACHES)

#: These never raise (an interrupt aside).
HARMLESS = _set(
    "NOP", "POP_TOP", "ROT_TWO", "ROT_THREE", "ROT_FOUR", "DUP_TOP", "DUP_TOP_TWO", "COPY", "SWAP",
    "LOAD_CONST", "LOAD_CLOSURE", "STORE_FAST", "STORE_DEREF", "STORE_GLOBAL", "MAKE_FUNCTION",
    "BUILD_TUPLE", "BUILD_LIST", "BUILD_STRING", "BUILD_CONST_KEY_MAP", "LIST_TO_TUPLE", "IS_OP",
    "LIST_APPEND", "LOAD_BUILD_CLASS", "LOAD_ASSERTION_ERROR", "PUSH_EXC_INFO", "POP_EXCEPT",
    "JUMP_FORWARD", "JUMP_ABSOLUTE", "RETURN_VALUE", "EXTENDED_ARG",
    "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT", "PUSH_NULL", "KW_NAMES",
    "COPY_FREE_VARS", "MAKE_CELL", "RETURN_GENERATOR", "RESUME",
)  # fmt: skip

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
    #: What the table of lines says.
    positions: list[Position]
    #: Index into `landings`; -1 where none catches what is raised.
    handlers: list[int]
    landings: list[Handler]
    #: Before it nothing may be written.
    begin: int

    def for_plan(self) -> Decoded:
        """The same with the loops of `yield from` and `await` as one piece that leads on."""
        if SEND not in self.ops:
            return self
        targets = list(self.targets)
        for k, op in enumerate(self.ops):
            if op == SEND:
                targets[k] = -1
            elif op == SEND_AGAIN:
                targets[k] = self.targets[self.targets[k]]
        return self._replace(targets=targets)

    def sends(self, k: int) -> int:
        """The SEND of the loop that ends there."""
        while self.ops[k] != SEND:
            k -= 1
        return k

    def stays(self, k: int) -> bool:
        """May what is raised by an instruction leave the code, but doesn't count as that?

        To coverage.py's C tracer a function that is left by an exception that is thrown into it
        at a `yield` has yielded.
        """
        return RESUME >= 0 and self.handlers[k] < 0 and self.ops[k] in YIELDS


def decode(code: CodeType) -> Decoded:
    """Read a code object."""
    raw = code.co_code
    ops, args = list(raw[::2]), list(raw[1::2])
    lines, positions = locations.read(code, len(ops))
    if HAS_CACHES or EXTENDED_ARG in ops:
        ops, args, kept, folded = _fold(ops, args)
        # The first unit of an instruction is the one that has its line.
        begins = [0, *(unit + 1 + CACHES[op] for unit, op in zip(kept, ops, strict=True))]
        lines, positions = [lines[k] for k in begins[:-1]], [positions[k] for k in begins[:-1]]
    else:
        kept = folded = list(range(len(ops) + 1))
    targets = [-1] * len(ops)
    for k, op in enumerate(ops):
        if op in JUMPS:
            targets[k] = folded[_target(op, args[k], kept[k])]
    handlers = [-1] * len(ops)
    landings: list[Handler] = []
    for start, size, target, depth_lasti in _exception_table(code.co_exceptiontable):
        for k in range(folded[start], folded[start + size]):
            handlers[k] = len(landings)
        landings.append(Handler(folded[target], depth_lasti))
    begin = ops.index(RESUME) if RESUME in ops else 0
    if RESUME in ops:  # CPython tells no line of what prepares the frame
        lines[: begin + 1] = [0] * (begin + 1)
        if not any(lines):  # an empty module
            lines[begin + 1 :] = [code.co_firstlineno] * (len(ops) - begin - 1)
    return Decoded(ops, args, targets, lines, positions, handlers, landings, begin)


def _target(op: int, argument: int, unit: int) -> int:
    """The unit that a jump leads to."""
    if op not in RELATIVE:
        return argument
    following = unit + 1 + CACHES[op]
    return following - argument if op in BACKWARD else following + argument


def _fold(ops: list[int], args: list[int]) -> tuple[list[int], list[int], list[int], list[int]]:
    """Fold EXTENDED_ARG units into the instructions behind them, caches into those before.

    Returns:
        opcodes, arguments, the unit of each instruction, and the instruction of each unit (one more
        for the end).
    """
    found: list[int] = []
    values: list[int] = []
    kept: list[int] = []
    folded: list[int] = []
    argument = caches = 0
    for unit, op in enumerate(ops):
        folded.append(len(found))
        if caches:
            caches -= 1
            continue
        argument = argument << 8 | args[unit]
        if op != EXTENDED_ARG:
            found.append(op)
            values.append(argument)
            kept.append(unit)
            argument = 0
            caches = CACHES[op]
    folded.append(len(found))
    return found, values, kept, folded


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
