"""HypoFuzz on quickcover: what each test case covers.

In a conftest.py, for `hypothesis fuzz` as well as for `settings(backend="hypofuzz")`:

    import quickcover.hypofuzz

    quickcover.hypofuzz.install(quickcover.Session(["mypkg"], branch=True))

Tested with HypoFuzz 25.11 (https://hypofuzz.com).
"""

from __future__ import annotations

import atexit
import functools
import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from quickcover.session import Example, Session

__all__ = ["Collector", "install"]


class Collector:
    """Stands for HypoFuzz's CoverageCollector: a context manager around each test case.

    It can be used again, and can be given to HypoFuzz directly, too: HypofuzzProvider(None,
    collector=...).
    """

    def __init__(self, session: Session) -> None:
        """Collect by a session, which has to be open while test cases run.

        Raises:
            ValueError: its mode is "new": HypoFuzz compares whole test cases.
        """
        if session._mode == "new":
            raise ValueError('HypoFuzz compares whole test cases: it needs a session of mode "all"')
        self._session = session
        self._example: Example | None = None
        #: What the last test case covered: ids, which HypoFuzz takes as it takes its branches;
        #: session.location tells what one stands for.
        self.branches: set[int] = set()

    def __enter__(self) -> Collector:
        """Begin a test case.

        Raises:
            SessionError: the session isn't open, or test cases run side by side.
        """
        self.branches = set()
        self._example = self._session.example()
        self._example.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it.

        Raises:
            SessionError: measuring failed, and data is missing.
        """
        example, self._example = self._example, None
        if example is not None:
            example.__exit__(kind, error, traceback)
            self.branches = set(example.ids)


def install(session: Session) -> None:
    """Have HypoFuzz use a session, in this process.

    Args:
        session: measures all test cases.  If it wasn't opened yet it is now, and closed when the
            process ends.

    Raises:
        ImportError: HypoFuzz isn't installed, or has no such collector any more.
        SessionError: another session is open.
        ValueError: the session's mode is "new".
    """
    provider = importlib.import_module("hypofuzz.provider")
    if not hasattr(provider, "CoverageCollector"):
        raise ImportError("this HypoFuzz has no CoverageCollector: quickcover doesn't know it")
    Collector(session)  # may it be used?
    if session.choice is None:
        session.__enter__()
        atexit.register(session.close)
    vars(provider)["CoverageCollector"] = functools.partial(Collector, session)
