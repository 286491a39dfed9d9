"""quickcover's C core. See csrc/py for the engines and csrc/core for the data structures."""

from collections.abc import Callable, Hashable
from types import CodeType, FrameType, TracebackType
from typing import Any, Literal, final, overload

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
    #: Bytecode may be changed to see a place again: no JIT compiler works on copies of it.
    in_place: bool
    @overload
    def drain(
        self, packed: Literal[False] = False
    ) -> dict[str, list[int]] | dict[str, list[tuple[int, int]]]: ...
    @overload
    def drain(self, packed: Literal[True]) -> dict[str, bytes]: ...
    # Return what was recorded since the last drain: {source file name: lines}, or {source file
    # name: arcs} with branches. Packed, they are bytes: one or two C ints each, and arcs are in
    # order. Files with nothing new are left out. Raises MemoryError; nothing is lost then, the next
    # call returns it.
    def renew(self) -> None:
        """Forget what was drained, and see every place again. Raises MemoryError."""
    def turn(self) -> tuple[dict[str, bytes], dict[str, bytes] | None]:
        """Drain, packed, and renew; the second has what other threads hit meanwhile.

        Raises MemoryError if nothing could be drained; later errors are latched.
        """
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
    """Measures one thread with a C trace function.

    With `chained`, the trace function that was there before goes on, too.
    """

    def __init__(self, *, test_contexts: bool = False, chained: bool = False) -> None: ...

class MonitoringTracer(Tracer):
    """Measures the whole process through sys.monitoring (Python 3.12 and later)."""

    def __init__(self, *, test_contexts: bool = False, chained: bool = False) -> None: ...
    #: The tool id of sys.monitoring that it has; -1 while it is stopped.
    @property
    def tool_id(self) -> int: ...

class SessionError(RuntimeError):
    """A session was misused, or could not measure; the message says what was wrong."""

class Session:
    """The part in C of quickcover.Session, which is the class to use."""

    def __init__(self, *, branch: bool, rearm: bool, in_place: bool, map_size: int) -> None: ...
    @property
    def seen(self) -> memoryview:
        """Every id seen so far: sorted unsigned 32-bit numbers, a copy."""
    @property
    def counters(self) -> memoryview:
        """A writable byte for each id, modulo their number: a hit sets it to 1.

        Nothing else is written to it: clear it yourself, whenever you want.
        """
    def example(self) -> Example:
        """Return a new Example, to be used once in a with statement."""
    def event(self, key: Hashable, /) -> int:
        """Count `key` as a place that was hit now; return its id.

        Fingerprints take the key's `repr`. Raises SessionError if the session isn't open,
        TypeError if the key isn't hashable.
        """
    def lines(self) -> set[tuple[str, int]]:
        """Return all lines seen so far, as {(file name, line)}."""
    def arcs(self) -> set[tuple[str, int, int]]:
        """Return all arcs seen so far, as {(file name, from, to)}.

        Raises SessionError without branches.
        """
    @property
    def _store(self) -> Store: ...
    def _location(self, id: int, /) -> tuple[str, int, int | None, str, Hashable]: ...
    def _open(self, traced: bool, *, tool: int = 0, current: bool = False) -> None: ...
    def _close(self) -> None: ...
    def _use_probes(self) -> None: ...
    def _name_file(self, filename: str, name: str) -> None: ...

@final
class Example:
    """One example of a session, and what it hit. See Session.example().

    It is entered once, and has its results when it was left; before, they raise SessionError.
    """

    def __enter__(self) -> Example:
        """Begin. Raises SessionError if that can't be now; the message says why."""
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> Literal[False]:
        """End. Raises SessionError if hits are missing, unless the block itself raised."""
    @property
    def new(self) -> int:
        """How many ids were never seen before in this session."""
    @property
    def ids(self) -> memoryview:
        """What it hit: sorted unsigned 32-bit numbers, read-only."""
    @property
    def fingerprint(self) -> int:
        """A 64-bit hash of the set, the same in every process for the same sources."""
    def lines(self) -> set[tuple[str, int]]:
        """Return the lines of this example, as {(file name, line)}."""
    def arcs(self) -> set[tuple[str, int, int]]:
        """Return the arcs of this example, as {(file name, from, to)}.

        Raises SessionError without branches.
        """
    # The rest is for tstl.py, and for an example that is running.
    def _pause(self) -> None: ...
    def _resume(self) -> None: ...
    @property
    def _logged(self) -> int: ...
    def _so_far(self, count: int, /) -> memoryview: ...
    def _covered(self, count: int, /) -> tuple[set[tuple[str, int]], set[tuple[str, int, int]]]: ...

class ProbeTracer(Tracer):
    """Measures the whole process through probes in the bytecode. CPython 3.11, release builds."""

    def __init__(self, *, test_contexts: bool = False, chained: bool = False) -> None: ...

class EmptyTrace:
    """An empty C trace function: the limit of settrace."""

    def start(self) -> None: ...
    def stop(self) -> None: ...

class EmptyMonitoring:
    """An empty sys.monitoring tool: the limit of monitoring (Python 3.12 and later)."""

    def start(self, branch: bool, /) -> None: ...
    def stop(self) -> None: ...

def data_file(
    items: list[tuple[str, str, str, str | None]],
    schema_version: int,
    meta: list[tuple[str, str]],
    files: list[str],
    contexts: list[str],
    tracers: list[tuple[int, str]],
    hits: list[tuple[int, int, bytes]],
    branch: bool,
    /,
) -> bytes:
    """Return a data file of coverage.py as SQLite would write it.

    The items are the rows of SQLite's list of tables: type, name, table, SQL.  Files and contexts
    are known by their places in their lists, from 1 on; tracers and hits are in order of these
    numbers.  Hits are lines, or arcs of two lines each, as C ints; there may be more than one for
    a file and a context.

    Raises:
        ValueError: there is another table than those of coverage.py's schema 7; hits are not in
            order.
    """

def data_hits(content: bytes, root: int, branch: bool, /) -> list[tuple[int, int, bytes]] | None:
    """Return the hits of a data file, as `data_file` takes them, or None if they can't be read.

    `root` is the first page of the index of arcs, or of the table of lines.
    """

def data_rows(content: bytes, root: int, /) -> list[tuple[Any, ...]] | None:
    """Return the rows of a table of a file of SQLite, or None if they can't be read.

    `root` is the table's first page, as the list of tables says, whose own is 1.
    """

def real_path(path: str, /) -> str | None:
    """Return what `os.path.realpath` returns, or None where that has to be asked."""

def live() -> dict[Literal["bytes", "code_links", "code_records"], int]:
    """Return what is alive in the C core, for leak checks."""

def outline(
    text: str, debug: bool, nested_fstrings: bool, /
) -> tuple[bytes, list[str], bytes] | None:
    """Return the statements of valid source, names of functions and classes, and logical lines.

    The numbers are int32, in the order of the structs of `csrc/core/qc_outline.h`.  None: it is not
    certain that a compiler would see the same.
    """

def paint(
    text: str, keywords: str, soft_keywords: str, soft_lines: bytes, fstrings: bool, /
) -> str | None:
    """Return the lines of valid source as HTML: a span with a class for each token.

    Keywords are separated by spaces.  The soft ones are keywords where they begin one of some
    lines (int32, ascending).  With `fstrings`, f-strings are several tokens.  None: it is not
    certain that Python's tokenizer would see the same.
    """

def run_in_the_way() -> Literal["coverage", "session", ""]:
    """Return what keeps probes from being put into code for somebody else.

    A session that uses them, or a coverage run, with probes or `sys.monitoring`.
    """

def _fail_after(n: int, /) -> None:
    """Make the n-th allocation of the C core from now fail; for tests."""

def _armed(code: CodeType, /) -> int:
    """Return how many probes of a code object are armed; for tests."""

def _instrument(code: CodeType, /) -> tuple[CodeType, bytes, list[tuple[int, int, int]]] | None:
    """Return the twin of a code object with all its probes armed, its bytes, and its probes."""
