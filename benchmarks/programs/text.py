"""Text handled character by character: a tokeniser, word counts, wrapping, a table reader."""

from __future__ import annotations

import sys

DEFAULT_N = 1_000
WORDS = 900
SYLLABLES = ("ka", "lo", "mi", "ra", "ten", "sul", "ver", "no", "chi", "dam")
MARKS = ".,;:!?"


def make_text(seed: int) -> str:
    """Made-up prose, with numbers, marks and quoted parts in it."""
    state = seed
    parts: list[str] = []
    for position in range(WORDS):
        state = (state * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        value = state >> 8
        if value % 23 == 0:
            word = str(value % 5_000)
        else:
            word = SYLLABLES[value % 10] + SYLLABLES[value // 10 % 10]
            if value % 3 == 0:
                word += SYLLABLES[value // 100 % 10]
        if position % 11 == 10:
            word = f'"{word}, {word}"'
        if value % 7 == 0:
            word += MARKS[value % len(MARKS)]
        parts.append(word)
    return " ".join(parts)


def tokens(text: str) -> list[tuple[str, str]]:
    """Split into words, numbers, marks and quoted strings."""
    result: list[tuple[str, str]] = []
    position = 0
    end = len(text)
    while position < end:
        char = text[position]
        start = position
        if char.isspace():
            position += 1
            continue
        if char.isalpha():
            while position < end and text[position].isalpha():
                position += 1
            result.append(("word", text[start:position]))
        elif char.isdigit():
            while position < end and text[position].isdigit():
                position += 1
            result.append(("number", text[start:position]))
        elif char == '"':
            position = text.find('"', position + 1) + 1
            if position == 0:
                raise ValueError("a quote is not closed")
            result.append(("string", text[start:position]))
        else:
            position += 1
            result.append(("mark", char))
    return result


def frequencies(found: list[tuple[str, str]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for kind, value in found:
        if kind != "word":
            continue
        key = value.lower()
        if key in counts:
            counts[key] += 1
        else:
            counts[key] = 1
    return counts


def wrap(text: str, width: int) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in text.split():
        if not line:
            line = word
        elif len(line) + 1 + len(word) <= width:
            line += " " + word
        else:
            lines.append(line)
            line = word
    if line:
        lines.append(line)
    return lines


def read_row(line: str) -> list[str]:
    """One row of comma-separated fields, some of them quoted."""
    fields: list[str] = []
    field: list[str] = []
    quoted = False
    for char in line:
        if quoted:
            if char == '"':
                quoted = False
            else:
                field.append(char)
        elif char == '"':
            quoted = True
        elif char == ",":
            fields.append("".join(field).strip())
            field.clear()
        else:
            field.append(char)
    fields.append("".join(field).strip())
    return fields


def distance(first: str, second: str) -> int:
    """The edit distance of two words."""
    previous = list(range(len(second) + 1))
    for row, a in enumerate(first, 1):
        current = [row]
        for column, b in enumerate(second, 1):
            cost = previous[column - 1]
            if a != b:
                cost += 1
            if previous[column] < cost:
                cost = previous[column] + 1
            if current[-1] < cost:
                cost = current[-1] + 1
            current.append(cost)
        previous = current
    return previous[-1]


def run(n: int) -> int:
    """Make and take apart `n` texts."""
    total = 0
    for seed in range(n):
        text = make_text(seed)
        found = tokens(text)
        counts = frequencies(found)
        ranking = sorted(counts, key=lambda word: (-counts[word], word))
        for first, second in zip(ranking[:25], ranking[1:26], strict=True):
            total += distance(first, second)
        for line in wrap(text, 60):
            total += len(read_row(line)) * len(line)
        total = (total * 31 + len(found) + counts[ranking[0]]) & 0xFFFFFFFF
    return total


def main(argv: list[str]) -> None:
    """Handle N texts and print the checksum."""
    print(run(int(argv[1]) if len(argv) > 1 else DEFAULT_N))


if __name__ == "__main__":
    main(sys.argv)
