"""Patterns of lines, with less to search: of several, only those that a text can match.

coverage.py joins all patterns into one.  Some of its own are slow, and can match only where certain
words are.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_PRAGMA = ("pragma", "PRAGMA")
_CONSTANTS = ("True", "1", "False", "0")

#: coverage.py's own, those of earlier releases, too; one of these words is wherever they match.
_NEEDED = {
    r"#\s*(pragma|PRAGMA)[:\s]?\s*(no|NO)\s*(cover|COVER)": _PRAGMA,
    r"#\s*(pragma|PRAGMA)[:\s]?\s*(no|NO)\s*(branch|BRANCH)": _PRAGMA,
    r"^\s*(((async )?def .*?)?\)(\s*->.*?)?:\s*)?\.\.\.\s*(#|$)": ("...",),
    r"^\s*(((async )?def .*?)?[\])]+(\s*->.*?)?:\s*)?\.\.\.\s*(#|$)": ("...",),
    r"if (typing\.)?TYPE_CHECKING:": ("TYPE_CHECKING:",),
    r"^\s*if (typing\.)?TYPE_CHECKING:": ("TYPE_CHECKING:",),
    r"while (True|1|False|0):": tuple(f"while {value}:" for value in _CONSTANTS),
    r"^\s*while (True|1|False|0):": tuple(f"while {value}:" for value in _CONSTANTS),
    r"if (True|1|False|0):": tuple(f"if {value}:" for value in _CONSTANTS),
    r"^\s*if (True|1|False|0):": tuple(f"if {value}:" for value in _CONSTANTS),
}
#: What makes a pattern depend on those before it: groups have numbers.
_NUMBERED = re.compile(r"\(|\\[0-9]")


@lru_cache
def _all_simple(patterns: tuple[str, ...]) -> bool:
    return all(pattern in _NEEDED or not _NUMBERED.search(pattern) for pattern in patterns)


def that_can_match(patterns: Sequence[str], text: str) -> list[str]:
    """Leave out patterns that match nowhere, if the others match the same without them."""
    if not _all_simple(tuple(patterns)):
        return list(patterns)
    return [
        pattern
        for pattern in patterns
        if pattern not in _NEEDED or any(word in text for word in _NEEDED[pattern])
    ]
