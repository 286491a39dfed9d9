"""Puts the probes of a plan into a code object.

A probe is `hits.<name> = 1`: LOAD_CONST, LOAD_CONST, STORE_ATTR (see `hits`).
"""

from __future__ import annotations

import marshal
from collections.abc import Callable
from itertools import pairwise
from types import CodeType
from typing import Any

from quickcover.pure import bytecode, locations
from quickcover.pure.bytecode import Decoded
from quickcover.pure.cache import Layout
from quickcover.pure.hits import CHUNK, NAMES, Mark, places
from quickcover.pure.locations import NOWHERE, Position
from quickcover.pure.plan import Plan, make
from quickcover.pure.waking import CAN_SLEEP

_PROBE = (bytecode.LOAD_CONST, bytecode.LOAD_CONST, bytecode.STORE_ATTR)
_NO_TARGETS = (-1, -1, -1)
#: The room on the stack that is needed in addition: a probe's, in a handler that wasn't there.
_STACK = 4


def lay_out(code: CodeType) -> Layout:
    """Plan the probes of a code object, and write it with them.

    The layout holds for every code object with the same bytecode and tables.
    """
    decoded = bytecode.decode(code)
    planned = make(code, decoded)
    writer = _Writer(code, decoded, planned)
    writer.write()
    places = marshal.dumps((planned.lines, planned.arcs))
    return Layout(planned.probes, *writer.encoded(), places)


class Rewritten:
    """A code object's bytecode with probes that have a place to store their hits."""

    def __init__(self, layout: Layout, called: Callable[..., Any]) -> None:
        """Make that place.

        Args:
            layout: the code.
            called: called with every function that the body of a module or class makes; before
                that, with what is called with the function right away, as decorators are.
        """
        self.probes = layout.probes
        self.hits = places(layout.probes)
        self._constants = (1, called, *self.hits)
        self._layout = layout

    def applied(self, code: CodeType, constants: tuple[Any, ...], mark: Mark) -> CodeType:
        """The code object with probes and with these constants in place of its own."""
        layout = self._layout
        return CodeType(
            code.co_argcount,
            code.co_posonlyargcount,
            code.co_kwonlyargcount,
            code.co_nlocals,
            code.co_stacksize + _STACK,
            code.co_flags,
            layout.code,
            (*constants, *self._constants, mark),
            code.co_names + NAMES[: self.probes],
            code.co_varnames,
            code.co_filename,
            code.co_name,
            code.co_qualname,
            code.co_firstlineno,
            layout.lines,
            layout.exceptions,
            code.co_freevars,
            code.co_cellvars,
        )


class _Writer:
    """Instructions being written."""

    def __init__(self, code: CodeType, decoded: Decoded, plan: Plan) -> None:
        self.decoded = decoded
        self.plan = plan
        self.first_line = code.co_firstlineno
        self.first_constant = len(code.co_consts)
        self.first_name = len(code.co_names)
        self.announces = CAN_SLEEP and not code.co_flags & bytecode.CO_OPTIMIZED
        self.ops: list[int] = []
        self.args: list[int] = []
        self.positions: list[Position] = []
        #: The handler of each: where its label is, and depth and lasti; None if there is none.
        self.handlers: list[tuple[int, int] | None] = []
        #: Labels of jumps; -1 where there is none.
        self.targets: list[int] = []
        # Labels are numbers: the original instructions, then what has to be told apart.
        self.labels: list[int] = [-1] * len(decoded.ops)
        #: Probes before an instruction that only certain ways lead through: label, probe.
        self.doors: dict[int, list[tuple[int, int]]] = {}
        #: The same at the end of the code: label, probe, instruction to go to (-1: out), position.
        self.annexes: list[tuple[int, int, int, Position]] = []
        self.jump_labels: dict[int, int] = {}
        self.landing_labels: dict[tuple[int, int], int] = {}

    def write(self) -> None:
        """Write all."""
        self._make_doors()
        done = 0
        for k in self._stops():
            self._copy(done, k)
            self._write_at(k)
            done = k + 1
        self._copy(done, len(self.decoded.ops))
        for label, probe, goal, position in self.annexes:
            self.labels[label] = len(self.ops)
            self._probe(probe, position, None)
            if goal >= 0:
                self._put(bytecode.JUMP_BACK, 0, position, None, goal)
            else:
                self._put(bytecode.RERAISE, 1, position, None)

    def _stops(self) -> list[int]:
        """The instructions where something is to be written, or that something leads to."""
        decoded, plan = self.decoded, self.plan
        found = {*plan.entries, *plan.before, *plan.behind, *self.doors, *self.jump_labels}
        found.update(decoded.targets)
        found.discard(-1)
        found.update(landing.target for landing in decoded.landings)
        if self.announces and bytecode.MAKE_FUNCTION in decoded.ops:
            found.update(k for k, op in enumerate(decoded.ops) if op == bytecode.MAKE_FUNCTION)
        return sorted(found)

    def _copy(self, begin: int, end: int) -> None:
        """Write instructions as they are."""
        if begin < end:
            decoded = self.decoded
            self.ops += decoded.ops[begin:end]
            self.args += decoded.args[begin:end]
            self.positions += decoded.positions[begin:end]
            self.targets += decoded.targets[begin:end]
            if decoded.landings or self.landing_labels:
                self.handlers += [self._handler(k) for k in range(begin, end)]
            else:
                self.handlers += [None] * (end - begin)

    def _write_at(self, k: int) -> None:
        """Write an instruction with what belongs to it."""
        decoded, plan = self.decoded, self.plan
        position = decoded.positions[k]
        handler = self._handler(k)
        if k in self.doors:
            falls = bool(k and decoded.ops[k - 1] not in bytecode.ENDS)
            self._write_doors(k, position, falls)
        self.labels[k] = len(self.ops)
        if k in plan.entries:
            self._probe(plan.entries[k], position, handler)
        if k in plan.before:
            self._probe(plan.before[k], position, handler)
        op, target = decoded.ops[k], decoded.targets[k]
        if k in self.jump_labels:
            if target <= k:  # to an annex
                op = bytecode.TURNED.get(op, op)
            target = self.jump_labels[k]
        self._put(op, decoded.args[k], position, handler, target)
        if op == bytecode.MAKE_FUNCTION and self.announces:
            self._announce(k, position, handler)
        if k in plan.behind:
            self._probe(plan.behind[k], position, handler)

    def _announce(self, k: int, position: Position, handler: tuple[int, int] | None) -> None:
        """Call what is to be called with the function on top of the stack."""
        following = self.decoded.ops[k + 1 : k + 2], self.decoded.args[k + 1 : k + 2]
        if following == ([bytecode.CALL_FUNCTION], [1]):  # it goes to what is below on the stack
            self._put(bytecode.DUP_TOP_TWO, 0, position, handler)
            self._put(bytecode.LOAD_CONST, self.first_constant + 1, position, handler)
            self._put(bytecode.ROT_THREE, 0, position, handler)
            self._put(bytecode.CALL_FUNCTION, 2, position, handler)
        else:
            self._put(bytecode.DUP_TOP, 0, position, handler)
            self._put(bytecode.LOAD_CONST, self.first_constant + 1, position, handler)
            self._put(bytecode.ROT_TWO, 0, position, handler)
            self._put(bytecode.CALL_FUNCTION, 1, position, handler)
        self._put(bytecode.POP_TOP, 0, position, handler)

    def _label(self) -> int:
        self.labels.append(-1)
        return len(self.labels) - 1

    def _make_doors(self) -> None:
        """Give jumps and exceptions that pass a probe a label of their own."""
        decoded = self.decoded
        for k, probe in self.plan.jumps.items():
            label = self.jump_labels[k] = self._label()
            goal = decoded.targets[k]
            if goal > k:
                self.doors.setdefault(goal, []).append((label, probe))
            else:  # so that the only way back to a loop is from behind it
                self.annexes.append((label, probe, goal, decoded.positions[k]))
        for key, probe in self.plan.landings.items():
            label = self.landing_labels[key] = self._label()
            if key[1] >= 0:
                goal = decoded.landings[key[1]].target
                self.doors.setdefault(goal, []).append((label, probe))
            else:
                self.annexes.append((label, probe, -1, NOWHERE))

    def _handler(self, k: int) -> tuple[int, int] | None:
        """Where an exception of an instruction goes: through a probe, or as ever."""
        landing = self.decoded.handlers[k]
        if not self.landing_labels:
            return self.decoded.landings[landing] if landing >= 0 else None
        label = self.landing_labels.get((self.plan.line_of[k], landing))
        if landing < 0:
            out = label is not None and not self.decoded.stays(k)
            return (label, 1) if label is not None and out else None
        target, depth_lasti = self.decoded.landings[landing]
        return (target if label is None else label, depth_lasti)

    def _write_doors(self, k: int, position: Position, falls: bool) -> None:
        if falls:
            self._put(bytecode.JUMP_FORWARD, 0, position, None, k)
        doors = self.doors[k]
        for number, (label, probe) in enumerate(doors):
            self.labels[label] = len(self.ops)
            self._probe(probe, position, None)
            if number + 1 < len(doors):
                self._put(bytecode.JUMP_FORWARD, 0, position, None, k)

    def _probe(self, probe: int, position: Position, handler: tuple[int, int] | None) -> None:
        first = self.first_constant
        self.ops += _PROBE
        self.args += (first, first + 2 + probe // CHUNK, self.first_name + probe % CHUNK)
        self.positions += (position, position, position)
        self.handlers += (handler, handler, handler)
        self.targets += _NO_TARGETS

    def _put(
        self,
        op: int,
        argument: int,
        position: Position,
        handler: tuple[int, int] | None,
        target: int = -1,
    ) -> None:
        self.ops.append(op)
        self.args.append(argument)
        self.positions.append(position)
        self.handlers.append(handler)
        self.targets.append(target)

    # ------------------------------------------------------------- encoding

    def encoded(self) -> tuple[bytes, bytes, bytes]:
        """The bytecode, the line table and the exception table."""
        starts = self._lay_out()
        units = [after - start for start, after in pairwise(starts)]
        lines = locations.write(self.first_line, self.positions, units)
        if starts[-1] == len(self.ops):  # one unit each
            pairs = bytearray(2 * len(self.ops))
            pairs[::2], pairs[1::2] = bytes(self.ops), bytes(self.args)
            return bytes(pairs), lines, self._exception_table(starts)
        code = bytearray()
        for k, op in enumerate(self.ops):
            argument = self.args[k]
            caches = bytecode.CACHES[op]
            if op == bytecode.SEND and units[k] > 1:
                raise ValueError("an await or yield from that nothing can be put behind")
            for shift in range(8 * (units[k] - caches - 1), 0, -8):
                code.append(bytecode.EXTENDED_ARG)
                code.append(argument >> shift & 0xFF)
            code.append(op)
            code.append(argument & 0xFF)
            code += bytes(2 * caches)
        return bytes(code), lines, self._exception_table(starts)

    def _lay_out(self) -> list[int]:
        """Find the unit where each instruction starts (and the end), and the arguments of jumps."""
        args, labels = self.args, self.labels
        count = len(self.ops)
        jumps = [(k, labels[target]) for k, target in enumerate(self.targets) if target >= 0]
        caches = bytecode.CACHES
        if (
            not jumps
            and max(args, default=0) < 0x100
            and not any(map(caches.__getitem__, self.ops))
        ):
            return list(range(count + 1))
        units = [
            caches[op] + (1 if argument < 0x100 else _units(argument))
            for op, argument in zip(self.ops, args, strict=True)
        ]
        starts = [0] * (count + 1)
        while True:
            at = 0
            for k in range(count):
                starts[k] = at
                at += units[k]
            starts[count] = at
            settled = True
            for k, target in jumps:
                argument = starts[target]
                if self.ops[k] in bytecode.RELATIVE:
                    argument -= starts[k + 1]
                    if self.ops[k] in bytecode.BACKWARD:
                        argument = -argument
                args[k] = argument
                needed = caches[self.ops[k]] + _units(argument)
                if needed > units[k]:
                    units[k] = needed
                    settled = False
            if settled:
                return starts

    def _exception_table(self, starts: list[int]) -> bytes:
        """The table, with an entry for each run of instructions with the same handler."""
        if not self.decoded.landings and not self.landing_labels:
            return b""
        entries = []
        begin, current = 0, None
        for k, handler in enumerate([*self.handlers, None]):
            if handler == current:
                continue
            if current is not None:
                label, depth_lasti = current
                size = starts[k] - starts[begin]
                entries.append((starts[begin], size, starts[self.labels[label]], depth_lasti))
            begin, current = k, handler
        return bytecode.exception_table(entries)


def _units(argument: int) -> int:
    """How many code units an instruction with this argument takes."""
    return max((argument.bit_length() + 7) // 8, 1)
