"""The statements of a source file, and what coverage.py asks of them but for arcs.

`_native.outline` finds them without a syntax tree (`csrc/core/qc_outline.h`).  What is made of them
here is what coverage.py's `PythonParser` and `RegionFinder` make of the tree and the tokens.
"""

from __future__ import annotations

from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple
from unicodedata import normalize

if TYPE_CHECKING:
    from collections.abc import Iterable

# The kinds of statements and parts of them, as csrc/core/qc_outline.h has them.
SIMPLE, DOC, RETURN, RAISE, BREAK, CONTINUE = range(6)
IF, WHILE, FOR, TRY, WITH, MATCH, FUNCTION, CLASS = range(6, 14)
ELSE, FINALLY, HANDLER, CASE, DECORATOR = range(14, 19)

#: Whether the test of an `IF` or a `WHILE` is constant.
NOT_CONSTANT, CONSTANTLY_FALSE, CONSTANTLY_TRUE = range(3)

_FIELDS = 6
_LINE_FIELDS = 4


class Region(NamedTuple):
    """A function or a class: coverage.py's `CodeRegion`."""

    kind: str
    name: str
    start: int
    lines: set[int]


class Outline:
    """The statements, in the order of the text; a part of one comes behind it.

    Each has a place in these lists: its kind, the first line of its logical line (of its first
    decorator's, if it has one), the lines on which it begins (behind decorators) and ends, the
    place of the next statement that is no part of it, and something else by its kind.
    """

    def __init__(self, statements: bytes, names: list[str], lines: bytes) -> None:
        """Take what `_native.outline` found."""
        numbers = memoryview(statements).cast("i").tolist()
        self.kind, self.first, self.line, self.end, self.next, self.extra = (
            numbers[field::_FIELDS] for field in range(_FIELDS)
        )
        self._names = names
        self._lines = memoryview(lines).cast("i").tolist()

    @classmethod
    def of(cls, native: Any, text: str, nested_fstrings: bool) -> Outline | None:
        """Get the outline of valid text; None if it isn't certain."""
        if "\f" in text or "\r" in text or "\0" in text or text[-1:] not in ("", "\n"):
            return None
        found = native.outline(text, __debug__, nested_fstrings)
        return cls(*found) if found is not None else None

    def __len__(self) -> int:
        """How many statements and parts."""
        return len(self.kind)

    def name(self, place: int) -> str:
        """The name of a function or a class, as the compiler knows it."""
        name = self._names[self.extra[place]]
        return name if name.isascii() else normalize("NFKC", name)

    def parts(self, place: int) -> Iterable[int]:
        """The places of what is directly in a statement."""
        part, end = place + 1, self.next[place]
        while part < end:
            yield part
            part = self.next[part]

    def multiline_map(self) -> dict[int, int]:
        """The first line for each line of logical lines that have several."""
        found = {}
        lines = self._lines
        for first, last in zip(lines[::_LINE_FIELDS], lines[1::_LINE_FIELDS], strict=True):
            if first != last:
                for line in range(first, last + 1):
                    found[line] = first
        return found

    def exclude_suites(self, excluded: set[int]) -> None:
        """Add the first lines of what is in a suite whose header is excluded."""
        excluding = False
        exclude_indent = 0
        for first, _, indent, colon in zip(*[iter(self._lines)] * _LINE_FIELDS, strict=True):
            if excluding and indent <= exclude_indent:
                excluding = False
            if excluding:
                excluded.add(first)
            elif colon and not excluded.isdisjoint(range(first, colon + 1)):
                excluded.add(first)
                exclude_indent = indent
                excluding = True

    def docstrings(self) -> set[int]:
        """The lines of docstrings."""
        found: set[int] = set()
        if self.kind and self.kind[0] == DOC:
            found.update(range(self.line[0], self.end[0] + 1))
        for place, kind in enumerate(self.kind):
            if kind in (FUNCTION, CLASS):
                first = self._body(place)
                if self.kind[first] == DOC:
                    found.update(range(self.line[first], self.end[first] + 1))
        return found

    def _body(self, place: int) -> int:
        """The first statement in a function, a class or a part."""
        place += 1
        while self.kind[place] == DECORATOR:
            place = self.next[place]
        return place

    def exclude_definitions(self, excluded: set[int], raw_statements: set[int]) -> None:
        """Add all lines of functions and classes with an excluded head, and `case` with nothing."""
        for place, kind in enumerate(self.kind):
            if kind in (FUNCTION, CLASS):
                head = range(self._head(place), self.line[place] + 1)
                if not excluded.isdisjoint(head):
                    excluded.update(range(head.start, self.end[place] + 1))
            elif kind == CASE and self.extra[place]:
                last = max(self.parts(place))
                body = range(self.line[place + 1], self.end[last] + 1)
                statements = raw_statements.intersection(body)
                if statements and statements <= excluded:
                    excluded.add(self.line[place])

    def _head(self, place: int) -> int:
        """The line of the first decorator, or the line itself."""
        return self.line[place + 1] if self.kind[place + 1] == DECORATOR else self.line[place]

    def regions(self) -> list[Region]:
        """The functions and classes."""
        finder = _RegionFinder(self)
        finder.look_at(self.top())
        return finder.regions

    def top(self) -> Iterable[int]:
        """The places of the module's own statements."""
        place = 0
        while place < len(self.kind):
            yield place
            place = self.next[place]


class _RegionFinder:
    """coverage.py's class of that name."""

    def __init__(self, outline: Outline) -> None:
        self.regions: list[Region] = []
        self._outline = outline
        self._around: list[tuple[bool, str, set[int]]] = []

    def look_at(self, places: Iterable[int]) -> None:
        """Find the regions in those statements and parts."""
        outline = self._outline
        handlers: list[int] = []
        for place in places:
            kind = outline.kind[place]
            if kind == FUNCTION:
                self._function(place)
            elif kind == CLASS:
                self._class(place)
            elif kind == HANDLER:
                handlers.append(place)  # coverage.py looks at them last
            elif outline.next[place] > place + 1:
                self.look_at(outline.parts(place))
        for place in handlers:
            self.look_at(outline.parts(place))

    def _function(self, place: int) -> None:
        outline = self._outline
        body = [part for part in outline.parts(place) if outline.kind[part] != DECORATOR]
        lines = set(range(outline.line[body[0]], outline.end[body[-1]] + 1))
        if self._around and not self._around[-1][0]:
            self._around[-1][2].update(lines)
        for function, _, around in reversed(self._around):
            if function:
                around -= lines
                break
        self._enter(place, "function", lines)

    def _class(self, place: int) -> None:
        lines: set[int] = set()
        self._enter(place, "class", lines)
        for function, _, around in reversed(self._around):
            if not function:
                around -= lines

    def _enter(self, place: int, kind: str, lines: set[int]) -> None:
        outline = self._outline
        self._around.append((kind == "function", outline.name(place), lines))
        name = ".".join(name for _, name, _ in self._around)
        self.regions.append(Region(kind, name, outline.line[place], lines))
        self.look_at(outline.parts(place))
        self._around.pop()


def lines_of(code: CodeType) -> set[int]:
    """The lines on which something begins that is executed, annotations apart."""
    found: set[Any] = set()
    todo = [code]
    while todo:
        code = todo.pop()
        todo.extend(constant for constant in code.co_consts if isinstance(constant, CodeType))
        if code.co_name != "__annotate__":
            found.update([line for _, _, line in code.co_lines()])
    return found - {None, 0}
