"""Text: templates, patterns, differences, printing, languages."""

from __future__ import annotations

import difflib
import fnmatch
import gettext
import glob
import html
import html.parser
import io
import locale
import mimetypes
import os
import pprint
import re
import reprlib
import shlex
import string
import tempfile
import textwrap
from pathlib import Path

PARAGRAPH = """\
    The quick brown fox jumps over the lazy dog, again and again; nobody knows why.

        It has never been seen to stop, except for a well-deserved cup of tea-with-milk.
"""


def work_textwrap() -> None:
    text = textwrap.dedent(PARAGRAPH)
    for width in (12, 30, 70):
        textwrap.fill(text, width, initial_indent="* ", subsequent_indent="  ", max_lines=4)
        textwrap.wrap(text, width, break_long_words=False, fix_sentence_endings=True)
        textwrap.wrap("\ta-very-very-long-hyphenated-word" * 3, width, expand_tabs=True)
    textwrap.shorten(text, 20)
    textwrap.indent(text, "> ", lambda line: not line.isspace())


def work_string() -> None:
    template = string.Template("$who likes ${what}, $$5 for $missing")
    template.safe_substitute(who="tim", what="kung pao")
    template.get_identifiers() if hasattr(template, "get_identifiers") else None
    try:
        template.substitute(who="tim")
    except KeyError:
        pass
    try:
        string.Template("$ 5").substitute()
    except ValueError:
        pass
    formatter = string.Formatter()
    formatter.format(
        "{0!r:>{width}} {a[0]} {b.real:.2f} {}".replace("{}", "{1}"),
        1,
        2,
        width=9,
        a="x",
        b=2.5,
    )
    formatter.vformat("{} {}", ("a", "b"), {})
    try:
        formatter.format("{0} {}", 1, 2)
    except ValueError:
        pass
    string.capwords("one two  three")
    string.capwords("one-two-three", "-")


def work_re() -> None:
    patterns = (
        r"(?P<year>\d{4})-(?P<month>\d\d)?", r"(?i:abc|abd)+?x*", r"[^a-z\s\w-]{2,5}",
        r"(?<=a)b(?!c)(?<!d)",
        r"(a)(?(1)b|c)", r"\bword\b|\Z", r"(?x) a b # comment", r"(?s).+(?m:^$)", r"(?>a+)b",
        r"a++b?+c*+",
        r"[\u00e0-\u00ff]|\N{BULLET}", r"(?a:\w)(?u:\w)", r"(?P<q>['\"]).*?(?P=q)", r"\x41\101\0",
        r"[[]",
    )  # fmt: skip
    for pattern in patterns:
        for flags in (0, re.IGNORECASE, re.ASCII):
            compiled = re.compile(pattern, flags)
            compiled.findall("2024-12 abcabdx word 'quoted' aab")
    for broken in (
        "(",
        "[a",
        "a**",
        "(?P<1>a)",
        r"\q",
        "(?<=a*)b",
        "x{3,1}",
        "(?P=no)",
        "*",
        "(?z)",
        r"(?P<a",
    ):
        try:
            re.compile(broken)
        except re.error:
            pass
    re.sub(r"(\w)(?P<n>\w)", r"\g<n>\1\n", "ab cd")
    re.sub("a", lambda match: match.group().upper(), "banana", count=2)
    re.split(r"(,)|;", "a,b;c")
    re.escape("a.b*c")
    re.compile("é", re.IGNORECASE).match("É")
    re.fullmatch("[ſk]", "S", re.IGNORECASE)
    re.purge()
    repr(re.I | re.M)


def work_difflib() -> None:
    one = [f"line {n}\n" for n in range(40)]
    two = one[:5] + ["new\n"] + one[7:20] + ["lime 20\n"] + one[21:35]
    for junk in (None, lambda line: line.endswith("3\n")):
        matcher = difflib.SequenceMatcher(junk, one, two)
        matcher.ratio(), matcher.quick_ratio(), matcher.real_quick_ratio()
        list(matcher.get_grouped_opcodes(2))
    list(difflib.unified_diff(one, two, "a", "b"))
    list(difflib.context_diff(one, two, "a", "b"))
    delta = list(difflib.ndiff(one, two, linejunk=difflib.IS_LINE_JUNK))
    list(difflib.restore(delta, 1))
    difflib.HtmlDiff(wrapcolumn=20).make_file(one, two, context=True, numlines=2)
    difflib.HtmlDiff().make_table(one, two)
    difflib.get_close_matches("appel", ["ape", "apple", "peach"])
    list(difflib.diff_bytes(difflib.unified_diff, [b"a\n"], [b"b\n"]))
    difflib.SequenceMatcher(None, "ab" * 150, "ba" * 150).get_matching_blocks()


def work_pprint_reprlib() -> None:
    import collections
    import dataclasses
    import types

    @dataclasses.dataclass
    class Point:
        x: int
        y: object = None

    counter = collections.Counter("abracadabra")
    nested = {"k" * n: [n, (n,), {n}, frozenset([n]), "text " * n, b"bytes" * n] for n in range(12)}
    things = [
        nested, counter, collections.OrderedDict(a=1), collections.deque(range(40)),
        Point(1, Point(2)),
        collections.ChainMap({"a": 1}, nested), types.SimpleNamespace(a=1, b=nested),
        types.MappingProxyType({"a": 1}), collections.defaultdict(list, a=[1]),
        collections.UserDict(a=1),
        collections.UserList([1]), collections.UserString("s"), bytearray(b"x" * 90),
        {(1, "a"): None, 2: 3},
    ]  # fmt: skip
    recursive: list[object] = [1]
    recursive.append(recursive)
    for width in (20, 80):
        for thing in (*things, recursive):
            pprint.pformat(thing, width=width, compact=width == 80, sort_dicts=width == 20)
    pprint.pformat(nested, depth=2, underscore_numbers=True)
    pprint.isreadable(nested), pprint.isrecursive(recursive)
    short = reprlib.Repr()
    short.maxlevel, short.maxstring = 2, 10
    for thing in (*things, "a" * 50, 10**60, recursive, object, range(100), [[[[[1]]]]]):
        short.repr(thing)

    class Guarded:
        @reprlib.recursive_repr()
        def __repr__(self) -> str:
            return f"<{self.__dict__!r} {self!r}>"

    repr(Guarded())


def work_shlex_fnmatch_glob() -> None:
    shlex.split("""ls -l "a b" 'c d' e\\ f # rest""", comments=True)
    shlex.join(["a b", "c'd", ""])
    lexer = shlex.shlex(
        "if x >= 10 && 'y' then; z|w # no\n~/a*b",
        posix=False,
        punctuation_chars=True,
    )
    list(lexer)
    repr(lexer.error_leader("f", 1))
    try:
        shlex.split("'open")
    except ValueError:
        pass
    for pattern in ("*.py", "[!a-c]?*", "[]a]", "a[", "**", "[z-a]x", "[a-c-e]"):
        fnmatch.filter(["a.py", "b.txt", "dx", "]"], pattern)
        fnmatch.fnmatch("A.PY", pattern)
        fnmatch.translate(pattern)
    with tempfile.TemporaryDirectory() as top:
        for name in ("a/b/c.py", "a/.hidden/d.py", "e[1].txt"):
            path = Path(top, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        for pattern in ("**/*.py", "*", "a/**", "e[[]1].txt", "no/such", "**/", "a/*/c.py"):
            glob.glob(os.path.join(top, pattern), recursive=True)
            glob.glob(pattern, root_dir=top, include_hidden=True, recursive=True)
            list(Path(top).glob(pattern.rstrip("/")))
        glob.escape("a[b]*")


def work_html() -> None:
    class Collect(html.parser.HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.get_starttag_text(), self.getpos()

    page = (
        "<!DOCTYPE html><?pi x?><html><!-- c --><body a=1 b='2' c=\"&lt;\" d><br/>"
        "&amp;&#65;&#x41;&bogus;"
        "<script>if (a < b) {}</script><style>x{}</style></p ><![CDATA[x]]><1>< </body></html><a "
        "href='x"
    )
    for convert in (True, False):
        parser = Collect(convert_charrefs=convert)
        for chunk in (page[:30], page[30:60], page[60:]):
            parser.feed(chunk)
        parser.close()
    html.escape('<a href="\'">')
    html.unescape("&lt;&notit;&#0;&#x80;&#xD800;&#1114112;&nosuch;&amp &#1;")


def work_locale_gettext_mimetypes() -> None:
    locale.normalize("de_DE.iso88591@euro")
    locale.format_string("%d %.2f", (1234567, 2.5), grouping=True)
    locale.currency(1.5, symbol=False) if locale.localeconv()["frac_digits"] != 127 else None
    locale.atof("1,5".replace(",", ".")), locale.str(1.5), locale.getlocale()
    locale.delocalize("1.5")
    null = gettext.NullTranslations()
    null.add_fallback(gettext.NullTranslations())
    null.gettext("a"), null.ngettext("a", "b", 2), null.pgettext("c", "a")
    null.npgettext("c", "a", "b", 1)
    head = "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n"
    catalog = _mo_file({"": head, "a": "b"})
    translations = gettext.GNUTranslations(io.BytesIO(catalog))
    translations.gettext("a"), translations.gettext("zz"), translations.ngettext("x", "y", 2)
    translations.info()
    for rule in ("n>1", "n%10==1 && n%100!=11 ? 0 : n != 0 ? 1 : 2", "(n==1)?0:!n"):
        gettext.c2py(rule)(5)
    for rule in ("n>", "(n", "n n", "x"):
        try:
            gettext.c2py(rule)
        except ValueError:
            pass
    gettext.find("nothing", languages=["de_DE.UTF-8@x"])
    gettext.translation("nothing", fallback=True)
    types = mimetypes.MimeTypes()
    for url in (
        "a.html",
        "b.tar.gz",
        "data:text/x;charset=u,abc",
        "c.nosuch",
        "d.PNG",
        "http://h/e.js?x",
    ):
        types.guess_type(url), types.guess_type(url, strict=False)
    types.guess_all_extensions("text/plain"), types.guess_extension("image/jpeg", strict=False)
    types.readfp(io.StringIO("text/x-odd  odd  # comment\n"))


def _mo_file(messages: dict[str, str]) -> bytes:
    import struct

    names = sorted(messages)
    ids = b"".join(name.encode() + b"\0" for name in names)
    texts = b"".join(messages[name].encode() + b"\0" for name in names)
    start = 28 + 16 * len(names)
    tables: list[list[int]] = [[], []]
    offsets = [start, start + len(ids)]
    for name in names:
        for which, text in enumerate((name, messages[name])):
            tables[which] += [len(text.encode()), offsets[which]]
            offsets[which] += len(text.encode()) + 1
    head = struct.pack("<7I", 0x950412DE, 0, len(names), 28, 28 + 8 * len(names), 0, 0)
    return head + struct.pack(f"<{4 * len(names)}I", *tables[0], *tables[1]) + ids + texts
