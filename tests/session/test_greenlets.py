"""Sessions in programs with greenlets: `make test-contract`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quickcover import Session, SessionError

from ..conftest import Runner
from .conftest import MakeSession
from .playing import function

greenlet: Any = pytest.importorskip("greenlet", reason="greenlet isn't installed")
pytestmark = pytest.mark.slow

SOURCE = """\
# a program
def work(n, switch):
    total = 0
    for i in range(n):
        if i % 2:
            total += i
            switch()
        else:
            switch()
            total -= i
    return total
def outer(n, switch):
    if n > 2:
        a = work(n, switch)
    else:
        a = work(n + 1, switch)
    return a + work(n, switch)
def steps(switch):
    a = 1
    switch()
    a = 2
    switch()
    return a
"""


@pytest.fixture
def names(tmp_path: Path) -> dict[str, Any]:
    outer = function(tmp_path / "program.py", SOURCE, "outer")
    return dict(outer.__globals__)


def in_greenlets(work: Callable[..., object], count: int, *args: object) -> None:
    """The same work in some greenlets, which take turns."""
    hub = greenlet.getcurrent()
    jobs = [greenlet.greenlet(work) for _ in range(count)]
    for job in jobs:
        job.switch(*args, hub.switch)
    while running := [job for job in jobs if not job.dead]:
        for job in running:
            job.switch()


def places(session: Session, work: Callable[[], object]) -> set[Any]:
    """What an example covers: arcs, or lines in a session without branches."""
    with session.example() as example:
        work()
    try:
        return example.arcs()
    except SessionError:
        return example.lines()


def lines(example: Any) -> set[int]:
    return {line for _, line in example.lines()}


def test_switching_changes_nothing(make: MakeSession, names: dict[str, Any]) -> None:
    """Neither a line is lost nor an arc made up, where frames of several greenlets take turns."""
    outer = names["outer"]
    with make() as session:
        for n in (2, 4):
            alone = places(session, lambda: outer(n, lambda: None))
            for _ in range(2):
                assert places(session, lambda: in_greenlets(outer, 4, n)) == alone
            assert places(session, lambda: outer(n, lambda: None)) == alone


def test_each_example_has_what_ran_in_it(make: MakeSession, names: dict[str, Any]) -> None:
    """Of a greenlet that goes on over several of them; an arc has its first line from before."""
    job = greenlet.greenlet(names["steps"])
    told = []
    with make() as session:
        for _ in range(3):
            with session.example() as example:
                job.switch(greenlet.getcurrent().switch)
            told.append(lines(example))
    for mine, ran, before in zip(told, [{19, 20}, {21, 22}, {23}], [0, 20, 22], strict=True):
        assert ran <= mine <= ran | {before}


def test_a_greenlet_from_before(make: MakeSession, names: dict[str, Any]) -> None:
    """The rest of its call may be missed, as of other calls that run already."""
    job = greenlet.greenlet(names["steps"])
    job.switch(greenlet.getcurrent().switch)
    with make() as session:
        with session.example() as example:
            job.switch()
        first = lines(example)
        with session.example() as example:
            names["work"](1, lambda: None)
        assert lines(example) == {3, 4, 5, 9, 10, 11}
    assert first <= {21, 22}


def test_examples_side_by_side(make: MakeSession, names: dict[str, Any]) -> None:
    """The second is refused, and the first goes on."""
    told: list[Any] = []

    def one(session: Session, switch: Callable[[], object]) -> None:
        try:
            with session.example() as example:
                names["work"](2, switch)
            told.append(lines(example))
        except SessionError as error:
            told.append(str(error))

    with make() as session:
        in_greenlets(one, 2, session)
    assert "side by side" in told[0]
    assert told[1] == {3, 4, 5, 6, 7, 9, 10, 11}


GEVENT = """\
import gevent.monkey; gevent.monkey.patch_all()
import sys, threading, gevent, quickcover
from program import steps
def switch():
    gevent.sleep(0)
def work():
    jobs = [gevent.spawn(steps, switch) for _ in range(3)]
    threads = [threading.Thread(target=steps, args=(switch,)) for _ in range(3)]
    for thread in threads: thread.start()
    for job in [*jobs, *threads]: job.join()
for thread in ("process", "current"):
    told_apart = sys.argv[1] != "probe" or thread == "process"  # else: the engine that can
    engine = sys.argv[1] if told_apart else None
    with quickcover.Session(["program"], engine=engine, thread=thread) as session:
        for _ in range(2):
            with session.example() as example:
                work()
            print(sorted(line for _, line in example.lines()))
"""


def test_gevent_in_place_of_threads(
    run_python: Runner, tmp_path: Path, engine: str, branch: bool
) -> None:
    """Its threads are greenlets of the current one."""
    pytest.importorskip("gevent", reason="gevent isn't installed")
    if branch:
        pytest.skip("much the same")
    (tmp_path / "program.py").write_text(SOURCE)
    (tmp_path / "play.py").write_text(GEVENT)
    done = run_python("play.py", engine)
    assert done.stdout.splitlines() == ["[19, 20, 21, 22, 23]"] * 4
