"""Measuring a subprocess without importing coverage.py.

A process that measures with `patch = subprocess` tells its children what to do by an environment
variable, `QUICKCOVER_CHILD`, beside coverage.py's own (see `_children.py` for when it does).  A
child that runs the same Python measures by itself then: it starts an engine, asks the rules here
which files count, and writes a data file at its end, all as coverage.py would.  If anything is not
as expected, it leaves everything to coverage.py, as if this didn't exist; and if the program
imports coverage.py later, that takes over with all that was recorded.

Every import here is paid for by every measured subprocess.
"""

from __future__ import annotations

import os
import sys

from quickcover._startup import CHILD_VARIABLE, CONFIG_VARIABLE, Begun

TYPE_CHECKING = False  # importing typing takes longer than all of this
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import FrameType
    from typing import Any

    #: Each field a list of strings: none, one or more.
    Told = Mapping[str, list[str]]

#: What the message in the variable is made for; a child with another one ignores it.
FORMAT = "3"

_ODD = frozenset(".#~!$@%^&*()+=,")


def interpreter() -> list[str]:
    """What must be the same in parent and child."""
    return [FORMAT, str(sys.implementation.cache_tag), sys.prefix, sys.base_prefix, __file__]


class Disposition:
    """What a tracer wants to know about a file; coverage.py's class of that name."""

    has_dynamic_filename = False
    file_tracer = None

    def __init__(self, name: str, canonical: str, trace: bool) -> None:
        self.original_filename = name
        self.canonical_filename = canonical
        self.source_filename = canonical
        self.trace = trace
        self.reason = ""


class Rules:
    """Which files are measured: coverage.py's `InOrOut` without packages and plugins."""

    def __init__(self, told: Told, real_path: Callable[[str], str | None]) -> None:
        """Take the rules from what the parent told."""
        self._real_path = real_path
        self._source = told["source"]
        self._include = _matcher(told["include"])
        self._omit = _matcher(told["omit"])
        self._installed = told["installed"]
        self._stdlib = told["stdlib"]
        self._coverage = told["coverage"]
        self._ours = f"{os.path.dirname(self.absolute(__file__))}{os.sep}"
        self._canonical: dict[str, str] = {}
        self._path: list[str] = []
        self._third: list[str] = []
        self._source_in_third: list[str] = []

    def disposition(self, filename: str, frame: FrameType) -> Disposition:
        """Decide about a file: a tracer's `should_trace`."""
        if sys.path != self._path:
            self._look_at_path()
        name = self._name(filename, frame)
        if not name or name.startswith(("<", "memory:")):
            return Disposition(filename, "", trace=False)
        canonical = self.canonical(name)
        return Disposition(filename, canonical, trace=self.measured(canonical))

    def _name(self, filename: str, frame: FrameType) -> str:
        """The file's name: where it was loaded from, rather than where it was compiled."""
        if filename.startswith("<"):
            return filename
        loaded = frame.f_globals and frame.f_globals.get("__file__")
        if not loaded:
            return filename
        name = _source_of(str(loaded))
        if filename and os.path.basename(name) != os.path.basename(filename):
            return filename  # somebody compiled or executed it under a name of his own
        return name

    def measured(self, name: str) -> bool:
        """Decide by the real path of a file."""
        if name.startswith(self._ours):
            return False
        if self._source:
            if not self._within(name, self._source):
                return False
            if self._within(name, self._third) and not self._within(name, self._source_in_third):
                return False
        elif self._include is not None:
            if not self._include(name):
                return False
        elif any(
            self._within(name, trees) for trees in (self._coverage, self._third, self._stdlib)
        ):
            return False
        if self._omit is not None and self._omit(name):
            return False
        return not any("\ud800" <= letter <= "\udfff" for letter in name)  # SQLite takes UTF-8

    def unexecuted(self) -> Iterator[str]:
        """The files of `source` that could be imported, executed or not."""
        for tree in self._source:
            for where, below, names in os.walk(tree):
                if where != tree and "__init__.py" not in names:
                    below.clear()
                    continue
                for name in filter(_importable, names):
                    path = self.canonical(os.path.join(where, name))
                    if self._omit is None or not self._omit(path):
                        yield path

    @staticmethod
    def _within(name: str, trees: Iterable[str]) -> bool:
        return any(
            name.startswith(tree) and name[len(tree) :][:1] in ("", os.sep) for tree in trees
        )

    def _look_at_path(self) -> None:
        """Find out where third-party packages are: installed, or in some virtual environment."""
        self._path = list(sys.path)
        venvs = [entry for entry in self._path if _in_venv(entry)]
        self._third = [self.absolute(tree) for tree in (*self._installed, *venvs)]
        self._source_in_third = [tree for tree in self._source if self._within(tree, self._third)]

    def canonical(self, name: str) -> str:
        """The absolute name of a file that may be relative to an entry of the path."""
        found = self._canonical.get(name)
        if found is None:
            found = name
            if not os.path.isabs(name):
                tried = (os.path.join(entry, name) for entry in (os.curdir, *sys.path))
                found = next(filter(os.path.exists, tried), name)
            found = self._canonical[name] = self.absolute(found)
        return found

    def absolute(self, path: str) -> str:
        """The real path."""
        return self._real_path(path) or os.path.abspath(os.path.realpath(path))


def _matcher(pattern: list[str]) -> Callable[[str], Any] | None:
    if not pattern:
        return None
    import re

    return re.compile(pattern[0]).match


def _importable(name: str) -> bool:
    """Does it look like a module's file, rather than an editor's?"""
    stem, _, ending = name.rpartition(".")
    return ending in ("py", "pyw") and bool(stem) and _ODD.isdisjoint(stem)


def _source_of(filename: str) -> str:
    """The source file of what was loaded."""
    return filename[:-1] if filename.endswith((".pyc", ".pyo")) else filename


def _in_venv(directory: str) -> bool:
    """Is it an existing directory inside a virtual environment?"""
    if not os.path.exists(directory):
        return False
    upper = os.path.dirname(directory)
    while upper != os.path.dirname(upper):
        if os.path.exists(os.path.join(upper, "pyvenv.cfg")):
            return True
        upper = os.path.dirname(upper)
    return False


class Child:
    """The measuring of this process."""

    def __init__(self, told: Told) -> None:
        """Prepare it.

        Args:
            told: what the parent told, checked.
        """
        # Now, not when they are needed: the program may do what it likes with sys.modules.
        from quickcover import _datafile, _engines

        engine = told["engine"][0]
        self._told = told
        self._writer = _datafile.Writer(told)
        self._rules = Rules(told, _engines.real_path(engine))
        self._tracer_class: Any = _engines.tracer_class(engine)
        self._store: Any = _engines.store_class(engine)(branch=bool(told["branch"]))
        self._dispositions: dict[str, Any] = {}
        self._tracers: list[Any] = []
        self._old_sigterm: Any = None
        #: Files in this directory get names without it; "" if all names are absolute.
        here = self._rules.absolute(os.curdir).rstrip(os.sep)
        self._relative_to = f"{here}{os.sep}" if told["relative"] else ""

    def start(self) -> None:
        """Begin to measure.

        Raises:
            Exception: it can't; nothing was done then.
        """
        try:
            self._start_tracer()
            self._patch()
        except BaseException:
            self._stop()
            raise

    def take_over(self, control: Any) -> None:
        """Let coverage.py measure on: the program has imported it.

        Args:
            control: its module `coverage.control`.
        """
        try:
            control.process_startup()
        except Exception as error:
            self.warn(f"coverage.py couldn't start: {type(error).__name__}: {error}")
        finally:
            self.finish()  # if coverage.py didn't take it over

    def hand_over(self, tracer: str, branch: bool) -> Begun | None:
        """Give the store and the running tracers to coverage.py.

        Args:
            tracer: the name of the tracer's class that coverage.py would start.
            branch: whether with branches.

        Returns:
            None if it wants others.
        """
        if tracer != self._tracer_class.__name__ or branch != bool(self._told["branch"]):
            return None
        begun = Begun(self._store, self._tracers)
        self._store, self._tracers = None, []
        return begun

    def _start_tracer(self) -> Any:
        tracer = self._tracer_class()
        tracer.data = self._store
        tracer.lock_data = tracer.unlock_data = _nothing
        tracer.trace_arcs = bool(self._told["branch"])
        tracer.should_trace = self._rules.disposition
        tracer.should_trace_cache = self._dispositions
        tracer.warn = self.warn
        tracer.file_tracers = {}
        tracer.check_include = _nothing
        tracer.should_start_context = None
        tracer.switch_context = _nothing
        tracer.disable_plugin = _nothing
        tracer.concur_id_func = None
        tracer.threading = sys.modules.get("threading")
        function = tracer.start()
        self._tracers.append(tracer)
        return function

    def _start_in_thread(self, frame: FrameType, event: str, arg: Any) -> Any:
        """The trace function of a new thread, until its own tracer is there."""
        sys.settrace(None)
        function = self._start_tracer()
        return function(frame, event, arg) if function else None

    def _patch(self) -> None:
        """Get into new threads, and have saved in good time however the process ends."""
        import atexit

        atexit.register(self.finish)
        patches = self._told["patch"]
        if "_exit" in patches:
            os._exit = self._saving_first(os._exit)
        if "execv" in patches:
            os.execv = self._saving_first(os.execv)
            os.execve = self._saving_first(os.execve)
        self._patch_signal()
        self._patch_threads()

    def _patch_signal(self) -> None:
        if self._told["sigterm"]:
            import signal

            self._old_sigterm = signal.signal(signal.SIGTERM, self._on_sigterm)

    def _patch_threads(self) -> None:
        if self._told["systrace"]:
            import threading

            threading.settrace(self._start_in_thread)

    def _saving_first(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def saving(*args: Any, **kwargs: Any) -> Any:
            self.save()
            if function.__name__ == "execve" and isinstance(args[-1], dict):
                args[-1].update(
                    {name: os.environ[name] for name in (CHILD_VARIABLE, CONFIG_VARIABLE)}
                )
            return function(*args, **kwargs)

        return saving

    def _on_sigterm(self, _number: int, _frame: FrameType | None) -> None:
        import signal

        self.finish()
        signal.signal(signal.SIGTERM, self._old_sigterm)
        os.kill(os.getpid(), signal.SIGTERM)

    def finish(self) -> None:
        """Stop, and write what was recorded.  More calls do nothing."""
        self._stop()
        self.save()

    def _stop(self) -> None:
        for tracer in self._tracers:
            tracer.stop()
        self._tracers = []
        threading = sys.modules.get("threading")
        if threading is not None and threading.gettrace() == self._start_in_thread:
            threading.settrace(None)

    def warn(self, message: str, *_slug: Any, **_how: Any) -> None:
        """Tell the user."""
        complain(message)

    def save(self) -> None:
        """Write what was recorded since the last time, if any code ran at all."""
        if self._store is None:
            return
        try:
            activity, self._store.activity = self._store.activity, False
            recorded = self._store.drain(packed=True)
            error = self._store.take_error()
            if error is not None:
                self.warn(f"quickcover stopped after an error, data is missing: {error!r}")
            if activity or recorded:
                self._writer.write({self._name(name): recorded[name] for name in recorded})
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            self.warn(f"Couldn't save the coverage of this process: {problem}")

    def _name(self, filename: str) -> str:
        """A file's name in the data file."""
        return filename.removeprefix(self._relative_to)


def complain(message: str) -> None:
    """Tell the user, without coverage.py."""
    if sys.stderr is not None:
        sys.stderr.write(f"CoverageWarning: {message}\n")


def _nothing(*_args: Any) -> None:
    """What this process has no need of."""


def start(message: str) -> Child | None:
    """Measure this process, if the parent's message is for one like this.

    Returns:
        What measures; None if coverage.py has to.
    """
    told = decoded(message)
    if told["interpreter"] != interpreter():
        return None
    if told["config"] != [os.environ.get(CONFIG_VARIABLE, "")]:
        return None  # somebody else's measurement
    if told["directory"] not in ([], [os.getcwd()]):
        return None  # where relative patterns mean other files
    child = Child(told)
    child.start()
    return child


def checksum(text: str) -> str:
    """Tells a text from others."""
    import zlib

    return str(zlib.crc32(text.encode("utf-8", "surrogatepass")))


_FIELD, _ITEM = "\x1e", "\x1f"


def encoded(told: Told) -> str:
    """A message for a child.

    Raises:
        ValueError: something has the characters that separate the parts.
    """
    fields = [[name, *values] for name, values in told.items()]
    if any(mark in item for field in fields for item in field for mark in (_FIELD, _ITEM, "\0")):
        raise ValueError("control characters in the configuration")
    return _FIELD.join(_ITEM.join(field) for field in fields)


def decoded(message: str) -> Told:
    """What `encoded` encoded; reading JSON would take ten times as long, with all its imports."""
    fields = [field.split(_ITEM) for field in message.split(_FIELD)]
    return {field[0]: field[1:] for field in fields}
