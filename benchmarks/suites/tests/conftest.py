"""Makes the benchmark's programs importable; with --contexts, each test is a context of its own."""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "programs"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption("--contexts", action="store_true", help="a context for each test")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, None, None]:
    """Switch as pytest-cov does, if somebody measures."""
    coverage: Any = sys.modules.get("coverage")
    current = coverage.Coverage.current() if coverage and item.config.option.contexts else None
    if current is not None:
        current.switch_context(item.nodeid)
    yield
