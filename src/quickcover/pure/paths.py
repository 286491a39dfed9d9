"""The real path of a source file, by asking the system instead of looking at each directory.

`os.path.realpath` is a loop over all directories of a path, in Python.  Linux tells the name of an
open file in one step.
"""

from __future__ import annotations

import os

_open, _close, _readlink = os.open, os.close, os.readlink
#: Nothing happens to what is opened, whatever it is.
_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC"))
_FILES = "/proc/self/fd"
_TOLD = os.path.exists(f"{_FILES}/0") or os.path.isdir(_FILES)


def real_path(path: str) -> str | None:
    """The absolute path of a Python source file without links; None if that isn't told."""
    if not _TOLD or not path.endswith(".py"):
        return None
    try:
        descriptor = _open(path, _FLAGS)
        try:
            found = _readlink(f"{_FILES}/{descriptor}")
        finally:
            _close(descriptor)
    except (OSError, ValueError):
        return None
    # Something else follows the name of a file that is gone, or out of reach.
    return found if found.endswith(".py") and found.startswith("/") else None
