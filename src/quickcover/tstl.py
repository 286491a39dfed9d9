"""TSTL on quickcover: the coverage of each test operation, for TSTL's random tester and its kin.

    tstl mine.tstl                                    # TSTL generates sut.py
    python -m quickcover.tstl randomtester --timeout 60

TSTL (1.2.39, https://github.com/agroce/tstl) starts and stops coverage.py around each operation of
a test, and was written for coverage.py 4.5.2.  `adapt` has its generated class use a `Session`, and
nothing else: all of TSTL's views of branches and statements are there.
"""

from __future__ import annotations

import atexit
import importlib
import os
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from quickcover.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

    from quickcover import Example

    Branches = set[tuple[str, tuple[int, int]]]
    Statements = set[tuple[str, int]]
    Views = tuple[Branches, Statements]


class _Coverage:
    """What a generated class has in place of coverage.py's Coverage object.

    A test is one example, with a pause between its operations, so what is hit again in a test costs
    nothing.  How many ids an operation has brought is all that is kept of it at once.  Branches and
    statements are made of them when somebody asks, and at the end of a test with ids that are new.
    """

    _warn_no_data = True  # generated code sets it

    def __init__(self, source: Iterable[str], omit: str) -> None:
        # With nothing named, everything is meant: coverage.py has it so.
        self._session = Session(list(source) or None, branch=True)
        self._session._scope.exclude(omit)
        self._session.__enter__()
        atexit.register(self._session.close)
        self._example: Example | None = None
        #: Begin and end an operation; another time does nothing.
        self.start: Callable[[], None] = self._begin
        self.stop: Callable[[], None] = _nothing
        self._now = 0
        self.reset()

    def reset(self) -> None:
        """Forget everything: all that was seen before can be new again."""
        self._end()
        self._ids: set[int] = set()
        self._all: Views = (set(), set())
        self.clean()

    def clean(self) -> None:
        """Begin a test."""
        if self._example is not None:
            self._take_in(self._now)
        self._end()
        self._before = self._now = 0  # how many ids there were before the last operation, and now
        self._taken = 0  # so many of them are in the views of all that was covered
        self._new: Views = (set(), set())
        self._new_from = 0
        self._new_current: Views = (set(), set())
        self._current: Views = (set(), set())
        self._current_at = 0

    def _begin(self) -> None:
        """The first operation of a test begins."""
        example = self._session.example()
        example.__enter__()
        self._example, self.start, self.stop = example, example._resume, example._pause

    def _end(self) -> None:
        """The test is over, if there was one."""
        example, self._example = self._example, None
        self.start, self.stop = self._begin, _nothing
        if example is not None:
            example.__exit__(None, None, None)

    def update(self, extendCov: bool = False) -> None:
        """An operation is over; `extendCov`: it belongs to the one before."""
        if not extendCov:
            self._before = self._now
        if self._example is not None:
            self._now = self._example._logged

    def _take_in(self, until: int, *more: Views) -> None:
        """Add what the first ids of this test cover to all, and what of that is new to `more`."""
        taken, self._taken = self._taken, until
        if self._example is None or taken >= until:
            return
        ids = self._example._so_far(until)[taken:]
        if self._ids.issuperset(ids):
            return
        self._ids.update(ids)
        branches, statements = _covered(self._example, until)
        branches -= self._all[0]
        statements -= self._all[1]
        for view in (self._all, self._new_current, *more):
            view[0].update(branches)
            view[1].update(statements)

    def all(self) -> Views:
        """What was covered since the last reset."""
        if self._new_from != self._before:
            self._new_from = self._before
            self._new = (set(), set())
        self._take_in(max(self._before, self._taken))
        self._take_in(self._now, self._new)
        return self._all

    def new(self) -> Views:
        """What the last operation was the first to cover."""
        self.all()
        return self._new

    def new_current(self) -> Views:
        """What this test was the first to cover."""
        self.all()
        return self._new_current

    def current(self) -> Views:
        """What this test has covered."""
        if self._example is not None and self._current_at != self._now:
            self._current_at = self._now
            branches, statements = _covered(self._example, self._now)
            self._current[0].update(branches)
            self._current[1].update(statements)
        return self._current

    def reporter(self) -> Any:
        """coverage.py's Coverage object with all that was covered."""
        from quickcover import coveragepy_report

        arcs: dict[str, list[tuple[int, int]]] = {}
        for file, arc in self.all()[0]:
            arcs.setdefault(file, []).append(arc)
        return coveragepy_report.measured(arcs)


def _nothing() -> None:
    """There is nothing to stop."""


def _covered(example: Example, count: int) -> Views:
    """The branches and statements of the first ids, as TSTL has them."""
    lines, arcs = example._covered(count)
    return {(file, (start, end)) for file, start, end in arcs}, lines


def adapt(module: ModuleType, name: str = "sut") -> None:
    """Have a class that TSTL generated collect coverage through quickcover.

    To be called before the class is used; there can be one object of it at a time.

    Args:
        module: the generated module, `sut`.
        name: the class in it.

    Raises:
        AttributeError: there is no such class, or it was generated without coverage (--noCover).
    """
    cls = getattr(module, name)
    attribute = f"_{name}__cov"
    update = f"_{name}__updateCov"
    getattr(cls, update)  # is it one that collects coverage?

    def of(self: Any) -> _Coverage:
        coverage: _Coverage = getattr(self, attribute)
        return coverage

    def report(self: Any, filename: str) -> float:
        with open(filename, "w", encoding="utf-8") as file:
            return float(of(self).reporter().report(file=file, show_missing=True))

    def html(self: Any, directory: str) -> float:
        title = "TSTL Coverage Report"
        return float(of(self).reporter().html_report(directory=directory, title=title))

    methods: dict[str, Callable[..., Any]] = {
        "allBranches": lambda self: of(self).all()[0],
        "allStatements": lambda self: of(self).all()[1],
        "currBranches": lambda self: of(self).current()[0],
        "currStatements": lambda self: of(self).current()[1],
        "newBranches": lambda self: of(self).new()[0],
        "newStatements": lambda self: of(self).new()[1],
        "newCurrBranches": lambda self: of(self).new_current()[0],
        "newCurrStatements": lambda self: of(self).new_current()[1],
        "cleanCov": lambda self: of(self).clean(),
        "resetCov": lambda self: of(self).reset(),
        "report": report,
        "htmlReport": html,
        "internalReport": lambda self: print(
            f"TSTL BRANCH COUNT: {len(of(self).all()[0])}\n"
            f"TSTL STATEMENT COUNT: {len(of(self).all()[1])}"
        ),
    }
    for method, function in methods.items():
        setattr(cls, method, function)

    def make(source: Iterable[str], omit: str, **_options: Any) -> _Coverage:
        coverage = _Coverage(source, omit)
        setattr(cls, update, coverage.update)  # bound: called after every operation
        return coverage

    # In place of the module `coverage`.
    vars(module)["coverage"] = SimpleNamespace(coverage=make)


def main() -> None:
    """Run one of TSTL's tools, by its module's name, on the `sut` of the working directory."""
    if len(sys.argv) < 2:
        sys.exit("usage: python -m quickcover.tstl TOOL [OPTIONS], as in randomtester --timeout 60")
    tool = sys.argv.pop(1)
    sys.path.insert(0, os.getcwd())
    if "--help" not in sys.argv:
        adapt(importlib.import_module("sut"))
    importlib.import_module(f"tstl.{tool}").main()


if __name__ == "__main__":
    main()
