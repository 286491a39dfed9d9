"""Figures, tables, JSON and charts, from results that were made up."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from quickcover.bench import plot, results, table
from quickcover.bench.errors import CommandError
from quickcover.bench.results import Report, Result
from quickcover.bench.stats import Spread, ratios


def result(tool: str, mode: str, user: list[float], **more: str) -> Result:
    found = Result(tool, mode, f"the {tool}", **more)
    for seconds in user:
        found.add(seconds, 0.0, 2 * seconds, 10e6 * seconds)
    return found


@pytest.fixture
def report() -> Report:
    return Report(
        ["script.py"], "2020-01-01 00:00", {"cpu": "x", "cores": 2}, {"version": "3.11.0"},
        {"rounds": 2, "load": [0.1, 0.2]},
        [
            result("none", "none", [2.0, 4.0]),
            result("limit", "none", [3.0, 6.0]),
            result("sysmon", "lines", [4.0, 9.0]),
            result("sysmon", "branches", [4.0], failure="it is too old"),
            result("quickcover", "lines", [2.0, 4.0], engine="monitoring"),
            result("quickcover", "branches", [3.0, 4.0], engine="trace"),
            result("slipcover", "lines", [], failure="not installed"),
            result("slipcover", "branches", [], failure="not installed"),
        ],
    )  # fmt: skip


def test_ratios_are_formed_within_rounds() -> None:
    assert ratios([4.0, 9.0], [2.0, 3.0]) == Spread(2.5, 2.0, 3.0)
    assert ratios([1.0], [0.0]) is None
    assert Spread.of([]) is None


def test_spreads_overlap() -> None:
    assert Spread(2, 1, 3).overlaps(Spread(3.5, 3, 4))
    assert not Spread(2, 1, 2.9).overlaps(Spread(3.5, 3, 4))


def test_table(report: Report) -> None:
    text = table.results(report).plain()
    lines = {line.split("  ")[0]: line for line in text.splitlines()}
    assert "2.12 (2.00-2.25)" in lines["the sysmon"]
    assert "  not measured, branches: it is too old" in text.splitlines()
    assert "  not measured: not installed" in text.splitlines()
    assert "the quickcover (monitoring, trace)" in lines
    assert "1.25 (1.00-1.50)    3.500 s" in lines["the quickcover (monitoring, trace)"]
    assert "30.0 MB" in text


def test_rich_table(report: Report) -> None:
    pytest.importorskip("rich")
    from rich.console import Console

    console = Console(width=150, record=True, file=open("/dev/null", "w"))
    console.print(table.results(report).rich())
    text = console.export_text()
    assert "not measured, branches: it is too old" in text
    assert "2.12 (2.00-2.25)" in text


def test_legend_warns(report: Report) -> None:
    assert "busy" not in table.legend(report)
    report.settings["load"] = [0.1, 5.0]
    report.results[0] = result("none", "none", [0.1, 0.1])
    assert "busy (load 5.0, 2 cores)" in table.legend(report)
    assert "takes 0.10 s alone" in table.legend(report)


def test_json(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(report.as_json())
    assert results.load(str(path)) == report
    shown = json.loads(path.read_text())["results"]
    assert shown[2]["ratios"]["user"] == {"median": 2.125, "low": 2.0, "high": 2.25}
    assert shown[3]["ratios"] == {}


@pytest.mark.parametrize(
    "text, reason",
    [
        (None, "No such file"),
        ("x", "it isn't JSON"),
        ("[]", "didn't write it"),
        ("{}", "didn't write it"),
        ('{"quickcover-bench": 2}', "didn't write it"),
        ('{"quickcover-bench": 1, "results": [{}]}', "it is damaged"),
        ('{"quickcover-bench": 1, "results": []}', "it is damaged"),
    ],
)
def test_unreadable_json(text: str | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(CommandError, match=f"couldn't read .*a.json: .*{reason}"):
        results.load(str(path))


def test_comparison(report: Report) -> None:
    other = results.Report(**{**vars(report), "python": {"version": "3.14.0"}})
    other.results = [result("none", "none", [2.0, 4.0]), result("quickcover", "lines", [4.0, 8.0])]
    text = table.comparison(report, other).plain()
    assert "2.000" in next(line for line in text.splitlines() if "quickcover, lines" in line)
    assert "the limit" in text
    assert list(table.differing(report, other)) == ["different Python: A 3.11.0, B 3.14.0"]
    same = table.comparison(report, report).plain()
    assert "within the spread" in same


@pytest.mark.parametrize("suffix", plot.SUFFIXES)
def test_plot(report: Report, tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("matplotlib")
    first, second = (tmp_path / f"{name}{suffix}" for name in "ab")
    for path in (first, second):
        plot.check(str(path))
        plot.report(report, str(path))
    assert first.read_bytes() == second.read_bytes()
    if suffix == ".svg":
        assert "the quickcover (monitoring, trace)" in first.read_text()
        assert "the slipcover" not in first.read_text()


def test_plot_is_refused_early(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match=r"must end in \.svg or \.png"):
        plot.check("chart.pdf")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CommandError, match=r"pip install 'quickcover\[plot\]'"):
        plot.check("chart.svg")
