"""Run coverage.py's own tests with stock ctrace and with quickcover in its place; compare.

    python tools/test_coveragepy.py [--engine NAME]... [--fresh] [-- PYTEST-ARGS]

Tests the Python that runs it.  Everything is made and kept in DIR (.venvs/coveragepy-X.Y): a
virtual environment with coverage.py installed from its source distribution, as coverage.py's own
tests want it, and quickcover from this repository.  Stock ctrace's outcomes are kept there, too;
--fresh runs it again.  PYTEST-ARGS restrict both runs: -- -k plugin, or files of tests.

What ctrace passes, quickcover has to pass.  A test that doesn't pass with one of them is run once
more, alone.  Exits with 1 if there are others than those in tests/coveragepy/exemptions.toml.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

REPO = Path(__file__).resolve().parent.parent
OURS = REPO / "tests" / "coveragepy"
COVERAGE = "7.17.5"
MAX_EXEMPTIONS = 10
# A whole run has 1,600 and more; with fewer passed something else is wrong.
MIN_PASSED = 1400
# With more failures than these something is thoroughly wrong: they aren't run again.
MAX_AGAIN = 100
TIME_LIMIT = 900  # seconds, for one run of pytest; whole runs take 1 to 3 minutes
STOCK = "ctrace"
GOOD = ("passed", "xfailed", "xpassed")
BAD = ("failed", "crashed")
# These install packages from the network into environments of their own, without quickcover.
LEFT_OUT = ("tests/test_venv.py",)
# Where they don't install, their tests are skipped, with either core.
WANTED = ("greenlet", "gevent", "eventlet")

Outcomes = dict[str, dict[str, str]]


class Exemption(NamedTuple):
    """A test that need not pass."""

    test: str
    engine: str
    reason: str

    def covers(self, test: str, engine: str) -> bool:
        """Need `test` not pass with `engine` on this Python?"""
        named = test == self.test or test.startswith(self.test + "[")
        return named and engine == self.engine


def run(*command: str | Path, cwd: Path = REPO, env: Mapping[str, str] | None = None) -> str:
    """Run a command and return its output; if it fails, show that and exit."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(f"{done.stdout}\nfailed: {' '.join(map(str, command))}")
    return done.stdout


def wait_or_interrupt(process: subprocess.Popen[bytes]) -> None:
    """Wait for pytest; interrupt it, so that it tells what it has, when it takes too long.

    xdist may wait for ever after one of its workers crashed.
    """
    try:
        process.wait(TIME_LIMIT)
    except subprocess.TimeoutExpired:
        print(f"pytest is interrupted: it took more than {TIME_LIMIT} s", flush=True)
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Place:
    """The directory with everything that one Python needs."""

    def __init__(self, directory: Path, version: str) -> None:
        self.directory = directory.resolve()
        self.version = version
        self.tree = self.directory / f"coverage-{version}"
        self.venv = self.directory / f"venv-{version}"
        self.python = self.venv / "bin" / "python"

    def pip(self, command: str, *arguments: str | Path) -> None:
        """Run pip in the virtual environment."""
        options = ("--disable-pip-version-check", "--quiet")
        run(self.python, "-m", "pip", command, *options, *arguments)

    def prepare(self) -> None:
        """Make everything that isn't there yet, and install quickcover as it is now."""
        ready = self.venv / "ready"
        if not ready.exists():
            print(f"making {self.venv}", flush=True)
            self.directory.mkdir(parents=True, exist_ok=True)
            run(sys.executable, "-m", "venv", "--clear", self.venv)
            self._unpack()
            self._install_coverage()
            ready.touch()
        self._install_quickcover()

    def _unpack(self) -> None:
        """Fetch coverage.py's source distribution, unless it is there, and unpack it."""
        name = f"coverage-{self.version}.tar.gz"
        cache = self.directory.parent / "cache"
        if not (cache / name).exists():
            only_source = ("--no-deps", "--no-binary", ":all:")
            self.pip("download", *only_source, "--dest", cache, f"coverage=={self.version}")
        shutil.rmtree(self.tree, ignore_errors=True)
        with tarfile.open(cache / name) as archive:
            archive.extractall(self.directory, filter="data")
        run(self.python, "tools/igor.py", "zip_mods", cwd=self.tree)

    def _install_coverage(self) -> None:
        """Install coverage.py from its tree, as its tox.ini does, and what its tests need."""
        self.pip("install", "-r", self.tree / "requirements" / "pytest.txt")
        self.pip("install", "setuptools")
        for package in WANTED:
            try:
                self.pip("install", "--only-binary", ":all:", package)
            except SystemExit:
                print(f"{package} does not install: its tests are skipped")
        self.pip("install", "--editable", self.tree)

    def _install_quickcover(self) -> None:
        """Install quickcover, if it changed."""
        sources = [REPO / "CMakeLists.txt", REPO / "pyproject.toml"]
        sources += sorted(path for top in ("csrc", "src") for path in (REPO / top).rglob("*.*"))
        content = b"".join(path.read_bytes() for path in sources if path.suffix != ".pyc")
        digest = hashlib.sha256(content).hexdigest()
        stamp = self.venv / "quickcover-installed"
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != digest:
            print("building and installing quickcover", flush=True)
            build = ("-C", f"build-dir={self.directory / 'build'}")
            self.pip("install", "--no-deps", "--force-reinstall", *build, REPO)
            stamp.write_text(digest, encoding="utf-8")
        self._add_test_modules()

    def _add_test_modules(self) -> None:
        """Put the modules that the tests are run with into the virtual environment."""
        which = "import sysconfig; print(sysconfig.get_path('purelib'))"
        site = Path(run(self.python, "-c", which).strip())
        for module in ("as_ctrace", "outcomes"):
            shutil.copy(OURS / f"{module}.py", site / f"quickcover_{module}.py")
        line = "import quickcover_as_ctrace; quickcover_as_ctrace.enable()\n"
        (site / "a0_quickcover_as_ctrace.pth").write_text(line, encoding="utf-8")

    def environment(self, core: str) -> dict[str, str]:
        """The environment of a run: as coverage.py's tox.ini has it, and the core."""
        foreign = ("COVERAGE_", "COV_CORE_", "PYTEST_", "PYTHON", "QUICKCOVER_")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
        ours = {"QUICKCOVER_AS_CTRACE": core} if core != STOCK else {}
        return {
            **kept,
            **ours,
            "PATH": f"{self.python.parent}{os.pathsep}{kept['PATH']}",
            "COVERAGE_CORE": "ctrace",
            "COVERAGE_TESTING": "True",
            "PYTHONWARNDEFAULTENCODING": "1",
            "PYTHON_COLORS": "0",
        }

    def engines(self) -> list[str]:
        """What to test quickcover with: the engines it chooses, and the one that can do all."""
        ask = "import quickcover._native as n; print(*n.ENGINES)"
        return ["default"] if run(self.python, "-c", ask) == "trace\n" else ["default", "trace"]

    def check_core(self, core: str) -> None:
        """Make sure that the right core measures."""
        ask = (
            "import coverage; cov = coverage.Coverage(); cov.start(); cov.stop();"
            "tracer = type(cov._collector.tracers[0]); print(tracer.__module__, tracer.__name__)"
        )
        shown = run(self.python, "-c", ask, cwd=self.directory, env=self.environment(core))
        module, name = shown.split()[-2:]
        if name != "CTracer" or module.startswith("quickcover") != (core != STOCK):
            sys.exit(f"the core {core!r} measures with {shown.strip()}")

    def test(self, core: str, label: str, jobs: int, arguments: list[str]) -> Outcomes:
        """Run tests with one core."""
        self.check_core(core)
        file = self.directory / f"{label}.json"
        file.unlink(missing_ok=True)
        log = self.directory / f"{label}.log"
        plugins = ("-p", "quickcover_outcomes", "-n", str(jobs), "--dist", "loadgroup")
        left_out = [f"--ignore={path}" for path in LEFT_OUT]
        with log.open("w", encoding="utf-8") as output:
            process = subprocess.Popen(
                [self.python, "-m", "pytest", *plugins, "--color=no", *left_out, *arguments],
                cwd=self.tree,
                env={**self.environment(core), "OUTCOMES_FILE": str(file)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            wait_or_interrupt(process)
        if not file.exists():
            sys.exit(f"{log.read_text(encoding='utf-8')[-3000:]}\npytest failed, see {log}")
        outcomes: Outcomes = json.loads(file.read_text(encoding="utf-8"))
        print(f"{label}: {summary(outcomes)}   (log: {log})", flush=True)
        return outcomes


def summary(outcomes: Outcomes) -> str:
    """How many tests had which outcome."""
    found = [outcome["outcome"] for outcome in outcomes.values()]
    return ", ".join(f"{found.count(name)} {name}" for name in sorted(set(found)))


def good(outcomes: Outcomes, test: str) -> bool:
    """Did this test run, and end as it should?"""
    return test in outcomes and outcomes[test]["outcome"] in GOOD


def read_exemptions() -> list[Exemption]:
    """The tests that need not pass."""
    content = tomllib.loads((OURS / "exemptions.toml").read_text(encoding="utf-8"))
    exemptions = [Exemption(**entry) for entry in content.get("exemption", ())]
    if len(exemptions) > MAX_EXEMPTIONS:
        sys.exit(f"{len(exemptions)} exemptions; at most {MAX_EXEMPTIONS} are allowed")
    return exemptions


def stock_outcomes(place: Place, options: argparse.Namespace) -> Outcomes:
    """Run the tests with stock ctrace.  What fails once by chance must not become a permission."""
    stock = place.test(STOCK, STOCK, options.jobs, options.pytest_args)
    failed = [test for test in stock if stock[test]["outcome"] in BAD]
    if 0 < len(failed) <= MAX_AGAIN and not options.once:
        stock |= place.test(STOCK, f"{STOCK}-again", 0, failed)
    return stock


def judge(place: Place, engine: str, stock: Outcomes, options: argparse.Namespace) -> bool:
    """Run the tests with one engine; print what only ctrace passes.  Is nothing left?"""
    ours = place.test(engine, f"quickcover-{engine}", options.jobs, options.pytest_args)
    worse = [test for test in stock if good(stock, test) and not good(ours, test)]
    exempt = {
        test: exemption.reason
        for test in worse
        for exemption in read_exemptions()
        if exemption.covers(test, engine)
    }
    worse = [test for test in worse if test not in exempt]
    again: Outcomes = {}
    if 0 < len(worse) <= MAX_AGAIN and not options.once:
        again = place.test(engine, f"quickcover-{engine}-again", 0, worse)
    for test, reason in exempt.items():
        print(f"  exempt: {test}: {reason}")
    failing = [test for test in worse if not good(again, test)]
    for test in worse:
        outcome = ours.get(test, {"outcome": "not run", "text": ""})
        last = outcome["text"].strip().splitlines()[-1:]
        passed_now = "  (unstable: passes when run again)" if test not in failing else ""
        print(f"  {outcome['outcome']}: {test}{passed_now}")
        print(*(f"      {line}" for line in last), sep="\n")
    print(f"{engine}: {len(failing)} tests pass with ctrace alone", flush=True)
    return not failing


def options_of(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dir", type=Path, default=REPO / ".venvs" / f"coveragepy-{version}")
    parser.add_argument("--coverage", default=COVERAGE, help="the release (default: %(default)s)")
    parser.add_argument("--engine", action="append", help='an engine, or "default"; repeatable')
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--fresh", action="store_true", help="run stock ctrace again")
    parser.add_argument("--once", action="store_true", help="don't run failed tests again")
    parser.add_argument("pytest_args", nargs="*", metavar="PYTEST-ARGS")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """The command."""
    options = options_of(argv)
    # A shell has its background jobs ignore it, and so would all their children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    place = Place(options.dir, options.coverage)
    place.prepare()
    whole = not options.pytest_args
    kept = place.directory / f"kept-{options.coverage}.json"
    if whole and kept.exists() and not options.fresh:
        stock: Outcomes = json.loads(kept.read_text(encoding="utf-8"))
        print(f"{STOCK}: {summary(stock)}   (kept from an earlier run)")
    else:
        stock = stock_outcomes(place, options)
    passed = sum(good(stock, test) for test in stock)
    if whole and passed < MIN_PASSED:
        sys.exit(f"only {passed} tests pass with stock ctrace")
    if whole:
        kept.write_text(json.dumps(stock), encoding="utf-8")
    engines = options.engine or place.engines()
    results = [judge(place, engine, stock, options) for engine in engines]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
