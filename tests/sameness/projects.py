"""The packages from PyPI that are measured with their own tests: pinned, and in many styles.

A package must bring its tests in its source distribution. What is left out is left out because two
runs under the same core would not agree on it, or because it takes longer than all the rest; each
with the reason.
"""

from __future__ import annotations

from .suites import INSIDE, Suite

TIMING = "waits for the clock: what runs depends on the load of the machine"
SCHEDULER = "whether two of its threads meet depends on when they are switched"
NETWORK = "talks to servers it starts in other processes"
SLOW = "takes longer than the rest of the suite"

#: Of Django's, those that work on the database in memory, and need no other process.
DJANGO_TESTS = """
admin_changelist admin_filters admin_utils aggregation annotations async auth_tests basic csrf_tests
db_functions expressions forms_tests generic_views handlers httpwrappers lookup mail middleware
model_fields model_forms queries schema serializers signals template_tests test_client urlpatterns
urlpatterns_reverse utils_tests validators view_tests
""".split()

#: Of pydantic's, those that are about classes and types rather than about many values.
PYDANTIC_TESTS = """
aliases annotated computed_fields config construction create_model dataclasses decorators
deferred_annotations deprecated edge_cases fields forward_ref generics internal main model_signature
model_validator pickle pipeline private_attributes root_model serialize type_adapter type_alias_type
types_self types_typeddict typing utils validate_call validators warnings
""".split()

PROJECTS: tuple[Suite, ...] = (
    Suite(  # methods written by exec, slots, metaprogramming
        "attrs",
        "26.1.0",
        least=1350,
        sources=("src", "tests"),
        needs=("hypothesis", "cloudpickle"),
    ),
    Suite(  # metaclasses, generated code, descriptors, a large class hierarchy; SQLite in memory
        "sqlalchemy",
        "2.1.9",
        path="lib",
        least=5300,
        sources=("lib", "test"),
        tests=(
            "-o",
            "addopts=",
            "test/base",
            "test/engine/test_ddlevents.py",
            "test/engine/test_execute.py",
            "test/engine/test_parseconnect.py",
            "test/engine/test_transaction.py",
            "test/sql/test_compiler.py",
            "test/sql/test_select.py",
            "test/sql/test_lambdas.py",
            "test/orm/declarative",
            "test/orm/test_unitofwork.py",
            "test/orm/test_lazy_relations.py",
            "test/ext/declarative",
            "test/ext/test_hybrid.py",
            "test/ext/test_associationproxy.py",
        ),
        needs=("greenlet", "typing_extensions"),
        # The first is not Python before 3.14, and not run here.  Then what goes along sets of objects,
        # whose order comes from addresses: ctrace differs from itself in them.
        config=("omit = test/*/test_tstring*_py314.py,lib/sqlalchemy/testing/assertsql.py",),
        report_config=(
            "exclude_also =",
            r"    for entity in enabled_via_opt\.union",
            r"    if self\.isa\(mapper\):",
            r"    for dep in reg\._dependencies:",
            r"    for o in p1\._children:",
        ),
    ),
    Suite(  # templates compiled to Python code of other file names; async generators
        "jinja2",
        "3.1.6",
        least=900,
        sources=("src", "tests"),
        needs=("markupsafe", "trio"),
        config=("omit = tests/res/*",),  # templates: not Python, so no report can be made of them
        # Where a generator that nobody used up is closed, by the garbage collector, at any time.
        report_config=(
            "exclude_also =",
            r"    yield from self.root_render_func\(ctx\)\n\s+except Exception:",
        ),
    ),
    Suite(  # coroutines, native and by generators, on asyncio; servers and clients
        "tornado",
        "6.6.1",
        path=".",
        least=1370,
        sources=("tornado",),
        tests=("-p", "quiet_tornado", "tornado/test"),
        left_out={
            "tornado/test/gen_test.py::RunnerGCTest::test_gc": TIMING,
            "tornado/test/httpclient_test.py::HTTPClientCommonTestCase::test_error_after_cancel": TIMING,
            "tornado/test/simple_httpclient_test.py::SimpleHTTPClientCommonTestCase::test_error_after_cancel": TIMING,
            "tornado/test/ioloop_test.py::TestIOLoop::test_add_callback_wakeup": TIMING,
            "tornado/test/httputil_test.py::MultipartFormDataTest::test_disposition_param_linear_performance": TIMING,
            "tornado/test/httputil_test.py::HTTPHeadersTest::test_linear_performance": TIMING,
            "tornado/test/httputil_test.py::HTTPHeadersTest::test_parse_repeated_linear_performance": TIMING,
            "tornado/test/httputil_test.py::ParseCookieTest::test_unquote_linear_performance": TIMING,
            "tornado/test/security_corpus_test.py::SecurityCorpusTest::test_scaling": TIMING,
        },
        report_config=(  # whether another thread closed the loop before
            "exclude_also =",
            r"    except RuntimeError:\n\s+# .Event loop is closed",
        ),
    ),
    Suite(  # coroutines on a loop of its own, async generators, cancellation, threads
        "trio",
        "0.35.0",
        least=770,
        sources=("src",),
        tests=("-p", "trio._tests.pytest_plugin", "src/trio/_core/_tests", "src/trio/_tests"),
        needs=("attrs", "idna", "outcome", "sniffio", "sortedcontainers", "trustme", "pyopenssl"),
        left_out={
            "src/trio/_tests/tools": "tests trio's own build tools",
            "src/trio/_tests/test_exports.py": "runs mypy, pylint and jedi",
            "src/trio/_tests/test_repl.py::test_ki_in_repl": "reads from a pipe in pieces of any size",
            "src/trio/_core/_tests/test_asyncgen.py::test_last_minute_gc_edge_case": TIMING,
        },
        report_config=(
            "exclude_also =",
            "    if 0 < jump < inf:",  # whether time went on meanwhile
            "    if endpoint is None:",  # whether a socket was collected before its last packet
            r"    if len\(cookie\) != cookie_len:",  # whether a random packet is that wrong
            # Whether a task is spawned within one tick.
            r"    except RuntimeError:\n\s+# There is a one-tick window",
        ),
    ),
    Suite(  # decorators, contexts, deep calls
        "click",
        "8.5.1",
        least=2400,
        sources=("src", "tests"),
    ),
    Suite(  # regular expressions, comparisons, a parser by hand
        "packaging",
        "26.3",
        least=11000,
        sources=("src", "tests"),
        left_out={
            "tests/test_version.py::TestVersion::test_comparison_true": "25,000 times the same",
            "tests/test_version.py::TestVersion::test_comparison_false": "25,000 times the same",
        },
        needs=("pretend", "tomli_w", "hypothesis"),
    ),
    Suite(  # state machines, metaclasses, tables
        "pygments",
        "2.21.0",
        path=".",
        least=5300,
        sources=("pygments", "tests"),
        left_out={"tests/contrast": "its data are not in the source distribution"},
    ),
    Suite(  # generators in pipelines, recursion
        "sqlparse",
        "0.6.1",
        path=".",
        least=530,
        sources=("sqlparse", "tests"),
    ),
    Suite(  # loops, comprehensions, dispatch by decorators
        "networkx",
        "3.6.1",
        path=".",
        least=1900,
        sources=("networkx",),
        tests=(
            "networkx/classes",
            "networkx/generators",
            "networkx/algorithms/tests",
            "networkx/algorithms/flow",
            "networkx/algorithms/tree",
            "-k",
            "not memory_leak",
        ),
    ),
    Suite(  # one-line definitions, numeric loops
        "mpmath",
        "1.4.1",
        path=".",
        least=410,
        sources=("mpmath",),
        tests=("-o", "addopts=", "mpmath/tests"),
        needs=("hypothesis",),
        left_out={
            "mpmath/tests/test_demos.py": "drives programs through a terminal",
            "mpmath/tests/test_cli.py": "drives programs through a terminal",
            "mpmath/tests/test_torture.py": SLOW,
            "mpmath/tests/test_hp.py": SLOW,
            "mpmath/tests/test_levin.py": SLOW,
            "mpmath/tests/test_extra_gamma.py": SLOW,
            "mpmath/tests/test_extra_zeta.py": SLOW,
            "mpmath/tests/test_identify.py": SLOW,
            "mpmath/tests/test_quad.py": SLOW,
            "mpmath/tests/test_format.py::test_mpf_floats_bulk": SLOW,
            "mpmath/tests/test_format.py::test_mpc_complexes": SLOW,
            "mpmath/tests/test_format.py::test_hexadecimal_bulk": SLOW,
            "mpmath/tests/test_format.py::test_hexadecimal_with_libc_bulk": SLOW,
            "mpmath/tests/test_functions2.py::test_bessel_zeros_extra": SLOW,
            "mpmath/tests/test_functions2.py::test_orthpoly": SLOW,
            "mpmath/tests/test_basic_ops.py::test_round_bulk": SLOW,
            "mpmath/tests/test_basic_ops.py::test_issue_975": SLOW,
            "mpmath/tests/test_elliptic.py::test_elliptic_integrals": SLOW,
            "mpmath/tests/test_calculus.py::test_polyroots_legendre_init": SLOW,
            "mpmath/tests/test_calculus.py::test_polyroots_legendre": SLOW,
            "mpmath/tests/test_gammazeta.py::test_secondzeta": SLOW,
            "mpmath/tests/test_convert.py::test_issue548": SLOW,
        },
    ),
    Suite(  # algebra: caches, metaclasses, dispatch, deep recursion
        "sympy",
        "1.14.0",
        path=".",
        least=600,
        sources=("sympy/core", "sympy/logic", "sympy/sets", "sympy/polys", "sympy/parsing"),
        tests=(
            "sympy/core/tests/test_args.py",
            "sympy/core/tests/test_assumptions.py",
            "sympy/core/tests/test_expr.py",
            "sympy/logic/tests",
            "sympy/parsing/tests/test_sympy_parser.py",
            "sympy/polys/tests/test_polytools.py",
            "sympy/sets/tests",
        ),
        needs=("mpmath",),
    ),
    Suite(  # parsers, mixins, WSGI
        "werkzeug",
        "3.1.9",
        least=940,
        sources=("src", "tests"),
        tests=("-W", "ignore::pytest.PytestUnknownMarkWarning", "tests"),  # of pytest-timeout
        needs=("markupsafe", "cryptography", "ephemeral-port-reserve"),
        left_out={
            "tests/test_serving.py": NETWORK,
            "tests/middleware/test_http_proxy.py": NETWORK,
            "tests/test_debug.py::test_basic": NETWORK,
        },
    ),
    Suite(  # generators of every shape
        "more-itertools",
        "11.2.1",
        path=".",
        least=750,
        sources=("more_itertools", "tests"),
        left_out={
            "tests/test_recipes.py::PrimeFunctionTests": SLOW,
            "tests/test_more.py::TestConcurrentTee": SCHEDULER,
        },
    ),
    Suite(  # a framework: metaclasses, descriptors, threads, coroutines; a runner of its own
        "django",
        "5.2.19",
        path=".",
        least=5800,
        sources=("django", *(f"tests/{name}" for name in DJANGO_TESTS)),
        program=(
            str(INSIDE / "django_driver.py"),
            "--parallel=1",
            "--verbosity=0",
            *DJANGO_TESTS,
        ),
        needs=("asgiref", "sqlparse", "tzdata"),
    ),
    Suite(  # generated classes, type hints in every form
        "pydantic",
        "2.14.4",
        path=".",
        least=2600,
        sources=("pydantic", "tests"),
        tests=(  # "strict" knows the marks of plugins that aren't there
            *(
                "-o",
                "addopts=",
                "-o",
                "strict=false",
                "-W",
                "ignore::pytest.PytestUnknownMarkWarning",
            ),
            *(f"tests/test_{name}.py" for name in PYDANTIC_TESTS),
        ),
        needs=(
            "annotated-types",
            "dirty-equals",
            "email-validator",
            "jsonschema",
            "packaging",
            "pydantic-core",
            "pytest-mock",
            "pytz",
            "typing-inspection",
        ),
    ),
)
