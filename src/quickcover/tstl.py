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
from typing import TYPE_CHECKING, Any

from quickcover.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

    from quickcover import Example

    Branches = set[tuple[str, tuple[int, int]]]
    Statements = set[tuple[str, int]]


class _Coverage:
    """What a generated class has in place of coverage.py's Coverage object.

    `current` is what a test has covered since its beginning, `new` what the last operation was the
    first to cover, `new_current` what the test was.
    """

    _warn_no_data = True  # generated code sets it

    def __init__(self, source: Iterable[str], omit: str) -> None:
        # With nothing named, everything is meant: coverage.py has it so.
        self._session = Session(list(source) or None, branch=True)
        self._session._scope.exclude(omit)
        self._session.__enter__()
        atexit.register(self._session.close)
        self._example: Example | None = None
        self.reset()

    def reset(self) -> None:
        """Forget everything: all that was seen before can be new again."""
        self._again = self._session._seen_count > 0
        self.all_branches: Branches = set()
        self.all_statements: Statements = set()
        self.clean()

    def clean(self) -> None:
        """Begin a test."""
        self._told: list[Example] = []
        self._current: tuple[Branches, Statements] = (set(), set())
        self.new_branches: Branches = set()
        self.new_statements: Statements = set()
        self.new_current_branches: Branches = set()
        self.new_current_statements: Statements = set()

    def start(self) -> None:
        """Begin an operation."""
        if self._example is None:
            self._example = self._session.example()
            self._example.__enter__()

    def stop(self) -> None:
        """End an operation."""
        example, self._example = self._example, None
        if example is not None:
            example.__exit__(None, None, None)
            self._told.append(example)

    def update(self, extend: bool) -> None:
        """Take in what the last operation covered."""
        if not extend:
            self.new_branches, self.new_statements = set(), set()
        if self._told and (self._told[-1].new or self._again):
            branches, statements = _covered(self._told[-1])
            branches -= self.all_branches
            statements -= self.all_statements
            self.all_branches |= branches
            self.all_statements |= statements
            self.new_branches |= branches
            self.new_statements |= statements
            self.new_current_branches |= branches
            self.new_current_statements |= statements

    def current(self) -> tuple[Branches, Statements]:
        """All branches and statements of this test; worked out when somebody asks."""
        branches, statements = self._current
        different = {bytes(example.ids): example for example in self._told}
        self._told = []
        for example in different.values():
            more_branches, more_statements = _covered(example)
            branches |= more_branches
            statements |= more_statements
        return self._current

    def reporter(self) -> Any:
        """coverage.py's Coverage object with all that was covered."""
        from quickcover import coveragepy

        arcs: dict[str, list[tuple[int, int]]] = {}
        for file, arc in self.all_branches:
            arcs.setdefault(file, []).append(arc)
        return coveragepy.measured(arcs)


def _covered(example: Example) -> tuple[Branches, Statements]:
    """The branches and statements of an operation, as TSTL has them."""
    return {(file, (start, end)) for file, start, end in example.arcs()}, example.lines()


class _Module:
    """What a generated module has in place of the module `coverage`."""

    @staticmethod
    def coverage(source: Iterable[str], omit: str, **_options: Any) -> _Coverage:
        """Make what stands for a Coverage object."""
        return _Coverage(source, omit)


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
        update: lambda self, extendCov=False: of(self).update(extendCov),
        "allBranches": lambda self: of(self).all_branches,
        "allStatements": lambda self: of(self).all_statements,
        "currBranches": lambda self: of(self).current()[0],
        "currStatements": lambda self: of(self).current()[1],
        "newBranches": lambda self: of(self).new_branches,
        "newStatements": lambda self: of(self).new_statements,
        "newCurrBranches": lambda self: of(self).new_current_branches,
        "newCurrStatements": lambda self: of(self).new_current_statements,
        "cleanCov": lambda self: of(self).clean(),
        "resetCov": lambda self: of(self).reset(),
        "report": report,
        "htmlReport": html,
        "internalReport": lambda self: print(
            f"TSTL BRANCH COUNT: {len(of(self).all_branches)}\n"
            f"TSTL STATEMENT COUNT: {len(of(self).all_statements)}"
        ),
    }
    for method, function in methods.items():
        setattr(cls, method, function)
    vars(module)["coverage"] = _Module


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
