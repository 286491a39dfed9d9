"""Probes fire once, are gone then, and can be armed again, wherever frames stand."""

from __future__ import annotations

import marshal
import sys
import threading
import types
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import FILE, Load, Prober, probes_of

LOOP = """
def f(n):
    total = 0
    for i in range(n):
        if i % 2:
            total += i
        else:
            total -= 1
    while total > 3:
        total -= 1
        if total == 5:
            break
    return total
"""


def test_fired_probes_are_gone(prober: Prober, load: Load) -> None:
    f = load(LOOP).f
    assert probes_of(f.__code__) > 0
    assert f(9) == 5
    assert f(3) == -1
    for n in range(12):
        f(n)
    assert probes_of(f.__code__) == 0
    assert {(3, 4), (3, 8), (4, 5), (4, 7), (8, 9), (8, 12), (10, 11), (10, 8)} <= prober.arcs()


def test_what_was_not_executed_stays_armed(prober: Prober, load: Load) -> None:
    f = load(LOOP).f
    f(0)
    assert prober.lines() == {1, 2, 3, 8, 12}
    assert probes_of(f.__code__) > 0


def test_renewed_places_are_seen_again(prober: Prober, load: Load) -> None:
    f = load(LOOP).f
    for _ in range(100):
        f(9)  # warm: adaptive, specialised and joined instructions
    seen = {arc for arc in prober.arcs() if arc[0] > 1}
    for _ in range(50):
        prober.store.renew()
        assert probes_of(f.__code__) > 0
        assert f(9) == 5
        assert f(3) == -1
    assert seen <= prober.arcs()


def test_armed_again_below_a_joined_instruction(prober: Prober, load: Load) -> None:
    # STORE_FAST of line 2 and LOAD_FAST of line 3 are joined when the code is warm: the first must
    # not take its argument from a unit that a probe displaces.
    f = load("""
def f(a):
    b = a
    c = b
    d = c
    return d
""").f
    for k in range(200):
        assert f(k) == k
        if k % 20 == 19:
            prober.store.renew()
    assert prober.lines() == {1, 2, 3, 4, 5}


def test_in_place_concatenation_looks_ahead(prober: Prober, load: Load) -> None:
    f = load("""
def f(n):
    s = ""
    for i in range(n):
        s = (s +
            "x")
    return s
""").f
    for _ in range(30):
        assert f(40) == "x" * 40
        prober.store.renew()


def test_compare_and_jump_looks_ahead(prober: Prober, load: Load) -> None:
    f = load("""
def f(n):
    while n > 0:
        n -= 1
    while n < 20:
        n += 1
        if n == 15: break
    return n
""").f
    for k in range(60):
        assert f(k) == 15
        if k % 3 == 0:
            prober.store.renew()


def test_append_skips_its_pop_top(prober: Prober, load: Load) -> None:
    f = load("""
def f(n):
    found = []
    for i in range(n):
        (found
            .append(i))
    return found
""").f
    for _ in range(30):
        assert f(40) == list(range(40))
        prober.store.renew()


def test_code_without_end(prober: Prober, load: Load) -> None:
    """Code of thousands of units needs islands between its instructions."""
    body = "".join(f"    if x == {k}:\n        y = [x, {k}, y]\n" for k in range(400))
    f = load(f"def f(x):\n    y = 0\n{body}    return y\n").f
    for k in range(400):
        assert f(k) == [k, k, 0]
    assert probes_of(f.__code__) == 0
    assert prober.lines() == set(range(1, 804))


def test_far_jumps(prober: Prober, load: Load) -> None:
    body = "".join(f"        y = y + x * {k}\n" for k in range(500))
    f = load(f"def f(n):\n    y = 0\n    for x in range(n):\n{body}    return y\n").f
    assert f(3) == 3 * sum(range(500))
    arcs = prober.arcs()
    assert (3, 504) in arcs
    assert (503, 3) in arcs


def test_many_constants(prober: Prober, load: Load) -> None:
    table = ", ".join(f"x + {k}.5" for k in range(1000))
    f = load(f"def f(x):\n    if x:\n        return [{table}]\n    return []\n").f
    assert f(0) == []
    assert f(1) == [1 + k + 0.5 for k in range(1000)]
    assert {(2, 3), (2, 4)} <= prober.arcs()


def test_an_island_never_parts_a_call(prober: Prober, load: Load) -> None:
    calls = "\n".join("    y += max(x, 1, key=abs)" for _ in range(300))
    f = load(f"def f(x):\n    y = 0\n{calls}\n    return y\n").f
    for _ in range(20):
        assert f(2) == 600


def test_exceptions_in_moved_code(prober: Prober, load: Load) -> None:
    blocks = "".join(
        f"    try:\n        y += 1 // (x - {k})\n    except ZeroDivisionError:\n        y += 1000\n"
        f"    finally:\n        y += 1\n"
        for k in range(120)
    )
    source = f"def f(x):\n    y = 0\n{blocks}    return y\n"
    bare: dict[str, Any] = {}
    exec(compile(source, "<bare>", "exec"), bare)
    f = load(source).f
    for x in (-1, 0, 60, 119):
        assert f(x) == bare["f"](x)


def test_a_suspended_generator_and_renewal(prober: Prober, load: Load) -> None:
    numbers = load("""
def numbers(n):
    for i in range(n):
        x = yield i
        if x:
            yield from [x]
""").numbers
    running = numbers(10)
    assert next(running) == 0
    prober.store.renew()
    assert running.send(7) == 7
    prober.store.renew()
    assert list(running) == list(range(1, 10))
    assert 2 in prober.lines()


def test_a_generator_begun_before_the_start(load: Load) -> None:
    numbers = load("""
def numbers(n):
    for i in range(n):
        yield i
        a = i
""").numbers
    running = numbers(5)
    next(running)
    prober = Prober()
    prober.start()
    try:
        assert list(running) == [1, 2, 3, 4]
        assert prober.lines() == {2, 3, 4}
    finally:
        prober.stop()


def test_functions_that_exist_already(load: Load) -> None:
    f = load(LOOP).f
    before = f.__code__
    prober = Prober()
    prober.start()
    try:
        f(3)
        assert 4 in prober.lines()
    finally:
        prober.stop()
    assert f.__code__ is before


def test_code_that_was_specialised_before(load: Load) -> None:
    source = """\
import types
def f(names, attribute=types.SimpleNamespace(value=2)):
    total = 0
    for name in names:
        if name in names and attribute.value > 1:
            total += attribute.value
        names[0].append(total)
    return [x * 2 for x in range(total)], f.__name__, len(names)
"""
    old, other = load(source), load(source)
    for k in range(300):
        old.f([[k], [2]])
    prober = Prober()
    prober.start()
    try:
        old.f([[1], [2]])
        assert prober.lines() >= {3, 4, 5, 6, 7, 8}
        assert old.f.__code__.co_code == other.f.__code__.co_code
        assert old.f([[1], [2]]) == other.f([[1], [2]])
    finally:
        prober.stop()
    assert old.f.__code__.co_code == other.f.__code__.co_code


def test_closures_made_from_old_code(load: Load) -> None:
    make = load("""
def make():
    def inner(x):
        return x + 1
    return inner
""").make
    prober = Prober()
    prober.start()
    try:
        assert make()(1) == 2
        assert prober.lines() == {2, 3, 4}
    finally:
        prober.stop()


def test_replaced_code(prober: Prober, load: Load) -> None:
    f = load("def f(x):\n    if x:\n        return 1\n    return 2\n").f
    f.__code__ = f.__code__.replace(co_name="g")
    assert f(0) == 2
    g = types.FunctionType(f.__code__.replace(co_name="h"), {})
    assert g(1) == 1
    assert prober.lines() == {1, 2, 3, 4}
    copy = f.__code__.replace(co_code=f.__code__.co_code)
    assert copy.co_consts == f.__code__.co_consts
    assert eval(copy, {"x": 0}) is None if copy.co_argcount == 0 else True


def test_duplicates_share_what_was_seen(prober: Prober) -> None:
    code = compile("x = 1\nif x:\n    y = 2\n", FILE, "exec")
    for _ in range(2000):
        exec(code, {})
        exec(compile("x = 1\ny = x\n", FILE, "exec"), {})
    assert prober.lines() == {1, 2, 3}
    assert prober.store.stats()["code_records"] < 100


@pytest.mark.parametrize("more", [(), (1,), (1,) * 300], ids=len)
def test_every_copy_sees_what_the_others_did_not(more: tuple[int, ...]) -> None:
    """The probes of copies go where those of another copy are, unless theirs can't stand there."""
    source = """
def f(x):
    for i in x:
        if i:
            a = 1 / i
        elif x[1]:
            a = 2
        else:
            a = 3
            raise KeyError
    return a
"""
    seen = []
    for copies in (False, True):
        prober = Prober()
        prober.start()
        functions = []
        for number in range(6 if copies else 1):
            names: dict[str, Any] = {}
            exec(compile(source, FILE, "exec"), names)
            f = names["f"]
            if copies and number > 2:
                f.__code__ = f.__code__.replace(co_consts=(*f.__code__.co_consts, *more))
            functions.append(f)
        arcs = []
        for x in ([1], [0, 1], [0, 0], [], None, [1, 1]):
            f = functions.pop() if copies else functions[0]
            try:
                f(x)
            except (KeyError, TypeError, UnboundLocalError):
                pass
            arcs.append(prober.arcs())
        prober.store.renew()
        f([1, 1])
        arcs.append(prober.arcs())
        prober.stop()
        seen.append(arcs)
    assert seen[0] == seen[1]


def test_threads(prober: Prober, load: Load) -> None:
    f = load(LOOP).f
    wrong: list[int] = []

    def run() -> None:
        for _ in range(300):
            if f(9) != 5 or f(3) != -1:
                wrong.append(1)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(200):
            prober.store.renew()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong


def test_stop_and_start(load: Load, prober: Prober) -> None:
    f = load(LOOP).f
    f(3)
    prober.arcs()
    prober.stop()
    assert probes_of(f.__code__) == 0
    f(9)
    assert prober.arcs() == set()
    prober.start()
    f(9)
    assert 9 in prober.lines()


def test_another_store(load: Load, prober: Prober) -> None:
    f = load(LOOP).f
    f(9)
    prober.stop()
    other = Prober()
    other.start()
    try:
        f(9)
        assert {2, 3, 4, 5, 7, 8, 9, 10, 11, 12} == other.lines()
    finally:
        other.stop()


@pytest.fixture
def _no_leak() -> Iterator[None]:
    from quickcover import _native

    before = _native.live()["bytes"]
    yield
    assert _native.live()["bytes"] <= before + 100_000


@pytest.mark.usefixtures("_no_leak")
def test_memory_is_given_back() -> None:
    for _ in range(30):
        prober = Prober()
        prober.start()
        exec(compile(LOOP + "\nf(9)\n", FILE, "exec"), {})
        prober.stop()


def test_a_full_stack_in_a_generator(prober: Prober, load: Load) -> None:
    """A generator's frame has no slot more than it asked for: a trampoline must not need it."""
    numbers = load("""
def numbers(n):
    yield max(
        n,
        1,
        2,
        3,
    )
""").numbers
    found = [list(numbers(k)) for k in range(2000)]
    assert found[-1] == [1999]
    for _ in range(200):
        prober.store.renew()
        assert list(numbers(9)) == [9]


def test_a_function_sleeps_until_it_is_called(prober: Prober, load: Load) -> None:
    names = load("def f(x):\n    if x:\n        x = 1\n    return x\ndef g(): pass\n")
    assert probes_of(names.f.__code__) == 1  # the stub that wakes it
    records = prober.store.stats()["code_records"]
    assert names.f(0) == 0
    assert prober.store.stats()["code_records"] == records + 1
    assert probes_of(names.f.__code__) > 0
    assert names.f(1) == 1
    assert probes_of(names.f.__code__) == 0


def test_a_long_function_wakes_at_its_first_call(prober: Prober, load: Load) -> None:
    """Its stub takes two units, and what stands after the first line moves while it runs."""
    body = "".join(f"        if x == {k}: y += {k}\n" for k in range(300))
    f = load(f"def f(n):\n    y = 0\n    for x in range(n):\n{body}    return y\n").f
    assert f(301) == sum(range(300))
    assert f(301) == sum(range(300))


def test_two_threads_wake_one_function(prober: Prober, load: Load) -> None:
    source = "def f(x):\n    y = x\n    if y:\n        return y\n    return 0\n"
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(100):
            f = load(source).f
            threads = [threading.Thread(target=f, args=(k,)) for k in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert prober.lines() == {1, 2, 3, 4, 5}


def test_exec_taken_before_the_start(load: Load) -> None:
    taken_exec, taken_eval = exec, eval
    prober = Prober()
    prober.start()
    try:
        assert exec is taken_exec
        taken_exec(compile("a = 1\nb = 2\n", FILE, "exec"), {})
        taken_eval(compile("\n\n1 + 1\n", FILE, "eval"), {})
        assert prober.lines() == {1, 2, 3}
    finally:
        prober.stop()


def test_exceptions_that_leave_the_line_of_a_loop(prober: Prober, load: Load) -> None:
    f = load("""
def f(numbers):
    for number in numbers:
        yield 1 / number
    for number in 1 / 0:
        pass
""").f
    for _ in range(20):
        with pytest.raises(ZeroDivisionError) as caught:
            list(f([1, 2]))
        assert [entry.lineno for entry in caught.traceback][-1:] == [3]
    arcs = prober.arcs()
    assert (4, -1) in arcs
    assert (2, -1) not in arcs


def test_an_exception_that_a_call_gives_on(prober: Prober, load: Load) -> None:
    """The instruction before the call, which drops what is left of the comparison, never raises."""
    f = load("""
def f(g, x):
    if g(0 < x < 5):
        return 1
""").f

    def fails(x: bool) -> None:
        raise KeyError

    for x in (1, -1, 9):
        prober.store.renew()
        prober.arcs()
        with pytest.raises(KeyError):
            f(fails, x)
        assert (2, -1) in prober.arcs()


def test_exceptions_that_are_caught(prober: Prober, load: Load) -> None:
    f = load("""
def f(x):
    try:
        for i in x:
            1 / i
    finally:
        a = 1
""").f
    for x in ([1], [0], None, [1], [0], None):
        try:
            f(x)
        except (ZeroDivisionError, TypeError):
            pass
    arcs = prober.arcs()
    assert {(3, 6), (4, 6)} <= arcs


def test_a_copy_of_code_with_a_way_out(prober: Prober, load: Load) -> None:
    """What leads exceptions to a trampoline must not get into copies: they have none."""
    f = load("def f(x):\n    for i in x:\n        1 / i\n").f
    f([1])
    copies = [
        types.FunctionType(f.__code__.replace(co_filename="<copy>"), {}),
        types.FunctionType(marshal.loads(marshal.dumps(f.__code__)), {}),
        types.FunctionType(marshal.loads(marshal.dumps([f.__code__]))[0], {}),
    ]
    prober.stop()
    copies.append(types.FunctionType(marshal.loads(marshal.dumps(f.__code__)), {}))
    for copy in copies:
        with pytest.raises(TypeError):
            copy(None)
        with pytest.raises(ZeroDivisionError):
            copy([0])


def test_code_that_is_executed_again_and_again(prober: Prober) -> None:
    code = compile("def f(x):\n    return x\nf(1)\n", FILE, "exec")
    for _ in range(50):
        exec(code, {})
    assert prober.lines() == {1, 2, 3}
    prober.store.renew()
    exec(code, {})
    assert prober.lines() == {1, 2, 3}


def test_functions_made_by_a_frame_that_runs(load: Load) -> None:
    outer = load("""
def outer(start):
    start()
    def inner(x):
        return [y for y in x]
    return inner
""").outer
    prober = Prober()
    inner = outer(prober.start)
    try:
        assert inner([1]) == [1]
        assert prober.lines() == {4}
    finally:
        prober.stop()


def test_a_generator_that_runs_is_told_of(load: Load) -> None:
    numbers = load("def numbers(start):\n    start()\n    yield 1\n    yield 2\n").numbers
    prober = Prober()
    assert list(numbers(prober.start)) == [1, 2]
    prober.stop()
    with pytest.raises(RuntimeWarning, match="is a generator that was running"):
        prober.arcs()


def test_other_interpreters_are_left_alone(prober: Prober, load: Load) -> None:
    interpreters = pytest.importorskip("_xxsubinterpreters")
    other = interpreters.create()
    try:
        interpreters.run_string(
            other,
            "import sys\n"
            "exec(compile('x = 1', 'elsewhere', 'exec'))\n"
            "f = type(lambda: 0)(compile('x = 1', 'elsewhere', 'exec'), {})\n"
            "f.__code__ = compile('x = 2', 'elsewhere', 'exec')\n"
            "sys.settrace(None)\n",
        )
    finally:
        interpreters.destroy(other)
    f = load("def f():\n    return 1\n").f
    assert f() == 1
    assert prober.lines() == {1, 2}
