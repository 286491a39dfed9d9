"""`quickcover run` without importing coverage.py.

If an earlier run of the same command line kept what coverage.py found out about the configuration
(`_resolved.py`), this measures by itself, as subprocesses do (`_child.py`), and writes the data
file.  Whatever it doesn't know how to do, coverage.py does: from the start if that shows at the
start; and if it shows later, or if the program itself imports coverage.py, that takes over with all
that was recorded.
"""

from __future__ import annotations

import os
import sys

from quickcover import _child, _program, _resolved, _startup

TYPE_CHECKING = False  # importing typing takes longer than all of this
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

    from quickcover._child import Told

_FLAGS = {
    "--branch": "branch",
    "-m": "module",
    "--module": "module",
    "-p": "data_suffix",
    "--parallel-mode": "data_suffix",
}
_VALUES = {
    "--data-file": "data_file",
    "--include": "include",
    "--omit": "omit",
    "--rcfile": "config_file",
    "--source": "source",
}
_LISTS = ("include", "omit", "source")


class Command:
    """A command line of `quickcover run`."""

    def __init__(self, argv: list[str]) -> None:
        """Read it.

        Raises:
            LookupError: there is something in it that isn't known here.
        """
        #: All of it.
        self.argv = argv
        #: Options as `coverage.Coverage` takes them.
        self.settings: dict[str, Any] = {}
        words = argv[1:]
        while words[0].startswith("-"):
            option, equals, value = words.pop(0).partition("=")
            if option in _FLAGS and not equals:
                self.settings[_FLAGS[option]] = True
            else:
                self.settings[_VALUES[option]] = value if equals else words.pop(0)
        self.as_module = bool(self.settings.pop("module", False))
        #: The program, and its command line.
        self.program = words
        #: The part before the program.
        self.options = argv[: len(argv) - len(words)]
        for name in ("data_file", *_LISTS):
            if not self.settings.get(name, "something"):
                del self.settings[name]
            elif name in self.settings and name in _LISTS:
                self.settings[name] = self.settings[name].split(",")


def run(argv: list[str]) -> tuple[Any] | None:
    """Run a program, if that is possible without coverage.py.

    Args:
        argv: the command line, from "run" on.

    Returns:
        The exit status, fit for `sys.exit`; None if coverage.py has to do it all.
    """
    prepared = None
    try:
        command = Command(argv)
        if _possible():
            told = _resolved.find(command.options)
            if told is None:
                _startup.State.command = command  # to be kept for the next time
            else:
                prepared = _prepared(command, told)
    except (LookupError, OSError, ValueError, _program.NotHereError):
        return None
    return _measured(*prepared) if prepared is not None else None


def _possible() -> bool:
    """Is this a process that nobody measures yet, on a system where all this works?"""
    return (
        hasattr(os, "uname")
        and "coverage" not in sys.modules
        and _startup.State.child is None
        and _resolved.plain_environment()
    )


def _prepared(command: Command, told: Told) -> tuple[Run, _program.Program] | None:
    """Start measuring; None if it can't be done here."""
    program = _program.Program(command.program, command.as_module)
    try:
        measuring = Run(told, command)
    except Exception:  # coverage.py measures then, or says what is wrong
        return None
    if measuring.too_late():
        return None
    program.prepare()
    try:
        measuring.start()
    except Exception:  # as above
        program.undo()
        return None
    return measuring, program


def _measured(measuring: Run, program: _program.Program) -> tuple[Any]:
    """Run it, and end as coverage.py's command does."""
    import quickcover

    quickcover.install()
    os.environ["COVERAGE_RUN"] = "true"
    _startup.State.child = measuring
    left = False
    try:
        try:
            program.run()
        except _program.NotHereError:
            left = True
        finally:
            if not left:
                measuring.finish()
    except _program.ProgramError as problem:
        import traceback

        traceback.print_exception(type(problem.error), problem.error, problem.traceback)
        return (1,)
    except UnsavedError:
        return (1,)
    except SystemExit as end:
        return (end.args[0] if end.args else None,)
    finally:
        if not left:
            _startup.State.child = None
    return (measuring.leave() if left else 0,)


class UnsavedError(Exception):
    """The data couldn't be saved; the user was told."""


class Run(_child.Child):
    """The measuring of this process, until coverage.py takes over."""

    def __init__(self, told: Told, command: Command) -> None:
        """Prepare it.

        Args:
            told: what an earlier run kept.
            command: the command line.
        """
        super().__init__(told)
        self.command = command
        self._place = os.getcwd(), list(sys.path), _environment()
        #: coverage.py's object, if it took over.
        self._coverage: Any = None
        #: What it is to be told then.
        self._warnings: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        self._recorded: list[tuple[str | None, Any]] = []
        self._error: BaseException | None = None

    def too_late(self) -> bool:
        """Was a file imported that is to be measured?  coverage.py warns of that."""
        if not self._told["source"] and not self._told["include"]:
            return False
        names = {getattr(module, "__file__", None) for module in [*sys.modules.values()]}
        return any(
            self._rules.measured(self._rules.canonical(name))
            for name in names
            if isinstance(name, str)
        )

    def _patch(self) -> None:
        self._patch_signal()
        self._patch_threads()

    def warn(self, message: str, *slug: Any, **how: Any) -> None:
        """Have coverage.py tell the user, at the end."""
        self._warnings.append(((message, *slug), how))

    def finish(self) -> None:
        """Stop, and write what was recorded.

        Raises:
            UnsavedError: it couldn't be written.
        """
        if self._coverage is None:
            self._stop()
            self.save()
        if self._coverage is not None:
            from quickcover import coveragepy

            if not coveragepy.finished(self._coverage):
                raise UnsavedError

    def save(self) -> None:
        """Write what was recorded, or have coverage.py do it if that is not all there is to do."""
        activity = self._store.activity
        recorded = self._store.drain(packed=True)
        self._error = self._store.take_error()
        if not activity and not recorded and self._error is None and not self._warnings:
            return
        self._recorded = [(None, recorded)]
        if recorded and self._error is None and not self._warnings:
            try:
                self._write_recorded(recorded)
            except Exception:  # coverage.py will say what is wrong, or manage
                pass
            else:
                return
        try:
            self._let_in(running=False)
        except Exception as error:
            self._complain(recorded, error)

    def _complain(self, recorded: Any, error: Exception) -> None:
        """Coverage.py can't help: tell what there is to tell."""
        messages = [str(message[0]) for message, _ in self._warnings]
        if self._error is not None:
            messages.append(f"quickcover stopped after an error, data is missing: {self._error!r}")
        messages.append(f"coverage.py couldn't be used: {type(error).__name__}: {error}")
        for message in messages:
            _child.complain(message)
        try:
            self._write_recorded(recorded)
        except Exception as problem:
            _child.complain(f"Couldn't save: {type(problem).__name__}: {problem}")
            raise UnsavedError from None

    def _write_recorded(self, recorded: Any) -> None:
        named = {self._name(name): recorded[name] for name in recorded}
        self._writer.write(named, map(self._name, self._rules.unexecuted()))

    def take_over(self, _control: Any) -> None:
        """Let coverage.py measure on: the program has imported it."""
        try:
            self._let_in(running=True)
        except Exception as error:
            self.warn(f"coverage.py couldn't take over: {type(error).__name__}: {error}")

    def _let_in(self, *, running: bool) -> None:
        """Make coverage.py's object, which takes what was recorded; it measures on if `running`."""
        _startup.State.child = self
        kept = self._store, self._tracers
        try:
            with _AsAtTheStart(*self._place):
                coveragepy = _startup.seam()
                self._coverage = coveragepy.gone_on(self.command.settings, running)
            if self._store is not None:
                raise RuntimeError("it measures in another way")
        except BaseException:
            if self._coverage is not None:
                self._coverage.stop()
            self._coverage = None
            self._store, self._tracers = kept
            raise
        finally:
            _startup.State.child = None
        coveragepy.tell(self._coverage, self._warnings, self._error)

    def hand_over(self, tracer: str, branch: bool) -> _startup.Begun | None:
        """Give the store, the running tracers and what was recorded to coverage.py."""
        begun = super().hand_over(tracer, branch)
        if begun is not None:
            begun.recorded, self._recorded = self._recorded, []
        return begun

    def leave(self) -> int | str | None:
        """Have coverage.py run the program: it is none for us, and nothing of it ran yet."""
        _startup.State.child = None
        coveragepy = _startup.seam()
        if self._coverage is None:
            _startup.State.child = self
        else:
            self._coverage.stop()
            _child.complain("quickcover lost what ran while the program was looked for")
        try:
            status: int | str | None = coveragepy.run_command(self.command.argv)
        finally:
            _startup.State.child = None
        return status


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in os.environ if name.startswith("COVERAGE_")}


class _AsAtTheStart:
    """A context in which coverage.py finds itself and its configuration again."""

    def __init__(self, directory: str, path: list[str], environment: dict[str, str]) -> None:
        self._then = directory, path, environment
        self._now: Any = None

    def __enter__(self) -> None:
        try:
            directory: str | None = os.getcwd()
        except OSError:
            directory = None
        self._now = directory, list(sys.path), _environment()
        self._set(*self._then)

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._set(*self._now)

    @staticmethod
    def _set(directory: str | None, path: list[str], environment: dict[str, str]) -> None:
        if directory is not None:
            os.chdir(directory)
        sys.path[:] = path
        for name in _environment():
            del os.environ[name]
        os.environ.update(environment)
