"""What random programs call: helpers that decide, fail, and keep a log of all that happened.

The helpers decide by a random generator of their own, seeded anew for each run, so a program does
the same in each run, measured or not. They are not measured themselves.
"""

from __future__ import annotations

import random
import types
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any

# How many decisions a run may take. After that everything that is asked fails: so programs end.
FUEL = 1500


class E0(Exception):
    """An error of the program."""


class E1(Exception):
    """Another one."""


class E2(E1):
    """A special case of that."""


class Stop(BaseException):
    """The fuel is used up."""


class Manager:
    """A context manager, also an asynchronous one, that may fail and may swallow exceptions."""

    def __init__(self, support: Support, site: int) -> None:
        self.support = support
        self.site = site

    def __enter__(self) -> int:
        return self.support.t(self.site)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        swallow = self.support.decides(0.5) and kind is not None and issubclass(kind, Exception)
        self.support.tell(self.site, "exit", kind and kind.__name__, swallow)
        return swallow

    async def __aenter__(self) -> int:
        await self.support.pause()
        return self.support.t(self.site)

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        await self.support.pause()
        return self.__exit__(kind)


class Support:
    """The helpers of one run."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.fuel = FUEL
        self.danger = self.random.choice((0.002, 0.01, 0.03, 0.08))  # that a touch fails
        self.log: list[tuple[object, ...]] = []
        self.rounds: dict[int, int] = {}

    def names(self) -> dict[str, object]:
        """What the program sees."""
        public = ("t", "r", "w", "m", "run", "poke", "drive", "pause", "each", "group")
        errors = {error.__name__: error for error in (E0, E1, E2)}
        return {**errors, **{name: getattr(self, name) for name in public}}

    def tell(self, *what: object) -> None:
        self.log.append(what)

    def decides(self, probability: float) -> bool:
        self.fuel -= 1
        if self.fuel < 0:
            raise Stop
        return self.random.random() < probability

    def t(self, site: int, *_: object) -> int:
        """Touch: be logged, maybe fail, else return 0, 1 or 2."""
        self.tell(site)
        if self.decides(self.danger):
            raise self.random.choice((E0, E1, E2))(site)
        return self.random.randrange(3)

    def r(self, site: int) -> range:
        """What to iterate over."""
        self.tell(site, "range")
        return range(self.random.randrange(4) if not self.decides(0.1) else 0)

    def w(self, site: int) -> bool:
        """Whether a while loop goes on: it does three times at most."""
        self.rounds[site] = (self.rounds.get(site, 0) + 1) % 4
        return self.rounds[site] != 0 and not self.decides(0.2)

    def m(self, site: int) -> Manager:
        return Manager(self, site)

    def group(self, site: int) -> ExceptionGroup[Exception]:
        kinds = self.random.choices((E0, E1, E2), k=self.random.randrange(1, 3))
        return ExceptionGroup("group", [kind(site) for kind in kinds])

    def run(self, function: Callable[[], Any]) -> Any:
        """Call a function and log how it ends."""
        try:
            result = function()
        except (Exception, Stop) as error:
            self.tell("raised", type(error).__name__, str(error))
            return 0
        self.tell("returned", result if isinstance(result, int | None) else type(result).__name__)
        return result

    def poke(self, generator: Generator[Any, Any, Any]) -> int:
        """Resume a generator some times, in all the ways there are, and leave it alone then."""
        for _ in range(self.random.randrange(5)):
            how = self.random.randrange(6)
            if how == 0:
                generator.throw(self.random.choice((E0, E1))("thrown"))
            elif how == 1:
                generator.close()
            else:
                next(generator, None)
        return self.t(-1)

    def drive(self, coroutine: Any) -> Any:
        """Run a coroutine to its end, throw into it, or close it before."""
        thrown = False
        try:
            while True:
                if not thrown and self.decides(0.05):
                    thrown = True
                    coroutine.throw(E0("thrown"))
                elif self.decides(0.03):
                    coroutine.close()
                    return 0
                coroutine.send(None)
        except StopIteration as stop:
            return stop.value
        finally:
            coroutine.close()

    @types.coroutine
    def _pause(self) -> Generator[int, None, None]:
        if self.decides(0.7):
            yield 1

    def pause(self) -> Awaitable[None]:
        return self._pause()

    async def each(self, site: int) -> AsyncIterator[int]:
        """What to iterate over asynchronously."""
        for i in self.r(site):
            await self.pause()
            yield i
