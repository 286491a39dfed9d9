"""docs/engines.md says which engine is the default, and says the truth."""

from __future__ import annotations

from pathlib import Path

from quickcover._select import TABLE_BEGIN, TABLE_END, table

from ..conftest import Runner

PAGE = Path(__file__).parents[2] / "docs" / "engines.md"


def test_the_table_stands_in_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    _, begin, rest = text.partition(f"{TABLE_BEGIN}\n")
    stands, end, _ = rest.partition(f"{TABLE_END}\n")
    assert begin, f"no line {TABLE_BEGIN!r} in {PAGE.name}"
    assert end, f"no line {TABLE_END!r} in {PAGE.name}"
    assert stands.strip() == table().strip(), "print it by `python -m quickcover._select`"


def test_the_command_prints_it(run_python: Runner) -> None:
    assert run_python("-m", "quickcover._select").stdout == table()
