"""Coverage of each example, for coverage-guided testing: `quickcover.Session`.

    with quickcover.Session(source=["mypkg"], branch=True) as session:
        for data in examples:
            with session.example() as example:
                run(data)
            if example.new:
                keep(data)

The engines are those of coverage measurement, and chosen in the same way; coverage.py isn't needed.
docs/session.md tells how to use it.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from quickcover import _engines, _env, _select, _startup

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable
    from types import FrameType, TracebackType

    from quickcover import _native
else:
    _native = _engines.sessions()

__all__ = ["Example", "Location", "Session", "SessionError"]

Example = _native.Example
SessionError = _native.SessionError

_OUR_DIRECTORY = Path(__file__).resolve().parent


class Location(NamedTuple):
    """What an id stands for."""

    #: The file; empty for an event.
    filename: str
    #: The line, or the one that an arc, a branch or a return starts from; 0 if it has none.
    line: int
    #: The line that it leads to, or minus the first line of the code object that is left; None for
    #: a line and for an event.
    to_line: int | None
    #: "line", "branch", "return", "jump", "resume", "exception", "arc" or "event".
    kind: str
    #: What `Session.event` was called with.
    key: Hashable = None


class Session(_native.Session):
    """Measures examples, one after the other, in a process.

    A session is a context manager and measures while it is open.  There can be one at a time.
    Results can be had after it, too.
    """

    def __init__(
        self,
        source: Iterable[str | os.PathLike[str]] | None = None,
        *,
        branch: bool = False,
        mode: Literal["all", "new"] = "all",
        thread: Literal["process", "current"] = "process",
        map_size: int = 1 << 16,
        engine: str | None = None,
    ) -> None:
        """Prepare a session; it measures from `with` on.

        Args:
            source: what is measured: packages and modules by their names, files and directories
                by their paths.  None is all code but the standard library, installed packages and
                quickcover.
            branch: see branches, too.
            mode: "all": each example is seen whole.  "new": only what no earlier example had, at
                no cost where there is nothing new.
            thread: whose hits count: those of the whole "process", or of the "current" thread, the
                one that opens the session.
            map_size: how many bytes `counters` has.
            engine: force an engine by its name, as the environment variable QUICKCOVER_ENGINE does.

        Raises:
            ValueError: a mode or thread that doesn't exist, a map_size below 1, a source that is
                not found, or an engine that is unknown or can't do what is asked.
        """
        if mode not in ("all", "new"):
            raise ValueError(f"mode must be 'all' or 'new', not {mode!r}")
        if thread not in ("process", "current"):
            raise ValueError(f"thread must be 'process' or 'current', not {thread!r}")
        if map_size < 1:
            raise ValueError(f"map_size must be at least 1, not {map_size}")
        self._scope = _Scope(source, self)
        self._mode = mode
        self._thread = thread
        self._branch = branch
        self._forced = engine or os.environ.get(_startup.ENGINE_VARIABLE) or None
        #: The engine that measures, and why: set when the session is opened, None before.
        self.choice: _select.Choice | None = None
        self._measuring: _Measuring | None = None
        super().__init__(
            branch=branch,
            rearm=mode == "all",
            in_place=not _env.jit_enabled(),
            map_size=map_size,
        )
        self._choose()

    def _choose(self) -> _select.Choice:
        """Choose the engine."""
        request = _select.Request(
            branch=self._branch,
            examples=True,
            one_thread=self._thread == "current",
            tool_id_available=_env.tool_id_available(),
            run_in_the_way=_engines.run_in_the_way(),
        )
        return _select.choose(request, _env.current(), _engines.available(), self._forced)

    def __enter__(self) -> Session:
        """Start to measure.

        Raises:
            SessionError: another session is open, or this one was open before.
            ValueError: the engine that is forced can't measure any more.
        """
        if self.choice is not None:
            raise SessionError("a session can be opened only once: make a new one")
        if _open_sessions:
            raise SessionError("another session is open: there can be one at a time")
        self.choice = self._choose()
        measuring = _MEASURING[self.choice.engine](self, self._thread == "current")
        _open_sessions.append(self)
        self._measuring = measuring
        self._open(
            traced=measuring.traced,
            tool=measuring.tool,
            current=self._thread == "current",
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop to measure."""
        try:
            self.close()
        except SessionError:
            if error is None:
                raise

    def close(self) -> None:
        """Stop to measure; more calls do nothing.  What was seen stays.

        Raises:
            SessionError: measuring ran into an error, and data is missing.
        """
        measuring, self._measuring = self._measuring, None
        if measuring is None:
            return
        _open_sessions.remove(self)
        measuring.stop()
        self._close()

    def location(self, place: int) -> Location:
        """What an id stands for.

        Raises:
            KeyError: the session has not seen that id.
            TypeError: it is no integer.
        """
        return Location(*self._location(place))

    def _trace_this_thread(self) -> None:
        """For the trace engine: measure the thread that begins an example."""
        assert isinstance(self._measuring, _Tracing)
        self._measuring.start()

    def _should_trace(self, filename: str, frame: FrameType) -> _Disposition:
        """Is a file measured?  The engines ask, once for each name."""
        return self._scope.decide(filename, frame)


#: The session that is open, if any.
_open_sessions: list[Session] = []


# ------------------------------------------------------------------------------- engines


class _Monitoring:
    """The monitoring engine at work for a session."""

    traced = False

    def __init__(self, session: Session, current: bool) -> None:
        self._tracer = _prepared(_native.MonitoringTracer(), session)
        self._tracer.start()
        self.tool = self._tracer.tool_id

    def stop(self) -> None:
        """Stop."""
        self._tracer.stop()


class _Probing:
    """The probe engine at work for a session."""

    traced = False
    tool = 0

    def __init__(self, session: Session, current: bool) -> None:
        session._use_probes()
        self._tracer = _prepared(_native.ProbeTracer(), session)
        self._tracer.start()

    def stop(self) -> None:
        """Stop."""
        self._tracer.stop()


class _Tracing:
    """The trace engine at work for a session: a tracer for each thread."""

    traced = True
    tool = 0

    def __init__(self, session: Session, current: bool) -> None:
        self._session = session
        self._tracers: list[_native.Tracer] = []
        self._cache: dict[str, Any] = {}
        self._before: Any = None
        self._hook: Any = None if current else self._on_new_thread
        self.start()
        if self._hook is not None:
            self._before = threading.gettrace()
            threading.settrace(self._hook)

    def start(self) -> Any:
        """Measure this thread."""
        tracer = _prepared(_native.TraceTracer(chained=True), self._session)
        tracer.should_trace_cache = self._cache
        tracer.start()
        self._tracers.append(tracer)
        return tracer

    def _on_new_thread(self, frame: FrameType, event: str, arg: Any) -> Any:
        """The first event of a new thread: let whoever had the hook before us start there, too."""
        sys.settrace(None)
        if self._before is not None:
            self._before(frame, event, arg)
        return self.start()(frame, event, arg)

    def stop(self) -> None:
        """Stop in all threads."""
        if self._hook is not None and threading.gettrace() == self._hook:
            threading.settrace(self._before)
        for tracer in reversed(self._tracers):
            tracer.stop()


class _Rewriting:
    """The python engine at work for a session."""

    traced = False
    tool = 0

    def __init__(self, session: Session, current: bool) -> None:
        from quickcover.pure.tracer import SessionTracer

        self._tracer = _prepared(SessionTracer(), session)
        self._tracer.start()

    def stop(self) -> None:
        """Stop."""
        self._tracer.stop()


_Measuring = _Monitoring | _Probing | _Tracing | _Rewriting

_MEASURING: dict[str, type[_Measuring]] = {
    "monitoring": _Monitoring,
    "probe": _Probing,
    "trace": _Tracing,
    "python": _Rewriting,
}


def _prepared(tracer: Any, session: Session) -> Any:
    """A tracer that records into the session's store."""
    tracer.data = session._store
    tracer.should_trace = session._should_trace
    tracer.should_trace_cache = {}
    return tracer


# --------------------------------------------------------------------------------- scope


@dataclass(frozen=True)
class _Disposition:
    """What the engines want to know of a file."""

    trace: bool
    source_filename: str
    file_tracer: None = None
    has_dynamic_filename: bool = False


@dataclass(frozen=True)
class _Root:
    """A file or directory to be measured, and what names in fingerprints are relative to."""

    path: Path
    base: Path


class _Scope:
    """Which files are measured."""

    def __init__(
        self, source: Iterable[str | os.PathLike[str]] | None, session: _native.Session
    ) -> None:
        if isinstance(source, str | os.PathLike):
            raise ValueError("source must be a list of names and paths, not one of them")
        self._roots = None if source is None else [_root(item) for item in source]
        self._excluded = [_OUR_DIRECTORY]
        if source is None:
            names = ("stdlib", "platstdlib", "purelib", "platlib")
            paths = sysconfig.get_paths()
            self._excluded += [Path(paths[name]).resolve() for name in names]
        self._session = session

    def exclude(self, path: str) -> None:
        """Don't measure this file or directory, where no source was given."""
        self._excluded.append(Path(path).resolve())

    def decide(self, filename: str, frame: FrameType) -> _Disposition:
        """Is this file measured, and under which name?"""
        path = Path(os.path.realpath(filename))
        base = None if filename.startswith("<") else self._base_of(path)
        if base is None:
            return _Disposition(False, filename)
        name = path.relative_to(base).as_posix() if path.is_relative_to(base) else path.as_posix()
        self._session._name_file(str(path), name)
        return _Disposition(True, str(path))

    def _base_of(self, path: Path) -> Path | None:
        """What the name of a measured file is relative to; None if it isn't measured."""
        for root in self._roots or ():
            if path.is_relative_to(root.path):
                return root.base
        if self._roots is not None or any(map(path.is_relative_to, self._excluded)):
            return None
        return Path.cwd()


def _root(item: str | os.PathLike[str]) -> _Root:
    """The file or directory that one of the sources means."""
    path = Path(item)
    if path.exists():
        real = path.resolve()
        return _Root(real, real.parent if real.is_file() else real)
    try:
        spec = importlib.util.find_spec(os.fspath(item))
    except (ImportError, ValueError, AttributeError):
        spec = None
    locations = list(spec.submodule_search_locations or ()) if spec is not None else []
    origin = locations[0] if locations else spec.origin if spec is not None else None
    if origin is None or not Path(origin).exists():
        raise ValueError(f"source {os.fspath(item)!r} is no file, directory, package or module")
    real = Path(origin).resolve()
    base = real
    for _ in os.fspath(item).split("."):
        base = base.parent
    return _Root(real, base)
