"""Sessions beside others: coverage runs, debuggers, threads, tasks, child processes."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quickcover import Session, SessionError

from ..behaviour import facts
from ..behaviour.comparing import report_differences
from ..behaviour.measure import STOCK, measurer
from ..conftest import Runner
from .conftest import MakeSession
from .playing import SOURCE, function, lines

# ------------------------------------------------------------------- surrounding coverage


@pytest.fixture(params=[*STOCK, *facts.engines()])
def surrounding(request: pytest.FixtureRequest, branch: bool) -> str:
    """Every core that may measure around a session."""
    if problem := facts.unable(request.param, branch=branch):
        pytest.skip(problem)
    return str(request.param)


def play(f: Callable[[int], object], session: Session) -> list[set[int]]:
    """Three examples; more in the last than in the others."""
    told = []
    for x in (0, 0, 5):
        with session.example() as example:
            f(x)
        told.append(lines(example))
    return told


WHOLE = [{3, 4, 7}, {3, 4, 7}, {3, 4, 5, 6, 7}]


def test_a_surrounding_coverage_run_loses_no_hit(
    make: MakeSession, f: Any, tmp_path: Path, surrounding: str, branch: bool
) -> None:
    alone = measurer(surrounding, tmp_path, branch=branch)
    alone.start()
    f(1)
    for x in (0, 0, 5):
        f(x)
    alone.stop()
    around = measurer(surrounding, tmp_path, branch=branch)
    around.start()
    f(1)
    with make() as session:
        told = play(f, session)
    around.stop()
    assert told == WHOLE
    mine, expected = around.recorded(), alone.recorded()
    if surrounding == "sysmon":
        # Where a trace function comes while it measures, it makes up arcs; it loses none.
        mine = {file: places & mine[file] for file, places in expected.items()}
    assert mine == expected


def test_a_coverage_run_goes_on_after_the_session(
    make: MakeSession, f: Any, tmp_path: Path, surrounding: str, branch: bool
) -> None:
    around = measurer(surrounding, tmp_path, branch=branch)
    around.start()
    with make() as session:
        told = play(lambda x: None, session)
    f(5)
    around.stop()
    assert told == [set(), set(), set()]
    alone = measurer(surrounding, tmp_path, branch=branch)
    alone.start()
    f(5)
    alone.stop()
    assert around.recorded() == alone.recorded()


def test_a_coverage_run_that_begins_and_ends_in_a_session(
    make: MakeSession, f: Any, tmp_path: Path, branch: bool
) -> None:
    """Nobody chooses its engine: where the session has the probes, it takes another."""
    alone = measurer("default", tmp_path, branch=branch)
    alone.start()
    f(5)
    alone.stop()
    with make() as session:
        assert play(f, session) == WHOLE
        inside = measurer("default", tmp_path, branch=branch)
        inside.start()
        f(5)
        inside.stop()
        assert play(f, session) == WHOLE
    mine, expected = inside.recorded(), alone.recorded()
    assert not report_differences("inside", "alone", mine, expected, branch=branch)


def test_sessions_and_coverage_runs_one_after_the_other(
    make: MakeSession, f: Any, tmp_path: Path, surrounding: str, branch: bool
) -> None:
    """Each sees everything again, whichever tool id it gets."""
    expected = None
    for _ in range(3):
        with make() as session:
            assert play(f, session) == WHOLE
        alone = measurer(surrounding, tmp_path, branch=branch)
        alone.start()
        f(5)
        alone.stop()
        expected = expected or alone.recorded()
        assert alone.recorded() == expected
    assert expected


def test_contexts_beside_a_session(make: MakeSession, f: Any, tmp_path: Path, engine: str) -> None:
    """The other's contexts see each place again, too."""
    import coverage

    cov = coverage.Coverage(data_file=None, config_file=False, include=[f"{tmp_path}/*"])
    cov.set_option("run:plugins", ["quickcover"])
    cov.start()
    with make() as session:
        for context in "ab":
            cov.switch_context(context)
            assert play(f, session) == WHOLE
    cov.stop()
    contexts = cov.get_data().contexts_by_lineno(os.path.realpath(tmp_path / "program.py"))
    assert {line: set(names) for line, names in contexts.items()} == {
        line: {"a", "b"} for line in (3, 4, 5, 6, 7)
    }


def test_under_pytest_cov(run_python: Runner, tmp_path: Path, engine: str, branch: bool) -> None:
    forced = engine if engine != "probe" else None  # the coverage run has it
    (tmp_path / "program.py").write_text(SOURCE)
    (tmp_path / "test_it.py").write_text(
        "import quickcover, program\n"
        "def test_it():\n"
        f"    with quickcover.Session(['program'], branch={branch}, engine={forced!r}) as s:\n"
        "        for x in (0, 5):\n"
        "            with s.example() as e:\n"
        "                program.f(x)\n"
        "            assert e.new\n"
    )
    options = ["--cov=program", "--cov-report=term-missing", "--quickcover"]
    if branch:
        options.append("--cov-branch")
    done = run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py", *options)
    assert "100%" in done.stdout, done.stdout


# --------------------------------------------------------------- trace functions of others


def test_a_trace_function_from_before_goes_on(make: MakeSession, f: Any) -> None:
    told: list[tuple[str, int]] = []

    def trace(frame: Any, event: str, arg: Any) -> Any:
        if frame.f_code is f.__code__:
            told.append((event, frame.f_lineno))
        return trace

    sys.settrace(trace)
    try:
        with make() as session:
            seen = play(f, session)
        assert sys.gettrace() is trace
    finally:
        sys.settrace(None)
    assert seen == WHOLE
    assert [line for event, line in told if event == "line"][:6] == [3, 4, 7, 3, 4, 7]
    assert [event for event, _ in told].count("return") == 3


def test_a_debugger_in_an_example(make: MakeSession, f: Any, engine: str) -> None:
    """One that gives the trace function back, as debuggers do, goes unnoticed."""
    with make() as session, session.example() as example:
        before = sys.gettrace()
        sys.settrace(lambda *args: None)
        sys.settrace(before)
        f(5)
    assert lines(example) == {3, 4, 5, 6, 7}


def test_a_trace_function_that_stays_is_told(make: MakeSession, f: Any, engine: str) -> None:
    if engine != "trace":
        pytest.skip("needs no trace function")
    session = make()
    try:
        with session, pytest.raises(SessionError, match="trace function was changed"):
            with session.example():
                sys.settrace(lambda *args: None)
                f(5)
    finally:
        sys.settrace(None)


# --------------------------------------------------------------------- threads and tasks


def in_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_threads_of_the_process(make: MakeSession, f: Any) -> None:
    with make() as session:
        for _ in range(3):
            with session.example() as example:
                f(0)
                in_thread(lambda: f(5))
            assert lines(example) == {3, 4, 5, 6, 7}


def test_hits_of_other_threads_do_not_count(make: MakeSession, f: Any) -> None:
    with make(thread="current") as session:
        for _ in range(3):
            with session.example() as example:
                in_thread(lambda: f(5))
                f(0)
                in_thread(lambda: f(5))
            assert lines(example) == {3, 4, 7}
        assert lines(session) == {3, 4, 7}
        with session.example() as example:
            f(5)
        assert lines(example) == {3, 4, 5, 6, 7}


def test_examples_in_another_thread(make: MakeSession, f: Any) -> None:
    told: list[Any] = []

    def work(session: Session) -> None:
        try:
            with session.example() as example:
                f(5)
            told.append(lines(example))
        except SessionError as error:
            told.append(str(error))

    with make() as session:
        in_thread(lambda: work(session))
        work(session)
    with make(thread="current") as session:
        in_thread(lambda: work(session))
        work(session)
    assert told[:2] == [{3, 4, 5, 6, 7}] * 2
    assert 'thread="current"' in told[2]
    assert told[3] == {3, 4, 5, 6, 7}


def test_a_thread_that_runs_already(make: MakeSession, f: Any, engine: str) -> None:
    """The monitoring engine sees its hits; the trace engine those of its own examples."""
    ready, go, done = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        ready.set()
        go.wait()
        f(5)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    with make() as session, session.example() as example:
        go.set()
        done.wait()
    thread.join()
    assert lines(example) == (set() if engine == "trace" else {3, 4, 5, 6, 7})


def test_many_threads(make: MakeSession, f: Any) -> None:
    """Whatever the others do, each example has its own thread's hits, and nothing breaks."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            f(1)

    with make() as session:
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(300):
                with session.example() as example:
                    f(5)
                assert lines(example) == {3, 4, 5, 6, 7}
        finally:
            stop.set()
            for thread in threads:
                thread.join()


ASYNC = """\
# a program
import asyncio
async def g(x):
    await asyncio.sleep(0)
    if x:
        return 1
    return 2
async def f(x):
    values = await asyncio.gather(g(x), g(x))
    async for i in h(x):
        values.append(i)
    return values
async def h(x):
    for i in range(x):
        yield i
"""


def test_async_code(make: MakeSession, tmp_path: Path) -> None:
    f = function(tmp_path / "program.py", ASYNC)
    with make() as session:
        told = []
        for x in (0, 2, 0):
            with session.example() as example:
                asyncio.run(f(x))
            told.append(lines(example))
    assert told == [
        {4, 5, 7, 9, 10, 12, 14},
        {4, 5, 6, 9, 10, 11, 12, 14, 15},
        {4, 5, 7, 9, 10, 12, 14},
    ]


def test_examples_in_a_coroutine(make: MakeSession, tmp_path: Path) -> None:
    f = function(tmp_path / "program.py", ASYNC)

    async def main() -> list[set[int]]:
        told = []
        for x in (0, 2):
            with session.example() as example:
                await f(x)
            told.append(lines(example))
        return told

    with make() as session:
        told = asyncio.run(main())
    assert told == [{4, 5, 7, 9, 10, 12, 14}, {4, 5, 6, 9, 10, 11, 12, 14, 15}]


def test_examples_in_two_tasks_at_once(make: MakeSession) -> None:
    async def task() -> str:
        try:
            with session.example():
                await asyncio.sleep(0)
        except SessionError as error:
            return str(error)
        return ""

    async def main() -> list[str]:
        return await asyncio.gather(task(), task())

    with make() as session:
        one, two = asyncio.run(main())
    assert one == ""
    assert "side by side" in two


# ----------------------------------------------------------------------- child processes


@pytest.fixture
def forked() -> Iterator[Callable[[Callable[[], bool]], bool]]:
    """Runs something in a forked child; was the result true?"""
    if not hasattr(os, "fork"):
        pytest.skip("no fork here")

    def run(work: Callable[[], bool]) -> bool:
        child = os.fork()
        if child == 0:
            good = False
            try:
                good = work()
            finally:
                os._exit(0 if good else 1)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    yield run


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_goes_on_with_a_session_of_its_own(make: MakeSession, f: Any, forked: Any) -> None:
    with make() as session:
        assert play(f, session) == WHOLE
        assert forked(lambda: play(f, session) == WHOLE)
        assert play(f, session) == WHOLE


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_in_an_example(make: MakeSession, f: Any, forked: Any) -> None:
    """The example is the parent's; the child has a copy, which it may end."""
    with make() as session:
        with session.example() as example:
            f(0)

            def child() -> bool:
                f(5)
                example.__exit__(None, None, None)
                return lines(example) == {3, 4, 5, 6, 7} and play(f, session) == WHOLE

            assert forked(child)
        assert lines(example) == {3, 4, 7}
        assert play(f, session) == WHOLE
