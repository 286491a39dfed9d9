"""Where probes store their hits: attributes of objects, 0 or 1.

Of what was measured on PyPy's JIT (bytearrays, lists, globals, attributes) integers in attributes
of an object that is a constant of the code cost least.  Such objects stay small, so that PyPy keeps
them in its fast form: a code object with many probes has several.

Attributes are set and read by functions that have each of them in its own instruction, which is
several times faster than `setattr` and `getattr` where a JIT hasn't seen them often.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: How many probes share an object; PyPy's fast form ends at 80 attributes.
CHUNK = 64
#: The attributes' names; no identifiers, so that nothing takes them for names of the program.
NAMES = tuple(f"quickcover {number}" for number in range(CHUNK))
#: So many are set or read at once, though there may be fewer probes.
_STEP = 16


class Hits:
    """What some probes of a code object have told: an attribute for each, 0 or 1."""


class Mark:
    """The last constant of instrumented code: the code, or a copy with other flags, is in use.

    All are alike, so that code is equal that was.
    """

    __slots__ = ("__weakref__",)

    def __eq__(self, other: object) -> bool:
        """Is it one, too?"""
        return type(other) is Mark

    def __hash__(self) -> int:
        """Return the same for all."""
        return hash(Mark)


def _for_each(first: str, step: Callable[[list[str]], str], last: str) -> Callable[..., Any]:
    """A function of an object and a number of probes: it takes `step` with `_STEP` attributes each.

    Identifiers stand for the attributes until it is compiled.
    """
    lines = ["def function(hits, probes):", first]
    for number in range(0, CHUNK, _STEP):
        if number:
            lines.append(f"if probes <= {number}: {last}")
        lines.append(step([f"hits.a{number + k}" for k in range(_STEP)]))
    scope: dict[str, Any] = {}
    exec("\n ".join([*lines, last]), scope)
    function: Callable[..., Any] = scope["function"]
    function.__code__ = function.__code__.replace(co_names=NAMES)
    return function


_clear = _for_each("pass", lambda names: "; ".join(f"{name} = 0" for name in names), "return")
_read = _for_each("found = []", lambda names: f"found += {', '.join(names)}", "return found")


def places(probes: int) -> list[Hits]:
    """The objects for so many probes, without any hit."""
    made = [Hits() for _ in range(0, probes, CHUNK)]
    clear(made, probes)
    return made


def clear(made: list[Hits], probes: int) -> None:
    """Forget all hits."""
    for number, hits in enumerate(made):
        _clear(hits, probes - number * CHUNK)


def read(made: list[Hits], probes: int) -> list[int]:
    """A 0 or 1 for each probe."""
    found: list[int] = []
    for hits in made:
        found += _read(hits, probes - len(found))
    return found[:probes]


def erase(made: list[Hits], probe: int) -> None:
    """Forget one hit."""
    setattr(made[probe // CHUNK], NAMES[probe % CHUNK], 0)
