"""Text, documents and file formats."""

from __future__ import annotations

import base64
import binascii
import codecs
import configparser
import csv
import difflib
import fnmatch
import gettext
import glob
import html
import html.parser
import io
import json
import json.tool
import locale
import mimetypes
import netrc
import os
import pickle
import pickletools
import plistlib
import pprint
import quopri
import re
import reprlib
import shlex
import string
import stringprep
import tempfile
import textwrap
import tomllib
from pathlib import Path

from typing import Any

PARAGRAPH = """\
    The quick brown fox jumps over the lazy dog, again and again; nobody knows why.

        It has never been seen to stop, except for a well-deserved cup of tea-with-milk.
"""


def _attempt(function: Any, *arguments: Any, **named: Any) -> None:
    """Call something that is expected to refuse."""
    try:
        function(*arguments, **named)
    except Exception as error:
        str(error)


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
    formatter.format("{0!r:>{width}} {a[0]} {b.real:.2f} {}".replace("{}", "{1}"), 1, 2, width=9, a="x", b=2.5)
    formatter.vformat("{} {}", ("a", "b"), {})
    try:
        formatter.format("{0} {}", 1, 2)
    except ValueError:
        pass
    string.capwords("one two  three")
    string.capwords("one-two-three", "-")


def work_re() -> None:
    patterns = (
        r"(?P<year>\d{4})-(?P<month>\d\d)?", r"(?i:abc|abd)+?x*", r"[^a-z\s\w-]{2,5}", r"(?<=a)b(?!c)(?<!d)",
        r"(a)(?(1)b|c)", r"\bword\b|\Z", r"(?x) a b # comment", r"(?s).+(?m:^$)", r"(?>a+)b", r"a++b?+c*+",
        r"[\u00e0-\u00ff]|\N{BULLET}", r"(?a:\w)(?u:\w)", r"(?P<q>['\"]).*?(?P=q)", r"\x41\101\0", r"[[]",
    )  # fmt: skip
    for pattern in patterns:
        for flags in (0, re.IGNORECASE, re.ASCII):
            compiled = re.compile(pattern, flags)
            compiled.findall("2024-12 abcabdx word 'quoted' aab")
    for broken in ("(", "[a", "a**", "(?P<1>a)", r"\q", "(?<=a*)b", "x{3,1}", "(?P=no)", "*", "(?z)", r"(?P<a"):
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
        nested, counter, collections.OrderedDict(a=1), collections.deque(range(40)), Point(1, Point(2)),
        collections.ChainMap({"a": 1}, nested), types.SimpleNamespace(a=1, b=nested),
        types.MappingProxyType({"a": 1}), collections.defaultdict(list, a=[1]), collections.UserDict(a=1),
        collections.UserList([1]), collections.UserString("s"), bytearray(b"x" * 90), {(1, "a"): None, 2: 3},
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
    lexer = shlex.shlex("if x >= 10 && 'y' then; z|w # no\n~/a*b", posix=False, punctuation_chars=True)
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
        "<!DOCTYPE html><?pi x?><html><!-- c --><body a=1 b='2' c=\"&lt;\" d><br/>&amp;&#65;&#x41;&bogus;"
        "<script>if (a < b) {}</script><style>x{}</style></p ><![CDATA[x]]><1>< </body></html><a href='x"
    )
    for convert in (True, False):
        parser = Collect(convert_charrefs=convert)
        for chunk in (page[:30], page[30:60], page[60:]):
            parser.feed(chunk)
        parser.close()
    html.escape("<a href=\"'\">")
    html.unescape("&lt;&notit;&#0;&#x80;&#xD800;&#1114112;&nosuch;&amp &#1;")


def work_json() -> None:
    data = {"a": [1, 2.5, None, True, "é\n\u2028"], "b": {"c": {}}, "d": [], "e": float("inf"), 1: 2, None: 3}
    for indent in (None, 2, "\t"):
        for ascii_only in (True, False):
            json.dumps(data, indent=indent, ensure_ascii=ascii_only, default=repr, sort_keys=False)
    "".join(json.JSONEncoder(indent=1).iterencode(data))
    json.dump([1], io.StringIO())
    json.load(io.StringIO('{"x": [1, 2]}'), object_pairs_hook=dict, parse_float=str)
    json.loads(b'\xef\xbb\xbf"x"'), json.loads('"x"'.encode("utf-16"))
    for broken in ("", "{", '{"a" 1}', '{"a":1,}', "[1,]", '"\\u12"', "nul", "[1 2]", '"\\q"', '"a\nb"', "1 2"):
        try:
            json.loads(broken)
        except ValueError as error:
            str(error)
    decoder = json.JSONDecoder()
    decoder.raw_decode("[1] rest")
    from json import decoder as pure
    from json import encoder, scanner

    python_decoder = json.JSONDecoder(object_hook=lambda item: item)
    python_decoder.parse_string = pure.py_scanstring
    python_decoder.scan_once = scanner.py_make_scanner(python_decoder)
    python_decoder.decode('{"a": [1, -2.5e3, "x\\u00e9\\ud834\\udd20\\n", true, null, NaN, -Infinity], "b": {}}')
    encoder.py_encode_basestring_ascii("é\U0001d120\n"), encoder.py_encode_basestring('"\n')
    circular: list[object] = []
    circular.append(circular)
    try:
        json.dumps(circular)
    except ValueError:
        pass
    try:
        json.dumps({"x": object()})
    except TypeError:
        pass


def work_csv() -> None:
    out = io.StringIO()
    writer = csv.DictWriter(out, ["a", "b"], restval="-", extrasaction="ignore")
    writer.writeheader()
    writer.writerows([{"a": 1, "c": 3}, {"a": "x,y", "b": 'q"'}])
    list(csv.DictReader(io.StringIO("a,b\n1,2,3\n\n4\n"), restkey="rest"))
    sniffer = csv.Sniffer()
    for sample in ("a;b;c\n1;2;3\n4;5;6\n", "'a', 'b'\n'c', 'd'\n", "name\tage\njo\t5\nal\t7\n"):
        sniffer.sniff(sample)
        sniffer.has_header(sample)
    try:
        sniffer.sniff("abc")
    except csv.Error:
        pass
    try:
        csv.DictWriter(out, ["a"]).writerow({"b": 1})
    except ValueError:
        pass
    csv.list_dialects()


def work_configparser() -> None:
    source = """
[DEFAULT]
home = /here
[one]
path = %(home)s/x
many =
    a
    b
flag : yes
# comment
[two]
ref = ${one:path}
alone
number = 42 ; inline
"""
    for interpolation in (configparser.BasicInterpolation(), configparser.ExtendedInterpolation(), None):
        parser = configparser.ConfigParser(
            interpolation=interpolation, allow_no_value=True, inline_comment_prefixes=";"
        )
        parser.read_string(source)
        for section in parser.sections():
            for option in parser.options(section):
                try:
                    parser.get(section, option)
                except configparser.Error:
                    pass
        parser["one"].getboolean("flag"), parser.getint("two", "number"), parser["two"].getfloat("number")
        parser.get("two", "nothing", fallback=None), parser.has_option("one", "x")
        parser["three"] = {"a": "1"}
        parser.set("three", "b", "2")
        parser.remove_option("three", "a")
        parser.remove_section("three")
        parser.write(io.StringIO())
        dict(parser["one"])
    for broken in ("x = 1", "[a]\n[a]\n", "[a]\nx=1\nx=2\n", "[a]\n=\n", "[a\n"):
        try:
            configparser.ConfigParser().read_string(broken)
        except configparser.Error as error:
            str(error), repr(error)
    loop = configparser.ConfigParser()
    loop.read_dict({"s": {"a": "%(b)s", "b": "%(a)s", "c": "%(zz)s"}})
    _attempt(loop.set, "s", "d", "%")
    for option in "abc":
        try:
            loop.get("s", option)
        except configparser.Error:
            pass


def work_toml_plist_netrc() -> None:
    tomllib.loads(
        'a = 1\nb = [1, 2.5, "x\\u00e9", \'raw\', 1979-05-27T07:32:00Z, 07:32:00, 1979-05-27]\n[c.d]\ne = {f = true}\n'
        '[[g]]\nh = """multi\nline\\\n   x"""\n[[g]]\ni = \'\'\'x\ny\'\'\'\nj = 0xff\nk = 1_000\nl = inf\n"q.r" = nan\n'
    )
    for broken in ("a = ", "a = 1\na = 2", "[a]\n[a]", "a = [1", 'a = "x', "a.b = 1\na = 2", "= 1", "a = 01", "[[a]]\n[a]"):
        try:
            tomllib.loads(broken)
        except tomllib.TOMLDecodeError:
            pass
    import datetime

    tree = {"a": 1, "b": [1.5, True, None][:2], "c": b"data" * 30, "d": {"e": "x<y"}, "f": datetime.datetime(2020, 1, 2)}
    for kind in (plistlib.FMT_XML, plistlib.FMT_BINARY):
        plistlib.loads(plistlib.dumps(tree, fmt=kind, sort_keys=kind is plistlib.FMT_XML))
    plistlib.dumps({"u": plistlib.UID(5), "big": 2**40, "neg": -3, "s": "é" * 20}, fmt=plistlib.FMT_BINARY)
    for data in (b"junk", b"<plist><dict><string>x</string></dict></plist>", b"bplist00" + b"\0" * 40):
        try:
            plistlib.loads(data)
        except Exception:
            pass
    with tempfile.TemporaryDirectory() as top:
        path = Path(top, "netrc")
        path.write_text("machine a login b password c\ndefault login d account e password f\nmacdef m\n  x\n\n")
        rc = netrc.netrc(str(path))
        rc.authenticators("a"), rc.authenticators("z"), repr(rc)
        path.write_text("machine a bogus b\n")
        try:
            netrc.netrc(str(path))
        except netrc.NetrcParseError as error:
            str(error)


def work_codings() -> None:
    data = bytes(range(256))
    for encode, decode in (
        (base64.b64encode, base64.b64decode), (base64.b32encode, base64.b32decode),
        (base64.b16encode, base64.b16decode), (base64.a85encode, base64.a85decode),
        (base64.b85encode, base64.b85decode), (base64.urlsafe_b64encode, base64.urlsafe_b64decode),
        (base64.b32hexencode, base64.b32hexdecode), (base64.encodebytes, base64.decodebytes),
    ):  # fmt: skip
        decode(encode(data))
    base64.a85encode(b"\0\0\0\0    x", foldspaces=True, wrapcol=3, adobe=True)
    for decode, broken in ((base64.b32decode, b"A"), (base64.b85decode, b"~~~~~x "), (base64.b16decode, b"xy")):
        try:
            decode(broken)
        except (binascii.Error, ValueError):
            pass
    quopri.decodestring(quopri.encodestring(b"a=b \xe9\n" * 3, quotetabs=True), header=True)
    out = io.BytesIO()
    quopri.encode(io.BytesIO(b"x " * 60 + b"\n.\n"), out, False)
    quopri.decode(io.BytesIO(b"a=\nb=3D=ZZ"), out)
    for name in (
        "ascii charmap cp037 cp437 cp850 cp1250 cp1251 cp1252 hex_codec idna iso8859_1 iso8859_15 koi8_r latin_1 "
        "mac_roman punycode quopri_codec raw_unicode_escape rot_13 unicode_escape utf_16 utf_16_be utf_32 utf_7 "
        "utf_8 utf_8_sig uu_codec zlib_codec base64_codec bz2_codec cp1006 tis_620 kz1048 hp_roman8 palmos ptcp154"
    ).split():
        info = codecs.lookup(name)
        try:
            if info._is_text_encoding:
                encoded = codecs.encode("abc ma\u00f1ana", name, "replace" if name != "idna" else "strict")
                codecs.decode(encoded, name)
                list(codecs.iterdecode(codecs.iterencode(["ab", "c"], name), name))
                writer = info.streamwriter(io.BytesIO())
                writer.write("abc")
                reader = info.streamreader(io.BytesIO(codecs.encode("ab\ncd\n", name)))
                reader.readline(), reader.read()
            elif name == "rot_13":
                codecs.encode("abc", name)
            else:
                codecs.decode(codecs.encode(data, name), name)
        except (UnicodeError, NotImplementedError, TypeError, LookupError):
            pass
    stream = codecs.EncodedFile(io.BytesIO(b"abc\n"), "latin-1", "utf-8")
    stream.read(), stream.write(b"x"), stream.seek(0)
    with codecs.StreamReaderWriter(io.BytesIO(b"a\nb\n"), codecs.getreader("utf-8"), codecs.getwriter("utf-8")) as both:
        both.readlines()
    for char in ("a", "\u00ad", "\u0340", "\U000e0001", "\ufeff"):
        for name in dir(stringprep):
            if name.startswith("in_table"):
                getattr(stringprep, name)(char)
    stringprep.map_table_b2("\u00df"), stringprep.map_table_b3("\u2121")


def work_locale_gettext_mimetypes() -> None:
    locale.normalize("de_DE.iso88591@euro"), locale.format_string("%d %.2f", (1234567, 2.5), grouping=True)
    locale.currency(1.5, symbol=False) if locale.localeconv()["frac_digits"] != 127 else None
    locale.atof("1,5".replace(",", ".")), locale.str(1.5), locale.getlocale(), locale.delocalize("1.5")
    null = gettext.NullTranslations()
    null.add_fallback(gettext.NullTranslations())
    null.gettext("a"), null.ngettext("a", "b", 2), null.pgettext("c", "a"), null.npgettext("c", "a", "b", 1)
    catalog = _mo_file({"": "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n", "a": "b"})
    translations = gettext.GNUTranslations(io.BytesIO(catalog))
    translations.gettext("a"), translations.gettext("zz"), translations.ngettext("x", "y", 2), translations.info()
    for rule in ("n>1", "n%10==1 && n%100!=11 ? 0 : n != 0 ? 1 : 2", "(n==1)?0:!n"):
        gettext.c2py(rule)(5)
    for rule in ("n>", "(n", "n n", "x"):
        try:
            gettext.c2py(rule)
        except ValueError:
            pass
    gettext.find("nothing", languages=["de_DE.UTF-8@x"]), gettext.translation("nothing", fallback=True)
    types = mimetypes.MimeTypes()
    for url in ("a.html", "b.tar.gz", "data:text/x;charset=u,abc", "c.nosuch", "d.PNG", "http://h/e.js?x"):
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


def work_pickle() -> None:
    import collections
    import fractions

    data = [1, -(2**70), 1.5, "é", b"x" * 300, (1, 2), {3}, frozenset([4]), {"a": [None, True]}, fractions.Fraction(1, 3)]
    data += [collections.OrderedDict(a=1), len, dict, range(3), 2j, bytearray(b"q"), ("a",) * 5, Ellipsis]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        out = io.BytesIO()
        pickle._Pickler(out, protocol).dump(data)
        pickle._Unpickler(io.BytesIO(out.getvalue())).load()
        pickletools.dis(pickletools.optimize(out.getvalue()), io.StringIO(), annotate=1)
    for broken in (b"", b"junk", b"\x80\x04.", b"cno.such\nname\n."):
        try:
            pickle._loads(broken)
        except Exception:
            pass
    try:
        pickle._dumps(lambda: None)
    except Exception:
        pass


def work_json_tool() -> None:
    import contextlib
    import sys

    with tempfile.TemporaryDirectory() as top:
        path = Path(top, "x.json")
        path.write_text('{"b": 1, "a": [1]}')
        argv = sys.argv
        try:
            for options in ([], ["--sort-keys", "--compact"], ["--json-lines"], ["--tab", "--no-ensure-ascii"]):
                sys.argv = ["json.tool", *options, str(path)]
                with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
                    json.tool.main()
        finally:
            sys.argv = argv
