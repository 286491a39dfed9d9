"""Our analysis of source files finds what coverage.py's parser finds."""

from __future__ import annotations

import ast
import inspect
import os
import shutil
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import coverage
import pytest
from coverage import parser
from coverage.config import DEFAULT_EXCLUDE, DEFAULT_PARTIAL, DEFAULT_PARTIAL_ALWAYS
from coverage.misc import join_regex
from coverage.regions import code_regions

from quickcover import _compiled, _env, _patterns
from quickcover import coveragepy_report as ours

from .sources import NEW, ODD, UNSURE, UNSURE_TESTS

pytestmark = pytest.mark.skipif(
    not _env.is_cpython(), reason="there is no outline without the C extension"
)

KNOWN = ours._parser_is_known()
needs_known = pytest.mark.skipif(
    not KNOWN, reason=f"coverage {coverage.__version__} has a parser that is left to itself"
)

PATTERNS = [r"# skip", r"^class Left", r"except", r"case \w+:", r"@left", r"lambda .*:$"]
WAY = ours._Way(
    exclude=[*DEFAULT_EXCLUDE, *PATTERNS],
    partial=DEFAULT_PARTIAL + DEFAULT_PARTIAL_ALWAYS,
    branch=True,
)

LATER = {name: text for texts in NEW.values() for name, text in texts.items()}


def compilable(text: str | bytes) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def findings(found: parser.PythonParser, arcs: Any, fragments: Any) -> dict[str, Any]:
    names = [
        "raw_excluded", "excluded", "multiline_map", "raw_docstrings", "raw_statements",
        "statements", "_with_jump_fixers",
    ]  # fmt: skip
    result = {name: getattr(found, name) for name in names}
    # Causes of the same arc stand in the order of a set of strings.
    sentences = {arc: sorted(pairs, key=str) for arc, pairs in fragments.items() if pairs}
    return result | {"arcs": arcs, "sentences": sentences}


def compare(path: Path) -> bool:
    """Compare the findings of both; False if ours leaves it to coverage.py."""
    theirs = parser.PythonParser(filename=str(path), exclude=WAY.exclude)
    theirs.parse_source()
    arcs = theirs.arcs()
    mine = ours._Parser.__new__(ours._Parser)
    parser.PythonParser.__init__(mine, filename=str(path), exclude=WAY.exclude)
    if not mine._analyse_outline(WAY):
        return False
    assert findings(mine, mine._all_arcs, mine._fragments) == findings(
        theirs, arcs, theirs._missing_arc_fragments
    )
    assert mine.partial_lines == theirs.lines_matching(WAY.partial)
    assert mine.regions() == code_regions(theirs.text)
    return True


@needs_known
@pytest.mark.parametrize("name", [*ODD, *LATER])
def test_odd(name: str, tmp_path: Path) -> None:
    text = (ODD | LATER)[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name in LATER and not compilable(text):
            pytest.skip("this Python has no such syntax")
        path = tmp_path / "odd.py"
        path.write_text(text, "utf-8")
        assert compare(path) == (name not in UNSURE)


@needs_known
@pytest.mark.parametrize("test", UNSURE_TESTS)
def test_unsure(test: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.py"
    path.write_text(f"if {test}:\n    a\nelse:\n    b\n")
    assert not compare(path)


@needs_known
@pytest.mark.parametrize("number", range(20))
def test_standard_library(number: int) -> None:
    """One of twenty parts of it, and of the packages that the tests need."""
    places = {Path(os.__file__).parent, Path(pytest.__file__).parent.parent}
    found = sorted(path for place in places for path in place.glob("[a-z]*/*.py"))
    found = [path for path in found if "lib2to3" not in path.parts][number * 7 :: 140]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        done = [compare(path) for path in found if compilable(path.read_bytes())]
    assert done.count(False) <= 1 + len(done) // 20  # left to coverage.py


def test_newest_parser_is_known() -> None:
    """A release of coverage.py with another parser is served, but slowly."""
    newest = tuple(map(int, coverage.__version__.split(".")[:2])) >= (7, 17)
    if not newest:
        pytest.skip("this coverage.py is an old one")
    assert KNOWN, "compare with coverage.py's parser, then add its hash to _KNOWN"


def test_other_parser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(ODD["try"])
    monkeypatch.setattr(ours, "_parser_is_known", lambda: False)
    found = ours._Parser(str(path), WAY)
    theirs = parser.PythonParser(filename=str(path), exclude=WAY.exclude)
    theirs.parse_source()
    assert found.statements == theirs.statements
    assert found.arcs() == theirs.arcs()


class TestCompiled:
    """Code from the file where Python keeps it."""

    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        path = tmp_path / "module.py"
        path.write_text("x = 1\ny = 2\n")
        return path

    @staticmethod
    def keep(source: Path, written: float) -> Path:
        import py_compile

        path = Path(py_compile.compile(str(source), doraise=True) or "")
        os.utime(path, (written, written))
        return path

    def test_kept(self, source: Path) -> None:
        self.keep(source, time.time() + 10)
        found = _compiled.kept(str(source))
        assert found is not None
        assert found.co_filename == str(source)
        assert _compiled.code_of(str(source), "not read = = 1") == found

    def test_too_fresh(self, source: Path) -> None:
        self.keep(source, time.time() + 1)
        assert _compiled.kept(str(source)) is None

    def test_source_was_changed(self, source: Path) -> None:
        status = source.stat()
        kept = self.keep(source, time.time() + 10)
        source.write_text("x = 3\n\ny=4\n")  # of the same size
        os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
        os.utime(kept, (time.time() + 1, time.time() + 1))
        assert _compiled.kept(str(source)) is None

    def test_other_size(self, source: Path) -> None:
        status = source.stat()
        self.keep(source, time.time() + 10)
        source.write_text("x = 345\n")
        os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert _compiled.kept(str(source)) is None

    @pytest.mark.parametrize("damage", [b"", b"\0" * 20, None])
    def test_damaged(self, source: Path, damage: bytes | None) -> None:
        path = self.keep(source, time.time() + 10)
        path.write_bytes(damage if damage is not None else path.read_bytes()[:30])
        os.utime(path, (time.time() + 10, time.time() + 10))
        assert _compiled.kept(str(source)) is None

    def test_other_interpreter(self, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.keep(source, time.time() + 10)
        later = int((time.time() + 20) * 1e9)
        monkeypatch.setattr(_compiled, "_interpreter_changed", lambda: later)
        assert _compiled.kept(str(source)) is None

    def test_none(self, source: Path) -> None:
        assert _compiled.kept(str(source)) is None
        shutil.rmtree(source.parent)
        assert _compiled.kept(str(source)) is None

    def test_kept_elsewhere(self, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.keep(source, time.time() + 10)
        monkeypatch.setattr(sys, "pycache_prefix", str(source.parent))
        assert _compiled.kept(str(source)) is None

    def test_warnings(self, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.keep(source, time.time() + 10)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(SyntaxError):
                _compiled.code_of(str(source), "not read = = 1")
        monkeypatch.setattr(sys, "warnoptions", ["error"])
        with pytest.raises(SyntaxError):
            _compiled.code_of(str(source), "not read = = 1")


PRAGMA, STUB, TYPES = DEFAULT_EXCLUDE


@pytest.mark.parametrize(
    ("patterns", "text", "expected"),
    [
        (DEFAULT_EXCLUDE, "x = 1\n", []),
        (DEFAULT_EXCLUDE, "x = 1  # pragma: no cover\n", [PRAGMA]),
        (DEFAULT_EXCLUDE, "if TYPE_CHECKING:\n    ...\n", [STUB, TYPES]),
        ([*DEFAULT_EXCLUDE, "raise X"], "x = 1\n", ["raise X"]),
        ([*DEFAULT_EXCLUDE, r"(a)\1"], "x = 1\n", [*DEFAULT_EXCLUDE, r"(a)\1"]),
        ([], "x\n", []),
    ],
)
def test_patterns(patterns: list[str], text: str, expected: list[str]) -> None:
    assert _patterns.that_can_match(patterns, text) == expected


def test_patterns_of_coveragepy_are_known() -> None:
    for pattern in DEFAULT_EXCLUDE + DEFAULT_PARTIAL + DEFAULT_PARTIAL_ALWAYS:
        assert pattern in _patterns._NEEDED
    assert join_regex([]) == ""
    assert "lines_matching" in inspect.getsource(parser.PythonParser)
