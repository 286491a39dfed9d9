"""HTML reports: what ours paint and coverage.py's pages show."""

from __future__ import annotations

import os
import random
import warnings
from html import escape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from coverage import html, phystokens
from coverage.exceptions import CoverageException
from coverage.python import get_python_source

from quickcover import _env
from quickcover import coveragepy_html as ours

from ..conftest import Runner
from .sources import HARD, ODD
from .test_report_cache import outcome

if not ours.pages_are_known():
    pytest.skip("another coverage.py, whose pages are its own", allow_module_level=True)

needs_extension = pytest.mark.skipif(
    not _env.current().extension, reason="there is no extension here"
)


def compilable(text: str) -> bool:
    """Does this Python take that for a program?"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(text, "text", "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return False
    return True


def theirs(text: str) -> list[str]:
    """What coverage.py makes of the lines of a text."""
    return [
        "".join(
            escape(part) if kind == "ws" else f'<span class="{kind}">{escape(part)}</span>'
            for kind, part in line
        )
        for line in phystokens.source_token_lines(text)
    ]


# ----------------------------------------------------------------------------- the source


@pytest.mark.parametrize("text", [*ODD.values(), *HARD], ids=lambda text: text[:20])
def test_lines(text: str) -> None:
    if not compilable(text):
        pytest.skip("this Python has no such syntax")
    assert ours.painted(text) == theirs(text)


@needs_extension
def test_files_of_the_standard_library() -> None:
    """Hardly any is left to coverage.py."""
    step = int(os.environ.get("SOURCES_STEP", "16"))
    files = sorted(Path(os.__file__).parent.glob("**/[!.]*.py"))
    unsure = compared = 0
    for path in [path for path in files if "site-packages" not in path.parts][::step]:
        try:
            text = get_python_source(str(path))
        except (CoverageException, UnicodeError, SyntaxError):
            continue
        if compilable(text):
            compared += 1
            unsure += ours._painted_in_c(text) is None
            assert ours.painted(text) == theirs(text), path
    assert compared > 10
    assert unsure <= compared / 10


@pytest.mark.parametrize(
    "text",
    [
        "match x:\n    case _: pass\n", "if a:\n  match(x):\n    case \\\n_: pass\n",
        "type A = int\n", "_ = 1; type A = int\n", "if a: type A = int\n", "lazy import x\n",
        "x; \\\n type \\\nA = int\n", "class C:\n\ttype A = int\n",
        "type = match = case = 1\ntype(x)\nx = type (y)\n",
    ],
)  # fmt: skip
def test_soft_keywords(text: str) -> None:
    """A text has lines with soft keywords only if we have coverage.py look for them."""
    if not compilable(text):
        pytest.skip("this Python has no such syntax")
    assert ours.soft_lines(text) == phystokens.find_soft_key_lines(text)


def test_without_the_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "if a:\n    b = 'c' + f'{d}'  # e\n"
    expected = ours.painted(text)
    monkeypatch.setattr(ours, "_tokens_are_known", lambda: False)
    assert ours._painted_in_c(text) is None
    assert ours.painted(text) == expected == theirs(text)


def test_lone_surrogates() -> None:
    """No file can have any: what coverage.py says then is its own."""
    assert ours._painted_in_c("a = '\udc80'\n") is None


# ------------------------------------------------------------------------------ the pages


def test_blanks(tmp_path: Path) -> None:
    """Ours writes what coverage.py's regular expression leaves of a page."""
    path = tmp_path / "page.html"
    choose = random.Random(1)
    for _ in range(2000):
        page = "".join(
            choose.choices("  \n\n\t\r\f\v\x1c\x85\xa0\u2028ab<ä", k=choose.randrange(12))
        )
        html.write_html(str(path), page)
        expected = path.read_bytes()
        ours.write_html(str(path), page)
        assert path.read_bytes() == expected


PROGRAM = """\
import sys

def f(a, b):
    c = []
    if a and \\
       b:
        c = [1,
             2]
    while a:
        a -= 1
        if b < 1: a = 0; continue
        break
    try:
        for x in c:
            print("<&>", f"{x!r:>3}", 'ä')
        else:
            return 1
    except ValueError:  # pragma: no cover
        return {
            "a": 2,
        }
    with open(__file__) as file:
        if x: return 1

def g(): return 1

def never():
    if g():
        yield 1
    return 2

match f(1, 1):
    case 1:
        pass
    case _:
        print()
if f(
    2, 0,
) == 3:
    print(
        1
    )
"""


@pytest.mark.parametrize(
    "more",
    [
        "[run]\nbranch = true\n",
        "[run]\nbranch = false\n",
        "[run]\nbranch = true\ndynamic_context = test_function\n[html]\nshow_contexts = true\n",
        "[run]\nbranch = true\n[html]\ntitle = <Ä>\nskip_covered = true\n",
        "[run]\nbranch = true\n[report]\nexclude_also =\n    while\n    def g\n",
    ],
    ids=["branches", "lines", "contexts", "title", "excluded"],
)
def test_pages(run_python: Runner, run_quickcover: Runner, tmp_path: Path, more: str) -> None:
    (tmp_path / "program.py").write_text(PROGRAM, "utf-8")
    (tmp_path / "test_it.py").write_text(
        "import program\ndef test_f():\n    program.f(0, 1)\ntest_f()\ndef test_g():\n"
        "    program.g()\ntest_g()\n",
        "utf-8",
    )
    (tmp_path / ".coveragerc").write_text(more, "utf-8")
    run_python("-m", "coverage", "run", "--source=.", "test_it.py")
    # Twice: from cold, and when the analyses are kept.
    command = ["html", "-q", "-d", "out"]
    expected = outcome(tmp_path, run_python("-m", "coverage", *command).stdout)
    assert any(name.startswith("program") for name in expected)
    for _ in range(2):
        assert outcome(tmp_path, run_quickcover(*command).stdout) == expected


def test_pages_of_other_releases_are_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "_KNOWN_PAGES", frozenset())
    assert not ours.pages_are_known()
    monkeypatch.setattr(ours, "_KNOWN_TOKENS", "")
    ours._tokens_are_known.cache_clear()
    assert ours._painted_in_c("a = 1\n") is None
    ours._tokens_are_known.cache_clear()


def test_pages_of_plugins_are_theirs() -> None:
    data: Any = SimpleNamespace(
        data_for_file=lambda file, analysis: (file, analysis),
        config=SimpleNamespace(show_contexts=False),
    )
    found: Any = ours._Pages(data, {}).data_for_file("file", "analysis")
    assert found == ("file", "analysis")
