"""The chooser: every rule, and what is said about it."""

from __future__ import annotations

import pytest

from quickcover import _env
from quickcover._select import ENGINES, EngineError, Request, choose, default_engine

BARE = _env.Interpreter(monitoring=False, branch_left_right=False, probes=False)
PROBES = _env.Interpreter(monitoring=False, branch_left_right=False, probes=True)
LINES = _env.Interpreter(monitoring=True, branch_left_right=False, probes=False)
ALL = _env.Interpreter(monitoring=True, branch_left_right=True, probes=False)
PYPY = _env.Interpreter(
    monitoring=False, branch_left_right=False, probes=False, extension=False, rewriting=True
)
BOTH = _env.Interpreter(
    monitoring=False, branch_left_right=False, probes=False, extension=True, rewriting=True
)


@pytest.mark.parametrize(
    ("interpreter", "request_", "engine"),
    [
        (BARE, Request(), "trace"),
        (BARE, Request(branch=True), "trace"),
        (PROBES, Request(), "probe"),
        (PROBES, Request(branch=True), "probe"),
        (PROBES, Request(plugin_contexts=True), "probe"),
        (PROBES, Request(file_tracers=("django",)), "trace"),
        (LINES, Request(), "monitoring"),
        (LINES, Request(branch=True), "trace"),
        (ALL, Request(), "monitoring"),
        (ALL, Request(branch=True), "monitoring"),
        (ALL, Request(plugin_contexts=True), "monitoring"),
        (ALL, Request(file_tracers=("django",)), "trace"),
        (ALL, Request(tool_id_available=False), "trace"),
        (PYPY, Request(), "python"),
        (PYPY, Request(branch=True), "python"),
        (PYPY, Request(plugin_contexts=True), "(pytrace)"),
        (PYPY, Request(file_tracers=("django",)), "(pytrace)"),
        (BOTH, Request(), "trace"),
    ],
)
def test_default(interpreter: _env.Interpreter, request_: Request, engine: str) -> None:
    assert default_engine(request_, interpreter) == engine


def test_every_engine_has_a_verdict() -> None:
    choice = choose(Request(branch=True), LINES, ENGINES)
    assert [verdict.engine for verdict in choice.verdicts] == list(ENGINES)
    assert [str(verdict) for verdict in choice.verdicts] == [
        "monitoring: not taken: this Python's sys.monitoring doesn't tell the two sides of a "
        "branch apart",
        "probe: not taken: there are no probes for this Python",
        "trace: taken: the fastest engine that can do what is asked",
        "python: not taken: it doesn't know this Python's bytecode",
    ]


def test_an_able_engine_that_comes_later() -> None:
    choice = choose(Request(), ALL, ENGINES)
    assert str(choice.verdicts[2]) == (
        "trace: not taken: monitoring can do what is asked, and is faster"
    )


def test_an_engine_that_was_not_built() -> None:
    choice = choose(Request(), ALL, ["trace"])
    assert choice.engine == "trace"
    assert choice.verdicts[0].reason == "the C extension was built without it"


def test_file_tracers_are_named() -> None:
    choice = choose(Request(file_tracers=("a.A", "b.B")), ALL, ENGINES)
    assert choice.verdicts[0].reason.endswith(": a.A, b.B")


def test_forced() -> None:
    choice = choose(Request(), ALL, ENGINES, forced="trace")
    assert choice.engine == "trace"
    reasons = {verdict.engine: verdict.reason for verdict in choice.verdicts}
    assert reasons["trace"] == "forced"
    assert reasons["monitoring"] == "trace is forced"


def test_pure_python_beside_an_extension_only_if_forced() -> None:
    assert choose(Request(), BOTH, ENGINES, forced="python").engine == "python"
    with pytest.raises(EngineError, match="only if it is forced"):
        choose(Request(), BOTH, ["python"])


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (Request(test_contexts=True), "frames that can be hidden"),
        (Request(examples=True), "made of the C extension"),
    ],
)
def test_what_pure_python_does_on_pypy_alone(request_: Request, reason: str) -> None:
    assert choose(request_, PYPY, ["python"]).engine == "python"
    with pytest.raises(EngineError, match=reason):
        choose(request_, BOTH, ENGINES, forced="python")


def test_forced_but_unknown() -> None:
    with pytest.raises(EngineError, match="there are monitoring, probe, trace, python"):
        choose(Request(), ALL, ENGINES, forced="warp")


def test_forced_but_unable() -> None:
    with pytest.raises(EngineError, match=r"^this Python has no sys.monitoring; .*trace \(can\)"):
        choose(Request(), BARE, ENGINES, forced="monitoring")


def test_nothing_built() -> None:
    with pytest.raises(EngineError, match="no engine can do what is asked"):
        choose(Request(), ALL, [])


def test_facts_of_this_interpreter() -> None:
    assert _env.current() == _env.SUPPORTED[_env.version()]
