"""File formats and codings."""

from __future__ import annotations

import base64
import binascii
import codecs
import configparser
import csv
import io
import json
import json.tool
import netrc
import pickle
import pickletools
import plistlib
import quopri
import stringprep
import tempfile
import tomllib
from pathlib import Path

from .tools import attempt


def work_json() -> None:
    data = {
        "a": [1, 2.5, None, True, "é\n\u2028"],
        "b": {"c": {}},
        "d": [],
        "e": float("inf"),
        1: 2,
        None: 3,
    }
    for indent in (None, 2, "\t"):
        for ascii_only in (True, False):
            json.dumps(data, indent=indent, ensure_ascii=ascii_only, default=repr, sort_keys=False)
    "".join(json.JSONEncoder(indent=1).iterencode(data))
    json.dump([1], io.StringIO())
    json.load(io.StringIO('{"x": [1, 2]}'), object_pairs_hook=dict, parse_float=str)
    json.loads(b'\xef\xbb\xbf"x"'), json.loads('"x"'.encode("utf-16"))
    for broken in (
        "",
        "{",
        '{"a" 1}',
        '{"a":1,}',
        "[1,]",
        '"\\u12"',
        "nul",
        "[1 2]",
        '"\\q"',
        '"a\nb"',
        "1 2",
    ):
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
    python_decoder.decode(
        '{"a": [1, -2.5e3, "x\\u00e9\\ud834\\udd20\\n", true, null, NaN, -Infinity], "b": {}}'
    )
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
    for interpolation in (
        configparser.BasicInterpolation(),
        configparser.ExtendedInterpolation(),
        None,
    ):
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
        parser["one"].getboolean("flag"), parser.getint("two", "number")
        parser["two"].getfloat("number")
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
    attempt(loop.set, "s", "d", "%")
    for option in "abc":
        try:
            loop.get("s", option)
        except configparser.Error:
            pass


def work_toml_plist_netrc() -> None:
    tomllib.loads(
        "a = 1\nb = [1, 2.5, \"x\\u00e9\", 'raw', 1979-05-27T07:32:00Z, 07:32:00, 1979-05-27]\n"
        "[c.d]\ne = {f = true}\n"
        "[[g]]\nh = \"\"\"multi\nline\\\n   x\"\"\"\n[[g]]\ni = '''x\ny'''\n"
        'j = 0xff\nk = 1_000\nl = inf\n"q.r" = nan\n'
    )
    for broken in (
        "a = ",
        "a = 1\na = 2",
        "[a]\n[a]",
        "a = [1",
        'a = "x',
        "a.b = 1\na = 2",
        "= 1",
        "a = 01",
        "[[a]]\n[a]",
    ):
        try:
            tomllib.loads(broken)
        except tomllib.TOMLDecodeError:
            pass
    import datetime

    tree = {
        "a": 1,
        "b": [1.5, True, None][:2],
        "c": b"data" * 30,
        "d": {"e": "x<y"},
        "f": datetime.datetime(2020, 1, 2),
    }
    for kind in (plistlib.FMT_XML, plistlib.FMT_BINARY):
        plistlib.loads(plistlib.dumps(tree, fmt=kind, sort_keys=kind is plistlib.FMT_XML))
    plistlib.dumps(
        {"u": plistlib.UID(5), "big": 2**40, "neg": -3, "s": "é" * 20},
        fmt=plistlib.FMT_BINARY,
    )
    for data in (
        b"junk",
        b"<plist><dict><string>x</string></dict></plist>",
        b"bplist00" + b"\0" * 40,
    ):
        try:
            plistlib.loads(data)
        except Exception:
            pass
    with tempfile.TemporaryDirectory() as top:
        path = Path(top, "netrc")
        path.write_text(
            "machine a login b password c\ndefault login d account e password f\nmacdef m\n  x\n\n"
        )
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
    for decode, broken in (
        (base64.b32decode, b"A"),
        (base64.b85decode, b"~~~~~x "),
        (base64.b16decode, b"xy"),
    ):
        try:
            decode(broken)
        except (binascii.Error, ValueError):
            pass
    quopri.decodestring(quopri.encodestring(b"a=b \xe9\n" * 3, quotetabs=True), header=True)
    out = io.BytesIO()
    quopri.encode(io.BytesIO(b"x " * 60 + b"\n.\n"), out, False)
    quopri.decode(io.BytesIO(b"a=\nb=3D=ZZ"), out)
    for name in (
        "ascii charmap cp037 cp437 cp850 cp1250 cp1251 cp1252 hex_codec idna iso8859_1 iso8859_15 "
        "koi8_r latin_1 "
        "mac_roman punycode quopri_codec raw_unicode_escape rot_13 unicode_escape utf_16 utf_16_be "
        "utf_32 utf_7 "
        "utf_8 utf_8_sig uu_codec zlib_codec base64_codec bz2_codec cp1006 tis_620 kz1048 "
        "hp_roman8 palmos ptcp154"
    ).split():
        info = codecs.lookup(name)
        try:
            if info._is_text_encoding:
                encoded = codecs.encode(
                    "abc ma\u00f1ana",
                    name,
                    "replace" if name != "idna" else "strict",
                )
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
    with codecs.StreamReaderWriter(
        io.BytesIO(b"a\nb\n"),
        codecs.getreader("utf-8"),
        codecs.getwriter("utf-8"),
    ) as both:
        both.readlines()
    for char in ("a", "\u00ad", "\u0340", "\U000e0001", "\ufeff"):
        for name in dir(stringprep):
            if name.startswith("in_table"):
                getattr(stringprep, name)(char)
    stringprep.map_table_b2("\u00df"), stringprep.map_table_b3("\u2121")


def work_pickle() -> None:
    import collections
    import fractions

    data = [
        1,
        -(2**70),
        1.5,
        "é",
        b"x" * 300,
        (1, 2),
        {3},
        frozenset([4]),
        {"a": [None, True]},
        fractions.Fraction(1, 3),
    ]
    data += [
        collections.OrderedDict(a=1),
        len,
        dict,
        range(3),
        2j,
        bytearray(b"q"),
        ("a",) * 5,
        Ellipsis,
    ]
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
            for options in (
                [],
                ["--sort-keys", "--compact"],
                ["--json-lines"],
                ["--tab", "--no-ensure-ascii"],
            ):
                sys.argv = ["json.tool", *options, str(path)]
                with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
                    json.tool.main()
        finally:
            sys.argv = argv
