"""What the Collector stores, with every engine: nothing lost, nothing twice, errors told."""

from __future__ import annotations

import importlib
import os
import runpy
import sys
import threading
import uuid
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import coverage
import pytest
from coverage.collector import Collector
from coverage.exceptions import CoverageWarning
from coverage.inorout import InOrOut

import quickcover
from quickcover import _engines, _env
from quickcover._paths import AbsFile

from ..conftest import COMMON
from .programs import PARTIAL, write

Make = Callable[..., coverage.Coverage]


@pytest.fixture
def make(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Make a Coverage object that measures `tmp_path` with the engine at hand."""
    monkeypatch.chdir(tmp_path)

    def init(reg: Any) -> None:
        quickcover.coverage_init(reg, {"engine": engine})

    def make(**kwargs: Any) -> coverage.Coverage:
        options = {"config_file": False, "include": [f"{tmp_path}/*"], **kwargs}
        return coverage.Coverage(plugins=[init], **options)

    return make


def lines(cov: coverage.Coverage, name: str) -> list[int]:
    return sorted(cov.get_data().lines(str(Path(name).resolve())) or [])


def test_lines(make: Make, tmp_path: Path) -> None:
    write(tmp_path, partial=PARTIAL)
    cov = make()
    with cov.collect():
        runpy.run_path("partial.py")
    assert lines(cov, "partial.py") == [1, 2, 3, 7, 8, 9]


def test_data_is_stored_once(make: Make, tmp_path: Path) -> None:
    write(tmp_path, partial=PARTIAL)
    cov = make()
    with cov.collect():
        runpy.run_path("partial.py")
    collector = cov._collector
    assert collector is not None
    assert collector.flush_data()
    assert not collector.flush_data()


def test_flush_while_measuring(make: Make, tmp_path: Path) -> None:
    write(tmp_path, first="a = 1\n", second="b = 1\nc = 2\n")
    cov = make()
    with cov.collect():
        runpy.run_path("first.py")
        assert lines(cov, "first.py") == [1]
        runpy.run_path("second.py")
    assert lines(cov, "first.py") == [1]
    assert lines(cov, "second.py") == [1, 2]


def test_start_again_sees_everything_again(make: Make, tmp_path: Path) -> None:
    write(tmp_path, program="def f():\n    return 1\n")
    f = runpy.run_path("program.py")["f"]
    scope: dict[str, Any] = {}
    exec(compile(Path("program.py").read_text(), str(tmp_path / "program.py"), "exec"), scope)
    f = scope["f"]
    for _ in range(2):
        cov = make(data_file=None)
        with cov.collect():
            f()
        assert lines(cov, "program.py") == [2]


def test_erase_forgets(make: Make, tmp_path: Path) -> None:
    write(tmp_path, first="a = 1\n", second="b = 1\n")
    cov = make()
    with cov.collect():
        runpy.run_path("first.py")
    cov.erase()
    with cov.collect():
        runpy.run_path("second.py")
    assert lines(cov, "first.py") == []
    assert lines(cov, "second.py") == [1]


def test_erase_while_measuring_stops_the_tracers(make: Make) -> None:
    cov = make()
    cov.start()
    assert cov._collector is not None
    tracers = cov._collector.tracers
    cov.erase()
    assert tracers
    assert cov._collector.tracers == []
    cov.stop()


def test_nested(make: Make, tmp_path: Path) -> None:
    write(tmp_path, outer="a = 1\n", inner="b = 1\n", again="c = 1\n")
    outer, inner = make(data_file=None), make(data_file=None)
    with outer.collect():
        runpy.run_path("outer.py")
        with inner.collect():
            runpy.run_path("inner.py")
        runpy.run_path("again.py")
    assert [lines(outer, f"{name}.py") for name in ("outer", "inner", "again")] == [[1], [], [1]]
    assert [lines(inner, f"{name}.py") for name in ("outer", "inner", "again")] == [[], [1], []]


def test_switch_context(make: Make, tmp_path: Path) -> None:
    write(tmp_path, program="def f(x):\n    if x:\n        return 1\n    return 2\n")
    cov = make(context="static")
    with cov.collect():
        scope = runpy.run_path("program.py")
        for name, value in (("one", 1), ("two", 0), ("three", 1)):
            cov.switch_context(name)
            scope["f"](value)
    contexts = cov.get_data().contexts_by_lineno(str(tmp_path / "program.py"))
    by_line = {line: sorted(names) for line, names in contexts.items()}
    assert by_line == {
        1: ["static"],
        2: ["static|one", "static|three", "static|two"],
        3: ["static|one", "static|three"],
        4: ["static|two"],
    }


def test_switch_context_loses_nothing_of_other_threads(make: Make, tmp_path: Path) -> None:
    count = 200
    body = "".join(f"def f{i}():\n    return {i}\n" for i in range(count))
    write(tmp_path, program=body)
    cov = make()
    with cov.collect():
        scope = runpy.run_path("program.py")
        thread = threading.Thread(target=lambda: [scope[f"f{i}"]() for i in range(count)])
        thread.start()
        number = 0
        while thread.is_alive():
            cov.switch_context(f"c{number}")
            number += 1
        thread.join()
    assert lines(cov, "program.py") == list(range(1, 2 * count + 1))


def test_threads(make: Make, tmp_path: Path) -> None:
    write(tmp_path, program="def f():\n    return 1\n")
    cov = make()
    with cov.collect():
        scope = runpy.run_path("program.py")
        thread = threading.Thread(target=scope["f"])
        thread.start()
        thread.join()
    assert lines(cov, "program.py") == [1, 2]


def test_what_other_threads_decide_is_kept(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    start = Collector._start_tracer
    started: list[str] = []  # stays empty with engines that need no tracer in each thread

    def start_and_decide(self: Collector) -> Any:
        function = start(self)
        name = f"/not measured/{len(started)}.py"
        if threading.current_thread() is not threading.main_thread():
            self.should_trace_cache[name] = self.should_trace(name, sys._getframe())
            started.append(name)
        return function

    monkeypatch.setattr(Collector, "_start_tracer", start_and_decide)
    cov = make(data_file=None)
    with cov.collect():
        for _ in range(2):
            thread = threading.Thread(target=os.getpid)
            thread.start()
            thread.join()
        assert cov._collector is not None
        assert set(started) <= set(cov._collector.should_trace_cache)


def test_relative_files(make: Make, tmp_path: Path) -> None:
    write(tmp_path, program="a = 1\n")
    cov = make()
    cov.set_option("run:relative_files", True)
    with cov.collect():
        runpy.run_path("program.py")
    assert cov.get_data().measured_files() == {"program.py"}


def test_unexecuted_files_get_their_real_names(make: Make, tmp_path: Path) -> None:
    write(tmp_path, program="a = 1\n", other="b = 1\n")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "linked.py").symlink_to(tmp_path / "other.py")
    cov = make(include=None, source=["."])
    with cov.collect():
        runpy.run_path("program.py")
    assert isinstance(cov._file_mapper, AbsFile)
    names = {Path(name).name for name in cov.get_data().measured_files()}
    assert names == {"program.py", "other.py"}


def test_no_activity(make: Make) -> None:
    cov = make()
    cov._init()
    cov._init_for_start()
    assert cov._collector is not None
    assert not cov._collector.flush_data()


def test_our_own_files_are_not_measured(make: Make, tmp_path: Path) -> None:
    write(tmp_path, program="a = 1\n")
    cov = make(include=["*"])
    with cov.collect():
        runpy.run_path("program.py")
        cov.switch_context("other")
        quickcover.uninstall()
    files = {Path(name).name for name in cov.get_data().measured_files()}
    assert "program.py" in files
    assert not {"coveragepy.py", "_startup.py"} & files


def test_an_error_in_a_callback_is_told(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, not_asked_about="a = 1\n")
    cov = make()
    cov.set_option("run:disable_warnings", ["no-data-collected"])
    cov.start()
    assert cov._inorout is not None

    def fail(*args: object) -> Any:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr(cov._inorout, "should_trace", fail)
    runpy.run_path("not_asked_about.py")
    with pytest.warns(CoverageWarning, match="ZeroDivisionError: on purpose.*quickcover-error"):
        cov.stop()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cov.save()


@pytest.mark.parametrize("called", [False, True])
def test_modules_that_were_imported_before(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, called: bool
) -> None:
    name = f"imported_before_{uuid.uuid4().hex}"
    write(tmp_path, **{name: "def f():\n    return 1\n"})
    monkeypatch.syspath_prepend(tmp_path)
    f = importlib.import_module(name).f
    cov = make(include=None, source=[name])
    with cov.collect():
        if called:
            f()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        cov.get_data()
    missed = "previously imported, but not measured"
    assert [missed in str(warning.message) for warning in told] == ([] if called else [True, False])


def test_decisions_that_call_measured_code(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, hook="def hook(name):\n    return name\n", program="a = 1\n")
    scope: dict[str, Any] = {}
    with make(data_file=None).collect():
        exec(compile(Path("hook.py").read_text(), str(tmp_path / "hook.py"), "exec"), scope)
    decide = InOrOut.should_trace

    def decide_with_hook(self: InOrOut, filename: str, frame: Any) -> Any:
        return decide(self, scope["hook"](filename), frame)

    monkeypatch.setattr(InOrOut, "should_trace", decide_with_hook)
    cov = make(data_file=None)
    with warnings.catch_warnings():
        warnings.simplefilter("error", CoverageWarning)
        with cov.collect():
            runpy.run_path("program.py")
            scope["hook"]("")
    assert lines(cov, "program.py") == [1]
    assert lines(cov, "hook.py") == [2]


def test_a_threading_hook_of_others_survives(make: Make) -> None:
    def hook(*args: object) -> None:
        return None

    cov = make()
    with cov.collect():
        assert cov._core is not None
        if cov._core.systrace:
            pytest.skip("this engine needs the hook for itself, as coverage.py's cores do")
        threading.settrace(hook)
    try:
        assert threading.gettrace() is hook
    finally:
        threading.settrace(None)


def test_other_tools_hold_all_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_env, "tool_id_available", lambda: False)
    cov = coverage.Coverage(config_file=False, data_file=None, plugins=[quickcover.coverage_init])
    with cov.collect():
        pass
    assert cov._core is not None
    expected = "ProbeTracer" if _env.current().probes else _engines.TRACERS[COMMON]
    assert cov._core.tracer_class.__name__ == expected
