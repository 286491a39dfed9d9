"""The differences that are known and understood, each with its reason. Keep it short."""

from __future__ import annotations

_NO_LINE = (
    "3.14+: when an exception leaves a frame through an instruction without a line, ctrace takes"
    " the missing line, -1, for one: arcs (line, -1) and (-1, -first) instead of (line, -first)"
)
_NEVER_BEGUN = (
    "3.14+: an exception thrown into a generator that was never started is no call to ctrace,"
    " because the frame stands before its first RESUME; no line is concerned"
)

# Programs for which ctrace's raw arcs are not what its own definition says. Reports agree.
CTRACE_ERRS = {
    "generators.generator_throw_before_start": _NEVER_BEGUN,
    "groups.except_star": _NO_LINE,
    "groups.except_star_plain_exception": _NO_LINE,
    "groups.except_star_raises": _NO_LINE,
}

_FINALIZERS = "on PyPy the collector decides when finalizers run, and then nothing traces them"
_REPLACED = "a changed copy of code goes on telling hits of the lines that it was compiled from"
_THROWN = (
    "inside a handler, the python engine takes what is thrown into a generator at a yield for"
    " something that the yield's line raised"
)

# Programs of which the python engine records something else than coverage.py's pytrace.
NOT_AS_PYTRACE = {
    "calls.weakref_callbacks_and_del": _FINALIZERS,
    "exceptions.exception_in_del": _FINALIZERS,
    "finally.finally_yielding": _FINALIZERS,
    "generators.generator_abandoned": _FINALIZERS,
    "generators.generator_close": _FINALIZERS,
    "generators.thrown_into_a_yield_in_a_handler": _THROWN,
    "expressions.code_replaced": _REPLACED,
}

# The same where it is compared with ctrace, on CPython.
PYTHON_NOT_AS_CTRACE = {
    "expressions.code_replaced": _REPLACED,
    "generators.thrown_into_a_yield_behind_a_condition": _THROWN,
    "generators.thrown_into_a_yield_in_a_handler": _THROWN,
}

# The same of the monitoring engine.
MONITORING_NOT_AS_CTRACE = {
    "classes.a_class_on_one_line_that_a_try_ends_with": (
        "no event tells that a class was made: whether its line went on to the next isn't known"
    ),
}

_OLD_FRAME = "the python engine says in a warning that it doesn't see frames older than its start"
_STOPPED = "a stopped pytrace goes on recording in frames that it saw begin"
_BARE_CODE = "the python engine doesn't see functions that are made of code without exec"
_SEEN = "the python engine's bytecode can be seen"
_NO_STUBS = "the python engine hides frames for contexts of tests, which only PyPy can do"
_DEEP = "pytrace gives up where the stack ends, and says so"

# Scenarios that don't say anything where the python engine is compared with pytrace.
NOT_WITH_PYTRACE = {
    "test_a_coroutine_begun_before_the_start": _OLD_FRAME,
    "test_a_generator_begun_before_the_start": _OLD_FRAME,
    "test_a_generator_thrown_into_after_the_start": _OLD_FRAME,
    "test_functions_made_by_a_frame_older_than_the_start": _OLD_FRAME,
    "test_nested_inside_a_measured_function": _STOPPED,
    "test_the_trace_function_is_as_before_when_all_is_over": "a stopped pytrace is still there",
    "test_line_numbers_outside_the_file": _BARE_CODE,
    "test_code_replaced_while_measured": _REPLACED,
    "test_functions_from_one_code": _BARE_CODE,
    "test_code_dies_as_without_us": "PyPy doesn't count references",
    "test_a_thread_while_nested": "pytrace warns of trace functions of other threads",
    "test_tracebacks_and_frames_look_the_same": _SEEN,
    "test_recursion_to_the_limit": _DEEP,
    "test_deep_but_not_too_deep": _DEEP,
}

# Those of them that say nothing of the python engine on CPython, either.
PYTHON_NOT_WITH_CTRACE = {
    test: reason
    for test, reason in NOT_WITH_PYTRACE.items()
    if reason in (_OLD_FRAME, _BARE_CODE, _REPLACED, _SEEN)
} | {
    "test_plain_functions_named_as_tests_begin_contexts": _NO_STUBS,
    "test_random_functions_begin_contexts": _NO_STUBS,
}


def programs(engine: str, stock: str) -> dict[str, str]:
    """The programs of which this engine records something else than coverage.py's own core."""
    if stock == "pytrace":
        return NOT_AS_PYTRACE
    known = {"python": PYTHON_NOT_AS_CTRACE, "monitoring": MONITORING_NOT_AS_CTRACE}
    return known.get(engine, {})


def scenarios(engine: str, stock: str) -> dict[str, str]:
    """The scenarios that say nothing of this engine."""
    if stock == "pytrace":
        return NOT_WITH_PYTRACE
    return PYTHON_NOT_WITH_CTRACE if engine == "python" else {}
