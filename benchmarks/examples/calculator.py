"""The program of the examples: a calculator, in ten functions, for one short line of input."""

from __future__ import annotations

Tree = tuple["str | int | Tree", ...]


class Reader:
    """The text and where we are in it."""

    __slots__ = ("at", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0


def peek(reader: Reader) -> str:
    while reader.at < len(reader.text) and reader.text[reader.at] == " ":
        reader.at += 1
    if reader.at < len(reader.text):
        return reader.text[reader.at]
    return ""


def number(reader: Reader) -> Tree:
    value = 0
    start = reader.at
    while True:
        character = peek(reader)
        if not character.isdigit():
            break
        value = value * 10 + ord(character) - 48
        reader.at += 1
    if reader.at == start:
        raise ValueError("a number was expected")
    return ("number", value)


def factor(reader: Reader) -> Tree:
    character = peek(reader)
    if character == "(":
        reader.at += 1
        inner = total(reader)
        if peek(reader) != ")":
            raise ValueError("a parenthesis was not closed")
        reader.at += 1
        return inner
    if character == "-":
        reader.at += 1
        return ("minus", factor(reader))
    return number(reader)


def product(reader: Reader) -> Tree:
    left = factor(reader)
    while True:
        sign = peek(reader)
        if sign == "*":
            name = "times"
        elif sign == "/":
            name = "over"
        else:
            return left
        reader.at += 1
        left = (name, left, factor(reader))


def total(reader: Reader) -> Tree:
    left = product(reader)
    while True:
        sign = peek(reader)
        if sign == "+":
            name = "plus"
        elif sign == "-":
            name = "less"
        else:
            return left
        reader.at += 1
        left = (name, left, product(reader))


def simple(tree: Tree) -> Tree:
    """The tree without what does nothing."""
    kind = tree[0]
    if kind == "number":
        return tree
    parts = [simple(part) for part in tree[1:]]  # type: ignore[arg-type]
    if kind == "minus" and parts[0][0] == "minus":
        return parts[0][1]  # type: ignore[return-value]
    if kind == "times":
        if parts[0] == ("number", 1):
            return parts[1]
        if parts[1] == ("number", 1):
            return parts[0]
    elif kind in ("plus", "less") and parts[1] == ("number", 0):
        return parts[0]
    return (kind, *parts)


def value(tree: Tree) -> int:
    kind = tree[0]
    if kind == "number":
        return tree[1]  # type: ignore[return-value]
    values = [value(part) for part in tree[1:]]  # type: ignore[arg-type]
    if kind == "minus":
        return -values[0]
    left, right = values
    if kind == "plus":
        return left + right
    if kind == "less":
        return left - right
    if kind == "times":
        return left * right
    if right == 0:
        return 0
    return left // right


def shown(result: int) -> str:
    text = str(abs(result))
    groups = []
    while len(text) > 3:
        groups.append(text[-3:])
        text = text[:-3]
    groups.append(text)
    text = ",".join(reversed(groups))
    if result < 0:
        text = "-" + text
    return text


def calculate(text: str) -> str:
    """The result of one line, or what is wrong with it."""
    reader = Reader(text)
    try:
        tree = total(reader)
        if peek(reader):
            raise ValueError("there is something after the end")
    except ValueError as error:
        return f"error: {error}"
    return shown(value(simple(tree)))


def inputs(count: int) -> list[str]:
    """Lines of input, always the same."""
    state = 1
    lines = []
    for _ in range(count):
        text = ""
        for _ in range(20):
            state = (state * 1_103_515_245 + 12_345) & 0x7FFFFFFF
            text += ("7", "30", "(2+5)", "-1", "1", "0", " 4", "6")[state >> 8 & 7]
            text += "+-*/"[state >> 12 & 3]
        state = (state * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        lines.append(text + ("3", "3", "3", "12)", "3", "3", "3", "")[state >> 8 & 7])
    return lines
