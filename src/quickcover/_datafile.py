"""Writing a data file of coverage.py without it, a small one, at the end of a subprocess.

The file is made under another name and renamed: whenever the process is killed, a data file is
whole or not there.
"""

from __future__ import annotations

import os
import sys
import time
from _sqlite3 import connect  # the package around it takes longer to import than this to run

TYPE_CHECKING = False  # importing typing takes longer than all of this
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from quickcover._child import Told

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def write(told: Told, recorded: Mapping[str, Any], touched: Iterable[str] = ()) -> None:
    """Write what was recorded to the data file, or beside it to one of this process.

    Args:
        told: `data_file`, `schema`, `version`, `branch`...; `suffix` asks for one of this process.
        recorded: by file: lines, or pairs of them; or packed, that is numbers in a memoryview.
        touched: files that have a place in it anyway.

    Raises:
        OSError, sqlite3.Error: it can't be written; nothing is left behind then.
    """
    suffix = _suffix()
    name = f"{told['data_file'][0]}.{suffix}" if told["suffix"] else told["data_file"][0]
    unfinished = unfinished_name(told["data_file"][0], suffix)
    try:
        _fill(unfinished, told, recorded, touched)
        os.replace(unfinished, name)
    except BaseException:
        if os.path.exists(unfinished):
            os.unlink(unfinished)
        raise


def unfinished_name(path: str, suffix: str) -> str:
    """Where a data file is until it is whole; `coverage combine` doesn't take it for one."""
    directory, base = os.path.split(path)
    return os.path.join(directory, f".quickcover-unfinished{base}.{suffix}")


def _suffix() -> str:
    """What coverage.py adds to the name of a process's data file: host, process, random letters."""
    letters = "".join(_LETTERS[byte % len(_LETTERS)] for byte in os.urandom(6))
    host = os.uname().nodename.replace(".", "_")
    return f"{host}.pid{os.getpid()}.X{letters}x"


def _fill(path: str, told: Told, recorded: Mapping[str, Any], touched: Iterable[str]) -> None:
    connection = connect(path, isolation_level=None)
    try:
        connection.executescript(
            f"pragma journal_mode = off; pragma synchronous = off; begin; {told['schema'][0]}"
        )
        connection.execute(
            "insert into coverage_schema values (?)", (int(told["schema_version"][0]),)
        )
        meta = {"version": told["version"][0]}
        if told["suffix"]:
            meta["sys_argv"] = str(getattr(sys, "argv", None))
            meta["when"] = time.strftime("%Y-%m-%d %H:%M:%S")
        meta["has_arcs"] = str(len(told["branch"]))
        connection.executemany("insert into meta values (?, ?)", meta.items())
        connection.execute("insert into context values (1, '')")
        _insert(connection, bool(told["branch"]), recorded)
        for name in touched:
            connection.execute("insert or ignore into file (path) values (?)", (name,))
        connection.execute("commit")
    finally:
        connection.close()


def _insert(connection: Any, branch: bool, recorded: Mapping[str, Any]) -> None:
    for number, (path, hits) in enumerate(recorded.items(), 1):
        connection.execute("insert into file values (?, ?)", (number, path))
        if branch:
            packed = isinstance(hits, memoryview)
            pairs = zip(hits[::2], hits[1::2], strict=True) if packed else hits
            rows = ((number, first, last) for first, last in set(pairs))
            connection.executemany("insert into arc values (?, 1, ?, ?)", rows)
        else:
            row = (number, numbits(hits))
            connection.execute("insert into line_bits values (?, 1, ?)", row)


def numbits(lines: Iterable[int]) -> bytes:
    """Line numbers as coverage.py keeps them: one bit for each line from 0 on."""
    found = set(lines)
    bits = bytearray(max(found) // 8 + 1 if found else 0)
    for line in found:
        bits[line // 8] |= 1 << line % 8
    return bytes(bits)
