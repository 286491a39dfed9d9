"""List the Pythons of this machine that quickcover supports: the newest patch of each version.

    python tools/pythons.py [--verbose] [--old] [VERSION...]

Prints "VERSION PATH" per line, oldest first, PyPy (pypy3.11) last; with VERSIONs only those. Looks
into PATH, pyenv's versions and the prefix of tools/install-pythons. --verbose says on stderr what
was found and not taken, and why. With --old, the oldest patch of each version of which there is
more than one, as "VERSION.PATCH PATH".
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

OLDEST, NEWEST = (3, 11), (3, 15)
PYPY = (3, 11)

# Asks an interpreter about itself. Python 2 must be able to run it, too.
PROBE = """
import json, os, platform, sys, sysconfig
def has(module):
    try:
        __import__(module)
    except ImportError:
        return False
    return True
print(json.dumps({
    "implementation": platform.python_implementation(),
    "version": list(sys.version_info[:3]),
    "level": sys.version_info[3],
    "base": getattr(sys, "_base_executable", None) or sys.executable,
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "headers": os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")),
    "venv": has("venv") and has("ensurepip"),
}))
"""


class Candidate(NamedTuple):
    """An interpreter that can be used."""

    version: tuple[int, int, int]
    final: bool
    path: Path
    pypy: bool = False

    @property
    def name(self) -> str:
        """The version as the Makefile calls it."""
        return f"{'pypy' if self.pypy else ''}{self.version[0]}.{self.version[1]}"


def programs() -> Iterator[Path]:
    """Every file that may be a Python 3 interpreter."""
    directories = [Path(entry) for entry in os.environ.get("PATH", "").split(os.pathsep) if entry]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    directories += sorted(pyenv.glob("versions/*/bin"))
    directories.append(Path.home() / ".local" / "share" / "pythons" / "bin")
    for directory in directories:
        for path in sorted([*directory.glob("python3*"), *directory.glob("pypy3*")]):
            if re.fullmatch(r"(python|pypy)3(\.\d+)?", path.name) and os.access(path, os.X_OK):
                yield path


def refusal(facts: dict[str, object], version: tuple[int, int, int]) -> str:
    """Why an interpreter cannot be used; empty if it can."""
    if facts["implementation"] == "PyPy":
        return "" if version[:2] == PYPY and facts["venv"] else "this version is not supported"
    if facts["implementation"] != "CPython":
        return f"it is {facts['implementation']}"
    if not OLDEST <= version[:2] <= NEWEST:
        return "this version is not supported"
    if facts["free_threaded"]:
        return "free-threaded builds are not supported yet"
    if not facts["headers"]:
        return "Python.h is missing"
    if not facts["venv"]:
        return "the modules venv and ensurepip are missing"
    return ""


def examine(path: Path, verbose: bool) -> Candidate | None:
    """The interpreter at `path`, if it runs and can be used."""
    try:
        done = subprocess.run(
            [path, "-I", "-c", PROBE], capture_output=True, text=True, timeout=30, check=True
        )
        facts = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        reason = "it does not run"
    else:
        major, minor, micro = facts["version"]
        reason = refusal(facts, (major, minor, micro))
        if not reason:
            final = facts["level"] == "final"
            pypy = facts["implementation"] == "PyPy"
            return Candidate((major, minor, micro), final, Path(facts["base"]), pypy)
    if verbose:
        print(f"not taken: {path}: {reason}", file=sys.stderr)
    return None


def usable(verbose: bool) -> Iterator[Candidate]:
    """Every interpreter that can be used."""
    seen: set[Path] = set()
    for path in programs():
        # A wrapper such as pyenv's is one file under many names: only real files are compared.
        if path.resolve() in seen and path.resolve().name.startswith(("python", "pypy")):
            continue
        seen.add(path.resolve())
        found = examine(path, verbose)
        if found is not None:
            yield found


def by_age(verbose: bool) -> Iterator[list[Candidate]]:
    """The usable interpreters of each minor version, newest patch first; oldest version first."""
    versions: dict[str, list[Candidate]] = {}
    for found in usable(verbose):
        versions.setdefault(found.name, []).append(found)
    for patches in sorted(versions.values(), key=lambda one: (one[0].pypy, one[0].version)):
        yield sorted(patches, key=lambda one: (one.final, one.version), reverse=True)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--verbose", action="store_true", help="say what was not taken, and why")
    parser.add_argument("--old", action="store_true", help="the oldest patches instead")
    parser.add_argument("versions", nargs="*", metavar="VERSION")
    options = parser.parse_args()
    for patches in by_age(options.verbose):
        newest, oldest = patches[0], patches[-1]
        if options.versions and newest.name not in options.versions:
            continue
        if not options.old:
            print(newest.name, newest.path)
        elif oldest.version != newest.version:
            print(".".join(map(str, oldest.version)), oldest.path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
