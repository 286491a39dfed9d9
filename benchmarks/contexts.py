"""What do contexts cost?  The tests of a real project under pytest-cov, with and without them.

    python benchmarks/contexts.py [--python PYTHON] [--rounds N] [--tests N] [--lines]
                                  [--setups NAME...] [--output FILE] [--merge FILE]

The interpreter needs pytest, pytest-cov, pretend, coverage and quickcover; packaging's source
distribution comes from PyPI.  3,000 of its tests, which take far less than a millisecond each, are
run in every setup, one after the other, in rounds; what counts is the user CPU time of the whole
process, and a ratio is formed within a round: to the same core without contexts, and to no coverage
at all.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import sources
from quickcover.bench import machine

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "contexts"
PROJECT = "packaging"
VERSION = "26.3"
TESTS = [f"tests/test_{name}.py" for name in ("markers", "requirements", "specifiers", "version")]

#: Runs evenly spread tests, so many as TAKE says; and has a plugin that names a context per test.
PLUGIN = """
import os
import coverage

def pytest_collection_modifyitems(items):
    take = int(os.environ["TAKE"])
    items[:] = [items[k * len(items) // take] for k in range(min(take, len(items)))]

class Switcher(coverage.CoveragePlugin):
    def dynamic_context(self, frame):
        name = frame.f_code.co_name
        return name if name.startswith("test_") else None

def coverage_init(reg, options):
    reg.add_dynamic_context(Switcher())
"""

#: The cores, and how each is asked for: lines of [run], variables of the environment.
CORES = {
    "ctrace": ("core = ctrace", "plugins ="),
    "quickcover": ("plugins = quickcover",),
}
#: pytest-cov would rather have its own contexts.
UNADVISED = ("-W", "ignore::pytest_cov.CentralCovContextWarning")
#: Ways to have contexts: lines of [run], and an option of pytest.
CONTEXTS = {
    "": ((), ()),
    "cov-context": ((), ("--cov-context=test",)),
    "test_function": (("dynamic_context = test_function",), UNADVISED),
    "plugin": (("    take_tests",), ()),  # goes on with `plugins =`
}


@dataclass(frozen=True)
class Setup:
    """One way to run the tests."""

    core: str
    contexts: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, (self.core, self.contexts)))

    def config(self, branch: bool) -> str:
        """The configuration of coverage.py."""
        if not self.core:
            return ""
        lines = ("[run]", f"branch = {branch}", *CORES[self.core], *CONTEXTS[self.contexts][0])
        return "\n".join(lines) + "\n"

    def options(self) -> tuple[str, ...]:
        """The options of pytest."""
        if not self.core:
            return ("-p", "no:pytest_cov")
        return ("--cov=src", "--cov-report=", *CONTEXTS[self.contexts][1])


SETUPS = (Setup(""), *(Setup(core, contexts) for core in CORES for contexts in CONTEXTS))


def names() -> list[str]:
    """How the setups are called; that without coverage is "none"."""
    return [str(setup) or "none" for setup in SETUPS]


def project(python: str) -> Path:
    """The unpacked project."""
    home = CACHE / f"{PROJECT}-{VERSION}"
    if not home.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        wanted = ("--no-deps", "--no-binary", PROJECT, f"{PROJECT}=={VERSION}")
        pip = (python, "-m", "pip", "--disable-pip-version-check", "-q", "download")
        subprocess.run([*pip, "-d", str(CACHE), *wanted], check=True)
        with tarfile.open(f"{home}.tar.gz") as archive:
            archive.extractall(CACHE, filter="data")
    (home / "take_tests.py").write_text(PLUGIN, encoding="utf-8")
    return home


def run(python: str, setup: Setup, options: argparse.Namespace) -> float:
    """Run the tests once; the seconds of user CPU time."""
    home = project(python)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COV", "QUICKCOVER", "PY"))}
    with tempfile.TemporaryDirectory() as place:
        config = Path(place, "coveragerc")
        config.write_text(setup.config(not options.lines), encoding="utf-8")
        env = {
            **kept,
            "PYTHONPATH": f"{home / 'src'}{os.pathsep}{home}",
            "PYTHONHASHSEED": "0",
            "TAKE": str(options.tests),
            "COVERAGE_FILE": str(Path(place, "data")),
            "COVERAGE_RCFILE": str(config),
        }
        pytest = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly")
        arguments = (*pytest, "-p", "take_tests", *setup.options(), *TESTS)
        out = Path(place, "out")
        with out.open("w", encoding="utf-8") as file:
            process = subprocess.Popen(
                [python, *arguments], cwd=home, env=env, stdout=file, stderr=subprocess.STDOUT
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0 or f"{options.tests} passed" not in out.read_text("utf-8"):
            raise SystemExit(f"contexts: {setup or 'none'} failed:\n{out.read_text('utf-8')}")
        if setup.contexts:
            check_contexts(python, Path(place, "data"), options.tests)
    return usage.ru_utime


def check_contexts(python: str, data: Path, tests: int) -> None:
    """Were there as many contexts as there should be?"""
    code = (
        "import coverage, sys; data = coverage.CoverageData(sys.argv[1]); data.read(); "
        "print(len(data.measured_contexts()))"
    )
    found = subprocess.run([python, "-c", code, str(data)], stdout=subprocess.PIPE, check=True)
    if int(found.stdout) < min(tests, 50):
        raise SystemExit(f"contexts: only {int(found.stdout)} contexts were recorded")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--python", default=sys.executable, help="interpreter (default: this one)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tests", type=int, default=3000, help="how many (default: %(default)s)")
    parser.add_argument("--lines", action="store_true", help="without branches")
    parser.add_argument("--setups", nargs="+", default=names(), choices=names(), metavar="NAME")
    parser.add_argument("--output", type=Path, help="where to write the JSON")
    parser.add_argument("--merge", type=Path, help="a file of results that it is to be put into")
    return parser.parse_args()


def show(seconds: dict[str, list[float]]) -> dict[str, dict[str, object]]:
    """Print the table; the same as JSON."""
    table: dict[str, dict[str, object]] = {}
    print(f"{'':26}{'seconds':>8}  to the same without contexts   to no coverage")
    for name, times in seconds.items():
        table[name] = {"seconds": times}
        line = f"{name:26}{median(times):8.2f}"
        for base in (name.partition("/")[0], "none"):
            if base in seconds and base != name:
                ratios = [mine / other for mine, other in zip(times, seconds[base], strict=True)]
                table[name][f"to {base}"] = median(ratios)
                line += f"  {median(ratios):6.3f} ({min(ratios):.3f}-{max(ratios):.3f})     "
            else:
                line += f"{'':28}"
        print(line.rstrip())
    return table


def main() -> None:
    """The command."""
    options = parse()
    setups = [setup for setup in SETUPS if (str(setup) or "none") in options.setups]
    seconds: dict[str, list[float]] = {str(setup) or "none": [] for setup in setups}
    began = machine.load()
    for number in range(-1, options.rounds):  # the first warms up
        for setup in setups if number % 2 else reversed(setups):
            taken = run(options.python, setup, options)
            if number >= 0:
                seconds[str(setup) or "none"].append(taken)
    print(f"{options.tests} tests of {PROJECT} {VERSION}; load {began}-{machine.load()}")
    table = show(seconds)
    result = {"date": machine.now(), "git": sources.git(), "machine": machine.machine()}
    result |= {"project": f"{PROJECT} {VERSION}", "tests": options.tests, "rounds": options.rounds}
    result |= {"branches": not options.lines, "load": [began, machine.load()], "setups": table}
    if options.output:
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if options.merge:
        results = json.loads(options.merge.read_text(encoding="utf-8"))
        text = json.dumps({**results, "contexts": result}, indent=1)
        options.merge.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
