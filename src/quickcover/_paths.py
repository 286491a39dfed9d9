"""The real path of many files, quickly: most of them share their directory with another."""

from __future__ import annotations

import os
from collections.abc import Callable


class AbsFile:
    """`coverage.files.abs_file` with the real paths of directories remembered.

    Deciding about one file asks for its real path up to three times, and each time the system is
    asked about every directory above it: a third of the cost of importing a large package under
    measurement. The answers are those of the original, unless a directory is replaced by a link
    between two calls of `forget`.
    """

    def __init__(self, original: Callable[[str], str]) -> None:
        """Answer as `original` does."""
        self.original = original
        self._directories: dict[str, str] = {}

    def forget(self) -> None:
        """Forget what was remembered."""
        self._directories.clear()

    def __call__(self, path: str) -> str:
        """Return the absolute normalized form of `path`, links resolved."""
        directory, name = os.path.split(path)
        if os.sep != "/" or not directory.startswith("/") or name in ("", ".", ".."):
            return self.original(path)
        if os.path.islink(path):
            return self.original(path)
        real = self._directories.get(directory)
        if real is None:
            real = self._directories[directory] = os.path.realpath(directory)
        return os.path.join(real, name)
