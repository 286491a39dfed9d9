"""Reports in less time: coverage.py's analysis of source files, kept, and done side by side.

A report of coverage.py parses every source file anew, which is nearly all of its time.  Here the
parser's findings are kept beside the data file (`_analyses.py`), under a hash of the text; files
that are not there, or changed, are analysed by several processes if they are many; and garbage
collection waits while a file is parsed, which makes trees and leaves no garbage.  What is found is
what coverage.py's own parser finds, by it or by an analysis of ours where that is certain
(`_outline.py`, `_arcs.py`), so reports are the same, byte for byte.
"""

from __future__ import annotations

import ast
import sys
import weakref
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coverage import (
    bytecode,
    control,
    env,
    html,
    jsonreport,
    lcovreport,
    parser,
    regions,
    xmlreport,
)  # fmt: skip
from coverage.exceptions import CoverageException
from coverage.misc import join_regex
from coverage.parser import PythonParser
from coverage.plugin import CodeRegion
from coverage.python import PythonFileReporter, get_python_source
from coverage.regions import RegionFinder
from coverage.version import __version__ as coverage_version

from quickcover import (
    _crew,
    _engines,
    _env,
    _gc,
    _writing,
    coveragepy_html,
    coveragepy_regions,
)  # fmt: skip
from quickcover._analyses import Cache, digest, hash_of_files, pack, unpack
from quickcover._arcs import Arcs
from quickcover._compiled import code_of
from quickcover._outline import Outline, lines_of
from quickcover._patterns import that_can_match
from quickcover.coveragepy_regions import Narrower

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from coverage import Coverage
    from coverage.types import TSourceTokenLines

#: Below that many bytes of source an analysis takes too little time to be kept.
_WORTH_KEEPING = 100_000
_ROWS_AT_ONCE = 50
#: What a parser has that others have already, or that is kept by itself.
_NOT_KEPT = frozenset(
    {"text", "filename", "exclude", "_ast_root", "_fragments", "_regions", "_origin"}
)


class FileReporter(PythonFileReporter):
    """coverage.py's, with a parser that may come from an earlier report."""

    def __init__(self, morf: Any, coverage: Coverage) -> None:
        """Make one, as coverage.py does for each file that it may report on."""
        super().__init__(morf, coverage)
        self._session = _session(coverage)
        self._session.expect(self)

    @property
    def parser(self) -> PythonParser:
        """The parser, done."""
        if self._parser is None:
            self._parser = self._session.parser(self)
        return self._parser

    def no_branch_lines(self) -> set[int]:
        """The lines whose branches don't count."""
        if isinstance(self.parser, _Parser):
            return self.parser.partial_lines
        return super().no_branch_lines()

    def source_token_lines(self) -> TSourceTokenLines:
        """The tokens of each line."""
        if self._session.pages_are_ours:
            return coveragepy_html.as_tokens(self.source())
        return super().source_token_lines()

    def painted_lines(self) -> list[str]:
        """The lines as HTML."""
        return coveragepy_html.painted(self.source())

    def code_regions(self) -> Iterable[CodeRegion]:
        """The functions and classes."""
        if isinstance(self.parser, _Parser):
            return self.parser.regions()
        return super().code_regions()


#: Hashes of the files of coverage.py whose work outlines do, in all releases for which they were
#: compared: 7.17.0 to 7.17.4, and 7.17.5.
_KNOWN = frozenset(
    {"bdc71153cc125a6a26d58b756a44cd39e3264ee8", "79a98c71f11de88c8b0f7bb73eafbb90b786e6f2"}
)


def _parser_is_known() -> bool:
    """Is this coverage.py's parser one whose findings we know how to find?"""
    files = (str(module.__file__) for module in (parser, bytecode, regions))
    return hash_of_files(*files) in _KNOWN


@cache
def _outlines_are_there() -> bool:
    return _env.current().extension and _engines.native_problem() is None


class _Way:
    """How the files of one report are analysed: what the findings depend on but the text."""

    def __init__(self, exclude: list[str], partial: list[str], branch: bool) -> None:
        self.told = exclude, partial, branch
        self.exclude = join_regex(exclude)
        self.partial = join_regex(partial)
        self.branch = branch
        interpreter = f"{_env.release()} {sys.flags.optimize} {sys.warnoptions}"
        self.key = digest(coverage_version, interpreter, self.exclude, self.partial, str(branch))

    @classmethod
    def of(cls, coverage: Coverage) -> _Way:
        """What is configured now."""
        config = coverage.config
        return cls(
            exclude=config.exclude_list,
            partial=config.partial_list + config.partial_always_list,
            branch=bool(coverage.get_data().has_arcs()),
        )


class _Session:
    """The files that a Coverage object may report on, and the cache beside its data file."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = weakref.ref(coverage)
        data = coverage.get_data()
        in_memory = getattr(data, "_no_disk", False)
        self._cache = None if in_memory else Cache.beside(data.base_filename())
        # Made and not yet analysed.  Those that the report leaves out are forgotten by themselves.
        self._expected: list[weakref.ref[FileReporter]] = []
        self._way: _Way | None = None
        self._current: set[str] = set()
        #: Tokens are asked for by pages that we know.
        self.pages_are_ours = False

    def expect(self, reporter: FileReporter) -> None:
        """A report will probably ask for the parser of that file."""
        self._expected.append(weakref.ref(reporter))

    def parser(self, reporter: FileReporter) -> PythonParser:
        """Get the parser of a file; get those of all others that are expected ready, too.

        Raises:
            CoverageException: the file can't be read or parsed, as coverage.py says it.
        """
        if self._expected or self._way is None:
            coverage = self._coverage()
            assert coverage is not None
            self._way = _Way.of(coverage)
            living = (expected() for expected in self._expected)
            self._expected = []
            self._prepare(sorted({found.filename for found in living if found is not None}))
        if self._cache is not None and reporter.filename in self._current:
            found = _Parser.kept(reporter.filename, self._way, self._cache)
            if found is not None:
                return found
        with _gc.held():
            return _Parser(reporter.filename, self._way)

    def _prepare(self, names: list[str]) -> None:
        """Find out which files have a current analysis; analyse the others, if that is much."""
        if self._cache is None or self._way is None:
            return
        missing = self._look_up(names)
        if sum(missing.values()) >= _WORTH_KEEPING and self._cache.keep(()):
            task = {"cache": str(self._cache.path), "way": self._way.told}
            _crew.work(f"{__name__}:analyse", task, missing)
            self._look_up(missing)

    def _look_up(self, names: Iterable[str]) -> dict[str, int]:
        """Which files are not in the cache as they are now, and how long are they?"""
        assert self._cache is not None
        assert self._way is not None
        missing = {}
        for name in names:
            text = _text(name)
            if text is not None and self._cache.hash(name, self._way.key) == digest(text):
                self._current.add(name)
                continue
            self._current.discard(name)
            if text is not None:
                missing[name] = len(text)
        return missing


_sessions: weakref.WeakKeyDictionary[Coverage, _Session] = weakref.WeakKeyDictionary()


def _session(coverage: Coverage) -> _Session:
    found = _sessions.get(coverage)
    if found is None:
        found = _sessions[coverage] = _Session(coverage)
    return found


def _text(filename: str) -> str | None:
    """The source as the parser reads it, or None: the parser will say why not."""
    try:
        return get_python_source(filename)
    except (CoverageException, OSError, UnicodeError, SyntaxError, LookupError):
        return None


def sooner(coverage: Coverage, reporter: Any) -> Callable[..., Any]:
    """The method `report` of a reporter, in less time.

    Garbage collection waits, because a report makes little garbage but very many objects that it
    keeps; what writes JSON, XML and pages is ours; and the data file is opened once.
    """

    report = reporter.report
    pages = isinstance(reporter, html.HtmlReporter) and coveragepy_html.pages_are_known()
    if pages:
        coveragepy_html.hasten(reporter)
    _session(coverage).pages_are_ours = pages

    def reported(*args: Any, **kwargs: Any) -> Any:
        with ExitStack() as stack:
            stack.enter_context(_gc.held())
            stack.enter_context(_connected(coverage.get_data()))
            stack.enter_context(_replaced(jsonreport, "json", _writing.Json))
            stack.enter_context(_replaced(xmlreport, "xml", _writing.Xml))
            if coveragepy_regions.regions_are_known():
                for module in (html, jsonreport, lcovreport):
                    stack.enter_context(_replaced(module, "AnalysisNarrower", lambda _: Narrower))
            if pages:
                ours = coveragepy_html.write_html
                stack.enter_context(_replaced(html, "write_html", lambda _: ours))
            return report(*args, **kwargs)

    return reported


def _connected(data: Any) -> AbstractContextManager[Any]:
    """One connection to the data file, where coverage.py makes one for each question."""
    if hasattr(data, "_connect") and Path(data.data_filename()).exists():
        connection: AbstractContextManager[Any] = data._connect()
        return connection
    return nullcontext()


@contextmanager
def _replaced(module: Any, name: str, ours: Callable[[Any], Any]) -> Iterator[None]:
    """Have a module use something of ours."""
    original = getattr(module, name)
    setattr(module, name, ours(original))
    try:
        yield
    finally:
        setattr(module, name, original)


class _Parser(PythonParser):
    """coverage.py's parser after its work, or with the findings of an earlier one."""

    #: The lines whose branches don't count.
    partial_lines: set[int]
    #: The functions and classes, if they were looked for.
    _regions: list[CodeRegion] | None = None
    _fragments: Any = None
    #: Where the rest is, if this comes from the cache.
    _origin: tuple[Cache, bytes] | None = None

    def __init__(self, filename: str, way: _Way, *, regions: bool = False) -> None:
        """Parse a file.

        Raises:
            CoverageException: it can't be read or parsed.
        """
        super().__init__(filename=filename, exclude=way.exclude)
        if self._analyse_outline(way):
            return
        self.parse_source()
        if regions and self._ast_root is not None:
            finder = RegionFinder()
            finder.handle_node(self._ast_root)
            self._regions = finder.regions
        if way.branch:
            self.arcs()
            self.partial_lines = self.lines_matching(way.partial)

    def _analyse_outline(self, way: _Way) -> bool:
        """Do the work by an outline; if it isn't sure, nothing, and return False."""
        if not _parser_is_known() or not _outlines_are_there():
            return False
        text = self.text
        try:
            statements = lines_of(code_of(self.filename, text))
            outline = Outline.of(_engines.load_native(), text, env.PYBEHAVIOR.fstring_syntax)
            if outline is None:
                return False
            if self.exclude:
                self.raw_excluded = self._lines_of(way.told[0])
            self._take_lines(outline, statements)
            if way.branch:
                self._take_arcs(outline)
                self.partial_lines = self._lines_of(way.told[1])
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            self._forget(way)
            return False
        self._regions = [CodeRegion(*found) for found in outline.regions()]
        return True

    def _forget(self, way: _Way) -> None:
        """Be as before any work."""
        text, filename = self.text, self.filename
        vars(self).clear()
        super().__init__(text=text, filename=filename, exclude=way.exclude)

    def _lines_of(self, patterns: list[str]) -> set[int]:
        """The lines matching any of those."""
        found = that_can_match(patterns, self.text)
        return self.lines_matching(join_regex(found)) if found or not patterns else set()

    def _take_lines(self, outline: Outline, statements: set[int]) -> None:
        """Find what `parse_source` finds."""
        self.multiline_map = outline.multiline_map()
        self.raw_docstrings = outline.docstrings()
        if len(outline):
            self.raw_statements = statements
        excluded = set(self.raw_excluded)
        if excluded:
            outline.exclude_suites(excluded)
            excluded = self.first_lines(excluded)
            outline.exclude_definitions(excluded, self.raw_statements)
        self.excluded = excluded
        ignored = excluded | self.raw_docstrings
        self.statements = self.first_lines(self.raw_statements - ignored) - ignored

    def _take_arcs(self, outline: Outline) -> None:
        """Find what `arcs` finds."""
        analysis = Arcs(outline, self.first_lines(self.raw_statements))
        self._with_jump_fixers = analysis.with_jump_fixers()
        self._all_arcs = analysis.possible(self._with_jump_fixers)
        self._fragments = analysis.fragments

    @classmethod
    def kept(cls, filename: str, way: _Way, cache: Cache) -> _Parser | None:
        """The one of an earlier report; None if it isn't there or damaged."""
        state = cache.state(filename, way.key)
        if state is None:
            return None
        found = cls.__new__(cls)
        try:
            vars(found).update(unpack(state))
        except Exception:  # a damaged pickle can raise anything
            return None
        found.filename = filename
        found.exclude = way.exclude
        found._ast_root = None
        found._origin = cache, way.key
        return found

    @property
    def text(self) -> str:
        """The source."""
        found = vars(self).get("text")
        if found is None:
            found = vars(self)["text"] = get_python_source(self.filename)
        return str(found)

    @text.setter
    def text(self, text: str) -> None:
        vars(self)["text"] = text

    @property
    def _missing_arc_fragments(self) -> Any:
        """Parts of sentences by arc: large, and rarely asked for."""
        if self._fragments is None and self._origin is not None:
            cache, key = self._origin
            try:
                self._fragments = unpack(cache.fragments(self.filename, key) or b"")
            except Exception:  # as above
                self._origin = None
                self._analyze_ast()
        return self._fragments

    @_missing_arc_fragments.setter
    def _missing_arc_fragments(self, fragments: Any) -> None:
        self._fragments = fragments

    def _analyze_ast(self) -> None:
        """Analyse; here also if the tree is gone."""
        if self._ast_root is None:
            self._ast_root = ast.parse(self.text)
        super()._analyze_ast()

    def regions(self) -> list[CodeRegion]:
        """The functions and classes."""
        if self._regions is None and self._origin is not None:
            cache, key = self._origin
            try:
                rows = unpack(cache.regions(self.filename, key) or b"")
                self._regions = [CodeRegion(*row) for row in rows]
            except Exception:  # as above
                self._origin = None
        if self._regions is None:
            finder = RegionFinder()
            finder.parse_source(self.text)
            self._regions = finder.regions
        return self._regions

    def row(self, way: _Way) -> tuple[str, bytes, bytes, bytes, bytes, bytes]:
        """What the cache keeps.

        Raises:
            ValueError: this coverage.py's parser finds what isn't plain data.
        """
        state = {
            name: type(value)() if name.endswith("_cache") else value
            for name, value in vars(self).items()
            if name not in _NOT_KEPT
        }
        regions = [(found.kind, found.name, found.start, found.lines) for found in self.regions()]
        return (
            self.filename,
            way.key,
            digest(self.text),
            pack(state),
            pack(self._fragments),
            pack(regions),
        )


def measured(arcs: Mapping[str, list[tuple[int, int]]]) -> Coverage:
    """A Coverage object that has measured these arcs of these files, for its reports."""
    cov = control.Coverage(data_file=None, branch=True)
    cov.get_data().add_arcs(arcs)
    return cov


def analyse(task: Any, names: Iterable[str], done: Callable[[], None]) -> None:
    """Put the analyses of those files into the cache; a part of the work of `_crew`."""
    way = _Way(*task["way"])
    cache = Cache(Path(task["cache"]))
    rows = []
    for name in names:
        # What goes wrong here the report will meet again, and tell.
        with _gc.held(), suppress(Exception):
            rows.append(_Parser(name, way, regions=True).row(way))
        done()
        if len(rows) >= _ROWS_AT_ONCE:
            cache.keep(rows)
            rows = []
    cache.keep(rows)
