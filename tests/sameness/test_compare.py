"""The comparison itself, the tables, the command line: nothing here measures anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import cli, compare, cores, explained, lab, measure, projects, session, suites
from .compare import Difference, FileReport

ENTRY = {
    "executed_lines": [1, 2, 5],
    "missing_lines": [3],
    "excluded_lines": [7],
    "executed_branches": [[2, 3], [2, -1]],
    "missing_branches": [[2, 5]],
    "functions": {
        "": {"executed_lines": [1]},
        "f": {"executed_lines": [2]},
        "g": {"executed_lines": []},
    },
}


def report(**changes: object) -> FileReport:
    return FileReport.from_json(ENTRY | changes)


def test_equal_reports_have_no_differences() -> None:
    assert compare.compare_files({"a.py": report()}, {"a.py": report()}) == []


def test_each_state_of_a_line_and_a_branch_counts() -> None:
    found = report(
        executed_lines=[1, 3], missing_lines=[2], excluded_lines=[5, 8],
        executed_branches=[[2, 3], [2, 5]], missing_branches=[],
    )  # fmt: skip
    differences = compare.compare_files({"a.py": report()}, {"a.py": found})
    assert [(d.kind, d.place, d.expected, d.found) for d in differences] == [
        ("line", (2,), "executed", "missing"),
        ("line", (3,), "missing", "executed"),
        ("line", (5,), "executed", "excluded"),
        ("line", (7,), "excluded", "absent"),
        ("line", (8,), "absent", "excluded"),
        ("branch", (2, -1), "executed", "absent"),
        ("branch", (2, 5), "missing", "executed"),
    ]


def test_a_file_in_one_report_only_is_one_difference() -> None:
    both = compare.compare_files({"a.py": report()}, {"b.py": report()})
    assert [(d.file, d.kind, d.found) for d in both] == [
        ("a.py", "file", "absent"),
        ("b.py", "file", "reported"),
    ]


def test_outcomes_must_agree_too() -> None:
    expected = {"t1": "passed", "t2": "failed", "t3": "passed"}
    found = {"t1": "passed", "t2": "passed", "t4": "passed"}
    differences = compare.compare_outcomes(expected, found)
    assert [(d.file, d.expected, d.found) for d in differences] == [
        ("t2", "failed", "passed"),
        ("t3", "passed", "absent"),
        ("t4", "absent", "passed"),
    ]


def test_a_file_is_at_work_if_a_function_ran() -> None:
    assert report().functions_run == 1
    assert compare.totals([report(), report(functions={})])["files_at_work"] == 1


def test_a_difference_reads_well() -> None:
    assert str(Difference("a.py", "branch", (2, -1), "executed", "missing")) == (
        "a.py:2 -> -1: branch is missing, should be executed"
    )


def test_a_kept_measurement_is_read_back(tmp_path: Path) -> None:
    kept = measure.Measurement({"a.py": report()}, {"t": "passed"}, "CTracer", 1.5)
    kept.save(tmp_path / "deep" / "kept.json")
    assert measure.Measurement.load(tmp_path / "deep" / "kept.json") == kept


def test_a_suite_that_could_not_begin_is_refused() -> None:
    suite = suites.Suite("s", least=2)
    ended = {"a": "passed", "b [collect]": "failed"}
    with pytest.raises(lab.LabError, match=r"1 tests passed, 2 at least should.*\n +b \[collect\]"):
        session.check_tests(suite, measure.Measurement({}, ended, "CTracer", 1.5))
    session.check_tests(suite, measure.Measurement({}, ended | {"c": "passed"}, "CTracer", 1.5))


def test_pytest_must_have_collected_everything() -> None:
    assert suites.Suite("s").good_status() == (0, 1)
    assert suites.Suite("s", program=("p.py",)).good_status() == (0,)


def test_what_is_left_out_is_said_to_the_program() -> None:
    left_out = {"a.py": "", "b.py::c": ""}
    assert suites.Suite("s", left_out=left_out).command()[-2:] == [
        "--ignore=a.py",
        "--deselect=b.py::c",
    ]
    program = suites.Suite("s", program=("p.py", "m"), left_out={"m.T.a": ""})
    assert program.command() == ["p.py", "m", "--deselect=m.T.a"]


def test_a_suite_runs_under_coverage_or_under_pytest_cov_or_alone() -> None:
    suite = suites.Suite("s")

    def command(core: cores.Core, pytest_cov: bool) -> list[str]:
        return measure.arguments(suite, core, Path("rc"), branch=True, pytest_cov=pytest_cov)

    start = ["-m", "coverage", "run", "--rcfile=rc"]
    assert command(cores.stock("ctrace"), False) == [*start, *suite.command()]
    options = ["--cov", "--cov-config=rc", "--cov-report=", "--cov-branch"]
    assert command(cores.stock("ctrace"), True) == [*suite.command(), *options]
    assert command(cores.unmeasured(), True) == suite.command()


def test_a_result_lists_its_first_differences() -> None:
    result = session.Result("s", "1", "3.11.7", "7.17.3", "trace", "branches")
    result.differences = [Difference("a.py", "line", (n,), "executed", "missing") for n in range(9)]
    table = result.to_json(shown=2)
    assert table["differences"] == 9
    assert [entry["place"] for entry in table["first"]] == [(0,), (1,)]
    assert not result.same


@pytest.mark.parametrize("suite", projects.PROJECTS, ids=lambda suite: suite.name)
def test_the_table_of_projects(suite: suites.Suite) -> None:
    pinned = {
        line.split("==")[0] for line in lab.REQUIREMENTS.read_text().splitlines() if "==" in line
    }
    assert set(suite.needs) <= pinned
    assert suite.version
    assert suite.sources
    assert suite.least >= 100
    assert all(reason for reason in suite.left_out.values())


def test_what_is_explained_belongs_to_a_suite() -> None:
    for suite, version, reason in explained.EXPLAINED:
        assert suite in cli.SUITES
        assert reason.strip()
        assert explained.explained(suite, version)
    assert explained.explained("attrs", (3, 14)) == set()


def test_there_are_enough_projects() -> None:
    assert len(projects.PROJECTS) >= 8
    assert len({suite.name for suite in projects.PROJECTS}) == len(projects.PROJECTS)


def test_the_minimum_of_tests_does_not_make_a_reference_old() -> None:
    assert repr(suites.Suite("s", least=1)) == repr(suites.Suite("s", least=2))


def test_every_engine_has_a_tracer() -> None:
    for name in cores.ENGINE_TRACERS:
        assert cores.engine(name).env == {"QUICKCOVER_ENGINE": name}
    assert cores.engine(cores.DEFAULT).env == {}


def test_unknown_names_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--project", "no-such-thing"])
    assert caught.value.code == 2
    assert "no-such-thing" in capsys.readouterr().err


def test_a_python_that_is_not_there_is_said_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(["--python", str(tmp_path / "python"), "--cache", str(tmp_path)]) == 2
    assert "python" in capsys.readouterr().err
