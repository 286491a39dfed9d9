"""Run CPython's own test suite without measuring and measured by quickcover; compare.

    python tools/test_cpython.py [--dir DIR] [--jobs N] [--fresh] [MODULE ...]

Tests the Python that runs it, with all modules of its `test` package (or those named), without the
resources that have to be allowed (network, GUI, large files and such).  Each module runs in a
process of its own, under `python -m test`; measured are the standard library and the tests
themselves, with branches, by the default engine.  DIR (.venvs/cpython-X.Y) keeps a virtual
environment and what came of each module, so that a run which was ended goes on where it was;
--fresh begins anew.

A module whose tests differ is run twice more, measured and not, and once under coverage.py's own
core: what differs between equal runs is no matter of ours, and what differs with any tracer is
marked so.  Exits with 1 if there are differences other than those in tests/cpython/expected.toml.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import tempfile
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
EXPECTED = REPO / "tests" / "cpython" / "expected.toml"
COVERAGE = "7.17.5"
TIME_LIMIT = 300  # seconds, for one module
NONE, OURS, STOCK = "none", "quickcover", "ctrace"
CONFIG = """\
[run]
branch = True
cover_pylib = True
data_file = {data}
disable_warnings = no-data-collected,module-not-imported,module-not-measured,couldnt-parse
"""

#: What came of the tests of a module: by their names, and under "" of the whole.
Outcomes = dict[str, str]


def find_modules(python: Path) -> list[str]:
    """Names of all modules of tests, as `python -m test` has them."""
    code = "import test, os; print(os.path.dirname(test.__file__))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{python} has no CPython tests (its package `test` can't be imported)")
    top = Path(done.stdout.strip())
    found = {path.stem for path in top.glob("test_*.py")}
    found |= {path.parent.name for path in top.glob("test_*/__init__.py")}
    return sorted(found)


def make_environment(directory: Path) -> Path:
    """A virtual environment with coverage.py and quickcover; its Python."""
    python = directory / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", directory / "venv"], check=True)
    pip: list[str | Path] = [python, "-m", "pip", "install", "-q"]
    subprocess.run([*pip, f"coverage=={COVERAGE}"], check=True)
    subprocess.run([*pip, "--no-deps", "--force-reinstall", REPO], check=True)
    return python


def outcomes_of(path: Path) -> Outcomes:
    """Reads what `python -m test --junit-xml` wrote."""
    outcomes: Outcomes = {}
    for case in ET.parse(path).iter("testcase"):
        tags = {child.tag for child in case}
        outcome = "passed"
        for tag, name in (("skipped", "skipped"), ("failure", "failed"), ("error", "failed")):
            outcome = name if tag in tags else outcome
        outcomes[case.get("name", "?")] = outcome
    return outcomes


def run_module(python: Path, module: str, core: str) -> Outcomes:
    """Runs the tests of one module."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "report.xml")
        config = Path(scratch, "config")
        config.write_text(CONFIG.format(data=Path(scratch, "data")))
        work = Path(scratch, "work")
        work.mkdir()
        test = ["-m", "test", "--junit-xml", str(report), module]
        command = [str(python), *test]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        if core != NONE:
            tool = ["-m", "quickcover" if core == OURS else "coverage"]
            command = [str(python), *tool, "run", f"--rcfile={config}", *test]
        if core == STOCK:
            environment["COVERAGE_CORE"] = "ctrace"
        process = subprocess.Popen(
            command,
            cwd=work,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=TIME_LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return {"": "took too long"}
        try:
            outcomes = outcomes_of(report)
        except (OSError, ET.ParseError):
            outcomes = {}
        outcomes[""] = f"exit {process.returncode}"
        marker = b"quickcover: "
        notes = [line for line in output.splitlines() if line.startswith(marker)]
        if notes:
            outcomes["(warning)"] = notes[0].decode(errors="replace")
        return outcomes


def differences(one: Outcomes, other: Outcomes) -> dict[str, str]:
    """Tests that came out otherwise, and how."""
    return {
        test: f"{one.get(test, 'not run')}, measured: {other.get(test, 'not run')}"
        for test in sorted(one.keys() | other.keys())
        if one.get(test) != other.get(test)
    }


def examine(python: Path, module: str) -> dict[str, object]:
    """What came of one module, measured and not."""
    plain = run_module(python, module, NONE)
    if plain[""] == "took too long":
        return {"tests": 0, "left out": plain[""], "differences": {}}
    measured = run_module(python, module, OURS)
    found = differences(plain, measured)
    stock: dict[str, str] = {}
    for _ in range(2):
        if found:
            again = run_module(python, module, NONE)
            now = differences(again, run_module(python, module, OURS))
            steady = [test for test in found if plain.get(test) == again.get(test)]
            found = {test: now[test] for test in steady if test in now}
    if found:
        stock = differences(plain, run_module(python, module, STOCK))
    return {
        "tests": sum(1 for test in plain if test and not test.startswith("(")),
        "differences": found,
        "with ctrace too": sorted(found.keys() & stock.keys()),
    }


def expected(version: str) -> dict[str, str]:
    """Differences that are explained: by "MODULE TEST", why."""
    found = {}
    for entry in tomllib.loads(EXPECTED.read_text()).get("difference", []):
        if version in entry["versions"]:
            for test in entry["tests"]:
                found[f"{entry['module']} {test}"] = entry["reason"]
    return found


def show(results: dict[str, dict[str, object]], version: str) -> int:
    """Prints the differences; the exit status."""
    known = expected(version)
    unexplained = 0
    for module, result in sorted(results.items()):
        if "left out" in result:
            print(f"{module}: left out, {result['left out']} unmeasured")
        for test, how in result["differences"].items():  # type: ignore[attr-defined]
            reason = known.get(f"{module} {test}") or known.get(f"{module} *")
            too = " (with ctrace, too)" if test in result["with ctrace too"] else ""  # type: ignore[operator]
            print(f"{module} {test or 'as a whole'}: {how}{too}: {reason or 'NOT EXPLAINED'}")
            unexplained += reason is None
    tests = sum(int(result["tests"]) for result in results.values())  # type: ignore[call-overload]
    print(f"Python {version}: {len(results)} modules, {tests} tests, {unexplained} unexplained")
    return 1 if unexplained or not tests else 0


def main() -> int:
    version = "{}.{}".format(*sys.version_info)
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dir", type=Path, default=REPO / ".venvs" / f"cpython-{version}")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("modules", nargs="*")
    options = parser.parse_args()
    directory = options.dir.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    python = make_environment(directory)
    store = directory / "results.json"
    results = json.loads(store.read_text()) if store.exists() and not options.fresh else {}
    modules = options.modules or find_modules(python)
    wanted = [name for name in modules if options.modules or name not in results]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = {pool.submit(examine, python, name): name for name in wanted}
        for count, job in enumerate(concurrent.futures.as_completed(jobs), 1):
            name = jobs[job]
            results[name] = job.result()
            print(f"{count}/{len(wanted)} {name}", flush=True)
            store.write_text(json.dumps(results, indent=1))
    return show({name: results[name] for name in modules if name in results}, version)


if __name__ == "__main__":
    sys.exit(main())
