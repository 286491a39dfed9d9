"""The arcs that are possible in a source file: coverage.py's `AstArcAnalyzer`, for an outline.

What it finds is the same: it follows coverage.py method by method.  A set of exits has pairs here:
the line that is left, and why it wasn't if it wasn't.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from quickcover._outline import (
    BREAK,
    CLASS,
    CONSTANTLY_FALSE,
    CONSTANTLY_TRUE,
    CONTINUE,
    DECORATOR,
    ELSE,
    FINALLY,
    FOR,
    FUNCTION,
    HANDLER,
    IF,
    MATCH,
    NOT_CONSTANT,
    RAISE,
    RETURN,
    TRY,
    WHILE,
    WITH,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from quickcover._outline import Outline

    Arc = tuple[int, int]
    Exits = set[tuple[int, str]]
    Fragments = dict[Arc, list[tuple[str | None, str | None]]]

_NEVER_TRUE = "the condition on line {lineno} was never true"
_ALWAYS_TRUE = "the condition on line {lineno} was always true"
_NEVER_STARTED = "the loop on line {lineno} never started"
_NOT_COMPLETE = "the loop on line {lineno} didn't complete"
_ALWAYS_MATCHED = "the pattern on line {lineno} always matched"
_NEVER_MATCHED = "the pattern on line {lineno} never matched"
_NOT_CAUGHT = "the exception caught by line {lineno} didn't happen"


class _Loop:
    """A loop around what is looked at."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.breaks: Exits = set()


class _Try:
    """A `try` around it: where exceptions go."""

    def __init__(self, handler: int | None) -> None:
        self.handler = handler


class _Function:
    """A function around it."""

    def __init__(self, start: int, name: str) -> None:
        self.start = start
        self.name = name


class Arcs:
    """The analysis."""

    def __init__(self, outline: Outline, statements: set[int]) -> None:
        """Analyse.

        Args:
            outline: what there is.
            statements: the first lines of all that is executed.

        Raises:
            ValueError, RecursionError: leave it to coverage.py.
        """
        self._outline = outline
        self._statements = statements
        self.arcs: set[Arc] = set()
        self.fragments: Fragments = defaultdict(list)
        self._blocks: list[_Loop | _Try | _Function] = []
        self._current_withs: set[int] = set()
        self._withs: set[int] = set()
        self._with_entries: set[Arc] = set()
        self._with_exits: set[Arc] = set()
        self._handlers: dict[int, Callable[[int], Exits]] = {
            BREAK: self._break, CONTINUE: self._continue, RAISE: self._raise, RETURN: self._return,
            IF: self._if, WHILE: self._while, FOR: self._for, TRY: self._try, WITH: self._with,
            MATCH: self._match, FUNCTION: self._definition, CLASS: self._definition,
        }  # fmt: skip
        self._module()
        self._definitions()
        self._handlers.clear()  # they hold this object, and garbage collection may wait

    def _module(self) -> None:
        if not len(self._outline):
            self._add(1, -1, None)
            return
        for line, cause in self._suite(self._outline.top(), set()):
            self._add(line, -1, cause, "exit the module")

    def _definitions(self) -> None:
        """What is in functions and classes, in coverage.py's order: the last ones first."""
        outline = self._outline
        places = [place for place, kind in enumerate(outline.kind) if kind in (FUNCTION, CLASS)]
        places.sort(key=lambda place: (-outline.next[place], place))
        for place in places:
            start, name = outline.first[place], outline.name(place)
            if outline.kind[place] == CLASS:
                for line, cause in self._suite(outline.parts(place), set()):
                    self._add(line, -start, cause, f"exit class {name!r}")
                continue
            self._blocks.append(_Function(start, name))
            self._leave_by_return(self._suite(outline.parts(place), set()))
            self._blocks.pop()

    def _add(self, start: int, end: int, cause: str | None, action: str | None = None) -> None:
        arc = start, end
        self.arcs.add(arc)
        if start in self._current_withs:
            self._with_entries.add(arc)
        if cause is not None or action is not None:
            self.fragments[arc].append((cause, action))

    def _suite(self, places: Iterable[int], exits: Exits) -> Exits:
        """Go through the statements of a suite that is entered by those exits; what leaves it."""
        outline = self._outline
        kinds, first, statements = outline.kind, outline.first, self._statements
        for place in places:
            kind = kinds[place]
            if kind >= ELSE:
                if kind == DECORATOR:
                    continue
                break  # another suite of the same statement
            line = first[place]
            if line not in statements:
                continue
            for start, cause in exits:
                self._add(start, line, cause)
            handler = self._handlers.get(kind)
            exits = handler(place) if handler is not None else {(line, "")}
        return exits

    # ------------------------------------------------------------------------------- jumps

    def _break(self, place: int) -> Exits:
        line = self._outline.first[place]
        for block in reversed(self._blocks):
            if isinstance(block, _Loop):
                block.breaks.add((line, "the break on line {lineno} wasn't executed"))
                break
        return set()

    def _continue(self, place: int) -> Exits:
        line = self._outline.first[place]
        for block in reversed(self._blocks):
            if isinstance(block, _Loop):
                self._add(line, block.start, "the continue on line {lineno} wasn't executed")
                break
        return set()

    def _raise(self, place: int) -> Exits:
        line, cause = self._outline.first[place], "the raise on line {lineno} wasn't executed"
        for block in reversed(self._blocks):
            if isinstance(block, _Try):
                if block.handler is not None:
                    self._add(line, block.handler, cause)
                break
            if isinstance(block, _Function):
                self._add(line, -block.start, cause, f"except from function {block.name!r}")
                break
        return set()

    def _return(self, place: int) -> Exits:
        cause = "the return on line {lineno} wasn't executed"
        self._leave_by_return({(self._outline.first[place], cause)})
        return set()

    def _leave_by_return(self, exits: Exits) -> None:
        for block in reversed(self._blocks):
            if isinstance(block, _Function):
                for line, cause in exits:
                    action = f"return from function {block.name!r}"
                    self._add(line, -block.start, cause, action)
                break

    # ------------------------------------------------------------------- compound statements

    def _definition(self, place: int) -> Exits:
        outline = self._outline
        main = outline.line[place]
        last: int | None = None
        for part in outline.parts(place):
            if outline.kind[part] != DECORATOR:
                break
            start = outline.first[part]
            if last is not None and start != last:
                self._add(last, start, None)
            last = start
        if last is not None:
            self._add(last, main, None)
        return {(main, "")}

    def _part(self, place: int, kind: int) -> Iterable[int] | None:
        """What is in a part of a statement."""
        outline = self._outline
        for part in outline.parts(place):
            if outline.kind[part] == kind:
                return outline.parts(part)
        return None

    def _if(self, place: int) -> Exits:
        outline = self._outline
        start, constant = outline.first[place], outline.extra[place]
        exits: Exits = set()
        if constant != CONSTANTLY_FALSE:
            exits |= self._suite(outline.parts(place), {(start, _NEVER_TRUE)})
        if constant != CONSTANTLY_TRUE:
            exits |= self._suite(self._part(place, ELSE) or (), {(start, _ALWAYS_TRUE)})
        return exits

    def _while(self, place: int) -> Exits:
        constant = self._outline.extra[place] != NOT_CONSTANT
        return self._loop(place, _NEVER_TRUE, _ALWAYS_TRUE, endless=constant)

    def _for(self, place: int) -> Exits:
        return self._loop(place, _NEVER_STARTED, _NOT_COMPLETE, endless=False)

    def _loop(self, place: int, entered: str, left: str, *, endless: bool) -> Exits:
        start = self._outline.first[place]
        loop = _Loop(start)
        self._blocks.append(loop)
        for line, cause in self._suite(self._outline.parts(place), {(start, entered)}):
            self._add(line, start, cause)
        self._blocks.pop()
        exits = loop.breaks
        otherwise = self._part(place, ELSE)
        if otherwise is not None:
            exits |= self._suite(otherwise, {(start, left)})
        elif not endless:
            exits.add((start, left))
        return exits

    def _match(self, place: int) -> Exits:
        outline = self._outline
        last = outline.first[place]
        exits: Exits = set()
        part = place
        for part in outline.parts(place):
            start = outline.first[part]
            self._add(last, start, _ALWAYS_MATCHED)
            exits |= self._suite(outline.parts(part), {(start, _NEVER_MATCHED)})
            last = start
        if not outline.extra[part]:
            exits.add((last, _ALWAYS_MATCHED))
        return exits

    def _try(self, place: int) -> Exits:
        outline = self._outline
        handlers = [part for part in outline.parts(place) if outline.kind[part] == HANDLER]
        otherwise = self._part(place, ELSE)
        final = self._part(place, FINALLY)
        block = _Try(outline.first[handlers[0]] if handlers else None)
        self._blocks.append(block)
        exits = self._suite(outline.parts(place), {(outline.first[place], "")})
        if final is not None:
            block.handler = None
        else:
            self._blocks.pop()
        handled: Exits = set()
        for part in handlers:
            handled |= self._suite(outline.parts(part), {(outline.first[part], _NOT_CAUGHT)})
        if otherwise is not None:
            exits = self._suite(otherwise, exits)
        exits = exits | handled
        if final is not None:
            self._blocks.pop()
            after = self._suite(final, exits)
            if exits:
                exits = after
        return exits

    def _with(self, place: int) -> Exits:
        start = self._outline.first[place]
        self._current_withs.add(start)
        self._withs.add(start)
        exits = self._suite(self._outline.parts(place), {(start, "")})
        self._current_withs.remove(start)
        for line, _ in exits:
            self._add(line, start, None)
            self._with_exits.add((line, start))
        return {(start, "")} if exits else exits

    # ------------------------------------------------------------------------------- `with`

    def with_jump_fixers(self) -> dict[Arc, Arc | None]:
        """What to make of arcs that go through the first line of a `with` on the way out.

        Raises:
            ValueError: one goes on in several ways; coverage.py doesn't expect that.
        """
        nexts: dict[int, int] = {}
        for arc in self.arcs:
            start, end = arc
            if start in self._withs and arc not in self._with_entries:
                if start in nexts:
                    raise ValueError(f"several ways from {start}")
                nexts[start] = end

        def final(start: int) -> int:
            end = nexts[start]
            while (start, end) in self._with_exits and end in nexts:
                start, end = end, nexts[end]
            return end

        fixers: dict[Arc, Arc | None] = {}
        for end, start in self._with_exits:
            if start in nexts:
                fixers[end, start] = end, final(start)
        for start, end in nexts.items():
            if (start, start) not in self._with_exits:
                fixers[start, end] = None
        return fixers

    def possible(self, fixers: dict[Arc, Arc | None]) -> set[Arc]:
        """The arcs from one line to another, put right by those."""
        fixed = (fixers.get(arc, arc) for arc in self.arcs) if fixers else self.arcs
        return {arc for arc in fixed if arc is not None and arc[0] != arc[1]}
