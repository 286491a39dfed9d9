"""What the tests of the seam need in their own process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from quickcover import _startup


@pytest.fixture(autouse=True)
def _as_found(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start with nothing installed or forced, and leave what `install()` did to the process."""
    monkeypatch.delenv(_startup.ENGINE_VARIABLE, raising=False)
    monkeypatch.delenv(_startup.INSTALL_VARIABLE, raising=False)
    depth, _startup.State.depth = _startup.State.depth, 0
    yield
    _startup.State.depth = depth
