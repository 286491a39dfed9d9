"""What `install()` did to this process, and how its children learn of it.

`install()` sets an environment variable that child processes inherit.  In those that have it, a
line in `a0_quickcover.pth` calls `inherit()` at their start; that name sorts before coverage.py's
own `a1_coverage.pth`, which may start measuring at once.  Neither imports coverage.py: when it is
not loaded yet, an import hook waits for `coverage.control` and lets the seam in right after it.

This module runs in processes that never measure anything: it imports nothing but `os` and `sys`.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

INSTALL_VARIABLE = "QUICKCOVER_INSTALL"
ENGINE_VARIABLE = "QUICKCOVER_ENGINE"

_TARGET = "coverage.control"


class _State:
    """How many installs are in force, and whether the seam's failure was already told."""

    depth = 0
    warned = False


def active() -> bool:
    """Is an `install()` in force?"""
    return _State.depth > 0


def install() -> None:
    """See `quickcover.install`."""
    _State.depth += 1
    os.environ[INSTALL_VARIABLE] = "1"
    if _TARGET in sys.modules:
        enter()
    elif not any(isinstance(finder, _ControlFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _ControlFinder())


def uninstall() -> None:
    """See `quickcover.uninstall`."""
    if _State.depth == 0:
        return
    _State.depth -= 1
    if _State.depth == 0:
        os.environ.pop(INSTALL_VARIABLE, None)


def inherit() -> None:
    """Install if the environment says so: called at the start of a process by our .pth file."""
    if _State.depth == 0 and os.environ.get(INSTALL_VARIABLE, "") not in ("", "0"):
        install()


def enter() -> Any:
    """Import the seam and put it in place.

    Returns:
        The module `quickcover.coveragepy`, or None, after a warning, if it doesn't work with the
        coverage.py that is there.

    Raises:
        ImportError: it doesn't work, and an engine is forced: that must not be overlooked.
    """
    try:
        from quickcover import coveragepy

        coveragepy.enter()
    except (ImportError, AttributeError) as error:
        problem = f"quickcover doesn't work with this coverage.py: {error}"
        if os.environ.get(ENGINE_VARIABLE):
            raise ImportError(problem) from error
        if not _State.warned:
            import warnings

            _State.warned = True
            warnings.warn(f"{problem}; measuring with coverage.py's own core", stacklevel=3)
        return None
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
            enter()

        loader.exec_module = exec_and_enter
