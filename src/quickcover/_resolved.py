"""What `quickcover run` found out about its configuration, kept for the next run.

Reading the configuration takes coverage.py, which takes longer to import than many programs run.
So the first run of a command line in a directory, after coverage.py has read everything, keeps
what came of it (`_children.keep`), and later runs measure without coverage.py (`_quickrun.py`).

Each command line has a small file in the user's cache directory.  It names everything that the
outcome depends on: the directory, the options, environment variables, the text of every file that
could configure coverage.py, what the paths in them lead to, and the installed coverage.py and
quickcover.  If anything differs, or the file is damaged, coverage.py reads everything again.
"""

from __future__ import annotations

import os
import sys

from quickcover import _child

TYPE_CHECKING = False  # importing typing takes longer than all of this
if TYPE_CHECKING:
    from collections.abc import Iterable

    from quickcover._child import Told

#: These may have any value; it is part of what is compared.
_COMPARED = (
    "COVERAGE_CORE", "COVERAGE_FILE", "COVERAGE_RCFILE", "QUICKCOVER_ENGINE",
    "HOME", "PYTHONUSERBASE",
)  # fmt: skip
#: These say nothing about this run.
_IGNORED = ("COVERAGE_RUN", "QUICKCOVER_INSTALL")
#: Others of these families ask for something that only coverage.py can do.
_FAMILIES = ("COVERAGE_", "COV_CORE_", "QUICKCOVER_")

#: A change to one of these is another coverage.py, or another quickcover.
_COVERAGE_FILES = ("version", "cmdline", "config", "control", "files", "inorout", "sqldata")
_OUR_FILES = ("__init__", "_child", "_children", "_quickrun")

_MOST_FILES = 200


def plain_environment() -> bool:
    """Does no environment variable ask for something that isn't known here?"""
    known = (*_COMPARED, *_IGNORED)
    return all(name in known or not name.startswith(_FAMILIES) for name in os.environ)


def circumstances(options: list[str]) -> dict[str, list[str]]:
    """What has to be the same, and can be told at once.

    Args:
        options: the command line up to the program.
    """
    return {
        "interpreter": _child.interpreter(),
        "directory": [os.getcwd()],
        "options": options,
        "environment": [f"{name}={os.environ[name]}" for name in _COMPARED if name in os.environ],
        "ours": _stamps(os.path.dirname(__file__), _OUR_FILES),
    }


def surroundings(coverage: str, files: Iterable[str], paths: Iterable[str]) -> dict[str, list[str]]:
    """What has to be the same, too.

    Args:
        coverage: the directory of the package.
        files: those that could configure it.
        paths: what the configuration names.
    """
    return {
        "coverage_stamps": [coverage, *_stamps(coverage, _COVERAGE_FILES)],
        "files": [text for name in files for text in (name, *contents(name))],
        "paths": [text for path in paths for text in (path, os.path.realpath(path), _kind(path))],
    }


def contents(name: str) -> list[str]:
    """A file's text, letter by byte, after a mark that it is there; just another mark if not."""
    try:
        with open(name, "rb") as file:
            return ["there", file.read().decode("latin-1")]
    except OSError as error:
        return ["absent", str(error.errno)]


def _kind(path: str) -> str:
    return "directory" if os.path.isdir(path) else "other"


def _stamps(directory: str, modules: Iterable[str]) -> list[str]:
    """When those modules were written, and how large they are."""
    found = []
    for module in modules:
        status = os.stat(f"{directory}{os.sep}{module}.py")
        found.append(f"{status.st_mtime_ns} {status.st_size}")
    return found


def find(options: list[str]) -> Told | None:
    """What an earlier run kept, if all is as it was then.

    Args:
        options: the command line up to the program.
    """
    now = circumstances(options)
    name = _file(now)
    if name is None:
        return None
    try:
        with open(name, encoding="utf-8", errors="surrogatepass", newline="") as file:
            checksum, _, message = file.read().partition("\n")
            owner = os.fstat(file.fileno()).st_uid
        if checksum != _child.checksum(message) or owner != os.getuid():
            return None
        told = _child.decoded(message)
        coverage = told["coverage_stamps"][0]
        now |= surroundings(coverage, told["files"][::3], told["paths"][::3])
    except (OSError, ValueError, LookupError):
        return None
    same = all(told.get(field) == value for field, value in now.items())
    return told if same and imported(coverage) and _ready(told) else None


def imported(coverage: str) -> bool:
    """Is that the directory that `import coverage` would take the package from?"""
    for entry in sys.path:
        found = os.path.join(os.path.abspath(entry), "coverage")
        if os.path.isdir(found) or os.path.exists(f"{found}.py"):
            return found == coverage
    return False


def _ready(told: Told) -> bool:
    """Is everything there that coverage.py would otherwise make at the start?"""
    return os.path.isdir(os.path.dirname(told["data_file"][0]))


def keep(told: Told) -> None:
    """Keep it for the next run, if there is a place for it; nothing else depends on that."""
    name = _file(told)
    if name is None:
        return
    unfinished = f"{name}.{os.getpid()}"
    try:
        message = _child.encoded(told)
        os.makedirs(os.path.dirname(name), mode=0o700, exist_ok=True)
        text = f"{_child.checksum(message)}\n{message}".encode("utf-8", "surrogatepass")
        with open(unfinished, "wb", opener=_private) as file:
            file.write(text)
        os.replace(unfinished, name)
        _forget_old(os.path.dirname(name))
    except (OSError, ValueError):
        if os.path.exists(unfinished):
            os.unlink(unfinished)


def _private(path: str, flags: int) -> int:
    """Open a file that is nobody else's business: configurations may have secrets in them."""
    return os.open(path, flags, 0o600)


def _forget_old(directory: str) -> None:
    """Don't let them become too many."""
    found = [entry for entry in os.scandir(directory) if entry.name.startswith("run-")]
    if len(found) > _MOST_FILES:
        found.sort(key=lambda entry: entry.stat().st_mtime_ns)
        for entry in found[: len(found) // 2]:
            os.unlink(entry.path)


def _file(told: Told) -> str | None:
    """The name of the file for these circumstances; None if there is no place for it."""
    home = os.environ.get("HOME")
    cache = os.environ.get("XDG_CACHE_HOME") or (home and os.path.join(home, ".cache"))
    if not cache or not os.path.isabs(cache):
        return None
    fields = ("interpreter", "directory", "options", "environment")
    name = _child.checksum("\0".join("\0".join(told[field]) for field in fields))
    return os.path.join(cache, "quickcover", f"run-{name}")
