"""Every program of the behaviour suite: each step as an example, against coverage.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quickcover import Session, _env

from ..behaviour import facts
from ..behaviour.comparing import raw_differences, report_differences
from ..behaviour.explained import CTRACE_ERRS
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

    def runs(self, theme: str) -> list[Run]:
        possible = [p for p in themes()[theme] if not facts.missing(p.needs)]
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


def _explained(engine: str, step: str) -> bool:
    return engine != "trace" and step.startswith(tuple(EXPLAINED))


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


@pytest.fixture
def usual(expected: Expected, engine: str, branch: bool) -> list[tuple[str, Recorded]]:
    """What each step tells in the usual way."""
    return _told(Session([expected.directory], branch=branch, engine=engine), expected, branch)


def test_the_same_when_whole_code_objects_are_armed_again(
    expected: Expected,
    engine: str,
    branch: bool,
    usual: list[tuple[str, Recorded]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if engine == "trace":
        pytest.skip("the trace engine arms nothing")
    monkeypatch.setattr(_env, "jit_enabled", lambda: True)
    session = Session([expected.directory], branch=branch, engine=engine)
    assert _told(session, expected, branch) == usual


def test_the_same_beside_another_tool_that_has_the_same_events(
    expected: Expected,
    engine: str,
    branch: bool,
    usual: list[tuple[str, Recorded]],
    other_tool: Callable[[], None],
) -> None:
    other_tool()
    session = Session([expected.directory], branch=branch, engine=engine)
    assert _told(session, expected, branch) == usual


@pytest.fixture
def other_tool(request: pytest.FixtureRequest) -> Callable[[], None]:
    """Starts a tool of sys.monitoring that wants to see all lines and branches, always."""

    def start() -> None:
        monitoring: Any = facts.monitoring()
        if monitoring is None:
            pytest.skip("no sys.monitoring here")
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
