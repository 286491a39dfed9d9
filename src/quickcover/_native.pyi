"""quickcover's C core. See csrc/py for the engines and csrc/core for the data structures."""

from collections.abc import Callable
from types import FrameType
from typing import Any, Literal, overload

#: The engines compiled in, fastest first.
ENGINES: tuple[str, ...]

class Store:
    """Everything that one collector records: lines, or arcs with branches."""

    def __init__(self, *, branch: bool = False) -> None: ...
    #: Arcs are recorded, not lines.
    @property
    def branch(self) -> bool: ...
    #: An event came since the last reset.
    activity: bool
    @overload
    def drain(
        self, packed: Literal[False] = False
    ) -> dict[str, list[int]] | dict[str, list[tuple[int, int]]]: ...
    @overload
    def drain(self, packed: Literal[True]) -> dict[str, bytes]: ...
    # Return what was recorded since the last drain: {source file name: lines}, or {source file
    # name: arcs} with branches. Packed, they are bytes: one or two C ints each. Files with nothing
    # new are left out. Raises MemoryError; nothing is lost then, the next call returns it.
    def renew(self) -> None:
        """Forget what was drained, and see every place again. Raises MemoryError."""
    def take_error(self) -> BaseException | None:
        """Return the first exception that measuring ran into, or None, and forget it."""
    def stats(self) -> dict[str, int]:
        """Return figures about what is recorded."""

class Tracer:
    """The base of quickcover's tracers: coverage.py's Tracer protocol."""

    data: Store
    lock_data: Callable[[], None]
    unlock_data: Callable[[], None]
    trace_arcs: bool
    should_trace: Callable[[str, FrameType], Any]
    should_trace_cache: dict[str, Any]
    warn: Callable[..., None]
    concur_id_func: Callable[[], Any] | None
    file_tracers: dict[str, str]
    threading: Any
    check_include: Callable[[str, FrameType], bool]
    should_start_context: Callable[[FrameType], str | None] | None
    switch_context: Callable[[str | None], Any]
    disable_plugin: Callable[[Any], None]
    def start(self) -> Any:
        """Start measuring; return a trace function for sys.settrace, or None.

        Raises TypeError if an attribute that is needed was not set, RuntimeError if the engine
        can't start.
        """
    def stop(self) -> None:
        """Stop measuring. More calls do nothing."""
    def post_fork(self) -> None:
        """Stop in the child process after a fork."""
    def activity(self) -> bool:
        """Has any event come since the last reset?"""
    def reset_activity(self) -> None:
        """Forget that there was activity."""
    def get_stats(self) -> None:
        """Return None: nothing to print when stopping."""
    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any: ...

class TraceTracer(Tracer):
    """Measures one thread with a C trace function."""

    def __init__(self) -> None: ...

class MonitoringTracer(Tracer):
    """Measures the whole process through sys.monitoring (Python 3.12 and later)."""

    def __init__(self, *, test_contexts: bool = False) -> None: ...

class EmptyTrace:
    """An empty C trace function: the limit of settrace."""

    def start(self) -> None: ...
    def stop(self) -> None: ...

class EmptyMonitoring:
    """An empty sys.monitoring tool: the limit of monitoring (Python 3.12 and later)."""

    def start(self, branch: bool, /) -> None: ...
    def stop(self) -> None: ...

def real_path(path: str, /) -> str | None:
    """Return what `os.path.realpath` returns, or None where that has to be asked."""

def live() -> dict[Literal["bytes", "code_links", "code_records"], int]:
    """Return what is alive in the C core, for leak checks."""

def _fail_after(n: int, /) -> None:
    """Make the n-th allocation of the C core from now fail; for tests."""
