"""Where a code object needs probes, and which lines and arcs they mean.

The code is cut into segments: instructions that run one after the other and are on one line.  A
trace function would see a line begin with each of them (and where it sees none, because control
comes from the same line, nothing changes).  So a line was reached when one of its segments was
entered, and an arc is a way from a segment to one on another line.

A probe is a place that tells that it was passed:

- the entry of a segment;
- a way from one segment to another, where the entry of neither tells that it was taken;
- a landing: an exception went from one line to one handler, or out of the code.

Not every segment needs an entry of its own: behind instructions that can't raise the next line is
reached for certain.  And what could only be told by more probes is of interest for lines that have
several ways on; for others the arc is taken as gone when both of its ends were entered.

Some segments are silent: they have no line; or it is not told (coverage.py's trace function doesn't
look at the line event of PUSH_EXC_INFO).  Arcs go through them.
"""

from __future__ import annotations

from types import CodeType
from typing import Any, NamedTuple

from quickcover.pure import bytecode, locations
from quickcover.pure.bytecode import Decoded

#: In place of a segment: the way out of the code.
EXIT = -1

#: A way on from a segment: to the next one, by a jump, by the jump of a condition, or out.
FALL, JUMP, TAKEN, LEAVE = range(4)


class Edge(NamedTuple):
    """A way from a segment to another one (or EXIT)."""

    kind: int
    target: int


class Segment:
    """Instructions from `first` to `last`, on one line (0: silent)."""

    __slots__ = (
        "edges", "first", "harmless", "last", "line", "raises", "shown", "sources", "yields",
    )  # fmt: skip

    def __init__(self, first: int, last: int, line: int) -> None:
        """Make one without ways in and out."""
        self.first = first
        self.last = last
        self.line = line
        #: The line that tracebacks tell, also where it is silent.
        self.shown = line
        self.edges: list[Edge] = []
        #: Where exceptions that come up here land: indices of landings, -1 for the way out.
        self.raises: list[int] = []
        #: The segments that lead here without an exception.
        self.sources: list[int] = []
        self.harmless = True
        self.yields = False


class Plan:
    """The probes of a code object: where each is put, and what they mean."""

    def __init__(self) -> None:
        """Make one without probes."""
        self.probes = 0
        #: At the beginning of an instruction, for all that come to it.
        self.entries: dict[int, int] = {}
        #: Before an instruction that is the last of a segment.
        self.before: dict[int, int] = {}
        #: Behind an instruction, for what falls through.
        self.behind: dict[int, int] = {}
        #: On the way of a condition's jump.
        self.jumps: dict[int, int] = {}
        #: On the way of an exception from a line to a handler (-1: out).
        self.landings: dict[tuple[int, int], int] = {}
        #: Lines, and the probe that tells of each.
        self.lines: list[tuple[int, int]] = []
        #: Arcs, and the probes that tell of each together.
        self.arcs: list[tuple[int, int, tuple[int, ...]]] = []
        #: The line of each instruction, as landings name it; 0 where it is silent.
        self.line_of: list[int] = []

    def new(self) -> int:
        """The number of another probe."""
        self.probes += 1
        return self.probes - 1


def make(code: CodeType, decoded: Decoded) -> Plan:
    """Plan the probes of a code object."""
    decoded = decoded.for_plan()
    if not decoded.landings and max(decoded.targets, default=-1) < 0:
        straight = _straight(code, decoded)
        if straight is not None:
            return straight
    return _Planner(code, decoded).plan


def _straight(code: CodeType, decoded: Decoded) -> Plan | None:
    """The same for code without jumps and handlers, as most bodies of classes are.

    None if it comes back to a line, which may have several ways on then.
    """
    plan = Plan()
    certain = _certain(code, decoded)
    harmless = bytecode.HARMLESS
    ops, lines = decoded.ops, decoded.lines
    before = -code.co_firstlineno
    line = probe = 0
    met: set[int] = set()
    sure = False
    for k, op in enumerate(ops):
        if lines[k] and lines[k] != line and op != bytecode.YIELD_FROM:
            line = lines[k]
            if line in met:
                return None
            met.add(line)
            if not sure:
                probe = plan.entries[k] = plan.new()
            plan.lines.append((line, probe))
            plan.arcs.append((before, line, (probe,)))
            before, sure = line, True
        if sure and op not in harmless and k not in certain:
            sure = False
        if op == bytecode.RETURN_VALUE and line:
            if not bytecode.YIELDS.isdisjoint(ops):
                probe = plan.before[k] = plan.new()
            plan.arcs.append((line, -code.co_firstlineno, (probe,)))
            break
    else:
        if line and ops[-1] in bytecode.RAISES:
            plan.arcs.append((line, -code.co_firstlineno, (probe,)))
    return plan


class _Planner:
    """One code object being planned."""

    def __init__(self, code: CodeType, decoded: Decoded) -> None:
        self.plan = Plan()
        self.first_line = code.co_firstlineno
        self.decoded = decoded
        self.iterates = bytecode.GET_ANEXT in decoded.ops
        self.segments, self.of = _segments(decoded)
        if self.segments:
            self.segments[0].first = decoded.begin
        self.handlers = [self.of[landing.target] for landing in decoded.landings]
        self._connect(_certain(code, decoded))
        self._silence()
        #: All of it is on one line, which may be one of the code around it; and it ends once begun.
        self.is_one_line = len({segment.line for segment in self.segments} - {0}) == 1 and not any(
            segment.yields for segment in self.segments
        )
        self.entries: dict[int, int] = {}
        self.ways_on = self._ways_on()
        self.ways_around = self._ways_around()
        self.origins = self._origins()
        self._place()

    # ------------------------------------------------------------- the graph

    def _connect(self, certain: frozenset[int]) -> None:
        """Find the ways between segments, and what may raise."""
        ops, targets = self.decoded.ops, self.decoded.targets
        handlers = self.decoded.handlers
        harmless = bytecode.HARMLESS
        for number, segment in enumerate(self.segments):
            for k in range(segment.first, segment.last + 1):
                op = ops[k]
                if op not in harmless and k not in certain:
                    segment.harmless = False
                    if not self.decoded.stays(k) and handlers[k] not in segment.raises:
                        segment.raises.append(handlers[k])
                    if op in bytecode.YIELDS:
                        segment.yields = True
            last = ops[segment.last]
            if last == bytecode.RETURN_VALUE:
                segment.edges.append(Edge(LEAVE, EXIT))
            elif last in bytecode.UNCONDITIONAL:
                segment.edges.append(Edge(JUMP, self.of[targets[segment.last]]))
            elif last not in bytecode.RAISES:
                if targets[segment.last] >= 0:
                    segment.edges.append(Edge(TAKEN, self.of[targets[segment.last]]))
                if number + 1 < len(self.segments):
                    segment.edges.append(Edge(FALL, number + 1))
            for edge in segment.edges:
                if edge.target != EXIT:
                    self.segments[edge.target].sources.append(number)

    def _silence(self) -> None:
        """Find the segments that a line event of PUSH_EXC_INFO hides."""
        if not bytecode.HANDLERS_HIDE:
            return
        entered = set(self.handlers)
        hidden = [
            number
            for number in entered
            if self.decoded.ops[self.segments[number].first] == bytecode.PUSH_EXC_INFO
        ]
        while hidden:
            segment = self.segments[hidden.pop()]
            segment.line = 0
            for landing in segment.raises:
                follower = self.handlers[landing] if landing >= 0 else EXIT
                if follower != EXIT and self._hides(follower):
                    hidden.append(follower)
            for _kind, target in segment.edges:
                if target != EXIT and target not in entered and self._hides(target):
                    hidden.append(target)

    def _hides(self, number: int) -> bool:
        """Is a segment entered from silent segments of its own line alone?"""
        segment = self.segments[number]
        if not segment.line:
            return False
        origins = [self.segments[source] for source in segment.sources]
        for landing, handler in enumerate(self.handlers):
            if handler == number:
                origins += [other for other in self.segments if landing in other.raises]
        return all(not origin.line and origin.shown == segment.line for origin in origins)

    def _ends(
        self, number: int, passed: tuple[int, ...] = (), under: int = 0
    ) -> list[tuple[int, tuple[int, ...]]]:
        """The lines that a way into a segment leads to, each with the probes that tell of it.

        Under a line that a silent segment hides, it doesn't begin once more.
        """
        if number == EXIT:
            return [(-self.first_line, ())]
        segment = self.segments[number]
        if passed and number <= passed[-1]:
            under = 0  # every jump back begins a line
        if segment.line and segment.line != under:
            return [(segment.line, ())]
        if number in passed or len(passed) > 8:
            return []
        under = segment.shown or under
        further = [target for _kind, target in segment.edges]
        # (Nothing would tell that an exception by the way has left the code.)
        landings = [k for k in segment.raises if k >= 0 or not further]
        further += [self.handlers[k] if k >= 0 else EXIT for k in landings]
        found = []
        for target in dict.fromkeys(further):
            told = len(further) > 1 and target != EXIT
            for line, probes in self._ends(target, (*passed, number), under):
                found.append((line, (self._entry(target), *probes) if told else probes))
        return found

    def _landing(self, k: int) -> int:
        """The segment where an exception of an instruction lands, or EXIT."""
        landing = self.decoded.handlers[k]
        return self.handlers[landing] if landing >= 0 else EXIT

    def _raising(self, segment: Segment) -> list[int]:
        """The instructions that are meant to raise: `raise`, and the end of an `async for`."""
        ops = self.decoded.ops
        found = [segment.last] if ops[segment.last] in bytecode.RAISES else []
        if self.iterates:
            run = range(segment.first, segment.last + 1)
            found += [k for k in run if ops[k] == bytecode.GET_ANEXT]
        return found

    def _ways_on(self) -> dict[int, set[int]]:
        """The lines that each line leads to, other than by an exception that may come anywhere."""
        found: dict[int, set[int]] = {}
        for segment in self.segments:
            if not segment.line:
                continue
            targets = [target for _kind, target in segment.edges]
            targets += [self._landing(k) for k in self._raising(segment)]
            lines = found.setdefault(segment.line, set())
            if bytecode.LOAD_BUILD_CLASS in self.decoded.ops[segment.first : segment.last + 1]:
                lines.add(-segment.line)  # out of the body, if that is on this line
            for target in targets:
                line = self.segments[target].line if target != EXIT else 0
                if line:
                    lines.add(line)
                else:
                    lines.update(line for line, _ in self._ends(target))
            lines.discard(segment.line)
        return found

    def _ways_around(self) -> dict[int, set[int]]:
        """For lines of statements with conditions: where else one of their lines leads.

        To coverage.py the lines of a condition are one.  (In a block below a condition this tells
        more than is of interest, which does no harm.)
        """
        found: dict[int, set[int]] = {}
        for begin, end in self._spans():
            inside = [line for line in self.ways_on if begin <= line <= end]
            ways: set[int] = set().union(*(self.ways_on[line] for line in inside))
            ways.difference_update(range(begin, end + 1))
            for line in inside:
                found.setdefault(line, set()).update(ways)
        return found

    def _spans(self) -> set[tuple[int, int]]:
        """The first and last lines of what has conditions and several lines."""
        decoded = self.decoded
        found = set()
        for segment in self.segments:
            more = locations.more_lines(decoded.positions[segment.last])
            if more and segment.line and len(segment.edges) > 1:
                found.add((segment.line, segment.line + more))
        return found | self._conditions()

    def _conditions(self) -> set[tuple[int, int]]:
        """The same of conditions like `a or b` and `a if b else c`, whose parts no position spans.

        They lead to the same places.  (So do conditions nested in another.)
        """
        found = set()
        for segment in self.segments:
            if len(segment.edges) < 2 or not segment.line:
                continue
            tests = [test for edge in segment.edges if (test := self._next_test(edge.target))]
            both = len(tests) > 1 and self._meet(tests[0][-1], tests[1][-1])
            for test in tests:
                if both or self._meet(segment, test[-1]):
                    lines = [other.line for other in (segment, *test) if other.line]
                    found.add((min(lines), max(lines)))
        return {(begin, end) for begin, end in found if begin < end}

    def _next_test(self, number: int) -> list[Segment]:
        """The way to the next condition, if only an expression is evaluated before it; else []."""
        ops = self.decoded.ops
        way: list[Segment] = []
        while number != EXIT and len(way) < len(self.segments):
            segment = self.segments[number]
            way.append(segment)
            for k in range(segment.first, segment.last + 1):
                # `:=` copies and stores, and of a < b < c something may be left.
                walrus = k > 0 and ops[k - 1] in bytecode.COPIES
                left = len(way) == 1 and k == segment.first
                if ops[k] in bytecode.STORES and not walrus:
                    return []
                if ops[k] == bytecode.POP_TOP and not left:
                    return []
            if len(segment.edges) != 1 or segment.edges[0].kind == LEAVE:
                return way if len(segment.edges) > 1 else []
            number = segment.edges[0].target
        return []

    def _meet(self, one: Segment, other: Segment) -> bool:
        """Is there a way on that both conditions have?"""
        ways = {self._end_of_jumps(edge.target) for edge in one.edges}
        return not ways.isdisjoint(self._end_of_jumps(edge.target) for edge in other.edges)

    def _end_of_jumps(self, number: int) -> int:
        for _ in self.segments:
            if number == EXIT or self.segments[number].first != self.segments[number].last:
                break
            if [edge.kind for edge in self.segments[number].edges] != [JUMP]:
                break
            number = self.segments[number].edges[0].target
        return number

    def _origins(self) -> dict[int, set[int]]:
        """For each segment the lines that lead to it; 0 is the way in, and all that is silent."""
        found: dict[int, set[int]] = {0: {0}}
        for segment in self.segments:
            for _kind, target in segment.edges:
                found.setdefault(target, set()).add(segment.line)
            for landing in segment.raises:
                target = self.handlers[landing] if landing >= 0 else EXIT
                found.setdefault(target, set()).add(segment.line)
        return found

    # ------------------------------------------------------------ the probes

    def _entry(self, number: int) -> int:
        """The probe that tells that a segment was entered."""
        found = self.entries.get(number)
        if found is None:
            segment = self.segments[number]
            source = self._implied_by(number)
            if source is not None:
                found = self._entry(source)
            else:
                found = self.plan.entries[segment.first] = self.plan.new()
            self.entries[number] = found
        return found

    def _implied_by(self, number: int) -> int | None:
        """A segment that can't be entered without this one being entered next."""
        sources = self.segments[number].sources
        if number == 0 or len(sources) != 1 or number in self.handlers:
            return None
        source = self.segments[sources[0]]
        alone = len(source.edges) == 1 and source.harmless and source.line
        return sources[0] if alone and sources[0] < number else None

    def _place(self) -> None:
        """Find the probes of all lines and arcs."""
        for number, segment in enumerate(self.segments):
            if segment.line:
                self.plan.lines.append((segment.line, self._entry(number)))
                for edge in segment.edges:
                    self._place_edge(number, segment, edge)
                ways, around = self.ways_on[segment.line], self.ways_around.get(segment.line, set())
                if len(ways) > 1:
                    around = around | ways
                else:
                    self._place_raises(number, segment)
                    around = around - ways
                if around:
                    for landing in segment.raises:
                        self._place_landing(segment, landing, around)
        self.plan.line_of = [self.segments[number].line for number in self.of]
        if self.segments:
            for line, probes in self._ends(0):
                self._add(-self.first_line, line, (self._entry(0), *probes))

    def _add(self, line: int, to: int, probes: tuple[int, ...]) -> None:
        if line != to:
            if len(probes) > 1:
                probes = tuple(dict.fromkeys(probes))
            self.plan.arcs.append((line, to, probes))

    def _place_edge(self, number: int, segment: Segment, edge: Edge) -> None:
        if edge.target != EXIT and edge.target == number + 1:
            line = self.segments[edge.target].line
            if line and self.origins[edge.target] == {segment.line}:
                self._add(segment.line, line, (self._entry(edge.target),))
                return
        ends = self._ends(edge.target)
        if all(line == segment.line for line, _ in ends):
            return
        told = self._tell_edge(number, segment, edge)
        for line, probes in ends:
            self._add(segment.line, line, (*told, *probes))

    def _tell_edge(self, number: int, segment: Segment, edge: Edge) -> tuple[int, ...]:
        """The probes that tell that a way was taken."""
        plan = self.plan
        choice = len(self.ways_on[segment.line]) > 1
        if edge.target == EXIT:
            if self.is_one_line:
                return (self._entry(0),)  # it is left there, by an exception if not by this
            caught = any(landing >= 0 for landing in segment.raises)
            if segment.harmless or not (segment.yields or (choice and caught)):
                return (self._entry(number),)
            return (_at(plan.before, segment.last, plan),)
        if self.origins[edge.target] == {segment.line}:
            return (self._entry(edge.target),)
        if segment.harmless and len(segment.edges) == 1:
            return (self._entry(number),)
        if not choice:
            return (self._entry(number), self._entry(edge.target))
        if edge.kind == JUMP:
            if self.decoded.ops[segment.last] == bytecode.SEND_AGAIN:
                return (_at(plan.jumps, self.decoded.sends(segment.last), plan),)
            return (_at(plan.before, segment.last, plan),)
        return (_at(plan.jumps if edge.kind == TAKEN else plan.behind, segment.last, plan),)

    def _place_raises(self, number: int, segment: Segment) -> None:
        """The only way on is by an exception: it was taken if its end was reached."""
        for k in self._raising(segment):
            handler = self._landing(k)
            told = [self._entry(number)]
            if handler != EXIT:
                told.append(self._entry(handler))
            for line, probes in self._ends(handler):
                self._add(segment.line, line, (*told, *probes))

    def _place_landing(self, segment: Segment, landing: int, ways_on: set[int]) -> None:
        """Place a probe for exceptions, if they go one of these ways."""
        handler = self.handlers[landing] if landing >= 0 else EXIT
        ends = [(line, probes) for line, probes in self._ends(handler) if line in ways_on]
        if not ends:
            return
        if handler != EXIT and self.origins[handler] == {segment.line}:
            told = self._entry(handler)
        else:
            told = _at(self.plan.landings, (segment.line, landing), self.plan)
        for line, probes in ends:
            self._add(segment.line, line, (told, *probes))


def _at(places: dict[Any, int], place: Any, plan: Plan) -> int:
    """The probe of a place."""
    if place not in places:
        places[place] = plan.new()
    return places[place]


def _segments(decoded: Decoded) -> tuple[list[Segment], list[int]]:
    """Cut the code into segments; also the segment of each instruction."""
    ops, lines = decoded.ops, decoded.lines
    leaders = {target for target in decoded.targets if target >= 0}
    leaders.update(landing.target for landing in decoded.landings)
    for k, op in enumerate(ops):
        if op in bytecode.ENDS or decoded.targets[k] >= 0:
            leaders.add(k + 1)
    segments: list[Segment] = []
    of: list[int] = []
    segment: Segment | None = None
    for k, line in enumerate(lines):
        changes = segment is None or (line and line != segment.line)
        if k in leaders or (changes and ops[k] != bytecode.YIELD_FROM):
            segment = Segment(k, k, line)
            segments.append(segment)
        assert segment is not None
        segment.last = k
        of.append(len(segments) - 1)
    return segments, of


def _certain(code: CodeType, decoded: Decoded) -> frozenset[int]:
    """Instructions that could raise elsewhere, but not here."""
    ops = decoded.ops
    deleted = {
        argument
        for op, argument in zip(ops, decoded.args, strict=True)
        if op == bytecode.DELETE_FAST
    }
    flags = code.co_flags
    arguments = code.co_argcount + code.co_kwonlyargcount
    arguments += bool(flags & bytecode.CO_VARARGS) + bool(flags & bytecode.CO_VARKEYWORDS)
    module = code.co_name == "<module>"
    certain = set()
    for k, op in enumerate(ops):
        argument = decoded.args[k]
        if op == bytecode.LOAD_FAST:
            if argument < arguments and argument not in deleted:
                certain.add(k)
        elif op == bytecode.DELETE_FAST:
            if k and ops[k - 1] == bytecode.STORE_FAST and decoded.args[k - 1] == argument:
                certain.add(k)
        elif op == bytecode.STORE_NAME and module:
            certain.add(k)
    return frozenset(certain)
