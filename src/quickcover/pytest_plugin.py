"""`pytest --quickcover`: install quickcover before pytest-cov starts, here and in xdist's workers.

This module is loaded in every pytest run wherever quickcover is installed: it imports nothing.
(PYTEST_DONT_REWRITE)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import quickcover

if TYPE_CHECKING:
    from collections.abc import Generator


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--quickcover` beside pytest-cov's options."""
    group = parser.getgroup("cov", "coverage reporting with distributed testing support")
    group.addoption(
        "--quickcover",
        action="store_true",
        default=False,
        help="Measure with quickcover's fast core, whatever the coverage configuration's plugins.",
    )


# A wrapper runs before every plain hook: pytest-cov starts in one that is marked `tryfirst`.
@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Install, until this pytest run is over."""
    if early_config.known_args_namespace.quickcover:
        quickcover.install()
        early_config.add_cleanup(quickcover.uninstall)
    yield
