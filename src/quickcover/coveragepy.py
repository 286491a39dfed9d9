"""The seam: how coverage.py comes to measure with our engines.

Only this file and `coveragepy_report.py` import coverage.

coverage.py has no registration point for cores.  `enter()` rebinds global names of
`coverage.control`, once.  Three become subclasses:

- `Core` has the engine chosen when a Coverage object starts for the first time;
- `Collector` fetches what the C core recorded, and warns of errors that the C core latched;
- `Plugins` loads our plugin although no configuration names it, while `install()` is in force;

and `PythonFileReporter` to a function that makes those of `coveragepy_report.py`, and the classes
of reports to functions that make quicker ones.

The first of our Cores also rebinds `coverage.files.abs_file` to one that gives the same answers
faster, and each has its Coverage object name files by that.

All of them leave Coverage objects alone that are not for us.  A Coverage object is for us if our
`coverage_init` was called for it, if `install()` is in force, or if its `core` is "quickcover";
but not if it asks for another core (`_decide.py`).

How a start goes: `Coverage._init()` makes a `Plugins`, which calls `register()`; then
`Coverage._init_for_start()` makes a `Core`, and a `Collector`, whose tracers share one
`_native.Store`.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coverage import control, files, sqldata
from coverage.collector import Collector as _Collector
from coverage.core import Core as _Core
from coverage.disposition import FileDisposition
from coverage.exceptions import ConfigError, CoverageException, _ExceptionDuringRun
from coverage.files import canonical_filename
from coverage.plugin import CoveragePlugin
from coverage.plugin_support import Plugins as _Plugins
from coverage.python import PythonFileReporter
from coverage.version import __url__ as coverage_url
from coverage.version import __version__ as coverage_version
from coverage.version import version_info

import quickcover
from quickcover import _engines, _env, _startup
from quickcover._decide import (
    NAME,
    Asked,
    Decision,
    decide,
    range_problem,
    tested_range,
)
from quickcover._kept import Kept
from quickcover._paths import AbsFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import FrameType

    from coverage import Coverage
    from coverage.config import CoverageConfig
    from coverage.types import TFileDisposition, TTraceData

    from quickcover import _native

_OPTIONS = frozenset({"engine"})
_OUR_FILES = f"{Path(canonical_filename(__file__)).parent}{os.sep}"
_MAX_KEPT = 16 << 20  # bytes in memory, of contexts that are over
_REPORTERS = ("HtmlReporter", "JsonReporter", "LcovReporter", "SummaryReporter", "XmlReporter")


def enter() -> None:
    """Put the seam in place, unless it is.

    With a coverage.py outside the tested range only `Core` is rebound, which then warns (or fails
    if an engine is forced) when measuring starts.
    """
    names: Any = control
    if names.Core is not Core:
        names.Core = Core
    if range_problem(version_info) is None and names.Collector is not Collector:
        names.Collector = Collector
        names.Plugins = Plugins
        names.PythonFileReporter = file_reporter
        names.combine_parallel_data = _combiner(names.combine_parallel_data)
        for kind in _REPORTERS:
            if isinstance(getattr(names, kind, None), type):
                setattr(names, kind, _quicker(getattr(names, kind)))


def register(reg: _Plugins, options: Mapping[str, Any] | None = None) -> None:
    """Add our plugin to the registry of a Coverage object, which makes that object ours."""
    cov = _running(control.Coverage._init)
    plugin = QuickcoverPlugin(cov, options)
    _registered[reg] = plugin
    reg.add_noop(plugin)
    if cov is not None and cov._inorout is None and _running(control.Coverage.sys_info):
        # `coverage debug sys` shows no plugin's sys_info(), but that of an InOrOut; it has none.
        cov._inorout = plugin


def file_reporter(morf: Any, coverage: Coverage) -> PythonFileReporter:
    """What coverage.py makes for each file that it may report on; ours for objects that are."""
    if coverage._plugins not in _registered:
        return PythonFileReporter(morf, coverage)
    from quickcover.coveragepy_report import FileReporter  # measuring doesn't need it

    return FileReporter(morf, coverage)


def _combiner(original: Callable[..., None]) -> Callable[..., None]:
    """What combines data files: quicker if the Coverage object is ours."""

    def combine(*args: Any, **kwargs: Any) -> None:
        cov = _running(control.Coverage.combine)
        work = original
        if cov is not None and cov._plugins in _registered and not cov.config.debug:
            from quickcover._combine import sooner

            work = sooner(original, sqldata)
        work(*args, **kwargs)

    return combine


def _quicker(reporter: Any) -> Callable[[Coverage], Any]:
    """What makes a reporter for a Coverage object: one that is quicker if the object is ours."""

    def make(coverage: Coverage) -> Any:
        made = reporter(coverage)
        if coverage._plugins in _registered:
            from quickcover.coveragepy_report import sooner

            made.report = sooner(coverage, made)
        return made

    return make


class QuickcoverPlugin(CoveragePlugin):
    """The plugin as coverage.py sees it: it takes part in nothing, but shows what was decided."""

    def __init__(self, cov: Coverage | None, options: Mapping[str, Any] | None) -> None:
        self._cov = weakref.ref(cov) if cov is not None else None
        self._options = options
        #: What the Core decided; None before the first start.
        self.decision: Decision | None = None

    def options(self, config: CoverageConfig) -> Mapping[str, Any]:
        """The options that `coverage_init` was given, else those of the configuration."""
        return self._options or _options(config)

    def sys_info(self) -> Iterable[tuple[str, Any]]:
        """What `--debug=sys` shows: versions, files, the engine, and why this one."""
        decision = self.decision
        cov = self._cov() if self._cov is not None else None
        if decision is None and cov is not None:
            dynamic_context = cov.config.dynamic_context not in (None, "", "none")
            decision = decide(
                _asked(cov, cov.config, dynamic_context or bool(cov._plugins.context_switchers))
            )
        info: list[tuple[str, Any]] = [
            ("quickcover_version", quickcover.__version__),
            ("quickcover_extension", _engines.extension()),
            ("quickcover_tested_with", f"coverage.py {tested_range()}; this is {coverage_version}"),
            ("quickcover_installed", _startup.active()),
        ]
        if decision is None:
            return info
        return [
            *info,
            ("quickcover_engine", decision.engine or f"-none-: {decision.problem}"),
            ("quickcover_engines", [str(verdict) for verdict in decision.verdicts]),
        ]


# Which registries our plugin is in.
_registered: weakref.WeakKeyDictionary[_Plugins, QuickcoverPlugin] = weakref.WeakKeyDictionary()


def _asked(cov: Coverage | None, config: CoverageConfig, function_contexts: bool) -> Asked:
    """What a Coverage object (None if it is unknown) asks for."""
    plugin = _registered.get(cov._plugins) if cov is not None else None
    tracers = cov._plugins.file_tracers if cov is not None else ()
    return Asked(
        config=config,
        options=plugin.options(config) if plugin is not None else _options(config),
        plugin=plugin is not None,
        plugin_contexts=function_contexts and (cov is None or bool(cov._plugins.context_switchers)),
        test_contexts=config.dynamic_context == "test_function",
        file_tracers=tuple(tracer._coverage_plugin_name for tracer in tracers),
        version=version_info,
    )


class Core(_Core):
    """coverage.py's choice of a core, with our engines to choose from."""

    #: What was decided, for display.
    decision: Decision

    def __init__(self, **kwargs: Any) -> None:
        """Decide, and set what coverage.py reads.

        Args:
            kwargs: what coverage.py gives; that differs between its releases.

        Raises:
            ConfigError: an engine is forced that is unknown or can't do what is asked.
        """
        config: CoverageConfig = kwargs["config"]
        # The Coverage object itself is not among the arguments; `warn` is its method.
        cov = getattr(kwargs["warn"], "__self__", None)
        cov = cov if isinstance(cov, control.Coverage) else None
        asked = _asked(cov, config, kwargs["dynamic_contexts"])
        self.decision = decide(asked)
        if cov is not None and cov._plugins in _registered:
            _registered[cov._plugins].decision = self.decision
        if self.decision.severity == "error":
            raise ConfigError(self.decision.problem)
        if self.decision.engine is not None:
            self._use(self.decision.engine, cov)
            switchers = cov is None or cov._plugins.context_switchers
            if not switchers:
                test_contexts = config.dynamic_context == "test_function"
                self.tracer_kwargs = {"test_contexts": test_contexts}
            _carry(config, asked.options)
            for option in sorted(set(asked.options) - _OPTIONS):
                kwargs["warn"](f"Unrecognized option '[{NAME}] {option}='")
            return
        if self.decision.severity == "warning":
            problem = f"{self.decision.problem}; measuring with coverage.py's own core"
            kwargs["warn"](problem, slug="no-quickcover", once=True)
        if config.core == NAME:
            kwargs["config"] = config.copy()
            kwargs["config"].core = None
        super().__init__(**kwargs)

    def _use(self, engine: str, cov: control.Coverage | None) -> None:
        """Set everything that coverage.py reads from a Core."""
        if not isinstance(files.abs_file, AbsFile):
            files.abs_file = AbsFile(files.abs_file, _engines.real_path(engine))
        if cov is not None and cov._file_mapper is files.abs_file.original:
            cov._file_mapper = files.abs_file
        self.tracer_class = _engines.tracer_class(engine)
        self.tracer_kwargs = {}
        self.file_disposition_class = FileDisposition
        self.supports_plugins = engine == "trace"
        self.supports_dynamic_contexts = True
        self.packed_arcs = False
        # True has coverage.py give new threads a trace function, which starts a tracer there.
        self.systrace = engine == "trace"


class Collector(_Collector):
    """coverage.py's Collector, with a `Store` of the C core for its data."""

    def __new__(cls, core: _Core, *args: Any, **kwargs: Any) -> Any:
        """Make coverage.py's own Collector for a Core that isn't ours."""
        if isinstance(core, Core) and core.decision.engine is not None:
            return super().__new__(cls)
        return _Collector(core, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Make one; the arguments are coverage.py's."""
        super().__init__(*args, **kwargs)
        self._asked_of_coverage = self.should_trace
        assert isinstance(files.abs_file, AbsFile)  # our Core saw to that
        self._abs_file = files.abs_file
        self.should_trace = self._should_trace

    def _should_trace(self, filename: str, frame: FrameType) -> TFileDisposition:
        """Decide as coverage.py does, which never measures itself: nor do we."""
        self._abs_file.begin()
        try:
            disposition = self._asked_of_coverage(filename, frame)
        finally:
            self._abs_file.end()
        if disposition.trace and disposition.canonical_filename.startswith(_OUR_FILES):
            disposition.trace = False
            disposition.reason = "is part of quickcover"
        return disposition

    def reset(self) -> None:
        """Forget all data, and prepare to collect more.

        The tracers are forgotten too, so they are stopped: nobody else could do it later.
        """
        for tracer in getattr(self, "tracers", ()):
            tracer.stop()
        super().reset()
        begun = _startup.hand_over(self.core.tracer_class.__name__, self.branch)
        if begun is None:
            store = _engines.store_class(self._engine)(branch=self.branch)
            begun = _startup.Begun(store, [])
        self._store: _native.Store = begun.store
        if self._engine == "monitoring" and self.branch:
            self._store.in_place = not _env.jit_enabled()
        # Tracers that are to be taken over; usually none.
        self._running = begun.tracers
        self.data: TTraceData = self._store
        self._kept = Kept(sqldata)
        for context, recorded in begun.recorded:
            self._kept.add(context, recorded)
        #: Modules of `source` that no file was found for but when an engine started.
        self._asked_early: set[str] = set()

    @property
    def _engine(self) -> str:
        """The engine that measures."""
        engine: str = self.core.decision.engine  # type: ignore[attr-defined]
        return engine

    def start(self) -> None:
        """Start collecting; tell children how to do it, and the next run of this command line."""
        cov = getattr(self._asked_of_coverage, "__self__", None)
        command, _startup.State.command = _startup.State.command, None
        if isinstance(cov, control.Coverage):
            systrace = self.core.systrace
            if "subprocess" in cov.config.patch:
                from quickcover import _children

                _children.tell(cov, self._engine, systrace, sqldata)
            elif command is not None:
                from quickcover import _children

                with suppress(Exception):  # whatever goes wrong there costs time alone
                    _children.keep(cov, command, self._engine, systrace, sqldata)
        super().start()

    def _start_tracer(self) -> Any:
        """Start a tracer for this thread, or take over those that run already.

        The probe engine asks about functions that exist when it starts.  That doesn't count as
        having met a module: coverage.py is to warn of those that were imported before.  And most
        of those files are never asked about again: their decisions need not be kept.  The tracers
        of further threads ask nothing at the start, and what other threads decide meanwhile stays.
        """
        if self.tracers:
            return super()._start_tracer()
        unmatched, decisions = self._unmatched(), self.should_trace_cache
        before, known = unmatched.copy(), set(decisions)
        function = self._start_or_take_over()
        self._asked_early |= set(before) - set(unmatched)
        unmatched[:] = before
        for filename in set(decisions) - known:
            disposition = decisions[filename]
            if disposition is None or not disposition.trace:
                del decisions[filename]
        return function

    def _unmatched(self) -> list[str]:
        """coverage.py's list of the modules of `source` that were not met yet."""
        inorout = getattr(getattr(self._asked_of_coverage, "__self__", None), "_inorout", None)
        return getattr(inorout, "source_pkgs_unmatched", [])

    def _note_met(self, recorded: Mapping[str, Any]) -> None:
        """Now count those modules as met whose code did run."""
        for name in sorted(self._asked_early):
            file = getattr(sys.modules.get(name), "__file__", None)
            if file and canonical_filename(file) in recorded:
                self._asked_early.remove(name)
                if name in self._unmatched():
                    self._unmatched().remove(name)

    def _start_or_take_over(self) -> Any:
        if not self._running:
            return super()._start_tracer()
        running, self._running = self._running, []
        wanting: Any = self.core
        wanted = wanting.tracer_class
        function = None
        try:
            for tracer in running:
                # Its start() does nothing: it was started.
                wanting.tracer_class = lambda found=tracer, **_kwargs: found
                function = super()._start_tracer()
        finally:
            wanting.tracer_class = wanted
        return function

    def pause(self) -> None:
        """Stop all tracers, for a while or for good; warn if one of them failed."""
        hook = None if self.core.systrace else threading.gettrace()
        super().pause()
        if hook is not None:
            threading.settrace(hook)  # not ours: a debugger's, say
        self._warn_of_error()

    def switch_context(self, new_context: str | None) -> str | None:
        """Keep what was hit under the old context, and see every place again in the new one.

        It is kept in memory until much has come together: a data file takes a thousand contexts at
        once in the time of a few.

        Returns:
            The previous context (None with a coverage.py that doesn't say).
        """
        for recorded in self._store.turn():
            if recorded:
                self._take(recorded)
        self._warn_of_error()
        if self._kept.size > _MAX_KEPT:
            self._write_kept()
        context = self.static_context or new_context
        if self.static_context and new_context:
            context = f"{self.static_context}|{new_context}"
        return self.covdata.set_context(context)

    def _keep(self) -> bool:
        """Take what was recorded since the last time; was anything executed since?"""
        # In this order a hit that arrives meanwhile is in this drain or announced for the next.
        # What is drained is kept in any case.
        activity = self._store.activity
        self._store.activity = False
        recorded = self._store.drain(packed=True)
        self._warn_of_error()
        if activity or recorded:
            self._take(recorded)
        return bool(activity or recorded)

    def _take(self, recorded: Mapping[str, bytes]) -> None:
        """Keep what was recorded in the context that is set."""
        if self._asked_early:
            self._note_met(recorded)
        self._kept.add(self.covdata._current_context, recorded)

    def flush_data(self) -> bool:
        """Store what was recorded since the last flush.

        Returns:
            False if nothing was executed since.
        """
        self._keep()
        return self._write_kept()

    def _write_kept(self) -> bool:
        """Write what was kept; was there anything?"""
        if not self._kept.write(self.covdata, self.branch, self.cached_mapped_file):
            return False
        self.covdata.add_file_tracers(
            {
                self.cached_mapped_file(filename): plugin
                for filename, plugin in self.file_tracers.copy().items()
                if plugin not in self.disabled_plugins
            }
        )
        return True

    def _warn_of_error(self) -> None:
        """Warn if the C core failed, or could not do all, since the last time."""
        error = self._store.take_error()
        if error is not None:
            self.warn_of(error)

    def warn_of(self, error: BaseException | None) -> None:
        """Warn of an error of the C core, if it is one."""
        if isinstance(error, RuntimeWarning):
            self.warn(f"quickcover could not see everything: {error}", slug="quickcover-incomplete")
        elif error is not None:
            reason = f"{type(error).__name__}: {error}"
            message = f"quickcover stopped measuring after an error, data is missing: {reason}"
            self.warn(message, slug="quickcover-error")


class Plugins(_Plugins):
    """coverage.py's plugin registry, which loads ours too while `install()` is in force."""

    def load_from_config(self, modules: Iterable[str], config: Any) -> None:
        """Load the configured plugins, and ours."""
        if _startup.active():
            _carry(config, _options(config))
            modules = config.plugins
        super().load_from_config(modules, config)

    def load_from_callables(self, plugin_inits: Iterable[Any]) -> None:
        """Call the given functions, and ours."""
        super().load_from_callables(plugin_inits)
        if _startup.active() and self not in _registered:
            register(self)


def _carry(config: CoverageConfig, options: Mapping[str, Any]) -> None:
    """Put us into `config`, so that child processes, which may get it, use quickcover too."""
    if NAME not in config.plugins:
        config.plugins = [*config.plugins, NAME]
        config.plugin_options[NAME] = options


def _options(config: CoverageConfig) -> Mapping[str, Any]:
    """The `[quickcover]` section.  coverage.py reads it only if `[run] plugins` names us."""
    if NAME in config.plugins or config.config_file is None:
        return config.plugin_options.get(NAME, {})
    from coverage.config import HandyConfigParser
    from coverage.tomlconfig import TomlConfigParser

    filename = Path(config.config_file).name
    ours = filename not in ("setup.cfg", "tox.ini", "pyproject.toml")
    parser = (TomlConfigParser if filename.endswith(".toml") else HandyConfigParser)(ours)
    parser.read(config.config_file)
    return parser.get_section(NAME) if parser.has_section(NAME) else {}


def _running(method: Any) -> Any:
    """The object whose method that is, from the nearest frame up the stack, or None."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code is not method.__code__:
        frame = frame.f_back
    return frame.f_locals.get("self") if frame is not None else None


def gone_on(settings: Mapping[str, Any], running: bool) -> Coverage:
    """Make the Coverage object of a command that began without it.

    Args:
        settings: of the command line, for `Coverage`.
        running: it is to measure on.

    Raises:
        Exception: whatever coverage.py raises.
    """
    cov = control.Coverage(messages=True, **settings)
    cov._warn_preimported_source = False
    if running:
        cov.start()
    else:
        cov._init()
        cov._inited_for_start = True
        cov._init_for_start()
    return cov


def tell(cov: Coverage, warnings: Iterable[Any], error: BaseException | None) -> None:
    """Warn of what happened before that object was there."""
    for message, how in warnings:
        cov._warn(*message, **how)
    if isinstance(cov._collector, Collector):
        cov._collector.warn_of(error)


def finished(cov: Coverage) -> bool:
    """Stop and save; False if that failed, and the user was told why."""
    import sqlite3

    try:
        cov.stop()
        cov.save()
    except (CoverageException, OSError, sqlite3.Error) as error:
        print(_error_message(error), file=sys.stderr)
        return False
    return True


def run_command(argv: list[str]) -> int | str | None:
    """Run one command of coverage.py, with messages about errors on stderr.

    Returns:
        What `coverage.cmdline.main` returns.
    """
    import sqlite3

    from coverage import cmdline

    class Script(cmdline.CoverageScript):
        """Prints to stderr what `coverage.cmdline.main` would print to stdout or as a traceback."""

        def command_line(self, argv: list[str]) -> int:
            try:
                return super().command_line(argv)
            except _ExceptionDuringRun:
                raise  # the measured program's own, with a traceback
            except (CoverageException, OSError, sqlite3.Error) as error:
                print(_error_message(error), file=sys.stderr)
                return cmdline.ERR

    original = cmdline.CoverageScript
    cmdline.CoverageScript = Script  # type: ignore[misc]
    try:
        return cmdline.main(argv)
    finally:
        cmdline.CoverageScript = original  # type: ignore[misc]


def _error_message(error: Exception) -> str:
    """What coverage.py tells of `error`, with the page that explains it."""
    if not isinstance(error, CoverageException):  # a file that can't be used, or a full disk
        return f"Couldn't measure or report: {type(error).__name__}: {error}"
    message = str(error.args[0])
    if error.slug is None:
        return message
    return f"{message.rstrip('.')}; see {coverage_url}/messages.html#error-{error.slug}"
