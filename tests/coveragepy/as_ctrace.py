"""Test-only: quickcover in ctrace's place, so that coverage.py's own tests test us.

Their tests know cores by a fixed table of names.  So, where coverage.py would measure with ctrace,
and only there, this has quickcover measure, with tracers whose class is called CTracer.  A test
that asks for another core (`timid`, `core = pytrace`, a default that isn't ctrace) gets that.

The driver copies this module into a virtual environment's site-packages, beside a .pth file that
calls `enable()` in every process.  It acts if QUICKCOVER_AS_CTRACE is set:

- "default": the engine that quickcover chooses;
- an engine's name: that one where it can do what is asked, else the one that quickcover chooses.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

VARIABLE = "QUICKCOVER_AS_CTRACE"
_TARGET = "coverage.control"


def enable() -> None:
    """Wait for `coverage.control`, if the environment says so."""
    if os.environ.get(VARIABLE):
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Finds nothing, but lets `replace_core()` follow the import of `coverage.control`.

    It stays: some tests import coverage.py again.
    """

    def __init__(self) -> None:
        self._busy = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Have the spec of the other finders, with a loader that calls us when it is done."""
        if fullname != _TARGET or self._busy:
            return None
        from importlib.util import find_spec

        self._busy = True
        try:
            spec = find_spec(fullname)
        finally:
            self._busy = False
        if spec is not None and spec.loader is not None:
            _follow(spec.loader)
        return spec


def _follow(loader: Any) -> None:
    """Call `replace_core()` once `loader` has executed its module."""
    exec_module = loader.exec_module

    def exec_and_replace(module: ModuleType) -> None:
        exec_module(module)
        replace_core(module)

    loader.exec_module = exec_and_replace


def replace_core(control: Any) -> None:
    """Rebind `control.Core`, over quickcover's seam, to one that takes ctrace for quickcover."""
    from coverage.core import Core as StockCore
    from coverage.tracer import CTracer

    from quickcover import _decide, coveragepy

    coveragepy.enter()

    class CoreAsCtrace(coveragepy.Core):
        def __init__(self, **kwargs: Any) -> None:
            stock = StockCore(**kwargs)  # for its choice, with its warnings
            if stock.tracer_class is not CTracer:
                self.__dict__ = stock.__dict__
                self.decision = _decide.Decision(None, problem="ctrace wasn't chosen")
                return
            # A copy: the configuration that tests see, and that children get, stays as it was.
            config = kwargs["config"].copy()
            config.core = _decide.NAME
            _with_engine(super().__init__, {**kwargs, "config": config})
            self.tracer_class.__name__ = "CTracer"

    control.Core = CoreAsCtrace


def _with_engine(initialize: Any, kwargs: dict[str, Any]) -> None:
    """Initialize a Core with the engine that the environment names, if that can do it."""
    from coverage.exceptions import ConfigError

    from quickcover._startup import ENGINE_VARIABLE

    engine = os.environ[VARIABLE]
    if engine != "default":
        os.environ[ENGINE_VARIABLE] = engine
        try:
            initialize(**kwargs)
            return
        except ConfigError:
            pass  # it can't
        finally:
            del os.environ[ENGINE_VARIABLE]
    initialize(**kwargs)
