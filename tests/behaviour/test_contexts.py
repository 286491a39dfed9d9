"""Dynamic contexts, switched by hand or begun by functions: each has all that ran in it."""

from __future__ import annotations

import ast
import contextlib
import gc
import re
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from coverage import CoveragePlugin

import quickcover

from . import facts
from .comparing import raw_differences, report_differences
from .measure import CoverageMeasurer, Recorded
from .random_source import Writer
from .random_support import Support
from .running import drive, no_garbage_collected
from .scenes import SAME_RAW_DATA, Scene

pytestmark = [
    pytest.mark.filterwarnings("error::coverage.exceptions.CoverageWarning"),
    pytest.mark.parametrize("name", facts.engines()),
]

PROGRAM = """
def f(x):
    if x:
        a = 1
    for i in range(x): a = i
    return x
def g(x):
    if x: return f(x - 1)
def one(x): return x
def count(x):
    while x:
        yield x
        x -= 1
def values(x):
    y = yield x
    try:
        y = (yield y) or 1; x = y
        for z in range(2):
            yield z; x += 1
    finally:
        if x: return (yield)
async def steps(waits):
    for wait in waits:
        await wait
    async with Manager() as manager:
        await waits[0]
        async for x in manager:
            if x: waits.append(x)
    return x
class Wait:
    def __await__(self): yield 1
class Manager:
    async def __aenter__(self): await Wait(); return self
    async def __aexit__(self, *_): await Wait()
    async def __aiter__(self):
        yield 1
        await Wait()
        yield 2
"""


def in_contexts(name: str, directory: Path, branch: bool) -> dict[str, Recorded]:
    """What is recorded in each context of a small play."""
    scene = Scene(directory, name, branch)
    program = scene.load(PROGRAM)
    used = CoverageMeasurer(name, directory, branch)
    used.start()
    for number, x in enumerate((1, 1, 0, 1, 0, 0)):
        used.cov.switch_context(f"call {number}")
        program.g(x)
        program.one(x)
        if number == 3:
            used.cov.switch_context("same twice")
            program.f(2)
            used.cov.switch_context("same twice")
            program.f(0)
    for number in range(3):
        used.cov.switch_context(f"counting {number}")
        list(program.count(number))
    used.cov.switch_context("nothing")
    used.stop()
    return by_context(used)


def in_contexts_of_suspended_frames(
    name: str, directory: Path, branch: bool
) -> dict[str, Recorded]:
    """A new context each time that a generator or a coroutine goes on."""
    program = Scene(directory, name, branch).load(PROGRAM)
    used = CoverageMeasurer(name, directory, branch)
    used.start()
    waits = [program.Wait(), program.Wait()]
    suspended = [program.count(2), program.values(1), program.steps(waits), program.values(2)]
    with contextlib.suppress(IndexError):
        for step in range(20):
            frame = suspended[step % len(suspended)]
            used.cov.switch_context(f"step {step}")
            try:
                frame.throw(KeyError(1)) if step == 11 else frame.send(None)
            except (StopIteration, KeyError):
                suspended.remove(frame)
            used.cov.switch_context("between")
    used.stop()
    return by_context(used)


def test_a_suspended_frame_goes_on_in_another_context(
    tmp_path: Path, name: str, branch: bool
) -> None:
    """The line that it goes on with was reached in that one, too."""
    if name == "python":
        pytest.skip(f"{name} has probes between lines, and not where a frame goes on")
    compare(in_contexts_of_suspended_frames, tmp_path.resolve(), name, branch)


def by_context(used: CoverageMeasurer) -> dict[str, Recorded]:
    data = used.cov.get_data()
    found = {}
    for context in sorted(data.measured_contexts()):
        data.set_query_context(context)
        found[context] = used.recorded()
    return found


def test_each_context_is_complete(tmp_path: Path, name: str, branch: bool) -> None:
    compare(in_contexts, tmp_path.resolve(), name, branch)


def compare(
    play: Callable[[str, Path, bool], dict[str, Recorded]],
    directory: Path,
    name: str,
    branch: bool,
) -> None:
    """A play under ctrace and under another measurer: the same contexts, with the same in them."""
    with no_garbage_collected():
        ctrace = play(facts.stock(), directory, branch)
        engine = play(name, directory, branch)
    assert sorted(engine) == sorted(ctrace)
    for context, expected in ctrace.items():
        if name in SAME_RAW_DATA:
            difference = raw_differences(name, facts.stock(), engine[context], expected)
        else:
            difference = report_differences(
                name, facts.stock(), engine[context], expected, branch=branch
            )
        assert not difference, f"{context}: {difference}"


def test_contexts_by_line(tmp_path: Path, name: str, branch: bool) -> None:
    directory = tmp_path.resolve()
    found = []
    for used_name in (facts.stock(), name):
        scene = Scene(directory, used_name, branch)
        program = scene.load(PROGRAM)
        used = CoverageMeasurer(used_name, directory, branch)
        used.start()
        for context in ("one", "two", "one"):
            used.cov.switch_context(context)
            program.g(len(context) - 2)
        used.stop()
        contexts = used.cov.get_data().contexts_by_lineno(str(directory / "program.py"))
        found.append({line: sorted(names) for line, names in contexts.items()})
    ctrace, engine = found
    assert engine == ctrace


TESTS = """
import contextlib
class Wait:
    def __await__(self): yield 1
def helper(x):
    if x: return 1
    for i in range(2): x += i
    return x
class TestCase:
    def test_method(self, x):
        return helper(x)
    @classmethod
    def test_class_method(cls, x): return helper(x)
    def runTest(self): helper(1); helper(0)
def test_plain(x=0):
    return helper(x)
def test_outer(x):
    if x: test_plain(x)
    return test_plain(x - 1)
def test_raising(x):
    helper(x)
    raise ValueError
def test_caught(x):
    with contextlib.suppress(ValueError): test_raising(x)
    helper(0)
def test_recursive(x):
    return test_recursive(x - 1) if x else helper(x)
def test_generator(x):
    yield helper(x)
    yield helper(0)
async def test_coroutine(x):
    await Wait()
    helper(x)
    await Wait()
def outside(x):
    return helper(x)
def never(x): return x
"""


def play_tests(used: CoverageMeasurer, program: Any) -> None:
    """Functions that begin contexts, and others; some raise, are resumed, call each other."""
    used.start()
    for x in (0, 1):
        program.outside(x)
        program.test_plain(x)
        program.TestCase().test_method(x)
        program.TestCase.test_class_method(x)
        program.test_outer(x)
        program.outside(x)
        with contextlib.suppress(ValueError):
            program.test_raising(x)
        program.helper(x)
        program.test_caught(x)
        program.test_recursive(x)
        generator = (getattr(program, "test_generator", None) or program.generator)(x)
        next(generator)
        program.outside(0)
        list(generator)
        drive((getattr(program, "test_coroutine", None) or program.coroutine)(x))
        used.cov.stop()
        program.test_plain(1)
        used.start()
        program.TestCase().runTest()
    used.stop()


def in_test_functions(name: str, directory: Path, branch: bool) -> dict[str, Recorded]:
    program = Scene(directory, name, branch).load(TESTS)
    return in_functions_of(program, name, directory, branch)


def in_plain_test_functions(name: str, directory: Path, branch: bool) -> dict[str, Recorded]:
    """The same where generators and coroutines have other names."""
    source = TESTS.replace("test_generator", "generator").replace("test_coroutine", "coroutine")
    program = Scene(directory, name, branch).load(source)
    return in_functions_of(program, name, directory, branch)


def in_functions_of(program: Any, name: str, directory: Path, branch: bool) -> dict[str, Recorded]:
    used = CoverageMeasurer(name, directory, branch)
    used.cov.set_option("run:dynamic_context", "test_function")
    play_tests(used, program)
    return by_context(used)


def test_functions_named_as_tests_begin_contexts(tmp_path: Path, name: str, branch: bool) -> None:
    if name == "python":
        pytest.skip(f"{name} has no contexts of generators and coroutines")
    compare(in_test_functions, tmp_path.resolve(), name, branch)


def test_plain_functions_named_as_tests_begin_contexts(
    tmp_path: Path, name: str, branch: bool
) -> None:
    compare(in_plain_test_functions, tmp_path.resolve(), name, branch)


UNMEASURED = """
import contextlib
class TestCase:
    def test_method(self, x):
        return helper(x)
    def not_one(self, x):
        def test_inside(): return helper(x)
        return test_inside()
def test_plain(x):
    return helper(x)
def test_raising(x):
    helper(x)
    raise ValueError
async def test_coroutine(x):
    await Wait()
    helper(x)
def outside(x):
    return helper(x)
with contextlib.suppress(ValueError): test_raising(0)
"""


@pytest.mark.parametrize("before", [False, True], ids=["", "made before"])
def test_tests_begin_contexts_that_are_not_measured(
    tmp_path: Path, name: str, branch: bool, before: bool
) -> None:
    """As where `source` is the package and not its tests."""
    if name == "python":
        pytest.skip(f"{name} meets measured code alone")
    tests = tmp_path.resolve() / "tests.py"
    tests.write_text(UNMEASURED, encoding="utf-8")
    (tmp_path / "src").mkdir()

    def play(name: str, directory: Path, branch: bool) -> dict[str, Recorded]:
        program = Scene(directory, name, branch).load(TESTS)
        names = {"__name__": "tests", "helper": program.helper, "Wait": program.Wait}
        code = compile(UNMEASURED, str(tests), "exec")
        used = CoverageMeasurer(name, directory, branch)
        used.cov.set_option("run:dynamic_context", "test_function")
        if before:
            exec(code, names)
        used.start()
        if not before:
            exec(code, names)
        for x in (0, 1, 0):
            case: Any = names["TestCase"]()  # type: ignore[operator]
            calls: list[Any] = [case.test_method, case.not_one, names["test_plain"]]
            for call in (*calls, names["outside"]):
                call(x)
            with contextlib.suppress(ValueError):
                names["test_raising"](x)  # type: ignore[operator]
            program.helper(x)
            drive(names["test_coroutine"](x))  # type: ignore[operator]
        used.stop()
        return by_context(used)

    compare(play, tmp_path.resolve() / "src", name, branch)


def plain_functions(source: str) -> set[str]:
    """The names of functions alone, and not of generators or coroutines."""
    plain, other = set(), set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parts = [part for statement in node.body for part in ast.walk(statement)]
            yields = any(isinstance(part, ast.Yield | ast.YieldFrom) for part in parts)
            (other if yields or isinstance(node, ast.AsyncFunctionDef) else plain).add(node.name)
    return plain - other


@pytest.mark.parametrize("seed", range(4))
def test_random_functions_begin_contexts(
    tmp_path: Path, name: str, branch: bool, seed: int
) -> None:
    """Tests that call each other, and raise anywhere."""
    source = Writer(seed).program()
    for number, function in enumerate(sorted(plain_functions(source))):
        if number % 3:
            source = re.sub(rf"\b{function}\b", f"test_{function}", source)
    file = tmp_path.resolve() / "program.py"

    def play(name: str, directory: Path, branch: bool) -> dict[str, Recorded]:
        file.write_text(source, encoding="utf-8")
        support = Support(seed)
        code = compile(source, str(file), "exec")
        namespace = {"__name__": "program", **support.names()}
        used = CoverageMeasurer(name, directory, branch)
        used.cov.set_option("run:dynamic_context", "test_function")
        with no_garbage_collected():
            used.start()
            support.run(lambda: exec(code, namespace))
            used.stop()
        namespace.clear()
        gc.collect()
        return by_context(used)

    compare(play, tmp_path.resolve(), name, branch)


class Switcher(CoveragePlugin):
    """A plugin for which some functions begin contexts, sometimes."""

    asked = 0

    def dynamic_context(self, frame: FrameType) -> str | None:
        if frame.f_code.co_name in ("outside", "helper", "test_generator"):
            self.asked += 1
            return f"{frame.f_code.co_name}{self.asked % 3}" if self.asked % 4 else None
        return None


def in_functions_of_a_plugin(name: str, directory: Path, branch: bool) -> dict[str, Recorded]:
    program = Scene(directory, name, branch).load(TESTS)
    used = measurer_with(Switcher(), name, directory, branch)
    play_tests(used, program)
    return by_context(used)


def measurer_with(
    plugin: CoveragePlugin, name: str, directory: Path, branch: bool
) -> CoverageMeasurer:
    used = CoverageMeasurer(name, directory, branch)
    plugins = [lambda registry: registry.add_dynamic_context(plugin)]
    if name != facts.stock():
        plugins.append(lambda registry: quickcover.coverage_init(registry, {}))
    used.cov._plugin_override = plugins  # type: ignore[attr-defined]
    return used


Call = tuple[object, ...]


class Listener(CoveragePlugin):
    """A plugin that keeps what it sees of the frames in one file, and lets some begin contexts."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.calls: list[Call] = []

    def dynamic_context(self, frame: FrameType) -> str | None:
        if frame.f_code.co_filename != self.file:
            return None
        assert frame.f_back is not None
        variables = sorted((key, repr(value)) for key, value in frame.f_locals.items())
        plain = [pair for pair in variables if " at 0x" not in pair[1]]
        self.calls.append((frame.f_code.co_name, frame.f_lineno, frame.f_back.f_lineno, *plain))
        return frame.f_code.co_name if len(self.calls) % 3 == 0 else None


def test_a_plugin_sees_every_call_in_the_same_way(tmp_path: Path, name: str, branch: bool) -> None:
    if not facts.contexts_by_functions(name):
        pytest.skip(f"{name} does not see every call")
    directory = tmp_path.resolve()
    seen: dict[str, list[Call]] = {}

    def play(name: str, directory: Path, branch: bool) -> dict[str, Recorded]:
        listener = Listener(str(directory / "program.py"))
        program = Scene(directory, name, branch).load(TESTS)
        used = measurer_with(listener, name, directory, branch)
        play_tests(used, program)
        seen[name] = listener.calls
        return by_context(used)

    compare(play, directory, name, branch)
    assert seen[name] == seen[facts.stock()]


def test_a_plugin_switches_contexts(tmp_path: Path, name: str, branch: bool) -> None:
    if not facts.contexts_by_functions(name):
        pytest.skip(f"{name} does not see every call")
    compare(in_functions_of_a_plugin, tmp_path.resolve(), name, branch)
