"""Build the fuzz targets of the C core and run them for a bounded time.

    python tools/fuzz.py --build-dir DIR [--seconds N] [--seed N] [TARGET...]

The time is shared by the targets (tests/c/fuzz_*.c). With clang they are libFuzzer's and keep what
they found in DIR/corpus; with another compiler they make random inputs. Both run under
AddressSanitizer and UBSan. cmake and ninja must be in PATH.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def build(directory: Path) -> bool:
    """Build all targets; says whether they are libFuzzer's."""
    environment = dict(os.environ)
    if "CC" not in environment and shutil.which("clang"):
        environment["CC"] = "clang"
    options = ["-DQUICKCOVER_EXTENSION=OFF", "-DQUICKCOVER_WERROR=OFF"]
    configure = ["cmake", "--preset", "fuzz", "-B", str(directory), *options]
    for command in (configure, ["cmake", "--build", str(directory)]):
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    cache = (directory / "CMakeCache.txt").read_text(encoding="utf-8")
    return "QUICKCOVER_HAVE_LIBFUZZER:INTERNAL=1" in cache


def arguments(target: str, directory: Path, seconds: int, seed: int, libfuzzer: bool) -> list[str]:
    """What to call a target with."""
    if not libfuzzer:
        return [str(seconds), str(seed)]
    corpus = directory / "corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={seconds}", "-timeout=10"]
    return [*options, f"-seed={seed}", str(corpus)]


def run(target: str, directory: Path, seconds: int, seed: int, libfuzzer: bool) -> bool:
    """Run a target; print how many inputs it had or, if it failed, all that it said."""
    print(f"{target}: {seconds} s, {'libFuzzer' if libfuzzer else 'random inputs'}", flush=True)
    command = [f"./{target}", *arguments(target, directory, seconds, seed, libfuzzer)]
    done = subprocess.run(
        command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    output = done.stdout.decode(errors="replace").strip()
    passed = done.returncode == 0
    print(output.rpartition("\n")[2] if passed else output, flush=True)
    return passed


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--build-dir", type=Path, required=True)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    options = parser.parse_args()
    directory = options.build_dir.resolve()
    known = sorted(path.stem for path in ROOT.glob("tests/c/fuzz_*.c") if path.stem != "fuzz_main")
    targets = options.targets or known
    if not targets or set(targets) - set(known):
        sys.exit(f"the fuzz targets are: {', '.join(known) or 'none'}")
    libfuzzer = build(directory)
    seconds = max(1, options.seconds // len(targets))
    failed = [
        target for target in targets if not run(target, directory, seconds, options.seed, libfuzzer)
    ]
    if failed:
        print(f"failed: {', '.join(failed)}; the inputs are in {directory}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
