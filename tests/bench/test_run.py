"""The benchmark's own command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks import run


def test_slow_tools_can_be_measured_once(tmp_path: Path) -> None:
    written = tmp_path / "results.json"
    line = "--tools trace/lines --once trace/lines --programs loops --rounds 2 --scale 0.001"
    assert run.main([*line.split(), "--output", str(written)]) == 0
    found = json.loads(written.read_text())
    assert found["settings"]["once"] == ["trace/lines"]
    times = found["workloads"]["loops"]["tools"]
    assert {name: len(row["seconds"]) for name, row in times.items()} == {
        "none": 2, "trace/lines": 1,
    }  # fmt: skip


def test_unknown_tools_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run.main(["--once", "foo"])
    assert "no tool is called 'foo'" in capsys.readouterr().err
