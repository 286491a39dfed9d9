"""Differences that are known and understood, because ctrace is wrong. Keep it short.

Each is written as a session tells it; they are counted apart. Everything else that can differ
between two runs of a core is left out of its suite instead.
"""

from __future__ import annotations

RESUMED_UNSEEN = """
3.11: when an exception is thrown into a generator or coroutine and through its `yield from` or
`await` into another one, and that one returns, the outer one goes on without a call event. ctrace
takes its lines for lines of whoever threw, and its return for the return of that frame, whose
further lines are lost or counted for yet another file.
"""

GREENLETS = """
Without `concurrency = greenlet`, ctrace takes lines that one greenlet runs for lines of another,
or loses them. (With it, it loses those after a bare switch, so nothing is won.)
"""

TRACING = """
While a trace function runs, nothing is traced, so ctrace doesn't see the code of one that a test
sets. Probes are in that code, too.
"""

TOO_SLOW = """
Under pytrace the suite is so slow, and the stack so deep, that tests fail which pass without it.
"""

FINALIZERS = """
On PyPy finalizers and callbacks of weak references run when the garbage collector finds the time,
and weak references are dead from some moment on that is another one in each run. Most of what runs
then no trace function sees.
"""

#: In place of a version of CPython.
PYPY = (0, 0)

# (suite, version of Python, reason) -> what may differ
EXPLAINED: dict[tuple[str, tuple[int, int], str], str] = {
    ("tornado", (3, 11), RESUMED_UNSEEN): """
tornado/test/httpserver_test.py:139: line is executed, should be missing
tornado/test/httpserver_test.py:1372: line is executed, should be missing
tornado/test/httpserver_test.py:1376: line is executed, should be missing
tornado/test/httpserver_test.py:1483: line is executed, should be missing
tornado/test/httpserver_test.py:1498: line is executed, should be missing
tornado/test/httpserver_test.py:1346 -> -1341: branch is executed, should be missing
tornado/test/httpserver_test.py:1376 -> -1367: branch is executed, should be missing
tornado/test/simple_httpclient_test.py:348: line is executed, should be missing
tornado/test/web_test.py:3378: line is executed, should be missing
tornado/test/websocket_test.py:197: line is missing, should be executed
""",
    ("trio", (3, 11), RESUMED_UNSEEN): """
src/trio/_core/_tests/test_run.py:2462: line is executed, should be missing
src/trio/_core/_tests/test_run.py:2463: line is executed, should be missing
src/trio/_core/_tests/test_run.py:2464: line is executed, should be missing
src/trio/_core/_tests/test_run.py:2466: line is executed, should be missing
src/trio/_core/_tests/test_run.py:2473: line is executed, should be missing
""",
    ("django", (3, 11), RESUMED_UNSEEN): """
tests/async/test_async_auth.py:140: line is executed, should be missing
tests/auth_tests/test_auth_backends.py:497: line is executed, should be missing
""",
    ("django", (3, 11), TRACING): """
tests/utils_tests/test_lazyobject.py:368: line is executed, should be missing
tests/utils_tests/test_lazyobject.py:369: line is executed, should be missing
tests/utils_tests/test_lazyobject.py:369 -> -367: branch is executed, should be missing
""",
    ("django", (3, 12), TRACING): """
tests/utils_tests/test_lazyobject.py:368: line is executed, should be missing
tests/utils_tests/test_lazyobject.py:369: line is executed, should be missing
tests/utils_tests/test_lazyobject.py:369 -> -367: branch is executed, should be missing
""",
    ("django", (3, 13), TRACING): """
tests/utils_tests/test_lazyobject.py:368: line is executed, should be missing
tests/utils_tests/test_lazyobject.py:369: line is executed, should be missing
tests/utils_tests/test_lazyobject.py:369 -> -367: branch is executed, should be missing
""",
    ("sqlalchemy", (3, 11), GREENLETS): """
lib/sqlalchemy/util/queue.py:286: line is executed, should be missing
lib/sqlalchemy/util/queue.py:287: line is executed, should be missing
lib/sqlalchemy/util/queue.py:311: line is executed, should be missing
test/base/test_concurrency.py:240: line is executed, should be missing
test/base/test_concurrency.py:241: line is executed, should be missing
test/base/test_concurrency.py:242: line is executed, should be missing
test/base/test_concurrency.py:243: line is executed, should be missing
test/base/test_concurrency.py:245: line is executed, should be missing
test/base/test_concurrency.py:277: line is executed, should be missing
test/base/test_concurrency.py:291: line is executed, should be missing
""",
    ("sqlalchemy", (3, 13), GREENLETS): """
lib/sqlalchemy/util/queue.py:286: line is executed, should be missing
lib/sqlalchemy/util/queue.py:287: line is executed, should be missing
lib/sqlalchemy/util/queue.py:311: line is executed, should be missing
""",
    ("sqlalchemy", (3, 14), GREENLETS): """
lib/sqlalchemy/util/concurrency.py:110: line is missing, should be executed
lib/sqlalchemy/util/queue.py:286: line is executed, should be missing
lib/sqlalchemy/util/queue.py:287: line is executed, should be missing
lib/sqlalchemy/util/queue.py:311: line is executed, should be missing
""",
    ("click", PYPY, FINALIZERS): """
src/click/_compat.py:75: line is executed, should be missing
src/click/_compat.py:76: line is executed, should be missing
""",
    ("jinja2", PYPY, FINALIZERS): """
src/jinja2/nodes.py:166: line is executed, should be missing
""",
    ("sqlalchemy", PYPY, FINALIZERS): """
lib/sqlalchemy/orm/decl_base.py:2217: line is executed, should be missing
lib/sqlalchemy/orm/evaluator.py:42: line is executed, should be missing
lib/sqlalchemy/orm/evaluator.py:128: line is executed, should be missing
lib/sqlalchemy/orm/evaluator.py:200: line is executed, should be missing
lib/sqlalchemy/orm/evaluator.py:127 -> 128: branch is executed, should be missing
lib/sqlalchemy/orm/evaluator.py:199 -> 200: branch is executed, should be missing
lib/sqlalchemy/orm/identity.py:232: line is executed, should be missing
lib/sqlalchemy/orm/identity.py:265: line is executed, should be missing
lib/sqlalchemy/orm/identity.py:266: line is executed, should be missing
lib/sqlalchemy/orm/identity.py:267: line is executed, should be missing
lib/sqlalchemy/orm/identity.py:268: line is executed, should be missing
lib/sqlalchemy/orm/identity.py:273: line is executed, should be missing
lib/sqlalchemy/orm/identity.py:274: line is executed, should be missing
lib/sqlalchemy/orm/identity.py:231 -> 232: branch is executed, should be missing
lib/sqlalchemy/orm/identity.py:273 -> 274: branch is executed, should be missing
lib/sqlalchemy/orm/state.py:554: line is executed, should be missing
lib/sqlalchemy/orm/state.py:557: line is executed, should be missing
lib/sqlalchemy/orm/state.py:558: line is executed, should be missing
lib/sqlalchemy/orm/state.py:559: line is executed, should be missing
lib/sqlalchemy/orm/state.py:560: line is executed, should be missing
lib/sqlalchemy/orm/state.py:567: line is executed, should be missing
lib/sqlalchemy/orm/state.py:554 -> 557: branch is executed, should be missing
lib/sqlalchemy/orm/state.py:558 -> 559: branch is executed, should be missing
lib/sqlalchemy/orm/state.py:558 -> 567: branch is executed, should be missing
lib/sqlalchemy/pool/base.py:122: line is executed, should be missing
lib/sqlalchemy/pool/base.py:1012: line is executed, should be missing
lib/sqlalchemy/pool/base.py:1011 -> 1012: branch is executed, should be missing
lib/sqlalchemy/pool/base.py:1118 -> 1123: branch is executed, should be missing
lib/sqlalchemy/pool/impl.py:446 -> 449: branch is missing, should be executed
lib/sqlalchemy/util/_collections.py:277: line is missing, should be executed
lib/sqlalchemy/util/_collections.py:278: line is missing, should be executed
lib/sqlalchemy/util/_collections.py:279: line is missing, should be executed
lib/sqlalchemy/util/_collections.py:278 -> 279: branch is missing, should be executed
test/engine/test_transaction.py:1503: line is executed, should be missing
test/engine/test_transaction.py:1517: line is executed, should be missing
""",
    ("sqlalchemy", PYPY, GREENLETS): """
lib/sqlalchemy/util/concurrency.py:240: line is missing, should be executed
lib/sqlalchemy/util/queue.py:286: line is executed, should be missing
lib/sqlalchemy/util/queue.py:287: line is executed, should be missing
lib/sqlalchemy/util/queue.py:311: line is executed, should be missing
test/base/test_concurrency.py:240: line is executed, should be missing
test/base/test_concurrency.py:241: line is executed, should be missing
test/base/test_concurrency.py:242: line is executed, should be missing
test/base/test_concurrency.py:243: line is executed, should be missing
test/base/test_concurrency.py:245: line is executed, should be missing
""",
    ("sqlparse", PYPY, TOO_SLOW): """
tests/test_dos_prevention.py::TestDoSPrevention::test_nested_case_within_cap_under_1s [call]: test is passed, should be failed
tests/test_dos_prevention.py::TestDoSPrevention::test_nested_paren_within_cap_under_1s [call]: test is passed, should be failed
sqlparse/engine/filter_stack.py:51: line is executed, should be missing
""",
}


def explained(suite: str, version: tuple[int, int]) -> set[str]:
    """What may differ in that suite on that Python."""
    return {
        line.strip()
        for (name, python, _), lines in EXPLAINED.items()
        for line in lines.strip().splitlines()
        if (name, python) == (suite, version)
    }
