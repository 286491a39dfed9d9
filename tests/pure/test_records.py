"""What was instrumented is known for as long as somebody may run it."""

from __future__ import annotations

import gc
import types
from pathlib import Path

import pytest

from quickcover import _env

from ..behaviour.scenes import Comparison, Scene

pytestmark = pytest.mark.skipif(
    not _env.current().rewriting, reason="the python engine doesn't know this bytecode"
)

SOURCE = """
import types
@types.coroutine
def waits():
    yield
def plain(x):
    if x:
        return 1
    return 2
"""


@pytest.fixture
def compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Comparison:
    """Compare the python engine; it looks all the time for what is gone."""
    from quickcover.pure.store import Records

    monkeypatch.setattr(Records, "crowded", lambda self: True)
    return Comparison(tmp_path.resolve(), "python", True)


def test_copies_with_other_flags_and_names(compare: Comparison) -> None:
    def scenario(scene: Scene) -> None:
        with scene.measuring():
            program = scene.load(SOURCE)
            renamed = types.FunctionType(program.plain.__code__.replace(co_name="other"), {})
            program.plain(0)
            again = types.FunctionType(program.plain.__code__.replace(co_name="again"), {})
            program.plain.__code__ = again.__code__
            for _ in range(3):
                gc.collect()
                scene.load("a = 1\n", "other.py")
            assert list(program.waits()) == [None]
            assert renamed(1) == again(1) == 1

    compare(scenario)
