"""Every check of the sources that runs no test: the whole list, then what failed.

    python tools/lint.py --build-dir DIR

The tools, pinned in pyproject.toml, must be in PATH; the C sources are compiled in DIR with
warnings as errors, which also tells clang-tidy how each file is compiled.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run(*command: str | Path) -> bool:
    """Run a command in the project's directory; say whether it succeeded."""
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def c_files(*patterns: str) -> list[Path]:
    """C sources and headers, by name."""
    return sorted(path for pattern in patterns for path in ROOT.glob(pattern))


def ruff() -> bool:
    """Style and common faults of Python."""
    return run("ruff", "check", "--output-format=concise", ".")


def mypy() -> bool:
    """Types of the package and its tools."""
    return run("mypy", "--strict", "src") and run("mypy", "--strict", *ROOT.glob("tools/*.py"))


def rules() -> bool:
    """Which file may include, import or mention what."""
    return run(sys.executable, "-m", "pytest", "-q", "tests/test_repo.py")


def clang_format() -> bool:
    """Layout of C."""
    files = c_files("csrc/*/*.[ch]", "tests/c/*.[ch]")
    return run("clang-format", "--dry-run", "--Werror", *files)


def warnings(build: Path) -> bool:
    """The compiler's warnings, as errors."""
    return run(
        "cmake", "--preset", "debug", "-B", build, f"-DPython_EXECUTABLE={sys.executable}",
        "--log-level=WARNING",
    ) and run("cmake", "--build", build, "--", "--quiet")  # fmt: skip


def clang_tidy(build: Path) -> bool:
    """Common faults of C."""

    def checked(file: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["clang-tidy", "--quiet", "-p", build, file],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False,
        )  # fmt: skip

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        outcomes = list(threads.map(checked, c_files("csrc/*/*.c")))
    print("".join(done.stdout for done in outcomes))
    return all(done.returncode == 0 for done in outcomes)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--build-dir", type=Path, required=True)
    build = parser.parse_args().build_dir.resolve()
    checks: dict[str, Callable[[], bool]] = {
        "ruff": ruff,
        "mypy": mypy,
        "rules": rules,
        "clang-format": clang_format,
        "compiler warnings": lambda: warnings(build),
        "clang-tidy": lambda: clang_tidy(build),
    }
    failed = []
    for name, check in checks.items():
        print(f"== {name}", flush=True)
        if not check():
            failed.append(name)
    print(f"== lint: {'FAILED: ' + ', '.join(failed) if failed else 'all passed'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
