"""Writes random programs: statements of all kinds, nested at random, that end by construction.

Functions call only functions written before them, `for` loops go over short ranges, `while` loops
ask a helper that soon says no; random_support.py has the helpers. Where lines are broken is random
too, for that is what coverage is about.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from . import facts

INDENT = "    "


@dataclass(frozen=True)
class Place:
    """Where a statement is about to stand, and so what it may be."""

    kind: str  # of the function around it: "def", "generator", "async" or "agen"
    depth: int = 0
    in_loop: bool = False
    may_return: bool = True

    @property
    def is_async(self) -> bool:
        return self.kind in ("async", "agen")

    def inside(self) -> Place:
        return replace(self, depth=self.depth + 1)


Lines = list[str]


def indented(lines: Lines) -> Lines:
    return [INDENT + line for line in lines]


class Writer:
    """Writes one program."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.sites = 0
        self.functions: list[tuple[str, str]] = []  # (kind, name) of the functions so far

    def program(self) -> str:
        """The text of a whole program."""
        lines: Lines = []
        for _ in range(self.random.randint(2, 4)):
            lines += self.function(Place("def"))
        for kind, name in self.functions * 3:
            lines.append(f"run(lambda: {self.call(kind, name)})")
        lines += self.block(Place("def", depth=2, may_return=False), at_least=2)
        return "\n".join(lines) + "\n"

    # Small things

    def site(self) -> int:
        self.sites += 1
        return self.sites

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def function(self, place: Place) -> Lines:
        """A function definition, on several lines or on one."""
        kind = self.random.choice(("def", "def", "generator", "async", "agen"))
        name = f"f{self.site()}"
        prefix = "async def" if kind in ("async", "agen") else "def"
        inner = Place(kind, depth=place.depth + 1)
        if self.chance(0.15):
            body = {"generator": f"yield {self.value()}", "agen": f"yield {self.value()}"}
            lines = [f"{prefix} {name}(): {body.get(kind, f'return {self.value()}')}"]
        else:
            lines = [f"{prefix} {name}():", *indented(self.block(inner, at_least=2))]
            if kind in ("generator", "agen"):
                lines += indented([f"yield {self.value()}"])
        if self.chance(0.1):
            lines = ["@(lambda f: f)", *lines]
        if place.depth == 0:
            self.functions.append((kind, name))
        return lines

    def call(self, kind: str, name: str) -> str:
        """A call of a function of the program from code that is not asynchronous."""
        if kind == "generator":
            ways = ("list({})", "poke({})", "next({}, 0)", "[*{}]", "sum(x or 0 for x in {})")
            return self.random.choice(ways).format(f"{name}()")
        if kind == "async":
            return f"drive({name}())"
        if kind == "agen":
            return self.random.choice(("drive({}.__anext__())", "{}")).format(f"{name}()")
        return f"{name}()"

    # Expressions: in brackets, so that lines may be broken anywhere

    def value(self, depth: int = 0) -> str:
        """An expression of a small number."""
        t = f"t({self.site()})"
        if depth > 2 or self.chance(0.6):
            return t
        one, two = self.value(depth + 1), self.value(depth + 1)
        n = self.random.choice((" ", " ", "\n" + INDENT))
        choices = (
            f"({one}{n}if {two}{n}else {t})",
            f"({one}{n}and {two}{n}or {t})",
            f"(not {one})",
            f"(0 <{n}{one} <{n}{two})",
            f"t({self.site()},{n}{one},{n}{two})",
            f"len([{one}{n}for x in r({self.site()}){n}if {two}])",
            f"sum({one}{n}for x in r({self.site()}))",
            f"(lambda: {one})()",
            f"(y := {one})",
            f"len(f'{{{t}}}')",
        )
        return self.random.choice(choices)

    def exception(self) -> str:
        return self.random.choice(("E0", "E1", "E2", "(E0, E2)", "Exception"))

    # Statements

    def block(self, place: Place, at_least: int = 1) -> Lines:
        """One or more statements."""
        lines: Lines = []
        for _ in range(self.random.randint(at_least, 4 if place.depth < 4 else 2)):
            lines += self.statement(place)
        if self.chance(0.15):
            lines.append(self.leaving(place))
        return lines

    def statement(self, place: Place) -> Lines:
        nested = (self.if_, self.for_, self.while_, self.try_, self.with_, self.match, self.inner)
        if place.depth > 4 or self.chance(0.45):
            return [self.simple(place)]
        write: Callable[[Place], Lines] = self.random.choice((*nested, self.if_, self.try_))
        return write(place)

    def simple(self, place: Place) -> str:
        """A statement that fits where only one line is allowed, though it may be broken."""
        choices = [
            f"a = {self.value()}",
            f"t({self.site()})",
            f"assert {self.value()} < 2 or {self.value()}",
            "pass",
            f"b = {self.value()}; a = b",
        ]
        if self.functions:
            choices.append(self.call(*self.random.choice(self.functions)))
        if place.kind in ("generator", "agen"):
            choices += [f"yield {self.value()}", f"a = yield {self.value()}", "yield"]
        if place.kind == "generator":
            choices += [f"yield from r({self.site()})"]
            choices += [
                f"yield from {name}()" for kind, name in self.functions if kind == place.kind
            ]
        if place.is_async:
            choices += ["await pause()", f"a = [i async for i in each({self.site()})]"]
            choices += [f"a = await {name}()" for kind, name in self.functions if kind == "async"]
        return self.random.choice(choices)

    def leaving(self, place: Place) -> str:
        """A statement that leaves the block."""
        choices = [f"raise {self.random.choice(('E0', 'E1', 'E2'))}({self.site()})"]
        if place.in_loop:
            choices += ["break", "continue"] * 2
        if place.may_return:
            choices += ["return"] if place.kind == "agen" else [f"return {self.value()}"]
        return self.random.choice(choices)

    def suite(self, head: str, place: Place) -> Lines:
        """A head with its block, sometimes both on one line."""
        if self.chance(0.25):
            statement = self.leaving(place) if self.chance(0.4) else self.simple(place)
            return [f"{head} {statement}"]
        return [head, *indented(self.block(place.inside()))]

    def if_(self, place: Place) -> Lines:
        lines = self.suite(f"if {self.value()}:", place)
        while self.chance(0.3):
            lines += self.suite(f"elif {self.value()}:", place)
        return lines + (self.suite("else:", place) if self.chance(0.4) else [])

    def for_(self, place: Place) -> Lines:
        head = f"for i in r({self.site()}):"
        if place.is_async and self.chance(0.5):
            head = f"async for i in each({self.site()}):"
        agens = [name for kind, name in self.functions if kind == "agen"]
        if place.is_async and agens and self.chance(0.3):
            head = f"async for i in {self.random.choice(agens)}():"
        return self.looping(head, place)

    def while_(self, place: Place) -> Lines:
        w = f"w({self.site()})"
        if self.chance(0.3):
            body = [f"if not {w}: break", *self.block(replace(place.inside(), in_loop=True))]
            return ["while True:", *indented(body)]
        head = self.random.choice((f"while {w}:", f"while {w} and {self.value()}:"))
        return self.looping(head, place)

    def looping(self, head: str, place: Place) -> Lines:
        lines = self.suite(head, replace(place, in_loop=True))
        return lines + (self.suite("else:", place) if self.chance(0.3) else [])

    def try_(self, place: Place) -> Lines:
        star = "*" if self.chance(0.12) else ""
        # What leaves an except* block is forbidden there.
        within = replace(place, in_loop=False, may_return=False) if star else place
        before = place if facts.leaves_try_star() else within
        lines = self.suite("try:", before)
        if star and self.chance(0.5):
            lines = [
                "try:",
                *indented([*self.block(before.inside()), f"raise group({self.site()})"]),
            ]
        handled = star or self.chance(0.8)
        if handled:
            for _ in range(self.random.randint(1, 2)):
                head = f"except{star} {self.exception()}" + self.random.choice(("", " as e"))
                lines += self.suite(f"{head}:", within)
                if self.chance(0.2):
                    lines += [INDENT + "raise"] if not lines[-1].startswith("except") else []
            if self.chance(0.3):
                lines += self.suite("else:", before)
        if not handled or self.chance(0.4):
            lines += self.suite("finally:", place)
        return lines

    def with_(self, place: Place) -> Lines:
        prefix = "async with" if place.is_async and self.chance(0.5) else "with"
        managers = [f"m({self.site()})" for _ in range(self.random.randint(1, 3))]
        if self.chance(0.3):
            managers[0] += " as x"
        inner = ", ".join(managers)
        if self.chance(0.2):
            inner = "(" + ",".join(f"\n{INDENT}{manager}" for manager in managers) + "\n)"
        return self.suite(f"{prefix} {inner}:", place)

    def match(self, place: Place) -> Lines:
        lines = [f"match {self.value()}:"]
        for pattern in self.random.sample(("0", "1", "0 | 2", "int(n)", "[x, *_]", "None"), 3):
            guard = f" if {self.value()}" if self.chance(0.3) else ""
            lines += indented(self.suite(f"case {pattern}{guard}:", place))
        if self.chance(0.5):
            lines += indented(self.suite("case _:", place))
        return lines

    def inner(self, place: Place) -> Lines:
        """A function or class inside."""
        if self.chance(0.3):
            body = self.random.choice(("pass", f"a = t({self.site()})", "'documented'"))
            return [f"class C{self.site()}: {body}"]
        name = f"f{self.site()}"
        if self.chance(0.4):
            lines = [f"def {name}(): return {self.value()}"]
        else:
            within = Place("def", depth=place.depth + 1)
            lines = [f"def {name}():", *indented(self.block(within))]
        return [*lines, f"a = {name}()"]
