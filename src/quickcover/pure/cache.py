"""Instrumented code, kept on disk from run to run.

To plan probes and to write code takes most of what the engine adds to an import.  So what came of
it is kept in the user's cache directory: a file for each source file, with the layouts of the
code objects that ran, under all that a layout depends on (`store.layout_key`).  A layout is found
by that alone: nothing has to be compared with the source file, and code that has changed is not
there.

Files are written when measuring stops, as a whole and under another name first.  They are read only
if they are the user's own, nobody else can write to them, and their checksum is right; they name
the interpreter and this engine, so that others don't take them for theirs.  If anything is wrong
with one, it is as if it were not there.  Where Python is asked not to write bytecode
(PYTHONDONTWRITEBYTECODE), nothing is written here either.

The measured program may put its own functions into `os`: what is needed from there is kept here.
"""

from __future__ import annotations

import marshal
import os
import sys
import zlib
from contextlib import suppress
from typing import Any, NamedTuple

from quickcover import _env

_open, _read, _close, _fstat, _getpid = os.open, os.read, os.close, os.fstat, os.getpid
_write, _replace, _unlink, _makedirs, _stat = os.write, os.replace, os.unlink, os.makedirs, os.stat
_scandir, _getuid = os.scandir, getattr(os, "getuid", int)
_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | (_READ & ~os.O_RDONLY)

#: A source file's code takes no more than this; else it isn't kept.
_LARGEST = 16 << 20
#: If all files together are larger, or there are more of them, the older half goes.
_MOST_BYTES, _MOST_FILES = 256 << 20, 20_000

#: Layouts depend on these modules of ours.
_OURS = ("__init__", "bytecode", "cache", "hits", "locations", "plan", "rewrite", "store")


class Layout(NamedTuple):
    """A code object's bytecode and tables with probes, and what these mean."""

    probes: int
    code: bytes
    lines: bytes
    exceptions: bytes
    #: `marshal` of the plan's lines and arcs; they are asked for when something was hit.
    places: bytes


#: All that a layout depends on.
Key = tuple[Any, ...]


class _File:
    """The layouts of one source file."""

    def __init__(self, layouts: dict[Key, tuple[Any, ...]], stamp: tuple[int, int]) -> None:
        self.layouts = layouts
        #: What the source file was like when this was written.
        self.stamp = stamp
        #: Those that this process has asked for.
        self.used: set[Key] = set()
        #: There are layouts that are not on disk.
        self.changed = False
        #: How many bytes of layouts this process has added.
        self.added = 0


class Cache:
    """All layouts that were kept, or are to be."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._files: dict[str, _File] = {}
        self._prefix: str | None = None

    def find(self, filename: str, key: Key) -> Layout | None:
        """The layout of a code object of that source file, if there is one."""
        file = self._files.get(filename)
        if file is None:
            file = self._files[filename] = self._loaded(filename)
        found = file.layouts.get(key)
        if found is None:
            return None
        file.used.add(key)
        return Layout(*found)

    def keep(self, filename: str, key: Key, layout: Layout) -> None:
        """Have a layout written with the others."""
        file = self._files.get(filename)
        if file is None:  # another thread has saved meanwhile
            file = self._files[filename] = self._loaded(filename)
        file.added += sum(map(len, layout[1:]))
        if file.added > _LARGEST:  # code that a program makes without end: it won't be written
            file.layouts.clear()
            file.used.clear()
            file.changed = False
            return
        file.layouts[key] = tuple(layout)
        file.used.add(key)
        file.changed = True

    def save(self) -> None:
        """Write what is new."""
        files, self._files = self._files, {}
        changed = [item for item in files.items() if item[1].changed]
        if not changed or sys.dont_write_bytecode:
            return
        written = False
        for filename, file in changed:
            with suppress(OSError, ValueError):
                written = self._write(filename, file) or written
        if written:
            self._forget_old()

    def forget(self) -> None:
        """Write nothing of what is new so far: another process will."""
        for file in self._files.values():
            file.changed = False

    # ---------------------------------------------------------------------------- files

    def _path(self, filename: str) -> str | None:
        """The file for a source file; None if there is no place for it."""
        if self._prefix is None:
            self._prefix = _prefix()
        if not self._prefix:
            return None
        name = filename.encode("utf-8", "surrogatepass")
        return f"{self._prefix}-{zlib.crc32(name):08x}{zlib.adler32(name):08x}"

    def _loaded(self, filename: str) -> _File:
        """What was kept; without layouts if there is nothing, or something is wrong with it."""
        nothing = _File({}, (0, 0))
        path = self._path(filename)
        if path is None:
            return nothing
        try:
            content = _contents(path)
            if zlib.crc32(content[4:]).to_bytes(4, "little") != content[:4]:
                return nothing
            name, stamp, layouts = marshal.loads(content[4:])
        except (OSError, ValueError, EOFError, TypeError):
            return nothing
        return _File(layouts, stamp) if name == filename else nothing

    def _write(self, filename: str, file: _File) -> bool:
        """Write the layouts of one source file; was there a place for them?"""
        path = self._path(filename)
        if path is None or not os.path.isabs(filename):
            return False
        status = _stat(filename)
        stamp = status.st_mtime_ns, status.st_size
        layouts = file.layouts
        if stamp != file.stamp:  # those of a source file that is no more
            layouts = {key: layouts[key] for key in file.used}
        message = marshal.dumps((filename, stamp, layouts))
        if len(message) > _LARGEST:
            return False
        _makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        unfinished = f"{path}.{_getpid()}"
        descriptor = _open(unfinished, _WRITE, 0o600)
        try:
            message = zlib.crc32(message).to_bytes(4, "little") + message
            while message:
                message = message[_write(descriptor, message) :]
        except BaseException:
            _unlink(unfinished)
            raise
        finally:
            _close(descriptor)
        _replace(unfinished, path)
        return True

    def _forget_old(self) -> None:
        """Don't let the files become too many, or too large."""
        with suppress(OSError):
            found = []
            with _scandir(os.path.dirname(self._prefix or "")) as entries:
                for entry in entries:
                    status = entry.stat()
                    found.append((status.st_mtime_ns, status.st_size, entry.path))
            if len(found) > _MOST_FILES or sum(size for _, size, _ in found) > _MOST_BYTES:
                found.sort()
                for _, _, path in found[: len(found) // 2]:
                    _unlink(path)


def _contents(path: str) -> bytes:
    """What is in a file of ours.

    Raises:
        OSError: it isn't there, or can't be trusted.
    """
    descriptor = _open(path, _READ)
    try:
        status = _fstat(descriptor)
        if status.st_uid != _getuid() or status.st_mode & 0o022 or status.st_size > 2 * _LARGEST:
            raise OSError("not ours")
        content = _read(descriptor, status.st_size)
        while len(content) < status.st_size:
            more = _read(descriptor, status.st_size - len(content))
            if not more:
                break
            content += more
        return content
    finally:
        _close(descriptor)


def _prefix() -> str:
    """How the names of our files begin; "" if there is no place for them."""
    home = os.environ.get("HOME")
    directory = os.environ.get("XDG_CACHE_HOME") or (home and os.path.join(home, ".cache"))
    if not directory or not os.path.isabs(directory):
        return ""
    try:
        stamps = [_stat(os.path.join(os.path.dirname(__file__), f"{name}.py")) for name in _OURS]
    except OSError:
        return ""
    engine = [(status.st_mtime_ns, status.st_size) for status in stamps]
    tag = zlib.crc32(repr((_env.build(), engine)).encode())
    return os.path.join(directory, "quickcover", "python", f"{tag:08x}")


#: The cache of this process.
CACHE = Cache()
