"""The real path of a file, quickly."""

from __future__ import annotations

from collections.abc import Callable


class AbsFile:
    """`coverage.files.abs_file`, with the C library's realpath in place of Python's.

    Deciding about one file asks for its real path up to three times, and importing a large
    package asks about a thousand times. The answers are those of the original. Nothing is
    remembered between two calls, because the measured program may put links where directories
    were; nothing here uses `os`, because the program may have mocks in its place.
    """

    def __init__(
        self, original: Callable[[str], str], real_path: Callable[[str], str | None]
    ) -> None:
        """Answer as `original` does: by `real_path`, unless that returns None."""
        self._original = original
        self._real_path = real_path

    def __call__(self, path: str) -> str:
        """Return the absolute normalized form of `path`, links resolved."""
        real = self._real_path(path)
        return self._original(path) if real is None else real
