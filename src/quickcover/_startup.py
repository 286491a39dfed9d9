"""What `install()` did to this process, and how its children learn of it.

`install()` sets an environment variable that child processes inherit.  In those that have it, a
line in `a0_quickcover.pth` calls `inherit()` at their start; that name sorts before coverage.py's
own `a1_coverage.pth`, which may start measuring at once.  Neither imports coverage.py: when it is
not loaded yet, an import hook waits for `coverage.control` and lets the seam in right after it.

A process that can be measured without coverage.py (`_child.py`) begins in `inherit()`, too.
coverage.py's variable is out of the environment then until `after_coverage()`, which a line in
`a2_quickcover.pth` calls: `a1_coverage.pth`, between the two, finds nothing to do.

This module runs in processes that never measure anything: it imports nothing but `os` and `sys`.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # importing typing takes longer than all of this
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

INSTALL_VARIABLE = "QUICKCOVER_INSTALL"
ENGINE_VARIABLE = "QUICKCOVER_ENGINE"
CHILD_VARIABLE = "QUICKCOVER_CHILD"
#: coverage.py's: the configuration of a process that `patch = subprocess` measures.
CONFIG_VARIABLE = "COVERAGE_PROCESS_CONFIG"

_TARGET = "coverage.control"
_SEAM = "quickcover.coveragepy"


class State:
    """What this process has of us."""

    depth = 0
    warned = False
    #: What measures this process without coverage.py; a `_child.Child`.
    child: Any = None
    #: A `_quickrun.Command` that is to be kept for its next run.
    command: Any = None
    #: coverage.py's variable, while it is not in the environment.
    hidden = ""


def active() -> bool:
    """Is an `install()` in force?"""
    return State.depth > 0


def install() -> None:
    """See `quickcover.install`."""
    State.depth += 1
    os.environ[INSTALL_VARIABLE] = "1"
    if _TARGET in sys.modules:
        enter()
    else:
        _wait()


def _wait() -> None:
    """Have an eye on the import of coverage.py."""
    if not any(isinstance(finder, _ControlFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _ControlFinder())


def uninstall() -> None:
    """See `quickcover.uninstall`."""
    if State.depth == 0:
        return
    State.depth -= 1
    if State.depth == 0:
        os.environ.pop(INSTALL_VARIABLE, None)


def inherit() -> None:
    """Do as the environment says: called at the start of a process by our .pth file."""
    if CHILD_VARIABLE in os.environ and _TARGET not in sys.modules:
        _begin_child()
    if State.depth == 0 and os.environ.get(INSTALL_VARIABLE, "") not in ("", "0"):
        install()


def _begin_child() -> None:
    """Measure this process without coverage.py, if that is possible.

    This may be called twice: some environments have their .pth files executed twice.
    """
    if State.child is None:
        try:
            from quickcover import _child

            State.child = _child.start(os.environ[CHILD_VARIABLE])
        except Exception:  # coverage.py measures then, or says what is wrong
            return
    if State.child is not None and CONFIG_VARIABLE in os.environ:
        State.hidden = os.environ.pop(CONFIG_VARIABLE)
        _wait()


def after_coverage() -> None:
    """Give children coverage.py's variable again: called by our second .pth file."""
    if State.hidden:
        os.environ[CONFIG_VARIABLE] = State.hidden
        State.hidden = ""


def _start_coverage() -> None:
    """Let coverage.py, which the program has just imported, measure on."""
    child = State.child
    if child is not None:
        after_coverage()
        try:
            child.take_over(sys.modules[_TARGET])
        finally:
            State.child = None


class Begun:
    """What coverage.py takes over from a process that was measured without it."""

    def __init__(self, store: Any, tracers: list[Any]) -> None:
        #: A `_native.Store`.
        self.store = store
        #: Those that run.
        self.tracers = tracers
        #: Contexts, each with what was drained: by file, packed.
        self.recorded: list[tuple[str | None, Any]] = []


def hand_over(tracer: str, branch: bool) -> Begun | None:
    """What coverage.py takes over.

    Args:
        tracer: the name of the tracer's class that it would start.
        branch: whether with branches.

    Returns:
        None if there is nothing to take over.
    """
    found: Begun | None = None
    if State.child is not None:
        found = State.child.hand_over(tracer, branch)
    return found


def enter() -> Any:
    """Import the seam and put it in place.

    Returns:
        The module `quickcover.coveragepy`, or None, after a warning, if it doesn't work with the
        coverage.py that is there.

    Raises:
        ImportError: it doesn't work, and an engine is forced: that must not be overlooked.
    """
    try:
        return seam()
    except (ImportError, AttributeError) as error:
        problem = f"quickcover doesn't work with this coverage.py: {error}"
        if os.environ.get(ENGINE_VARIABLE):
            raise ImportError(problem) from error
        if not State.warned:
            import warnings

            State.warned = True
            warnings.warn(f"{problem}; measuring with coverage.py's own core", stacklevel=3)
        return None


def seam() -> Any:
    """Import the seam and put it in place.

    Returns:
        The module `quickcover.coveragepy`.

    Raises:
        ImportError, AttributeError: it doesn't work with the coverage.py that is there.
    """
    from quickcover import coveragepy

    coveragepy.enter()
    return coveragepy


class _ControlFinder:
    """A meta path finder that waits for the import of `coverage.control`, then leaves."""

    _searching = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Let the other finders find it; have the seam put in place when it was executed."""
        if fullname != _TARGET or self._searching:
            return None
        self._searching = True
        try:
            found = (finder.find_spec(fullname, path, target) for finder in sys.meta_path)
            spec = next((spec for spec in found if spec is not None), None)
        finally:
            self._searching = False
        if spec is not None and spec.loader is not None:
            self._enter_after(spec.loader)
        return spec

    def _enter_after(self, loader: Any) -> None:
        """Call `enter()` once `loader` has executed its module; looking for it isn't enough."""
        exec_module = loader.exec_module

        def exec_and_enter(module: ModuleType) -> None:
            del loader.exec_module  # only this instance's: the class's method shows again
            exec_module(module)
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            seam = sys.modules.get(_SEAM)
            if seam is None or hasattr(seam, "enter"):  # else it is what imports coverage.py
                enter()
                _start_coverage()

        loader.exec_module = exec_and_enter
