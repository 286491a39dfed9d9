"""The examples of coverage-guided testing find what they say."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..conftest import Runner

GUIDED = Path(__file__).resolve().parents[2] / "examples" / "guided"


def test_the_guided_fuzzer_finds_what_a_random_one_does_not(
    run_python: Runner, tmp_path: Path
) -> None:
    shutil.copytree(GUIDED, tmp_path, dirs_exist_ok=True)
    guided = run_python("fuzz.py", "--seed=3", status=1)
    assert "would never end" in guided.stdout.splitlines()[-1]
    random = run_python("fuzz.py", "--seed=3", "--random", "--tries=50000")
    assert random.stdout.startswith("nothing in 50,000 tries")
    assert len((GUIDED / "fuzz.py").read_text("utf-8").splitlines()) < 60
