"""The place where suites are measured: environments, source distributions, work directories.

Everything that can be got again lives in one cache directory, results of the reference too; the
work directories lie outside of the repository, so that no suite finds its configuration.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .cores import PYPY_REFERENCE, REFERENCE
from .suites import INSIDE, Suite

REPOSITORY = Path(__file__).resolve().parents[2]
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
BUILT_FROM = ("csrc", "src", "CMakeLists.txt", "pyproject.toml")

FACTS = """
import json, os, platform, sys, sysconfig
print(json.dumps({
    "version": "pypy" * (sys.implementation.name == "pypy")
    + platform.python_version() + getattr(sys, "abiflags", ""),
    "info": sys.version_info[:2],
    "stdlib": os.path.dirname(os.__file__),
}))
"""

LOADED_AT_START = """
import sys
standard = [name for name in sys.modules if name.split(".")[0] in sys.stdlib_module_names]
print("LOADED", *sorted(standard))
"""


class LabError(Exception):
    """Something needed for the measurement could not be got or built."""


@dataclass(frozen=True)
class Interpreter:
    """The Python under which all of a session's suites run."""

    path: str
    version: str
    info: tuple[int, int]
    stdlib: str

    @property
    def pypy(self) -> bool:
        """Is it PyPy?"""
        return self.version.startswith("pypy")

    @property
    def reference(self) -> str:
        """The core of coverage.py that others are compared with."""
        return PYPY_REFERENCE if self.pypy else REFERENCE

    @classmethod
    def at(cls, path: str) -> Interpreter:
        """Ask the interpreter at that path for its facts."""
        try:
            answer = subprocess.run(
                [path, "-c", FACTS], capture_output=True, text=True, check=False
            )
        except OSError as error:
            raise LabError(str(error)) from error
        if answer.returncode != 0:
            raise LabError(f"{path} does not run: {answer.stderr.strip()}")
        facts = json.loads(answer.stdout)
        return cls(path, facts["version"], (facts["info"][0], facts["info"][1]), facts["stdlib"])


class Lab:
    """One interpreter with one release of coverage.py, and the places they work in."""

    def __init__(self, interpreter: Interpreter, coverage: str, cache: Path) -> None:
        cache = cache.resolve()  # the suites run in directories of their own
        self.interpreter = interpreter
        self.coverage = coverage
        self.tag = f"{interpreter.version}-coverage-{coverage}"
        self.venv = cache / "venvs" / self.tag
        self.python = self.venv / "bin" / "python"
        self.sdists = cache / "sdists"
        self.results = cache / "results" / self.tag
        whose = f"quickcover-sameness-{os.getuid()}-{_digest(bytes(cache))[:6]}"
        self.work = Path(tempfile.gettempdir()) / whose / self.tag

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the work directory: two sessions of the same interpreter take turns."""
        self.work.mkdir(parents=True, exist_ok=True)
        with open(self.work / "lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def prepare(self) -> None:
        """Make the environment, if it isn't there yet or its requirements have changed."""
        wanted = _digest(REQUIREMENTS.read_bytes(), self.coverage.encode())
        marker = self.venv / "sameness-requirements"
        if not self.python.exists():
            _run([self.interpreter.path, "-m", "venv", str(self.venv)])
        if not marker.exists() or marker.read_text() != wanted:
            self.pip("install", "-r", str(REQUIREMENTS), f"coverage=={self.coverage}")
            marker.write_text(wanted)

    def install_quickcover(self) -> None:
        """Build and install the repository this file stands in, if its sources have changed."""
        wanted = _digest(*_source_files())
        marker = self.venv / "sameness-quickcover"
        if not marker.exists() or marker.read_text() != wanted:
            self.pip("install", "--no-deps", "--force-reinstall", str(REPOSITORY))
            marker.write_text(wanted)

    def engines(self) -> tuple[str, ...]:
        """The engines of the installed package."""
        code = "from quickcover import _engines; print(*_engines.available())"
        return tuple(_run([str(self.python), "-c", code]).split())

    def has(self, module: str) -> bool:
        """Whether the environment's Python has that module."""
        code = f"import importlib.util as u; print(u.find_spec({module!r}) is not None)"
        return _run([str(self.python), "-c", code]).strip() == "True"

    def pip(self, *arguments: str) -> None:
        """Run pip in the environment."""
        _run([str(self.python), "-m", "pip", "-q", "--disable-pip-version-check", *arguments])

    def sdist(self, suite: Suite) -> Path:
        """The suite's source distribution, downloaded once."""
        stem = f"{suite.name.replace('-', '_')}-{suite.version}.tar.gz"
        path = self.sdists / stem
        if not path.exists():
            self.sdists.mkdir(parents=True, exist_ok=True)
            wanted = f"{suite.name}=={suite.version}"
            where = ("-d", str(self.sdists))
            self.pip("download", "--no-deps", "--no-binary", suite.name, *where, wanted)
        if not path.exists():
            raise LabError(f"{suite.name} {suite.version} has no source distribution {stem}")
        return path

    def unpack(self, suite: Suite) -> Path:
        """A fresh copy of the suite to run in, with the metadata of an installed package."""
        place = self.work / suite.name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        home = place / "work"
        if not suite.version:
            home.mkdir()
            return home
        with tarfile.open(self.sdist(suite)) as archive:
            archive.extractall(place, filter="data")
        (top,) = place.iterdir()
        top.rename(home)
        metadata = place / "metadata" / f"{suite.name.replace('-', '_')}-{suite.version}.dist-info"
        metadata.mkdir(parents=True)
        shutil.copy(home / "PKG-INFO", metadata / "METADATA")
        return home

    def kept_result(self, suite: Suite, *key: str) -> Path:
        """Where the result of a measurement with that key is, or would be, kept."""
        found = INSIDE.rglob("*.py") if suite.program else INSIDE.glob("*.py")
        inside = [path.read_bytes() for path in sorted(found)]
        digest = _digest(
            REQUIREMENTS.read_bytes(), *inside, *(part.encode() for part in (repr(suite), *key))
        )
        return self.results / f"{digest}.json"


def _source_files() -> Iterator[bytes]:
    for name in BUILT_FROM:
        top = REPOSITORY / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".so":
                yield str(path.relative_to(REPOSITORY)).encode()
                yield path.read_bytes()


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()[:32]


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout
