"""Fixtures: code that is measured by the probe engine without coverage.py."""

from __future__ import annotations

import textwrap
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

_native = pytest.importorskip("quickcover._native")
if "probe" not in _native.ENGINES:
    pytest.skip("there are no probes for this Python", allow_module_level=True)

FILE = "<probed>"


@dataclass
class _Disposition:
    trace: bool
    source_filename: str
    file_tracer: None = None
    has_dynamic_filename: bool = False


@dataclass
class Prober:
    """A running ProbeTracer that measures the file `FILE` alone."""

    store: Any = field(default_factory=lambda: _native.Store(branch=True))
    tracer: Any = field(default_factory=_native.ProbeTracer)

    def start(self) -> None:
        self.tracer.data = self.store
        self.tracer.should_trace = lambda name, frame: _Disposition(name == FILE, name)
        self.tracer.should_trace_cache = {}
        self.tracer.start()

    def stop(self) -> None:
        self.tracer.stop()

    def arcs(self) -> set[tuple[int, int]]:
        """The arcs that are new since the last call."""
        error = self.store.take_error()
        if error is not None:
            raise error
        return set(self.store.drain().get(FILE, ()))

    def lines(self) -> set[int]:
        """The lines that are new since the last call."""
        return {line for arc in self.arcs() for line in arc if line > 0}


@pytest.fixture
def prober() -> Iterator[Prober]:
    prober = Prober()
    prober.start()
    yield prober
    prober.stop()


@pytest.fixture
def evaluators() -> Iterator[Any]:
    """What sets frame evaluators, as another tool may; CPython's own is there again at the end."""
    internal = pytest.importorskip("_testinternalcapi")
    if not hasattr(internal, "set_eval_frame_record"):
        pytest.skip("it can't be asked for here")
    yield internal
    internal.set_eval_frame_default()


Load = Callable[[str], types.SimpleNamespace]


@pytest.fixture
def load() -> Load:
    """Runs the source of a module and gives its names."""

    def load(source: str) -> types.SimpleNamespace:
        names: dict[str, Any] = {"__name__": "probed"}
        exec(compile(textwrap.dedent(source).lstrip("\n"), FILE, "exec"), names)
        return types.SimpleNamespace(**names)

    return load


def probes_of(code: types.CodeType) -> int:
    """How many units of the code differ from what they show: probes that are armed."""
    return _native._armed(code)  # type: ignore[no-any-return]
