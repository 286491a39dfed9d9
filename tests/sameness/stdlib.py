"""The standard library of the interpreter, at work: in our own workloads, and in its own tests."""

from __future__ import annotations

from .suites import INSIDE, Suite

NOT_COMPARED = (
    # A trace function begins to see a new thread when the thread installs it, amidst these.
    r"def _bootstrap(_inner)?\(",
    r"def _set_(ident|native_id|os_name|tstate_lock)\(",
    # The way to install one in new threads; a core that needs none doesn't run it.
    r"def (settrace|gettrace)\(",
    # Whether a new thread has started before its creator waits for that: Event.wait().
    r"if not signaled:",
)
"""Lines of threading.py that belong to the cores, or to the scheduler, not to the program."""

REPORT = ("exclude_also =", *(f"    {pattern}" for pattern in NOT_COMPARED))

TESTS_OF_THE_LANGUAGE = """
grammar patma except_star with generators genexps coroutines asyncgen exceptions raise fstring
named_expressions decorators listcomps setcomps dictcomps scope unpack unpack_ex yield_from iter
class descr super metaclass keywordonlyarg positional_only_arg augassign binop compare contains
dynamic funcattrs global property slice contextlib contextlib_async exception_variations
exception_group dynamicclassattribute type_params type_aliases string_literals
""".split()

TESTS_OF_THE_LIBRARY = """
argparse base64 bisect calendar collections configparser copy csv difflib dis enum fractions
functools getopt graphlib heapq htmlparser ipaddress linecache minidom netrc optparse pickletools
plistlib pprint pyclbr quopri re reprlib shlex string textwrap types typing urlparse xml_etree cmd
code_module colorsys fnmatch operator doctest inspect json tomllib email dataclasses ast
random http_cookies http_cookiejar zoneinfo
""".split()
"""Not bdb: its tests set trace functions, and then ctrace takes lines for those of other frames."""

SIGNAL = "fails under ctrace alone, on 3.11: a signal comes while a generator is resumed"
DEEP = "fails under ctrace alone, on 3.11: it gets to the recursion limit earlier"
RANDOM = "draws from a generator that nothing seeds"

LEFT_OUT = {
    "test.test_generators.SignalAndYieldFromTest.test_raise_and_yield_from": SIGNAL,
    "test.test_tomllib.test_misc.TestMiscellaneous.test_inline_array_recursion_limit": DEEP,
    "test.test_tomllib.test_misc.TestMiscellaneous.test_inline_table_recursion_limit": DEEP,
    "test.test_random.SystemRandom_TestBasicOps.test_bigrand_ranges": RANDOM,
}

STDLIB: tuple[Suite, ...] = (
    Suite(
        "stdlib",
        path=".",
        program=(str(INSIDE / "stdlib_driver.py"),),
        least=210,
        config=(
            "cover_pylib = true",
            "include = {stdlib}/*",
            "omit = {stdlib}/site-packages/*,{stdlib}/test/*",
        ),
        report_config=REPORT,
        preload=True,
    ),
    Suite(  # CPython's tests, which are measured too: every statement in every shape
        "cpython-tests",
        path=".",
        program=(
            str(INSIDE / "unittest_driver.py"),
            *(f"test.test_{name}" for name in (*TESTS_OF_THE_LANGUAGE, *TESTS_OF_THE_LIBRARY)),
        ),
        config=(
            "cover_pylib = true",
            "include = {stdlib}/*",
            # The second is for code that a test compiles with the file name "test": the directory.
            "omit = {stdlib}/site-packages/*,{stdlib}/test",
        ),
        report_config=REPORT,
        preload=True,
        module="test.test_grammar",
        least=10000,
        left_out=LEFT_OUT,
    ),
)
