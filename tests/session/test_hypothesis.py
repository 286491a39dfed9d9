"""quickcover.hypothesis against the Hypothesis that is installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyFailure
from hypothesis.internal.conjecture.provider_conformance import run_conformance_test
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS

import quickcover.hypothesis
from quickcover import Session, SessionError

from ..conftest import Runner
from .conftest import MakeSession
from .playing import function

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "guided"

#: Each step needs the one before it: 1 in 262,144 when guessed.
STEPS = """\
def f(numbers):
    if len(numbers) > 2:
        if numbers[0] == 17:
            if numbers[1] == 51:
                if numbers[2] == 33:
                    raise RuntimeError("the bug")
"""


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Callable[[Session], Any]:
    """Registers the backend of a session; returns its class."""

    def backend(session: Session) -> Any:
        monkeypatch.setitem(AVAILABLE_PROVIDERS, "quickcover", "to be replaced")
        quickcover.hypothesis.register(session)
        return AVAILABLE_PROVIDERS["quickcover"]

    return backend


def property_of(f: Any, backend: str, examples: int = 20_000, **options: Any) -> Any:
    """A test that a function raises nothing for any list of small numbers."""

    @seed(1)
    @settings(
        backend=backend,
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        **options,
    )
    @given(st.lists(st.integers(0, 63), max_size=8))
    def test(numbers: list[int]) -> None:
        f(numbers)

    return test


def test_it_finds_what_guessing_does_not(
    make: MakeSession, tmp_path: Path, backend: Callable[[Session], Any], branch: bool
) -> None:
    if not branch:
        pytest.skip("much the same")
    f = function(tmp_path / "steps.py", STEPS)
    property_of(f, "hypothesis", 1000)()
    with make() as session:
        backend(session)
        with pytest.raises(RuntimeError, match="the bug") as caught:
            property_of(f, "quickcover", phases=[Phase.generate, Phase.shrink])()
    assert "[17, 51, 33]" in "\n".join(caught.value.__notes__)  # shrunk, as ever


@pytest.mark.slow
def test_mode_new_guides_as_well(
    make: MakeSession, tmp_path: Path, backend: Callable[[Session], Any]
) -> None:
    f = function(tmp_path / "steps.py", STEPS)
    with make(mode="new") as session:
        backend(session)
        with pytest.raises(RuntimeError, match="the bug"):
            property_of(f, "quickcover", phases=[Phase.generate])()


def test_what_covers_something_new_is_kept(
    make: MakeSession, tmp_path: Path, backend: Callable[[Session], Any]
) -> None:
    """Of each test on its own, and also if it is given up or fails."""
    f = function(tmp_path / "steps.py", STEPS)
    made: list[Any] = []

    def play(numbers: list[int]) -> None:
        assume(len(numbers) != 1)
        f(numbers)

    with make() as session:
        provider = backend(session)

        class Kept(provider):
            def __init__(self, data: Any = None, /) -> None:
                super().__init__(data)
                made.append(self)

        AVAILABLE_PROVIDERS["quickcover"] = Kept
        property_of(play, "quickcover", 300)()
        property_of(play, "quickcover", 300)()
    assert len(made) == 2
    for one in made:
        assert 1 <= len(one._corpus) <= 6
        assert one._seen <= set(session.seen)
    assert made[0]._corpus[0] == made[1]._corpus[0]  # the same seed


def test_a_session_that_is_not_open(make: MakeSession, backend: Callable[[Session], Any]) -> None:
    session = make()
    backend(session)
    not_open(property_of(len, "quickcover"))
    with session:
        property_of(len, "quickcover", 10)()
    not_open(property_of(len, "quickcover"))


def not_open(test: Any) -> None:
    """Running the test tells that the session isn't open."""
    with pytest.raises(FlakyFailure) as caught:
        test()
    (error,) = caught.value.exceptions
    assert isinstance(error, SessionError)


def test_every_kind_of_choice(make: MakeSession, backend: Callable[[Session], Any]) -> None:
    """Lists that are cut and exchanged don't fit any more, and must do no harm."""
    seen: set[type] = set()
    anything = st.one_of(
        st.booleans(), st.integers(), st.integers(3, 5), st.floats(), st.floats(0, 1),
        st.text(), st.text("ab", min_size=2), st.binary(), st.sampled_from([None, ...]),
    )  # fmt: skip

    with make() as session:
        backend(session)

        @seed(1)
        @settings(backend="quickcover", max_examples=700, database=None, deadline=None)
        @given(st.lists(anything, max_size=10))
        def test(values: list[Any]) -> None:
            for value in values:
                session.event(type(value))
                session.event(repr(value)[:2])
                seen.add(type(value))

        test()
    assert seen == {bool, int, float, str, bytes, type(None), type(...)}


def test_changed_choices_are_near_the_old_ones() -> None:
    random = Random(1)
    texts = [quickcover.hypothesis._changed("abcdefgh", "XYZ", random) for _ in range(200)]
    assert all(set(text) <= set("abcdefghXYZ") for text in texts)
    assert sum(len(text) == 8 and text != "abcdefgh" for text in texts) > 20
    assert sum(text.startswith("abc") for text in texts) > 20
    numbers = {quickcover.hypothesis._changed(100, 5000, random) for _ in range(200)}
    assert 5000 in numbers
    assert numbers - {5000} <= set(range(92, 109))


@pytest.mark.slow
def test_it_conforms(make: MakeSession, backend: Callable[[Session], Any]) -> None:
    """Hypothesis's own test for backends."""
    with make() as session:
        run_conformance_test(backend(session), settings=settings(database=None, deadline=None))


@pytest.mark.slow
def test_the_example(run_python: Runner, tmp_path: Path, engine: str, branch: bool) -> None:
    if not branch:
        pytest.skip("it wants branches")
    env = {"QUICKCOVER_ENGINE": engine, "PYTHONPATH": str(EXAMPLE)}
    program = str(EXAMPLE / "given.py")
    done = run_python(program, "--examples", "50000", env=env, status=1)
    assert "ZeroDivisionError" in done.stderr
    assert r"data=b'Q\x03\x02\x00\x00\x00\x00'" in done.stderr
    done = run_python(program, "--stock", "--examples", "2000", env=env)
    assert "nothing in 2,000 examples" in done.stdout
