"""The program that is measured for the standard library: every workload once, then second copies.

A module that something imported before measuring began has its own top level measured by being run
again, as a copy that nobody uses; so the same source is there in two sets of code objects, too.
"""

from __future__ import annotations

import gc
import importlib.util
import os

import sameness_probe
from stdlib_work import (
    containers,
    formats,
    mail,
    numeric,
    running,
    source,
    system,
    text,
    web,
)

HERE = os.path.dirname(__file__)

WORK = (containers, formats, mail, numeric, running, source, system, text, web)

COPIED = """
abc annotationlib argparse ast asyncio.base_events asyncio.events asyncio.queues asyncio.streams
base64 bdb bisect bz2 calendar cmd code codecs codeop collections colorsys compileall configparser
contextlib contextvars copy csv dataclasses datetime decimal difflib dis doctest email.message
email.header email.policy enum filecmp fileinput fnmatch fractions ftplib functools genericpath
getopt getpass gettext glob graphlib gzip hashlib heapq hmac html.parser http.client http.cookies
imaplib inspect io ipaddress json.decoder json.encoder keyword linecache locale logging.handlers
lzma mailbox mimetypes netrc ntpath numbers opcode operator optparse pickle pickletools pkgutil
platform plistlib poplib posixpath pprint profile pstats py_compile pyclbr pydoc queue quopri
random reprlib rlcompleter runpy sched secrets selectors shelve shlex shutil smtplib socketserver
sqlite3.dbapi2 stat statistics string stringprep struct subprocess symtable sysconfig tabnanny
tarfile tempfile textwrap timeit token tokenize tomllib._parser trace traceback tracemalloc types
typing unittest.case unittest.loader unittest.mock urllib.parse urllib.request uuid wave weakref
xml.dom.minidom xml.etree.ElementTree xml.sax.expatreader xmlrpc.client zipapp zipfile zipimport
zoneinfo._zoneinfo
""".split()


def run_workloads() -> None:
    """Run every `work_` function and note how it ended."""
    for module in WORK:
        for name, function in sorted(vars(module).items()):
            if name.startswith("work_"):
                sameness_probe.note(f"{module.__name__}.{name}", outcome_of(function))


def run_copies() -> None:
    """Run the top level of modules a second time, each in a module object of its own."""
    for name in COPIED:
        sameness_probe.note(f"copy of {name}", outcome_of(lambda name=name: copy(name)))


def copy(name: str) -> None:
    """Run a module's code again, if this Python has the module."""
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def outcome_of(function: object) -> str:
    """Call it; a failure is a difference only if the other run doesn't fail in the same way."""
    assert callable(function)
    try:
        function()
        gc.collect()  # or its finalizers run whenever a core's own objects let the next round begin
    except Exception as error:
        where = error.__traceback__
        while where and where.tb_next and HERE in where.tb_next.tb_frame.f_code.co_filename:
            where = where.tb_next
        return f"{type(error).__name__} at line {where.tb_lineno if where else 0}: {error}"
    return "passed"


if __name__ == "__main__":
    gc.disable()
    run_workloads()
    run_copies()
    sameness_probe.write_notes()
