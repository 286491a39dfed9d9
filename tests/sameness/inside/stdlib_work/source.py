"""Python itself: parsing, compiling, inspecting, tracing, documenting, importing."""

from __future__ import annotations

import ast
import cmd
import code
import codeop
import compileall
import contextlib
import dis
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.resources
import importlib.util
import inspect
import io
import keyword
import linecache
import modulefinder
import os
import pkgutil
import py_compile
import pyclbr
import pydoc
import rlcompleter
import runpy
import sys
import tabnanny
import tempfile
import timeit
import token
import tokenize
import traceback
import warnings
import zipimport
from pathlib import Path
from typing import Any

from .tools import attempt

SOURCE = '''
"""A module to look at."""
from __future__ import annotations
import os.path as p, sys
from math import *

CONSTANT: int = 5

@decorator(1, *a, k=2, **kw)
class Thing(Base, metaclass=Meta):
    """Its text."""
    __slots__ = ("x",)

    def method(self, a, /, b: int = 1, *args, c, d=2, **kwargs) -> "str":
        nonlocal_value = 1
        async def inner():
            nonlocal nonlocal_value
            global CONSTANT
            nonlocal_value += 1
            return [x async for x in y] if a else {**d}
        try:
            assert a, "message"
        except (ValueError, TypeError) as e:
            raise KeyError from e
        else:
            del a[1:2, ...]
        finally:
            pass
        return f"{a!r:>{width}} {b=} {{}}" + 'x' "y"

    async def later(self):
        async with a as b, c:
            await d
        async for i in j:
            yield i
        else:
            continue_ = 1
        return

def generator():
    x = yield
    yield from (n ** 2 for n in range(10) if n % 2 if n)
    while not x:
        if x == 1: break
        elif x is not None: continue
    else:
        x, *rest = lambda a, *b, c=1, **d: (a, b)
    for i in x: pass
    with open("f") as f, (open("g")) as g:
        x = {1: 2, **y}, {1, 2}, [1, *z], (yield)
    match x:
        case 1 | -2.5 | "s" | None: pass
        case [a, *_, {"k": v, **rest}] if a: pass
        case Point(x=0, y=[1]) as point: pass
        case _: pass
    y = (x[1], x.attr, -x, not x, x @ y, x if y else z, a < b <= c, a and b or c, (w := 5))
    return 1j, b"b", ...
'''


@contextlib.contextmanager
def _quiet() -> Any:
    with (
        contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")) as out,
        contextlib.redirect_stderr(out),
    ):
        yield out


def work_ast() -> None:
    tree = ast.parse(SOURCE, type_comments=True)
    ast.dump(tree, indent=2, include_attributes=True)
    ast.unparse(tree)
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module)):
            ast.get_docstring(node)
        if isinstance(node, ast.stmt):
            ast.get_source_segment(SOURCE, node, padded=True)

    class Rename(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> Any:
            return ast.copy_location(ast.Name("_" + node.id, node.ctx), node)

        def visit_Assert(self, node: ast.Assert) -> Any:
            return None

        def visit_Pass(self, node: ast.Pass) -> Any:
            return [node, ast.Pass()]

    changed = ast.fix_missing_locations(Rename().visit(tree))
    ast.increment_lineno(changed, 5)
    ast.unparse(ast.Module([ast.Expr(ast.Constant("a\\'\"\n"))], []))
    for text in ("1", "[1, -2]", "{'a': (1,)}", "{1}", "set()", "1+2j", "None", "b'x'"):
        ast.literal_eval(text)
    for text in ("f()", "1+x", "-'a'", "[", "a.b"):
        attempt(ast.literal_eval, text)
    with tempfile.TemporaryDirectory() as top, _quiet():
        path = Path(top, "m.py")
        path.write_text(SOURCE)
        argv, sys.argv = sys.argv, ["ast", "-a", str(path)]
        try:
            ast.main() if hasattr(ast, "main") else None
        finally:
            sys.argv = argv


def work_tokenize() -> None:
    data = SOURCE.encode()
    tokens = list(tokenize.tokenize(io.BytesIO(data).readline))
    tokenize.untokenize(tokens)
    tokenize.untokenize([(t.type, t.string) for t in tokens])
    for broken in (
        b"# -*- coding: nosuch -*-\n",
        b"\xef\xbb\xbf# coding: latin-1\n",
        b"x = (1\n",
        b"\xff\n",
        b"'''a",
    ):
        with contextlib.suppress(SyntaxError, tokenize.TokenError):
            list(tokenize.tokenize(io.BytesIO(broken).readline))
    list(tokenize.generate_tokens(io.StringIO("if x:\n\ty = 1 \\\n + 2\n").readline))
    keyword.iskeyword("if"), keyword.issoftkeyword("match"), token.ISTERMINAL(1)
    token.ISNONTERMINAL(300), token.ISEOF(0)
    with tempfile.TemporaryDirectory() as top:
        path = Path(top, "m.py")
        path.write_bytes(b"# coding: latin-1\nx = '\xe9'\n")
        with tokenize.open(path) as source:
            source.read()
        path.write_text("if 1:\n\tx\n        y\n")
        with _quiet():
            tabnanny.check(str(path)), tabnanny.check(top)


def work_dis() -> None:
    module = compile(
        SOURCE.replace("nonlocal_value = 1", "nonlocal_value = 1; class_ = 2"),
        "<s>",
        "exec",
    )
    for options in ({}, {"show_caches": True}, {"depth": 1}, {"adaptive": True}):
        out = io.StringIO()
        dis.dis(module, file=out, **options)
    dis.show_code(work_dis, file=io.StringIO()), dis.code_info("x = 1")
    dis.stack_effect(dis.opmap["NOP"])
    for part in (attempt, ast.Name, "x + 1", work_dis.__code__, pydoc.Doc):
        with _quiet():
            dis.dis(part)
    bytecode = dis.Bytecode(attempt, first_line=10, current_offset=4)
    bytecode.dis(), bytecode.info(), list(bytecode), repr(bytecode)
    list(dis.findlinestarts(module)), dis.findlabels(module.co_code)
    attempt(dis.dis, 5)
    try:
        raise ValueError
    except ValueError as error:
        dis.Bytecode.from_traceback(error.__traceback__).dis()


def work_symtable() -> None:
    import symtable  # PyPy has not all of it

    def visit(table: symtable.SymbolTable) -> None:
        table.get_type(), table.get_name(), table.get_lineno(), table.is_nested()
        table.has_children(), repr(table)
        for symbol in table.get_symbols():
            for name in dir(symbol):
                if name.startswith("is_"):
                    getattr(symbol, name)()
            symbol.get_namespaces(), repr(symbol)
        if isinstance(table, symtable.Function):
            table.get_parameters(), table.get_locals(), table.get_globals(), table.get_frees()
            table.get_nonlocals()
        for child in table.get_children():
            visit(child)

    visit(symtable.symtable(SOURCE, "<s>", "exec"))


def _sample(a: int, /, b: str = "x", *args: int, c: bool, **kwargs: Any) -> None:
    """Has a signature."""


def work_inspect() -> None:
    signature = inspect.signature(_sample)
    bound = signature.bind(1, "b", 3, c=True, d=4)
    bound.apply_defaults(), bound.args, bound.kwargs, repr(bound), str(signature), hash(signature)
    signature.replace(parameters=[])
    for arguments, named in (((), {}), ((1,), {}), ((1,), {"a": 2, "c": 1})):
        attempt(signature.bind, *arguments, **named)
    inspect.getfullargspec(_sample), inspect.getsource(_sample), inspect.getdoc(_sample)
    inspect.getcomments(_sample)
    inspect.getmodule(_sample), inspect.getsourcelines(work_inspect), inspect.cleandoc(" a\n   b\n")
    inspect.getsourcefile(ast)
    inspect.getmembers(cmd.Cmd, inspect.isfunction), inspect.classify_class_attrs(cmd.Cmd)
    inspect.getmro(bool)
    inspect.unwrap(_sample), inspect.getclosurevars(_sample), inspect.getcallargs(_sample, 1, c=2)
    inspect.getattr_static(cmd.Cmd, "prompt")
    inspect.getclasstree([int, bool]), inspect.indentsize("\tx"), inspect.getmodulename("a/b.py")
    inspect.formatannotation(list[int])
    for thing in (
        len,
        int,
        ast.parse,
        property(),
        lambda: 0,
        cmd.Cmd,
        cmd.Cmd().cmdloop,
        5,
        sys,
        str.join,
        object(),
        dict.get,
    ):
        for name in (
            "isroutine",
            "isbuiltin",
            "ismethod",
            "isclass",
            "isabstract",
            "iscoroutinefunction",
            "ismethoddescriptor",
        ):
            getattr(inspect, name)(thing)
        attempt(inspect.signature, thing), attempt(inspect.getsource, thing)
        attempt(inspect.getfile, thing), inspect.getdoc(thing)
    frame = inspect.currentframe()
    inspect.getframeinfo(frame), inspect.getargvalues(frame), inspect.stack(0)[0]
    inspect.getouterframes(frame)
    inspect.formatargvalues(*inspect.getargvalues(frame))

    def generator() -> Any:
        yield 1

    running = generator()
    inspect.getgeneratorstate(running), next(running), inspect.getgeneratorlocals(running)
    running.close(), inspect.getgeneratorstate(running)
    inspect.get_annotations(_sample, eval_str=True)
    with _quiet():
        argv, sys.argv = sys.argv, ["inspect", "--details", "cmd"]
        try:
            inspect._main()
        finally:
            sys.argv = argv


def work_traceback() -> None:
    def fail(depth: int) -> None:
        if depth:
            fail(depth - 1)
        try:
            {}["missing"]
        except KeyError as error:
            error.add_note("a note")
            raise ValueError("bad\nvalue") from error

    for thing in (
        lambda: fail(12),
        lambda: compile("x = (", "<s>", "exec"),
        lambda: undefined_name,  # noqa: F821
        lambda: sys.exitt,
        lambda: [].apend,
    ):  # noqa: F821
        try:
            thing()
        except Exception as error:
            text = traceback.TracebackException.from_exception(error, capture_locals=True, limit=9)
            list(text.format()), list(text.format_exception_only()), str(text), text == text
            traceback.print_exception(error, file=io.StringIO())
            traceback.format_exception(error, chain=False, limit=-2)
            traceback.extract_tb(error.__traceback__), traceback.format_tb(error.__traceback__)
            traceback.format_exc()
            traceback.clear_frames(error.__traceback__)
    try:
        raise ExceptionGroup(
            "group",
            [ValueError(1), ExceptionGroup("inner", [TypeError(n) for n in range(20)])],
        )
    except ExceptionGroup as error:
        traceback.format_exception(error)
    summary = traceback.StackSummary.from_list([("f", 1, "g", "text"), ("f", 1, "g", "text")] * 4)
    summary.format(), traceback.format_stack(limit=2), traceback.extract_stack(limit=1)
    traceback.FrameSummary("f", 1, "n") == ("f",)
    traceback.print_stack(file=io.StringIO()), list(traceback.walk_stack(None))[:1]
    traceback.format_list(summary)
    linecache.checkcache(), linecache.getline(__file__, 3), linecache.getlines("nothing")
    linecache.lazycache("m", globals())
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        warnings.filterwarnings("error", "no such", module="x", lineno=5)
        warnings.warn("one", UserWarning, stacklevel=2)
        warnings.warn_explicit("two", UserWarning, "f", 1, "m", {})
        warnings.formatwarning("m", UserWarning, "f", 1), warnings.resetwarnings()
    attempt(warnings.filterwarnings, "nonsense")


def work_compile() -> None:
    with tempfile.TemporaryDirectory() as top:
        path = Path(top, "pack", "mod.py")
        path.parent.mkdir()
        (path.parent / "__init__.py").write_text("from . import mod\nVALUE = 1\n")
        path.write_text(SOURCE)
        (path.parent / "bad.py").write_text("x = (\n")
        for mode in py_compile.PycInvalidationMode:
            py_compile.compile(
                str(path),
                doraise=True,
                invalidation_mode=mode,
                cfile=str(path) + "c",
            )
        attempt(py_compile.compile, str(path.parent / "bad.py"), doraise=True)
        with _quiet():
            py_compile.compile(str(path.parent / "bad.py"))
            compileall.compile_dir(
                top,
                maxlevels=3,
                force=True,
                stripdir=top,
                optimize=[0, 1],
                hardlink_dupes=True,
            )
            compileall.compile_file(str(path))
        finder = modulefinder.ModuleFinder([top, *sys.path[-3:]], excludes=["os"])
        (Path(top) / "main.py").write_text(
            "import pack.mod, nothing\nfrom pack import VALUE, zzz\nfrom pack import *\n"
        )
        finder.run_script(os.path.join(top, "main.py"))
        with _quiet():
            finder.report()
        finder.any_missing_maybe()
        sys.path.insert(0, top)
        try:
            pyclbr.readmodule_ex("pack.mod"), pyclbr.readmodule("pack")
            list(pkgutil.walk_packages([top], onerror=lambda n: None))
            pkgutil.resolve_name("os.path:join"), pkgutil.resolve_name("os.path")
            pkgutil.get_data("email", "__init__.py"), attempt(pkgutil.resolve_name, "1x")
            pkgutil.extend_path([top], "pack"), list(pkgutil.iter_modules([top], "x."))
            (Path(top) / "lone.py").write_text("result = __name__\n")
            runpy.run_module("lone", {"x": 1}, "named", alter_sys=True)
            runpy.run_path(str(Path(top) / "lone.py"))
            attempt(runpy.run_module, "no.such"), attempt(runpy.run_module, "email")
        finally:
            sys.path.remove(top)


def work_import() -> None:
    import zipfile

    with tempfile.TemporaryDirectory() as top:
        archive = os.path.join(top, "z.zip")
        with zipfile.ZipFile(archive, "w") as out:
            out.writestr("inzip/__init__.py", "from importlib import resources\n")
            out.writestr("inzip/sub.py", "value = 1\n")
            out.writestr("inzip/data.txt", "text")
            out.writestr(
                "dist-1.0.dist-info/METADATA",
                "Metadata-Version: 2.1\nName: dist\nVersion: 1.0\nRequires-Dist: x; extra == 'a'\n"
                "\nText\n",
            )
            out.writestr(
                "dist-1.0.dist-info/entry_points.txt",
                "[group]\nname = inzip.sub:value [a]\n[other]\n",
            )
            out.writestr("dist-1.0.dist-info/RECORD", "inzip/sub.py,sha256=abc,10\n")
        importer = zipimport.zipimporter(archive)
        importer.is_package("inzip"), importer.get_source("inzip"), importer.get_code("inzip")
        importer.get_filename("inzip")
        importer.get_data(os.path.join(archive, "inzip", "data.txt")), repr(importer)
        importer.find_spec("nothing"), importer.invalidate_caches()
        attempt(importer.get_data, "nothing"), attempt(zipimport.zipimporter, top)
        attempt(importer.get_code, "no")
        sys.path.insert(0, archive)
        try:
            module = importlib.import_module("inzip.sub")
            importlib.reload(module), importlib.util.find_spec("inzip.sub")
            files = importlib.resources.files("inzip")
            (files / "data.txt").read_text(), [part.name for part in files.iterdir()]
            (files / "zz").is_file()
            with importlib.resources.as_file(files / "data.txt") as real:
                real.read_bytes()
            distribution = importlib.metadata.distribution("dist")
            distribution.version, distribution.requires, distribution.files
            distribution.metadata.json, distribution.read_text("no")
            points = distribution.entry_points
            points.select(group="group"), points.names, points.groups, repr(points)
            [point.load() for point in points], points["name"].extras
            attempt(importlib.metadata.version, "no-such-thing-at-all")
        finally:
            sys.path.remove(archive)
            for name in ("inzip", "inzip.sub"):
                sys.modules.pop(name, None)


def work_import_lazily() -> None:
    with tempfile.TemporaryDirectory() as top:
        path = Path(top, "lazy.py")
        path.write_text("value = 5\n")
        spec = importlib.util.spec_from_file_location("lazy", path)
        assert spec is not None and spec.loader is not None
        spec.loader = importlib.util.LazyLoader(spec.loader)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.value, importlib.util.resolve_name(".x", "pack"), importlib.util.decode_source(b"x")
        attempt(importlib.util.resolve_name, ".x", "")
        importlib.util.cache_from_source(str(path))
        importlib.util.source_from_cache(importlib.util.cache_from_source(str(path)))
        importlib.machinery.all_suffixes()
        importlib.machinery.SourceFileLoader("lazy", str(path)).get_code("lazy")

    class Reader(importlib.abc.MetaPathFinder):
        def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
            return None

    Reader().invalidate_caches()
    text = importlib.resources.files("email").joinpath("mime", "__init__.py")
    text.read_text(), importlib.resources.files("json").joinpath("zz").exists()
    attempt(importlib.import_module, "no.such.module"), attempt(importlib.import_module, ".x")


def work_interactive() -> None:
    console = code.InteractiveConsole({"x": 1})
    with _quiet():
        for line in ("x", "if x:", "  x = 2", "", "x = (", "1)", "1/0", "x x", "x"):
            console.push(line)
    lines = iter(["1 + 1", "def f():", "  pass", ""])

    def read(prompt: str = "") -> str:
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    console.raw_input = read  # type: ignore[method-assign]
    with _quiet():
        console.interact("hello", "bye")
    codeop.compile_command("x = 1"), codeop.compile_command("if x:")
    attempt(codeop.compile_command, "x x"), codeop.CommandCompiler()("1")

    class Shell(cmd.Cmd):
        def do_greet(self, line: str) -> None:
            """greet NAME: say hello"""

        def do_quit(self, line: str) -> bool:
            return True

        def help_topic(self) -> None: ...

    shell = Shell(
        stdin=io.StringIO("greet x\nhelp\n?greet\n\nnope\n!x\nhelp topic\nhelp none\nquit\n"),
        stdout=io.StringIO(),
    )
    shell.use_rawinput = False
    shell.cmdloop("intro"), shell.completenames("gr"), shell.complete_help("t")
    shell.columnize([str(n) * 9 for n in range(30)])
    Shell(stdin=io.StringIO("bad"), stdout=io.StringIO()).onecmd("EOF")
    completer = rlcompleter.Completer({"alpha": 1, "os": os})
    for text in ("al", "os.pa", "imp", "os.path.jo", "nothing.x", ""):
        completer.complete(text, 0), completer.complete(text, 1)


def work_pydoc() -> None:
    for thing in ("cmd", "cmd.Cmd", len, _sample, "email", int, "colorsys", pydoc.Helper):
        with _quiet():
            pydoc.render_doc(thing, renderer=pydoc.plaintext)
    document = pydoc.HTMLDoc()
    import colorsys

    for module in (colorsys, cmd, rlcompleter):
        document.docmodule(module), document.page("t", "c")
    pydoc.splitdoc("a\n\nb"), pydoc.locate("os.path.join"), pydoc.locate("nothing.at.all")
    pydoc.describe(cmd), pydoc.stripid("<x at 0x7f>")
    pydoc.synopsis(cmd.__file__), pydoc.allmethods(cmd.Cmd), pydoc.ispath("a/b")
    pydoc.plain("a\bb"), pydoc.source_synopsis(io.StringIO('"x"'))
    with _quiet():
        helper = pydoc.Helper(io.StringIO("q\n"), io.StringIO())
        for request in ("keywords", "topics", "symbols", "if", "cmd", "ASSERTION", "nosuchthing"):
            helper.help(request)


def work_timeit_trace() -> None:
    import pstats

    timeit.timeit("x = 1", number=3), timeit.repeat("pass", number=2, repeat=2)
    with _quiet():
        timeit.main(["-n1", "-r1", "-u", "usec", "-v", "pass"]), timeit.main(["-h"])
        timeit.main(["-n1", "-r1", "1/0"])
    import marshal

    with tempfile.TemporaryDirectory() as top:
        name = os.path.join(top, "stats")
        key, other = ("f.py", 1, "f"), ("g.py", 2, "g")
        table = {key: (2, 1, 0.5, 1.0, {other: (1, 1, 0.1, 0.2)}), other: (3, 3, 0.2, 0.25, {})}
        with open(name, "wb") as out:
            marshal.dump(table, out)
        stats = pstats.Stats(name, stream=io.StringIO())
        stats.add(name).strip_dirs().sort_stats("cumulative", "name").print_stats(0.9, "f")
        stats.print_callers(), stats.print_callees()
        stats.sort_stats(-1), stats.sort_stats(pstats.SortKey.CALLS), stats.reverse_order()
        stats.dump_stats(name), stats.get_stats_profile()
        attempt(stats.sort_stats, "bogus")
        browser = __import__("pstats").Stats
        browser(name, stream=io.StringIO()).print_title()
