"""The compiled code of a source file, from where Python keeps it if that is sure.

Python itself trusts a `.pyc` whose source has the time and size that it notes.  A report that is
made a moment after an edit must not: the source must not have changed in any way, as the file
system knows it, since a while before the `.pyc` was written.  Nor must the interpreter have.
"""

from __future__ import annotations

import marshal
import os
import sys
import warnings
from functools import cache
from importlib.util import MAGIC_NUMBER, cache_from_source
from types import CodeType

_HEADER_SIZE = 16
#: Clocks of file systems are coarse, and compiling takes its time, too.
_MARGIN_NS = 2_000_000_000


def code_of(filename: str, text: str) -> CodeType:
    """The code of a module.

    Args:
        filename: where its source is.
        text: its source, read before.

    Raises:
        SyntaxError, ValueError: it can't be compiled.
    """
    found = None if _warnings_matter() else kept(filename)
    return found if found is not None else compile(text, filename, "exec", dont_inherit=True)


def _warnings_matter() -> bool:
    """Could what one gets to see when something is compiled be an error?"""
    return bool(sys.warnoptions) or any(action == "error" for action, *_ in warnings.filters)


def kept(filename: str) -> CodeType | None:
    """The code that Python keeps of a file; None if there is none, or it may be another's."""
    # Elsewhere, it may be that of another file that was in this place.
    if sys.pycache_prefix is not None or not filename.endswith(".py"):
        return None
    try:
        with open(cache_from_source(filename), "rb") as file:
            compiled = file.read()
            written = os.fstat(file.fileno()).st_mtime_ns
        if compiled[:4] != MAGIC_NUMBER or not _is_of(filename, compiled, written):
            return None
        code = marshal.loads(memoryview(compiled)[_HEADER_SIZE:])
    except (OSError, ValueError, EOFError, TypeError, NotImplementedError):
        return None
    return code if isinstance(code, CodeType) else None


def _is_of(filename: str, compiled: bytes, written: int) -> bool:
    flags, modified, size = (int.from_bytes(compiled[at : at + 4], "little") for at in (4, 8, 12))
    source = os.stat(filename)
    return (
        flags == 0
        and modified == int(source.st_mtime) & 0xFFFFFFFF
        and size == source.st_size & 0xFFFFFFFF
        and max(source.st_mtime_ns, source.st_ctime_ns) + _MARGIN_NS < written
        and _interpreter_changed() < written
    )


@cache
def _interpreter_changed() -> int:
    """When this Python was put where it is: an earlier release may have compiled in other ways.

    Raises:
        OSError: it isn't found.
    """
    return os.stat(os.__file__).st_ctime_ns
