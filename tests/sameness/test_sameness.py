"""All suites under all engines of this Python: zero differences."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import cli

MODULES_AT_WORK = 200
"""How many modules of the standard library must have had a function run."""


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["branches", "lines"])
@pytest.mark.parametrize("suite", cli.SUITES)
def test_the_same_report(suite: str, mode: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = cli.main(["--project", suite, f"--{mode}"])
    said = capsys.readouterr().out
    if "passed over" in said:
        pytest.skip(said.splitlines()[0])
    assert status == 0, said


@pytest.mark.slow
def test_enough_of_the_standard_library_is_at_work(tmp_path: Path) -> None:
    import json

    table = tmp_path / "table.json"
    assert cli.main(["--project", "stdlib", "--engine", "default", "--json", str(table)]) == 0
    (result,) = json.loads(table.read_text())
    assert result["totals"]["files_at_work"] >= MODULES_AT_WORK
