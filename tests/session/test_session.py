"""The API of Session: examples, ids, modes, events, counters, and what misuse says."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import quickcover
from quickcover import Location, Session, SessionError, _env

from ..conftest import Runner, needs_extension
from .conftest import MakeSession
from .playing import SOURCE, function, lines, recorded

# ----------------------------------------------------------------------------- examples


def test_mode_all_sees_each_example_whole(make: MakeSession, f: Any) -> None:
    with make() as session:
        told = []
        for x in (0, 3, 0, 1):
            with session.example() as example:
                f(x)
            told.append((lines(example), example.new > 0, list(example.ids)))
    assert [t[0] for t in told] == [{3, 4, 7}, {3, 4, 5, 6, 7}, {3, 4, 7}, {3, 4, 5, 7}]
    assert [t[1] for t in told][:3] == [True, True, False]
    assert told[0][2] == told[2][2]


def test_mode_new_sees_what_no_earlier_example_had(make: MakeSession, f: Any) -> None:
    with make(mode="new") as session:
        told = []
        for x in (0, 3, 0, 1):
            with session.example() as example:
                f(x)
            told.append((lines(example), example.new))
            assert example.new == len(example.ids)
    assert told[0][0] == {3, 4, 7}
    assert {5, 6} <= told[1][0] <= {4, 5, 6, 7}
    assert told[2] == (set(), 0)
    assert lines(session) == {3, 4, 5, 6, 7}


def test_an_example_keeps_its_results(make: MakeSession, f: Any) -> None:
    with make() as session:
        examples = []
        for x in (0, 5):
            with session.example() as example:
                f(x)
            examples.append(example)
    assert [lines(example) for example in examples] == [{3, 4, 7}, {3, 4, 5, 6, 7}]
    assert set(examples[0].ids) <= set(session.seen)


def test_ids_are_a_buffer_of_sorted_unsigned_32_bit_numbers(make: MakeSession, f: Any) -> None:
    with make() as session:
        with session.example() as example:
            f(3)
        with session.example() as empty:
            pass
    ids = example.ids
    assert (ids.format, ids.itemsize, ids.ndim, ids.readonly) == ("I", 4, 1, True)
    assert ids.shape == (len(ids),)
    assert list(ids) == sorted(set(ids))
    assert bytes(ids) == b"".join(i.to_bytes(4, sys.byteorder) for i in ids)
    assert memoryview(bytes(ids)).cast("I") == ids
    assert len(empty.ids) == empty.new == empty.fingerprint == 0
    assert empty.lines() == set()
    assert bytes(empty.ids) == b""


@needs_extension  # Python code has no buffer protocol before 3.12
def test_an_example_is_a_buffer(make: MakeSession, f: Any) -> None:
    with make() as session:
        example = session.example()
        with pytest.raises(SessionError, match="when it is over"):
            memoryview(example)
        with example:
            f(3)
    assert list(memoryview(example)) == list(example.ids) != []


def test_seen_is_every_id(make: MakeSession, f: Any) -> None:
    with make() as session:
        assert list(session.seen) == []
        examples = []
        for x in (0, 1, 3):
            with session.example() as example:
                f(x)
            examples.append(example)
        assert list(session.seen) == sorted(set().union(*(e.ids for e in examples)))
        assert len(session.seen) == sum(e.new for e in examples)


def test_what_runs_outside_of_examples_counts_as_seen(make: MakeSession, f: Any) -> None:
    with make() as session:
        f(0)
        with session.example() as example:
            f(3)
        f(0)
        with session.example() as again:
            f(0)
    assert lines(example) == {3, 4, 5, 6, 7}
    assert lines(again) == {3, 4, 7}
    assert 0 < example.new < len(example.ids)


def test_arcs(make: MakeSession, f: Any, branch: bool) -> None:
    with make() as session:
        with session.example() as example:
            f(0)
        if not branch:
            with pytest.raises(SessionError, match="branch=False"):
                example.arcs()
            with pytest.raises(SessionError, match="branch=False"):
                session.arcs()
            return
        assert {(a, b) for _, a, b in example.arcs()} >= {(3, 4), (4, 7), (7, -2)}
        with session.example() as example:
            f(3)
        arcs = {(a, b) for _, a, b in example.arcs()}
        assert arcs >= {(4, 5), (5, 4), (5, 6), (6, 4)}
        assert {(a, b) for _, a, b in session.arcs()} >= arcs


def test_mode_new_tells_arcs_to_what_was_seen_before(
    make: MakeSession, f: Any, branch: bool
) -> None:
    if not branch:
        pytest.skip("arcs")
    with make(mode="new") as session:
        with session.example():
            f(2)
        with session.example() as example:
            f(3)
    assert {(a, b) for _, a, b in example.arcs()} >= {(5, 6), (6, 4)}


def test_the_block_may_raise(make: MakeSession, f: Any) -> None:
    with make() as session:
        with pytest.raises(TypeError), session.example() as example:
            f(None)
        assert lines(example) == {3, 4}
        with session.example() as example:
            f(0)
        assert lines(example) == {3, 4, 7}


def test_an_example_that_is_dropped_ends(make: MakeSession, f: Any) -> None:
    with make() as session:
        session.example().__enter__()
        with session.example() as example:
            f(0)
        assert lines(example) == {3, 4, 7}


def test_code_that_comes_and_goes(make: MakeSession, tmp_path: Path) -> None:
    """Code compiled again is the same places, though its code objects are new each time."""
    with make() as session:
        told = []
        for _ in range(6):
            with session.example() as example:
                function(tmp_path / "program.py", SOURCE)(3)
            told.append((list(example.ids), example.fingerprint))
    assert told[1:] == told[:1] * 5


def test_several_copies_of_the_same_code(make: MakeSession, tmp_path: Path) -> None:
    copies = [function(tmp_path / "program.py", SOURCE) for _ in range(9)]
    with make() as session:
        for f in [*copies, *copies[::-1]]:
            with session.example() as example:
                f(3)
            assert lines(example) == {3, 4, 5, 6, 7}


def test_records_of_dead_code_are_dropped(make: MakeSession, tmp_path: Path) -> None:
    """More code than is kept of the dead, in one example: nothing is lost."""
    file = str(tmp_path / "program.py")
    with make() as session, session.example() as example:
        source = "\n\n\nx = 0\n" + "y = [x, x, x]\n" * 700 + "z = 0\n"
        code = compile(source, file, "exec")
        for k in range(400):  # on lines of its own each, so that it has a record of its own
            exec(code.replace(co_firstlineno=code.co_firstlineno + 702 * k), {})
    assert lines(example) >= set(range(4, 4 + 702 * 400))


@pytest.mark.parametrize("begun", [False, True], ids=["made inside", "made before"])
def test_generators_go_on_in_the_next_example(
    make: MakeSession, tmp_path: Path, engine: str, begun: bool
) -> None:
    if begun and engine == "python":
        pytest.skip("generators that exist already are not measured, which a warning tells")
    source = "def f():\n    x = 1\n    yield x\n    x = 2\n    yield x\n    x = 3\n"
    f = function(tmp_path / "program.py", source)
    generator = f() if begun else None
    told = []
    with make() as session:
        generator = generator or f()
        for _ in range(3):
            with session.example() as example:
                next(generator, None)
            told.append(lines(example))
    assert told == [{2, 3}, {4, 5}, {6}] or told == [{2, 3}, {3, 4, 5}, {5, 6}]


# -------------------------------------------------------------------------- ids, places


def test_ids_are_stable_in_the_process(make: MakeSession, f: Any) -> None:
    told = []
    for _ in range(2):
        with make() as session, session.example() as example:
            f(3)
        told.append((list(example.ids), [session.location(i) for i in example.ids]))
    assert told[0] == told[1]


def test_locations(make: MakeSession, f: Any, tmp_path: Path, engine: str, branch: bool) -> None:
    with make() as session, session.example() as example:
        f(3)
    places = [session.location(i) for i in example.ids]
    assert {p.filename for p in places} == {str(tmp_path.resolve() / "program.py")}
    if not branch:
        assert {(p.line, p.to_line, p.kind) for p in places} == {
            (line, None, "line") for line in (3, 4, 5, 6, 7)
        }
    elif engine in ("trace", "python"):
        assert {(p.line, p.to_line) for p in places} >= {(3, 4), (5, 6), (7, -2)}
        assert {p.kind for p in places} == {"arc"}
    else:
        ways = {(p.line, p.to_line, p.kind) for p in places}
        assert ways >= {(5, None, "line"), (5, 6, "branch"), (5, 4, "branch"), (7, -2, "return")}
        assert ways >= {(4, 5, "branch"), (4, 7, "branch")}


def test_unknown_ids(make: MakeSession, f: Any) -> None:
    with make() as session, session.example() as example:
        f(0)
    last = max(example.ids)
    for unknown in (last + 1, -1, 2**32, 2**70):
        with pytest.raises(KeyError, match=str(unknown)):
            session.location(unknown)
    with pytest.raises(TypeError):
        session.location("1")  # type: ignore[arg-type]
    with make() as other, pytest.raises(KeyError):
        other.location(last)  # another session's


def test_fingerprints_tell_sets_apart(make: MakeSession, f: Any) -> None:
    with make() as session:
        told = []
        for x in (0, 1, 3, 0, 1, 3):
            with session.example() as example:
                f(x)
            told.append(example.fingerprint)
    assert told[:3] == told[3:]
    assert len(set(told)) == 3
    assert all(0 < value < 2**64 for value in told)


SCRIPT = """\
import sys, quickcover
sys.path.insert(0, sys.argv[1])
import {first}, {second}
with quickcover.Session(["pkg"], branch={branch}, engine="{engine}") as session:
    {warm}
    for x in (0, 1, 3):
        with session.example() as example:
            pkg.sub.f(x)
        session.event("more")
        print(example.fingerprint)
    with session.example() as example:
        session.event(("a", 1))
    print(example.fingerprint)
"""


def test_fingerprints_are_stable_between_processes(
    run_python: Runner, tmp_path: Path, engine: str, branch: bool
) -> None:
    """Whatever else was seen before, and wherever the package lies."""
    told = []
    for root, first, second, warm, seed in (
        ("one", "pkg.sub", "pkg.other", "", "1"),
        ("two", "pkg.other", "pkg.sub", "pkg.other.f(2); session.event(0)", "2"),
    ):
        (tmp_path / root / "pkg").mkdir(parents=True)
        (tmp_path / root / "pkg" / "__init__.py").write_text("")
        for name in ("sub", "other"):
            (tmp_path / root / "pkg" / f"{name}.py").write_text(SOURCE)
        script = SCRIPT.format(first=first, second=second, branch=branch, engine=engine, warm=warm)
        env = {"PYTHONHASHSEED": seed}
        told.append(run_python("-c", script, root, env=env).stdout.split())
    assert told[0] == told[1]
    assert len(set(told[0])) == 4


def test_the_same_code_in_another_file_has_another_fingerprint(
    make: MakeSession, tmp_path: Path
) -> None:
    told = []
    with make() as session:
        for name in ("one.py", "two.py"):
            f = function(tmp_path / name, SOURCE)
            with session.example() as example:
                f(1)
            told.append((example.fingerprint, len(example.ids)))
    assert told[0][0] != told[1][0]
    assert told[0][1] == told[1][1]


# ----------------------------------------------------------------------------- counters


def hit_counters(session: Session) -> set[int]:
    return {i for i, byte in enumerate(session.counters) if byte}


def test_counters_are_bytes_by_id(make: MakeSession, f: Any) -> None:
    with make() as session:
        counters = session.counters
        assert (len(counters), counters.format, counters.readonly) == (1 << 16, "B", False)
        with session.example() as example:
            f(3)
        assert hit_counters(session) == {i % len(counters) for i in example.ids}
        assert set(counters) == {0, 1}
        counters[:] = bytes(len(counters))
        with session.example() as example:
            f(0)
        assert hit_counters(session) == {i % len(counters) for i in example.ids}


def test_counters_have_a_fixed_size(make: MakeSession, f: Any) -> None:
    with make(map_size=3) as session:
        with session.example() as example:
            f(3)
        assert len(session.counters) == 3
        assert bytes(session.counters) == bytes(i in {j % 3 for j in example.ids} for i in range(3))
        with pytest.raises(BufferError):
            session.counters.obj.append(0)
    session.counters[0] = 0  # good for as long as the session object is


# ------------------------------------------------------------------------------- events


def test_events(make: MakeSession, f: Any) -> None:
    with make() as session:
        with session.example() as example:
            first = session.event("first")
            assert session.event("first") == first
            second = session.event(("second", 2))
        assert list(example.ids) == sorted([first, second])
        assert example.new == 2
        assert example.lines() == set()
        with session.example() as example:
            session.event("first")
        assert (list(example.ids), example.new) == ([first], 0)
        assert session.location(second) == Location("", 0, None, "event", ("second", 2))
        assert session.counters[first % len(session.counters)] == 1
        with pytest.raises(TypeError):
            session.event([])  # type: ignore[arg-type]


def test_events_in_mode_new(make: MakeSession) -> None:
    with make(mode="new") as session:
        told = []
        for key in ("a", "a", "b"):
            with session.example() as example:
                session.event(key)
            told.append(example.new)
    assert told == [1, 0, 1]


# ------------------------------------------------------------------------------- misuse


def test_an_example_in_an_example(make: MakeSession, f: Any) -> None:
    with make() as session:
        with session.example() as example:
            f(0)
            with pytest.raises(SessionError, match="nested"), session.example():
                pass
            f(3)
        assert lines(example) == {3, 4, 5, 6, 7}


def test_an_example_is_entered_once(make: MakeSession) -> None:
    with make() as session:
        with session.example() as example:
            pass
        with pytest.raises(SessionError, match="only once"), example:
            pass
        with pytest.raises(SessionError, match="isn't running"):
            example.__exit__(None, None, None)


def test_results_before_the_end(make: MakeSession) -> None:
    with make() as session:
        example = session.example()
        for ask in (
            lambda: example.new,
            lambda: example.ids,
            lambda: example.fingerprint,
            lambda: example.lines(),
            lambda: example.arcs(),
        ):
            with pytest.raises(SessionError, match="when it is over"):
                ask()
        with example, pytest.raises(SessionError, match="when it is over"):
            _ = example.ids


def test_use_before_and_after(make: MakeSession, f: Any) -> None:
    session = make()
    with pytest.raises(SessionError, match="isn't open"), session.example():
        pass
    with pytest.raises(SessionError, match="isn't open"):
        session.event("x")
    with session, session.example() as example:
        f(0)
    with pytest.raises(SessionError, match="isn't open"), session.example():
        pass
    with pytest.raises(SessionError, match="isn't open"):
        session.event("x")
    with pytest.raises(SessionError, match="only once"), session:
        pass
    session.close()
    # Results stay.
    assert lines(session) == lines(example) == {3, 4, 7}
    assert session.location(session.seen[0]).line in (3, -2)
    assert hit_counters(session)


def test_closing_in_an_example(make: MakeSession, f: Any) -> None:
    session = make()
    with session, session.example() as example:
        f(0)
        session.close()
        f(3)
    assert lines(example) == {3, 4, 7}


def test_two_sessions_at_once(make: MakeSession, f: Any) -> None:
    one, two = make(), make()
    with one:
        with pytest.raises(SessionError, match="one at a time"), two:
            pass
        with one.example() as example:
            f(0)
        assert lines(example) == {3, 4, 7}
    with two, two.example() as example:
        f(0)
    assert lines(example) == {3, 4, 7}


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "some"},
        {"thread": "other"},
        {"map_size": 0},
        {"source": ["no_such_package_or_file"]},
        {"source": "mypkg"},
        {"engine": "warp"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_bad_arguments(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Session(**options)


def test_an_engine_is_never_replaced_silently() -> None:
    facts = _env.current()
    if facts.monitoring and facts.branch_left_right:
        pytest.skip("the monitoring engine can do everything here")
    with pytest.raises(ValueError, match="this Python"):
        Session(["tests"], branch=True, engine="monitoring")


def test_without_a_free_tool_id(tmp_path: Path, f: Any) -> None:
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is None:
        pytest.skip("no sys.monitoring here")
    taken = [tool for tool in range(6) if monitoring.get_tool(tool) is None]
    for tool in taken:
        monitoring.use_tool_id(tool, "other")
    try:
        with Session([tmp_path]) as session, session.example() as example:
            f(0)
        assert session.choice is not None
        assert session.choice.engine == ("probe" if _env.current().probes else "trace")
        assert lines(example) == {3, 4, 7}
        with pytest.raises(ValueError, match="tool ids"):
            Session([tmp_path], engine="monitoring")
    finally:
        for tool in taken:
            monitoring.free_tool_id(tool)


def _failing(
    session: Session, monkeypatch: pytest.MonkeyPatch, name: str = "program.py"
) -> Session:
    """The same session, which fails when it meets the program."""
    decide = session._scope.decide

    def fail(filename: str, frame: Any) -> Any:
        if filename.endswith(name):
            raise ZeroDivisionError("in our code")
        return decide(filename, frame)

    monkeypatch.setattr(session._scope, "decide", fail)
    return session


def test_an_error_while_measuring_is_told(
    make: MakeSession, f: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = _failing(make(), monkeypatch)
    with pytest.raises(SessionError, match="data is missing.*in our code") as caught:
        with session, session.example():
            assert f(3) == 2
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_an_error_of_the_block_comes_first(
    make: MakeSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{tmp_path.name}.py"  # other tests' functions may still be there
    with _failing(make(), monkeypatch, name) as session:
        with pytest.raises(KeyError), session.example():
            function(tmp_path / name, SOURCE)(3)
            raise KeyError
        with pytest.raises(SessionError, match="in our code"), session.example():
            pass


# -------------------------------------------------------------------------------- scope


def _package(directory: Path) -> None:
    (directory / "scoped" / "inner").mkdir(parents=True)
    for name in ("__init__", "one", "inner/__init__", "inner/two"):
        (directory / "scoped" / f"{name}.py").write_text("def f():\n    return 1\n")
    (directory / "alone.py").write_text("def f():\n    return 1\n")


@pytest.mark.parametrize(
    ("source", "measured"),
    [
        (["scoped"], {"scoped", "scoped.one", "scoped.inner", "scoped.inner.two"}),
        (["scoped.inner"], {"scoped.inner", "scoped.inner.two"}),
        (["scoped.one", "alone"], {"scoped.one", "alone"}),
        (["scoped/one.py"], {"scoped.one"}),
        ([Path("scoped/inner")], {"scoped.inner", "scoped.inner.two"}),
        ([], set()),
        (None, {"scoped", "scoped.one", "scoped.inner", "scoped.inner.two", "alone"}),
    ],
)
def test_source(
    source: Any, measured: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _package(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    names = ("scoped", "scoped.one", "scoped.inner", "scoped.inner.two", "alone")
    modules = {name: __import__(name, fromlist=["f"]) for name in names}
    with Session(source) as session, session.example() as example:
        for module in modules.values():
            module.f()
        os.path.join("a", "b")  # of the standard library
        pytest.approx(1)  # of an installed package
    for name in names:
        del sys.modules[name]
    expected = {(os.path.realpath(modules[name].__file__ or ""), 2) for name in measured}
    ours = {place for place in example.lines() if not place[0].startswith(str(Path(__file__)))}
    assert ours == expected


# ------------------------------------------------------------------------------- memory


@needs_extension
@pytest.mark.leak
def test_nothing_grows(make: MakeSession, f: Any) -> None:
    from ..native.measuring import grown, live

    with make() as session:

        def play(times: int) -> None:
            for k in range(times):
                with session.example() as example:
                    f(k % 5)
                    session.event(k % 7)
                _ = example.ids, example.fingerprint

        play(100)
        for _ in range(3):  # the first time, other threads may meet code: pytest-xdist's
            before = live()
            play(20_000)
            found = grown(before)
            if not found:
                break
        assert found == {}


@needs_extension
@pytest.mark.leak
def test_sessions_give_everything_back(make: MakeSession, f: Any) -> None:
    from ..native.measuring import grown, live

    def play() -> None:
        with Session([Path(f.__code__.co_filename)]) as session, session.example() as example:
            f(3)
        example.lines()

    for _ in range(3):  # what is met for the first time stays known: the tests' own code
        play()
        before = live()
    for _ in range(20):
        play()
    assert grown(before) == {}


@needs_extension
@pytest.mark.oom
def test_each_allocation_fails_once(make: MakeSession, tmp_path: Path, branch: bool) -> None:
    """A failure is told, and no example tells what it hasn't seen."""
    from quickcover import _native

    told = 0
    whole: set[Any] = set()
    step = int(os.environ.get("OOM_STEP", "5"))  # `make oom`: 1
    for n in itertools.chain([0], range(1, 2000, step)):
        f = function(tmp_path / f"program{n}.py", SOURCE)
        session = make()
        _native._fail_after(n)
        try:
            with session:
                with session.example() as example:
                    f(3)
                    session.event(f"event {n}")
                with session.example():
                    f(3)
            found = {line for _, line in example.lines()}
        except (MemoryError, SessionError):
            told += 1
            continue
        finally:
            _native._fail_after(0)
            f.__globals__.clear()  # a cycle: it would be met again, in each later session
        whole = whole or found
        assert found == whole, f"allocation {n} failed silently"
        if n > told * step + 60:
            break
    else:
        pytest.fail("still failing")
    assert told * step > 5


# ------------------------------------------------------------------------------ the rest


def test_the_names_are_public() -> None:
    assert {"Session", "Example", "Location", "SessionError"} <= set(quickcover.__all__)
    assert quickcover.Session is Session
    with pytest.raises(AttributeError, match="Sessions"):
        _ = quickcover.Sessions  # type: ignore[attr-defined]


def test_the_package_is_imported_without_the_extension() -> None:
    code = "import quickcover, sys; print('quickcover._native' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_session_needs_its_init() -> None:
    session = Session.__new__(Session)
    for ask in (session.example, session.lines, lambda: session.seen, lambda: session.counters):
        with pytest.raises(RuntimeError, match="__init__"):
            ask()
    with pytest.raises(TypeError):
        types.new_class("Sub", (quickcover.Example,))


def test_recorded_of_nothing(make: MakeSession, branch: bool) -> None:
    with make() as session, session.example() as example:
        pass
    assert recorded(example, branch=branch) == {}
