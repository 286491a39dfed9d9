"""Running a program as `coverage run` does, without coverage.py.

Scripts and modules, that is, as they usually are.  Anything else (directories, zip files, compiled
files, sources in another encoding than UTF-8, isolated interpreters, programs that aren't there)
is left to coverage.py.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # importing typing takes longer than all of this
if TYPE_CHECKING:
    from types import CodeType, TracebackType
    from typing import Any

_ModuleType = type(sys)


class NotHereError(Exception):
    """This program isn't one that can be run here; nothing of it was run yet."""


class ProgramError(Exception):
    """An exception of the program that `sys.excepthook` failed to show."""

    def __init__(self, error: BaseException, traceback: TracebackType | None) -> None:
        """Keep it."""
        super().__init__(error)
        self.error = error
        self.traceback = traceback


class _Loader:
    """What the program's module has for a loader."""

    def __init__(self, fullname: str) -> None:
        self.fullname = fullname


class Program:
    """One to be run."""

    def __init__(self, arguments: list[str], as_module: bool) -> None:
        """Look at it, and change nothing.

        Args:
            arguments: its name, and its command line.
            as_module: it is a module's name.

        Raises:
            NotHereError: it can't be run here.
        """
        self._arguments = list(arguments)
        self._module = arguments[0] if as_module else ""
        self._spec: Any = None
        self._package: str | None = None
        if sys.flags.safe_path or sys.flags.isolated or not os.path.isdir(sys.path[0]):
            raise NotHereError
        if as_module:
            self._path = os.getcwd()
        else:
            self._path = os.path.abspath(os.path.dirname(os.path.realpath(arguments[0])))
            self._file = os.path.abspath(arguments[0])
            self._code = _compiled(self._file)
        self._old_path = sys.path[0]

    def prepare(self) -> None:
        """Put the program's directory where ours is in `sys.path`.

        Raises:
            NotHereError: there is no such module; nothing is changed then.
        """
        frame = sys._getframe()
        while frame.f_back is not None:
            frame = frame.f_back
        ours = os.path.dirname(frame.f_code.co_filename)
        if os.path.realpath(sys.path[0]) == os.path.realpath(ours):
            sys.path[0] = os.path.abspath(self._path)
        if self._module:
            from importlib.util import find_spec

            top = self._module.partition(".")[0]
            try:
                found = bool(top) and find_spec(top) is not None
            except (ImportError, ValueError):
                found = False
            if not found:
                self.undo()
                raise NotHereError

    def undo(self) -> None:
        """Undo `prepare`."""
        sys.path[0] = self._old_path

    def run(self) -> None:
        """Run it.

        Raises:
            NotHereError: its module isn't one that can be run here; packages around it may have
                been imported.
            SystemExit: it ended with that, or with an exception that is told already.
            ProgramError: it ended with an exception that can't be told as it should be.
            BaseException: what isn't an Exception.
        """
        if self._module:
            self._find()
        main = self._main_module()
        sys.modules["__main__"] = main
        sys.argv = self._arguments
        directory = os.getcwd()
        try:
            exec(self._code, main.__dict__)
        except SystemExit:
            raise
        except Exception as error:
            _tell(error)
        finally:
            os.chdir(directory)

    def _find(self) -> None:
        """Find the module, which imports the packages around it."""
        from importlib.util import find_spec

        try:
            spec = find_spec(self._module)
            if spec is not None and spec.submodule_search_locations:
                spec = find_spec(f"{self._module}.__main__")
        except ImportError:
            raise NotHereError from None
        if spec is None or not spec.origin or not spec.has_location:
            raise NotHereError
        self._file = os.path.abspath(spec.origin)
        self._code = _compiled(self._file)
        self._spec = spec
        self._package = spec.name.rpartition(".")[0]
        self._arguments[0] = self._file

    def _main_module(self) -> Any:
        main: Any = _ModuleType("__main__")
        main.__file__ = self._file
        main.__builtins__ = sys.modules["builtins"]
        main.__loader__ = _Loader(self._spec.name if self._spec is not None else "__main__")
        if self._spec is not None:
            self._spec.loader = main.__loader__
            main.__spec__ = self._spec
            main.__package__ = self._package
        return main


def _compiled(path: str) -> CodeType:
    """The code of a source file, read as coverage.py reads it.

    Raises:
        NotHereError: it can't be had here.
    """
    if not os.path.isfile(path) or path.endswith((".pyc", ".pyo")):
        raise NotHereError
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError:
        raise NotHereError from None
    source = source.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\f", b" ")
    if source.startswith(b"\xef\xbb\xbf") or b"coding" in b"".join(source.split(b"\n", 2)[:2]):
        raise NotHereError
    text = source.decode("utf-8", "replace")
    if text and not text.endswith("\n"):
        text += "\n"
    try:
        code: CodeType = compile(text, path, "exec", dont_inherit=True)
    except Exception:
        raise NotHereError from None
    return code


def _tell(error: Exception) -> None:
    """Show a program's exception, without our frame, as Python would; always raises."""
    traceback = error.__traceback__.tb_next if error.__traceback__ is not None else None
    error.__traceback__ = traceback
    try:
        sys.excepthook(type(error), error, traceback)
    except SystemExit:
        raise
    except Exception as second:
        sys.stderr.write("Error in sys.excepthook:\n")
        second.__suppress_context__ = True
        if second.__traceback__ is not None:
            second.__traceback__ = second.__traceback__.tb_next
        sys.__excepthook__(type(second), second, second.__traceback__)
        sys.stderr.write("\nOriginal exception was:\n")
        raise ProgramError(error, traceback) from second
    sys.exit(1)
