"""The real path of a file, quickly."""

from __future__ import annotations

from _thread import get_ident
from collections.abc import Callable


class AbsFile:
    """`coverage.files.abs_file`, with the C library's realpath in place of Python's.

    The answers are those of the original. Deciding about one file asks for its real path up to
    three times: between `begin` and `end` a thread is given the same answer again. Nothing is
    remembered for longer, because the measured program may put links where directories were;
    nothing here uses `os`, because the program may have mocks in its place.
    """

    def __init__(
        self, original: Callable[[str], str], real_path: Callable[[str], str | None]
    ) -> None:
        """Answer as `original` does: by `real_path`, unless that returns None."""
        #: What it stands for.
        self.original = original
        self._real_path = real_path
        self._known: dict[int, dict[str, str]] = {}  # of the threads that decide

    def begin(self) -> None:
        """A decision begins: until `end`, this thread's answers stay the same."""
        self._known[get_ident()] = {}

    def end(self) -> None:
        """The decision is made."""
        self._known.pop(get_ident(), None)

    def __call__(self, path: str) -> str:
        """Return the absolute normalized form of `path`, links resolved."""
        known = self._known.get(get_ident())
        if known is not None and path in known:
            return known[path]
        real = self._real_path(path)
        if real is None:
            real = self.original(path)
        if known is not None:
            known[path] = known[real] = real
        return real
