"""Measure the tests of a real project three times: without coverage, coverage.py, quickcover.

    make demo            or, in an environment with quickcover and pytest:
    python tools/demo.py [--rounds N] [--engine NAME] [--sysmon]

Fetches the source distribution of lark, a pure-Python parser library, and runs its own tests with
branch coverage. The variants take turns, so that a slow spell of the machine hits all of them.
Prints coverage.py's report of the quickcover run, checks that both tools measured the same, line by
line and branch by branch, and prints the user CPU times.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "demo"

PROJECT, RELEASE, PACKAGE = "lark", "1.3.1", "lark"
SHA256 = "b426a7a6d6d53189d318f2b6236ab5d6429eaf09259f1ca33eb716eed10d2905"
TESTS = ["-m", "pytest", "-p", "no:cacheprovider", "tests"]
CONFIG = """\
[run]
branch = True
source = {package}
{extra}
[report]
skip_covered = True
"""


class Variant(NamedTuple):
    """One way to run the tests."""

    name: str
    title: str
    config: str | None  # what its configuration has beyond CONFIG; None: not measured
    env: dict[str, str]


class Run(NamedTuple):
    """One run of the tests."""

    seconds: float  # user CPU time of the process and its children
    summary: str


def fail(message: str) -> NoReturn:
    """Give up, with a message that says what to do."""
    sys.exit(f"demo: error: {message}")


# ------------------------------------------------------------------------------ the project


def download() -> Path:
    """The project's source distribution, from PyPI unless an earlier run has left it."""
    archive = WORK / f"{PROJECT}-{RELEASE}.tar.gz"
    if not archive.exists():
        print(f"fetching {PROJECT} {RELEASE} from PyPI")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
        options = ["--no-deps", "--no-binary", ":all:", "--dest", str(WORK)]
        done = subprocess.run(
            [*pip, *options, f"{PROJECT}=={RELEASE}"], capture_output=True, text=True, check=False
        )
        if done.returncode != 0 or not archive.exists():
            last = "\n".join(done.stderr.strip().splitlines()[-5:])
            fail(f"could not fetch {PROJECT} {RELEASE} from PyPI: is there a network?\n{last}")
    if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
        fail(f"{archive} is not what it should be (its SHA-256 differs): delete it and try again")
    return archive


def unpack(archive: Path) -> Path:
    """The project's directory, fresh."""
    directory = WORK / f"{PROJECT}-{RELEASE}"
    shutil.rmtree(directory, ignore_errors=True)
    with tarfile.open(archive) as file:
        if hasattr(tarfile, "data_filter"):
            file.extractall(WORK, filter="data")
        else:
            file.extractall(WORK)
    return directory


# --------------------------------------------------------------------------------- the runs


def variants(engine: str, sysmon: bool) -> list[Variant]:
    """What is compared."""
    ours = {"QUICKCOVER_ENGINE": engine} if engine else {}
    found = [
        Variant("none", "without coverage", None, {}),
        Variant("ctrace", "coverage.py (ctrace)", "", {"COVERAGE_CORE": "ctrace"}),
        Variant("quickcover", "quickcover", "plugins = quickcover\ndebug = sys", ours),
    ]
    if sysmon:
        found.insert(2, Variant("sysmon", "coverage.py (sysmon)", "", {"COVERAGE_CORE": "sysmon"}))
    return found


def prepare(variant: Variant, project: Path) -> tuple[list[str], dict[str, str]]:
    """The command of a variant and its environment."""
    # pytest's plugins stay out, ours and pytest-cov included: only what is measured differs.
    # A fixed hash seed, because the order of a set decides which branches some tests take.
    foreign = ("COVERAGE_", "COV_CORE_", "QUICKCOVER_")
    env = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    env |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONHASHSEED": "0"}
    env |= {"PYTHONPATH": str(project), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "80"}
    env |= {"PYTHONUNBUFFERED": "1"}  # for the progress line
    command = [sys.executable]
    if variant.config is not None:
        config = WORK / f"{variant.name}.ini"
        config.write_text(CONFIG.format(package=PACKAGE, extra=variant.config), encoding="utf-8")
        env |= {"COVERAGE_DEBUG_FILE": str(debug_file(variant))}
        command += ["-m", "coverage", "run", f"--rcfile={config}"]
        command += [f"--data-file={data_file(variant)}"]
    return command + TESTS, env | variant.env


def data_file(variant: Variant) -> Path:
    """Where a variant's data goes."""
    return WORK / f"{variant.name}.coverage"


def debug_file(variant: Variant) -> Path:
    """Where a run says which engine it has."""
    return WORK / f"{variant.name}.debug"


def children_seconds() -> float:
    """User CPU time of all finished children so far."""
    return os.times().children_user


class Progress:
    """The line that says what is going on: rewritten in a terminal, else written at the end."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.terminal = sys.stdout.isatty()
        self.start = time.monotonic()
        self.show("0%")

    def show(self, state: str, end: bool = False) -> None:
        """Show how far it is."""
        if self.terminal or end:
            seconds = time.monotonic() - self.start
            text = f"{self.label} {state:>12} {seconds:6.1f} s elapsed"
            start, stop = ("\r" if self.terminal else ""), ("\n" if end else "")
            print(start + text, end=stop, flush=True)


def run_tests(variant: Variant, project: Path, label: str) -> Run:
    """Run the project's tests once."""
    command, env = prepare(variant, project)
    data_file(variant).unlink(missing_ok=True)
    # coverage.py appends to it: what an earlier run said, with another Python, must not count.
    debug_file(variant).unlink(missing_ok=True)
    progress = Progress(label)
    before = children_seconds()
    with subprocess.Popen(
        command, cwd=project, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if found := re.search(r"\[ *(\d+%)\]", line):
                progress.show(found[1])
    seconds = children_seconds() - before
    output = "".join(lines)
    if process.returncode != 0:
        print()
        fail(f"the tests of {PROJECT} failed, {variant.title}:\n{output[-3000:]}")
    progress.show(f"{seconds:.2f} s user", end=True)
    summary = re.search(r"\d+ passed[^\n]*?(?= in )", output)
    return Run(seconds, summary[0] if summary else "")


# ------------------------------------------------------------------------------ the results


def coverage(command: str, variant: Variant, *options: str) -> str:
    """What one of coverage.py's report commands prints about a variant's data."""
    config = WORK / "ctrace.ini"
    done = subprocess.run(
        [sys.executable, "-m", "coverage", command, f"--rcfile={config}",
         f"--data-file={data_file(variant)}", *options],
        cwd=WORK / f"{PROJECT}-{RELEASE}", capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        fail(f"coverage {command} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def measured(variant: Variant) -> dict[str, Any]:
    """`coverage json` of a variant, by file."""
    path = WORK / f"{variant.name}.json"
    coverage("json", variant, "-q", "-o", str(path))
    files: dict[str, Any] = json.loads(path.read_text("utf-8"))["files"]
    return files


def differences(left: dict[str, Any], right: dict[str, Any]) -> list[str]:
    """What two reports do not agree on."""
    found = [f"{name}: in one report only" for name in sorted(left.keys() ^ right.keys())]
    for name in sorted(left.keys() & right.keys()):
        for key in sorted(left[name].keys() | right[name].keys()):
            if left[name].get(key) != right[name].get(key):
                found.append(f"{name}: {key}")
    return found


def engine_used(variant: Variant) -> str:
    """The engine that measured, as the run itself said."""
    path = debug_file(variant)
    found = re.findall(
        r"quickcover_engine: ([\w-]+)", path.read_text("utf-8") if path.exists() else ""
    )
    if not found or found[-1].startswith("-"):
        fail("quickcover did not measure: its plugin was not loaded, or it has no engine here")
    if len(set(found)) != 1:
        fail(f"more than one engine measured: {', '.join(found)}")
    return str(found[-1])


def table(compared: list[Variant], runs: dict[str, list[Run]], engine: str) -> str:
    """The times: the best of each variant's rounds, which is the least disturbed one."""
    best = {name: min(run.seconds for run in found) for name, found in runs.items()}
    rows = [f"{'':28}{'user CPU':>10}{'ratio':>8}"]
    for variant in compared:
        title = f"quickcover ({engine})" if variant.name == "quickcover" else variant.title
        seconds = best[variant.name]
        rows.append(f"{title:28}{seconds:8.2f} s{seconds / best['none']:8.2f}")
    return "\n".join(rows)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=2, help="runs of each variant (2)")
    parser.add_argument("--engine", default="", help="quickcover's engine (its own choice)")
    parser.add_argument("--sysmon", action="store_true", help="also coverage.py's sysmon core")
    return parser.parse_args()


def main() -> int:
    """The command."""
    options = arguments()
    WORK.mkdir(parents=True, exist_ok=True)
    project = unpack(download())
    compared = variants(options.engine, options.sysmon)
    runs: dict[str, list[Run]] = {}
    total = options.rounds * len(compared)
    print(f"running the tests of {PROJECT} {RELEASE} {total} times, with branch coverage")
    for number in range(total):
        variant = compared[number % len(compared)]
        label = f"[{number + 1}/{total}] {variant.title:22}"
        runs.setdefault(variant.name, []).append(run_tests(variant, project, label))
    outcomes = {run.summary for found in runs.values() for run in found}
    if len(outcomes) != 1:
        fail(f"the tests did not end alike: {', '.join(sorted(outcomes))}")

    stock, ours = (next(v for v in compared if v.name == name) for name in ("ctrace", "quickcover"))
    print(f"\n{coverage('report', ours)}")
    different = differences(measured(stock), measured(ours))
    print(f"{outcomes.pop()}; best of {options.rounds} rounds:\n")
    print(table(compared, runs, engine_used(ours)))
    if different:
        print("\nThe reports of coverage.py and quickcover DIFFER:", *different, sep="\n  ")
        return 1
    print("\nThe reports of coverage.py and quickcover agree, line by line and branch by branch.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
