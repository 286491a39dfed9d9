"""Coverage-guided Hypothesis: test cases out of those that covered something new.

    session = quickcover.Session(["mypkg"], branch=True)
    quickcover.hypothesis.register(session)

    @settings(backend="quickcover", max_examples=10_000)
    @given(st.text())
    def test_parse(text): ...

    with session:
        test_parse()

It is a `PrimitiveProvider`, the interface that Hypothesis has for other ways to make test cases
(https://hypothesis.readthedocs.io/en/latest/extensions.html#alternative-backends), tested with
Hypothesis 6.170.  Replaying, shrinking, the database and reporting stay Hypothesis's own.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis.control import current_build_context
from hypothesis.internal.conjecture.choice import choice_permitted
from hypothesis.internal.conjecture.data import draw_choice
from hypothesis.internal.conjecture.providers import (
    AVAILABLE_PROVIDERS,
    COLLECTION_DEFAULT_MAX_SIZE,
    PrimitiveProvider,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hypothesis.internal.intervalsets import IntervalSet

    from quickcover.session import Session

    Choice = bool | int | float | str | bytes

__all__ = ["GuidedProvider", "register"]

#: How many of the test cases are made from nothing, as Hypothesis would.
_FRESH = 0.1
#: How many of the others have a piece of their choices left out, repeated or exchanged.
_PIECES = 0.3
_TYPES = {"boolean": bool, "integer": int, "float": float, "string": str, "bytes": bytes}


def register(session: Session, name: str = "quickcover") -> None:
    """Make a backend of Hypothesis, for `settings(backend=name)`.

    Args:
        session: measures the test cases.  It has to be open while tests with this backend run:
            else they fail with a SessionError in an exception group.
        name: what the backend is called; one of that name is replaced.
    """
    AVAILABLE_PROVIDERS[name] = type(
        "RegisteredProvider", (GuidedProvider,), {"session": session, "__module__": __name__}
    )


class GuidedProvider(PrimitiveProvider):
    """Makes the test cases of one test, out of those that covered something new.

    To Hypothesis a test case is a list of choices.  The lists of those that covered what no earlier
    one of the test had are kept; most test cases are one of these lists with some choices changed.
    A subclass has the session as an attribute (`register` makes one).
    """

    session: ClassVar[Session]

    def __init__(self, conjecturedata: Any = None, /) -> None:
        super().__init__(conjecturedata)
        self._random = Random()
        self._seen: set[int] = set()
        self._corpus: list[list[Choice]] = []
        self._planned: list[Choice] = []
        self._changed: set[int] = set()
        self._made: list[Choice] = []

    @contextmanager
    def per_test_case_context_manager(self) -> Iterator[None]:
        """Measure a test case, and keep its choices if it covers something new.

        Raises:
            SessionError: the session isn't open, test cases run side by side in threads, or
                measuring failed.
        """
        # Hypothesis's own, so that its seeds hold for us.
        self._random = current_build_context().data._random or self._random
        self._plan()
        example = self.session.example()
        example.__enter__()
        try:
            yield
        finally:
            example.__exit__(None, None, None)
            if not self._seen.issuperset(example.ids):
                self._seen.update(example.ids)
                self._corpus.append(self._made)

    def _plan(self) -> None:
        """Take a list of choices that was kept, and decide where it will be changed."""
        random = self._random
        self._made, self._planned, self._changed = [], [], set()
        if not self._corpus or random.random() < _FRESH:
            return
        # Newer lists more often: they got further.
        newest = max(random.randrange(len(self._corpus)) for _ in range(2))
        planned = list(self._corpus[newest])
        if random.random() < _PIECES:
            other = random.choice([[], planned, random.choice(self._corpus)])
            planned[_piece(planned, random)] = other[_piece(other, random)]
        if planned:
            count = min(len(planned), 1 + int(random.expovariate(1)))
            self._changed = set(random.sample(range(len(planned)), count))
        self._planned = planned

    def _draw(self, kind: Any, constraints: Any) -> Any:
        """The next choice: as planned, changed a little, or from nothing."""
        at = len(self._made)
        choice: Any = self._planned[at] if at < len(self._planned) else None
        fits = type(choice) is _TYPES[kind]
        if fits and at in self._changed:
            fresh = draw_choice(kind, constraints, random=self._random)
            choice = _changed(choice, fresh, self._random)
        if not fits or not choice_permitted(choice, constraints):
            choice = draw_choice(kind, constraints, random=self._random)
        self._made.append(choice)
        return choice

    def draw_boolean(self, p: float = 0.5) -> bool:
        """See PrimitiveProvider, as for the others."""
        return bool(self._draw("boolean", {"p": p}))

    def draw_integer(
        self,
        min_value: int | None = None,
        max_value: int | None = None,
        *,
        weights: dict[int, float] | None = None,
        shrink_towards: int = 0,
    ) -> int:
        constraints = {
            "min_value": min_value,
            "max_value": max_value,
            "weights": weights,
            "shrink_towards": shrink_towards,
        }
        return int(self._draw("integer", constraints))

    def draw_float(
        self,
        *,
        min_value: float = -math.inf,
        max_value: float = math.inf,
        allow_nan: bool = True,
        smallest_nonzero_magnitude: float,
    ) -> float:
        constraints = {
            "min_value": min_value,
            "max_value": max_value,
            "allow_nan": allow_nan,
            "smallest_nonzero_magnitude": smallest_nonzero_magnitude,
        }
        return float(self._draw("float", constraints))

    def draw_string(
        self,
        intervals: IntervalSet,
        *,
        min_size: int = 0,
        max_size: int = COLLECTION_DEFAULT_MAX_SIZE,
    ) -> str:
        constraints = {"intervals": intervals, "min_size": min_size, "max_size": max_size}
        return str(self._draw("string", constraints))

    def draw_bytes(self, min_size: int = 0, max_size: int = COLLECTION_DEFAULT_MAX_SIZE) -> bytes:
        return bytes(self._draw("bytes", {"min_size": min_size, "max_size": max_size}))


def _piece(choices: Sequence[Any], random: Random) -> slice:
    """Where some of them are, in a row; mostly one or two."""
    start = random.randint(0, len(choices))
    return slice(start, start + 1 + int(random.expovariate(1)))


def _changed(old: Any, fresh: Any, random: Random) -> Any:
    """A choice near the old one; or the fresh one."""
    if isinstance(old, str | bytes):
        for _ in range(1 + int(random.expovariate(1))):
            cut, new = _piece(old, random), fresh[_piece(fresh, random)]
            what = random.random()
            if what < 0.6:  # exchange, and what follows stays where it is
                cut = slice(cut.start, cut.start + len(new))
            elif what < 0.8:  # insert
                cut = slice(cut.start, cut.start)
            else:  # leave out
                new = new[:0]
            old = old[: cut.start] + new + old[cut.stop :]
        return old
    if type(old) is int and random.random() < 0.5:
        return old + random.choice([-1, 1]) * random.randint(1, 8)
    return fresh
