"""Small sources, odd in one way or another, for analyses of source files."""
# ruff: noqa: E501

from __future__ import annotations

#: By what is odd about it.
ODD = {
    "empty": "",
    "only comments": "# nothing\n\n   # here\n",
    "docstring": '"""Doc\nstring."""\n\ndef f():\n    ("a"\n     "b")\n',
    "no docstring": 'b"bytes"\n\ndef f():\n    f"{0}"\n\ndef g():\n    "a" % 1\n\nclass C: "doc"; x = 1\n',
    "one line": "if a: b\nelse: c\nfor x in y: z; w\nwhile 1: break\nclass C: pass\ndef f(): return 1\n",
    "semicolons": "a = 1; b = 2;\nif a: b; c;\n",
    "long lines": "x = [\n  1,\n  2]\nif (a and\n    b):\n    f(\n     1)\nwith (a as b,\n      c as d):\n    e\n",
    "backslashes": "x = 1 + \\\n    2\nif a and \\\n   b:\n    c = 'x\\\ny'\nassert x, \\\n   y\n",
    "backslash first": "\\\n'doc'\nif a:\n    \\\n    b\n",
    "line end behind a backslash": "f(1) \\\n# skip\nif a: \\\n\\\n  b \\\n\nx = 1; \\\n  # last\n",
    "tabs": "if a:\n\tb\n\tif c:\n\t\td\n        # between\n\telse:\n\t    e\n",
    "colons": "x: int = 1\nf = lambda a, b=lambda: 1: a[1:2]  # skip\nif lambda: x:\n    y\nz = {1: 2}[1:]\n",
    "walrus": "if (n := 1) and n:\n    x\nwhile x := f():\n    y\nprint(f'{(a:=1)}')\n",
    "excluded suites": (
        "if a:  # skip\n    b\n    if c:\n        d\nelse:\n    e\n"
        "try:\n    a\nexcept E:\n    b\n    c\nelse:\n    d\n"
        "class Left:\n    a = 1\n    def f(self):\n        return 1\n"
        "@left\n@right\ndef g(\n  a,\n):\n    pass\n"
        "for x in (  # skip\n    1, 2\n):\n    y\nz\n"
    ),
    "stubs": "def f(): ...\ndef g(\n  a,\n) -> int: ...\nclass C:\n    def h(self) -> int:\n        ...\n",
    "constants": "\n".join(
        f"if {test}:\n    a\nelse:\n    b\nwhile {test}:\n    c\nd"
        for test in (
            "0", "1", "00", "1_000", "True", "False", "None", "__debug__", "not 0", "not not x",
            "1 and 0", "1 or x", "x or 1", "0 or 0 and 1", "(0)", "((1) or (0))", "not (1 and 0)",
            "1 == 1", "(1, )", "()", "-1", "1 if x else 0", "'a'.b", "f(1)", "[0]", "x",
            "True is True", "not x and 1", "lambda: 0",
        )
    ) + "\n",
    "odd constants": "if 0x0: a\nif '': a\nif 'a' 'b': a\nif ...: a\nif 1.0: a\nwhile 0j: a\n",
    "loops": (
        "for a in b:\n    if c: break\n    if d: continue\nelse:\n    e\n"
        "while True:\n    if f: break\nwhile g:\n    h\nelse:\n    i\n"
        "async def f():\n    async for x in y:\n        async with z:\n            pass\n"
    ),
    "try": (
        "def f():\n    try:\n        a\n        raise B\n    except C:\n        return d\n"
        "    except (E, F) as g:\n        h\n    else:\n        i\n    finally:\n        j\n"
        "    try:\n        return k\n    finally:\n        l\n    raise M\n"
        "try:\n    def g(): pass\nexcept A:\n    def h(): pass\nfinally:\n    def i(): pass\n"
    ),
    "groups of exceptions": "try:\n    a\nexcept* B:\n    c\nexcept* D as d:\n    e\n",
    "with": (
        "with a:\n    b\nwith c: d\nwith e as f, g as h:\n    if i:\n        j\n"
        "def f():\n    with a:\n        with b:\n            return c\n"
        "    for x in y:\n        with a:\n            if x: continue\n            break\n"
        "    with a:\n        raise b\n"
    ),
    "match": (
        "match = 1\nmatch.x = 2\nmatch[1:2]\nmatch(a)\nmatch: int = 1\n"
        "match x:\n    case 1: a\n    case [2, y]:\n        b\n    case C(z=1) | D():\n        c\n"
        "    case {'a': 1}:\n        d\n    case _:\n        e  # skip\n"
        "match (x,\n       y):\n    case 1 if a:\n        b\n    case z if c:\n        d\n"
    ) + "".join(
        f"match x:\n    case 0:\n        a\n    case {pattern}:\n        b\nc\n"
        for pattern in (
            "y", "(y)", "1 | _", "(1 | _)", "y as z", "(y as z)", "(1 | _) as z", "True", "None",
            "a.b", "y,", "[y]", "()", "C()", "-1", "'a'", "(1 | (2 | _))", "*_,", "_ if y",
            "((y) as z) as w", "1 | (_)",
        )
    ),
    "definitions": (
        "@a\n@b.c(\n  1)\ndef f(x, y=lambda: 1): return x\n@d\nclass C(B, metaclass=M):\n"
        "    x = 1\n    class D:\n        def g(self):\n            def h(): pass\n            return h\n"
        "    async def i(self): await j\n    class E: pass\n"
    ),
    "names": "def ﬁ():\n    pass\nclass Größe:\n    def µ(self): return 1\n",
    "strings": (
        "x = '\\'' + \"\\\"\" + r'\\\\' + '''a\n'b''' + rb'\\\\'\ny = f'{x!r:>{w}} {{}}' f\"{a['b']}\"\n"
        "z = F'''{\nx\n}'''\nif x in'abc'or y:\n    u'a'\n'''a:\n  if b:\n'''\n"
    ),
    "long chain": "if x == 0: a\n" + "".join(f"elif x == {i}: a\n" for i in range(300)),
    "decorators in brackets": "@(\n    a\n)\ndef f(): pass\n",
    "long case": "match x:\n    case (\n      y\n    ):\n        a\n",
    "numbers": "if 1or x:\n    a\nif 1if x else 2:\n    b\nx = 1_0.e-5 + .5 + 0xe-1 + 1..real\n",
}  # fmt: skip

NEW = {
    "3.12": {
        "nested quotes": "x = f'{a['b']}' f'{f'{1}'}' f'{x:{y:{z}}}' f'{'\\n'}'\nif x:\n    y\n",
        "fields on lines": "x = f'''{\n  a  # with }\n}: {b:\n}'''\ny = f'{\n a}'\n",
        "escapes": "x = f'\\N{BULLET} \\{a} {{' rf'\\{a}\\n' f'{a!r}' f'{a=}' f'{ {1: 2}[1]:>1}'\nif x: y\n",
        "types": "type X[T] = list[T]\ndef f[T: int](x: T) -> T: ...\nclass C[T]:\n    a: T\ntype = 1\n",
    },
    "3.14": {
        "templates": "x = t'{a['b']}' t'''{\nb}'''\nt'doc'\ndef f():\n    t'doc'\n",
        "except without brackets": "try:\n    a\nexcept B, C:\n    d\n",
    },
}  # fmt: skip

#: What is left to coverage.py.
UNSURE = {"backslash first", "odd constants", "decorators in brackets", "long case", "numbers"}

#: Tests with operands of which it isn't certain whether they are true.
UNSURE_TESTS = [
    "'a' and 1", "0.0 or 1", "not '' and 1", "('' or 0) or 0", "not ('' or 1) and 0", "... and 0",
    "0x0 or 1", "1 and ('a' or 0)", "0 or 'a' and 1", "'a' 'b' or x",
]  # fmt: skip

#: What tokenizers, or guesses about backslashes, find hard.
HARD = [
    "x = 1 \\\n  + 2\n", 'x = """\\\na\n"""\n', "x = '=\\\n'\n", 'f("""\\\na""")\n', "# a \\\nb\n",
    "if a:\n    # b \\\n    c\n", "x = 'a' \\\n  'b'\n", "x = 'a' \\\n  '''b\n\n'''\n", "a; \\\n\\\n\nb\n",
    "\\\na\n", "x = (1, \\\n     '''a\\\n  b''')\n", "a = '''b\n c''' \\\n  + d\n", "a \\\n  # b\n",
    "a = 1if b else 2\n", "0xfor x in y\n", "1..real\n", "1_0.0_1e-1_0J\n", "a.b...\n", "x[...]\n",
    "a = b'\\'' rb'\\\\' Rb'\"' u'' BR''\n", "a = 'ä\\N{DASH}' + \"\"\"ü\n\tö\"\"\" # ß\n", "ä = 1\n",
    "def f(a, /, *, b: int = 1) -> int: ...\n", "a @= b; c //= d; e **= f; g >>= h; i <<= j; k := l\n",
    "(a := b)\n", "x\n\f\ny\n", "\fx\n", "if a:\n\tb  \n        c\t\n", "a\r\nb\r\n", "a", "a # b", "a  ",
    "f'a'\n", "f'{a}'\n", "f'a{{b}}c{d}'\n", "f'{{{a}}}'\n", "f'{a!r:>{b}}'\n", "f'{a=}'\n", "f'{a = !r}'\n",
    "f'{a:{b}{c}}d'\n", "f'{a:}'\n", "f'{a:%H:%M}'\n", "f'{a[1:2]}{b if c else d}'\n", "f'{(lambda x: 1)(2)}'\n",
    "f'{a!=b}'\n", "f'{a:=5}'\n", "f'{(a:=5)}'\n", "f'''{\na\n}'''\n", "f'''\n{a}\n  b{{\n'''\n", "f'''a\\\n{b}'''\n",
    "f'\\n{a}\\''\n", "rf'\\{a}\\d'\n", "f'\\N{DASH}{a}'\n", "f'{a}' 'b' f\"{c}\"\n", "f'{f\"{a}\"}'\n",
    "f'{f'{a}'}'\n", "f'{a['b']}'\n", "f'''{a # b\n}'''\n", "f'{a}ä{b}'\n", "t'{a}b'\n", "f'{{'\n", "f'}}'\n",
    "f'{ a }'\n", "f'{a:x{{y}}}'\n", "f'''{a:\n}'''\n", "f'{a,}{*b,}{yield}'\n", "print(f'{a}', end='')\n",
    "match x:\n    case [_, y]: match = case\n    case (\n        _\n    ): _\n", "type X = int\ntype = 1\n",
    "match x:\n  case 1: pass\nmatch = 1; match.x\n", "match(a)\nmatch[b]\n_ = case = 1\n", "lazy import a\n",
    "a = 'x' if 'y' else '''\nz''' 'u' \\\n  ; b\n", "if a: # b\n  c\n\n\n# d\n  # e\nf\n", "x = 'a\\\n\\\nb'\n",
    "\N{KELVIN SIGN} = x\u0387 = 1\n", "a = '\x0b\x1c\x85\u2028'\n", "a\x0c = 1\n", "class A:\n  '''b\n\n  c'''\n",
]  # fmt: skip
