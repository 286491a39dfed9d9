"""HTML reports in less time: the same pages, byte for byte.

What coverage.py's pages cost is a token, a tuple and three calls for each word of the source, a
template with some ten lookups for each line, and a regular expression that looks at each blank.
Here the lines are painted in C (`qc_paint.h`), put together line by line, and the rest of a page
comes from coverage.py's own template.  All this only for releases whose pages were compared.
"""

from __future__ import annotations

import keyword
import re
from array import array
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coverage import env, html, phystokens
from coverage.html import FileData, HtmlDataGeneration, HtmlReporter
from coverage.phystokens import find_soft_key_lines, source_token_lines
from coverage.templite import Templite

from quickcover import _engines, _env
from quickcover._analyses import hash_of_files

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Hashes of coverage.py's pages, in all releases for which ours were compared: 7.17.0, 7.17.1 to
#: 7.17.4, and 7.17.5.
_KNOWN_PAGES = frozenset(
    {
        "4bd051c6eaca596d256dc53713db3749756b665c",
        "3848e9b59f3bd3a81c09040045e612660c46857f",
        "6a2f115552e7dd86dbad3b7732f97af7f6b62f59",
    }
)
#: Of its tokens, in all these releases.
_KNOWN_TOKENS = "4c65a0bec9a61d1128ca2a11e57b7c87d8f145c7"
#: Where a statement may begin with a keyword that is one nowhere else.
_SOFT_KEYWORD = re.compile(r"(?:^|[;:])[ \t\f]*(?:match\b|(?:type|lazy)[ \t\f\\])", re.MULTILINE)
#: The part of the template that is there once for each line.
_LINES = re.compile(r"{% for line in lines -%}.*{% endfor %}", re.DOTALL)


def pages_are_known() -> bool:
    """Is this coverage.py one whose pages we know how to make?"""
    template = Path(html.data_filename("pyfile.html"))
    return hash_of_files(html.__file__, str(template)) in _KNOWN_PAGES


@cache
def _tokens_are_known() -> bool:
    return (
        _env.current().extension
        and _engines.native_problem() is None
        and hash_of_files(phystokens.__file__) == _KNOWN_TOKENS
    )


# ------------------------------------------------------------------------------- the source


class _Painted(str):
    """A line that is HTML already: escaping leaves it as it is."""

    __slots__ = ()

    def replace(self, *args: Any) -> _Painted:
        """Nothing to replace."""
        return self


def painted(text: str) -> list[str]:
    """The lines of valid source as HTML, as coverage.py's pages have them.

    Raises:
        Exception: what coverage.py raises where it can't tell the tokens.
    """
    return _painted_in_c(text) or [
        "".join(
            escape(part) if kind == "ws" else f'<span class="{kind}">{escape(part)}</span>'
            for kind, part in line
        )
        for line in source_token_lines(text)
    ]


def _painted_in_c(text: str) -> list[str] | None:
    if not _tokens_are_known():
        return None
    text = text.expandtabs(8).replace("\r\n", "\n")
    try:
        found = _engines.load_native().paint(
            text,
            " ".join(keyword.kwlist),
            " ".join(keyword.softkwlist),
            array("i", sorted(soft_lines(text))).tobytes(),
            env.PYBEHAVIOR.fstring_syntax,
        )
    except UnicodeError:
        return None
    if found is None:
        return None
    lines: list[str] = found.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def soft_lines(text: str) -> set[int]:
    """coverage.py's `find_soft_key_lines`, which makes a syntax tree, where it may find some."""
    return find_soft_key_lines(text) if _SOFT_KEYWORD.search(text) else set()


def as_tokens(text: str) -> list[Any]:
    """The same as the tokens that make it, where a page of coverage.py shows them."""
    return [[("ws", _Painted(line))] if line else [] for line in painted(text)]


# -------------------------------------------------------------------------------- the pages


def hasten(reporter: HtmlReporter) -> None:
    """Have a reporter make its pages in less time."""
    hastened: Any = reporter
    hastened.datagen = _Pages(reporter.datagen, hastened.template_globals["category"])
    hastened.source_tmpl = _Template(reporter)


def write_html(name: str, page: str) -> None:
    """coverage.py's `write_html`: without blanks at the ends of lines and without empty lines."""
    lines = filter(None, map(str.rstrip, page.split("\n")))
    stripped = "\n".join(lines).lstrip() + "\n"
    with open(name, "wb") as file:
        file.write(stripped.encode("ascii", "xmlcharrefreplace"))


class _Template:
    """The template of a file's page: coverage.py's, or for lines that are put together already."""

    def __init__(self, reporter: HtmlReporter) -> None:
        self._theirs = reporter.source_tmpl
        text = _LINES.sub("{{painted}}", reporter.pyfile_html_source)
        self._ours = Templite(text, reporter.template_globals)

    def render(self, context: dict[str, Any]) -> Any:
        """Make a page."""
        return (self._ours if "painted" in context else self._theirs).render(context)


class _Pages:
    """What a page shows."""

    def __init__(self, theirs: HtmlDataGeneration, css: dict[str, str]) -> None:
        self._theirs = theirs
        self._css = css

    def data_for_file(self, file: Any, analysis: Any) -> FileData:
        """The data of one file's page: with all lines in one string, if it is that simple."""
        lines = getattr(file, "painted_lines", None)
        if lines is None or self._theirs.config.show_contexts:
            return self._theirs.data_for_file(file, analysis)
        found = FileData(file.relative_filename(), analysis.numbers, lines=[])
        vars(found)["painted"] = "\n    ".join(self._lines(lines(), file, analysis))
        return found

    def _lines(self, lines: list[str], file: Any, analysis: Any) -> Iterator[str]:
        missing = analysis.missing_branch_arcs() if self._theirs.has_arcs else {}
        kinds = dict.fromkeys(analysis.statements, "run")  # the last word counts
        kinds |= dict.fromkeys(missing, "par")
        kinds |= dict.fromkeys(analysis.missing, "mis")
        kinds |= dict.fromkeys(analysis.excluded, "exc")
        css = {line: self._css[kind] for line, kind in kinds.items()}
        for line, first in file.multiline_map().items():
            if line not in kinds and first in kinds:
                css[line] = self._css[f"{kinds[first]}2"]
        partial = {line: ends for line, ends in missing.items() if kinds[line] == "par"}
        notes = dict(self._notes(partial, file, analysis))
        for number, line in enumerate(lines, start=1):
            yield (
                f'<p class="{css.get(number, "pln")}"><span class="n">'
                f'<a id="t{number}" href="#t{number}">{number}</a></span><span class="t">'
                f'{line}&nbsp;</span><span class="r">{notes.get(number, "")}</span></p>'
            )

    def _notes(
        self, partial: dict[int, list[int]], file: Any, analysis: Any
    ) -> Iterator[tuple[int, str]]:
        """What stands beside lines: the branches that weren't taken."""
        stats = analysis.branch_stats() if partial else {}
        for line, ends in partial.items():
            if len(ends) == stats[line][0]:
                short = ["anywhere"]
                long = [f"line {line} didn't jump anywhere: it always raised an exception."]
            else:
                executed = analysis.arcs_executed
                short = ["exit" if end < 0 else str(end) for end in ends]
                long = [file.missing_arc_description(line, end, executed) for end in ends]
            assert len(long) == 1, f"Had long annotations in {file.relative_filename()}: {long}"
            arrows = (f"{line}&#x202F;&#x219B;&#x202F;{end}" for end in short)
            yield (
                line,
                f'<span class="annotate short">{",&nbsp;&nbsp; ".join(arrows)}</span>'
                f'<span class="annotate long">{long[0]}</span>',
            )
