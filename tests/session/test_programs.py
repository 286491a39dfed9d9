"""Every program of the behaviour suite: each step as an example, against coverage.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from quickcover import Session, _env

from ..behaviour import facts
from ..behaviour.comparing import raw_differences, report_differences
from ..behaviour.explained import CTRACE_ERRS, MONITORING_NOT_AS_CTRACE, NOT_AS_PYTRACE
from ..behaviour.measure import Recorded
from ..behaviour.programs import themes
from ..behaviour.running import Run, write
from .playing import exampled, measured, recorded, reference_for, steps

pytestmark = [
    pytest.mark.filterwarnings("error::coverage.exceptions.CoverageWarning"),
    pytest.mark.filterwarnings("ignore::SyntaxWarning"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

each_theme = pytest.mark.parametrize("theme", list(themes()))


class Expected:
    """What coverage.py records of each step of a theme; found out once for all engines."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._told: dict[tuple[str, bool], list[Recorded]] = {}
        #: What sessions told in the usual way, by engine and branches.
        self.usual: dict[tuple[str, bool], list[tuple[str, Recorded]]] = {}

    def runs(self, theme: str) -> list[Run]:
        apart = NOT_AS_PYTRACE if facts.stock() == "pytrace" else {}
        possible = [p for p in themes()[theme] if not facts.missing(p.needs) and p.id not in apart]
        return write(possible, self.directory)

    def __call__(self, theme: str, branch: bool) -> list[Recorded]:
        if (theme, branch) not in self._told:
            used = reference_for(self.directory, branch)
            self._told[theme, branch] = measured(used, steps(self.runs(theme)))
        return self._told[theme, branch]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Expected:
    return Expected(tmp_path_factory.mktemp("programs").resolve())


# Steps whose reports differ from ctrace's for a reason, by the beginning of their names.
EXPLAINED = {
    "generators.generator_throw_before_start": CTRACE_ERRS[
        "generators.generator_throw_before_start"
    ],
}

# The same, with probes alone.
EXPLAINED_PROBES = {
    "generators.thrown_into_a_yield_behind_a_condition: next(g)": (
        "probes don't tell the way from a yield that an earlier example ended in to a finally"
    ),
}


def _has_line(places: Iterable[Any]) -> bool:
    """Is it more than ctrace records where a generator is made and nothing of it runs (3.11)?"""
    return any(isinstance(place, int) or max(place) >= 0 for place in places)


def _explained(engine: str, step: str) -> bool:
    apart = {"probe": EXPLAINED_PROBES, "monitoring": MONITORING_NOT_AS_CTRACE}
    known = EXPLAINED | apart.get(engine, {})
    return engine != "trace" and step.startswith(tuple(known))


@each_theme
def test_each_example_is_what_coverage_reports(
    theme: str, expected: Expected, engine: str, branch: bool
) -> None:
    with Session([expected.directory], branch=branch, engine=engine) as session:
        examples = exampled(session, steps(expected.runs(theme)))
    told = []
    compared = set()
    for step, example, theirs in zip(
        steps(expected.runs(theme)), examples, expected(theme, branch), strict=True
    ):
        mine = recorded(example, branch=branch)
        if engine == "probe":
            theirs = {file: places for file, places in theirs.items() if _has_line(places)}
        pair = (frozenset(mine.items()), frozenset(theirs.items()))
        if pair in compared:
            continue
        compared.add(pair)
        difference = (
            raw_differences(engine, "ctrace", mine, theirs)
            if engine == "trace" and step.name.partition(":")[0] not in CTRACE_ERRS
            else report_differences(engine, "ctrace", mine, theirs, branch=branch)
        )
        if difference and not _explained(engine, step.name):
            told.append(f"{step.name}\n{difference}")
    assert not told, "\n".join(told)


def _told(session: Session, expected: Expected, branch: bool) -> list[tuple[str, Recorded]]:
    """What a session tells of each step of all themes."""
    told = []
    with session:
        for theme in themes():
            runs = expected.runs(theme)
            examples = exampled(session, steps(runs))
            told += [
                (step.name, recorded(example, branch=branch))
                for step, example in zip(steps(runs), examples, strict=True)
            ]
    return told


def _usual(expected: Expected, engine: str, branch: bool) -> list[tuple[str, Recorded]]:
    """What each step tells in the usual way."""
    if (engine, branch) not in expected.usual:
        session = Session([expected.directory], branch=branch, engine=engine)
        expected.usual[engine, branch] = _told(session, expected, branch)
    return expected.usual[engine, branch]


def test_the_same_when_whole_code_objects_are_armed_again(
    expected: Expected,
    engine: str,
    branch: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if engine != "monitoring":
        pytest.skip("it arms no code objects")
    usual = _usual(expected, engine, branch)
    monkeypatch.setattr(_env, "jit_enabled", lambda: True)
    session = Session([expected.directory], branch=branch, engine=engine)
    assert _told(session, expected, branch) == usual


def test_the_same_beside_another_tool_that_has_the_same_events(
    expected: Expected,
    engine: str,
    branch: bool,
    other_tool: Callable[[], None],
) -> None:
    if facts.monitoring() is None:
        pytest.skip("no sys.monitoring here")
    usual = _usual(expected, engine, branch)
    other_tool()
    session = Session([expected.directory], branch=branch, engine=engine)
    assert _told(session, expected, branch) == usual


@pytest.fixture
def other_tool(request: pytest.FixtureRequest) -> Callable[[], None]:
    """Starts a tool of sys.monitoring that wants to see all lines and branches, always."""

    def start() -> None:
        monitoring: Any = facts.monitoring()
        events = monitoring.events
        wanted = [
            getattr(events, name)
            for name in ("LINE", "PY_RETURN", "PY_RESUME", "BRANCH_LEFT", "BRANCH_RIGHT")
            if hasattr(events, name)
        ]
        monitoring.use_tool_id(0, "other")
        request.addfinalizer(lambda: monitoring.free_tool_id(0))
        for event in wanted:
            monitoring.register_callback(0, event, lambda *args: None)
        monitoring.set_events(0, sum(wanted))
        request.addfinalizer(lambda: monitoring.set_events(0, 0))

    return start


@each_theme
def test_mode_new_adds_up_to_the_same(
    theme: str, expected: Expected, engine: str, branch: bool
) -> None:
    with Session([expected.directory], branch=branch, engine=engine, mode="new") as session:
        examples = exampled(session, steps(expected.runs(theme)))
    ids = [i for example in examples for i in example.ids]
    assert len(ids) == len(set(ids)) == sum(example.new for example in examples)
    assert sorted(ids) == list(session.seen)
    all_of_them: dict[str, set[Any]] = {}
    for theirs in expected(theme, branch):
        for file, places in theirs.items():
            all_of_them.setdefault(file, set()).update(places)
    whole = {file: frozenset(places) for file, places in all_of_them.items()}
    mine = recorded(session, branch=branch)  # type: ignore[arg-type]
    difference = report_differences(engine, "ctrace", mine, whole, branch=branch)
    assert not difference, difference
