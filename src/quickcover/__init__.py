"""quickcover: a fast C core for coverage.py.

Three ways in, all with coverage.py's own commands, data files and reports:

- `[run] plugins = quickcover` in coverage.py's configuration;
- `quickcover run ...` or `pytest --quickcover`, with no configuration;
- `quickcover.install()`, for every `Coverage` object made from then on.

And without coverage.py: `quickcover.Session`, the coverage of each example, for coverage-guided
testing.

Importing this package is cheap: coverage.py and the C extension are imported only when they are
needed.  (PYTEST_DONT_REWRITE: pytest has nothing to rewrite here, and we may be loaded before it.)
"""

from __future__ import annotations

from quickcover import _startup

TYPE_CHECKING = False  # importing typing takes longer than all of this
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from quickcover.session import Example, Location, Session, SessionError

__all__ = [
    "Example",
    "Location",
    "Session",
    "SessionError",
    "__version__",
    "coverage_init",
    "install",
    "uninstall",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import what needs the C extension only when it is asked for."""
    if name in ("Example", "Location", "Session", "SessionError"):
        from quickcover import session

        return getattr(session, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def install() -> None:
    """Use quickcover in every `coverage.Coverage` object made from now on.

    This holds for child processes too, as far as they are measured: subprocesses, processes of
    multiprocessing (forked or spawned) and pytest-xdist's workers.  They are told by the
    environment variable QUICKCOVER_INSTALL.  Objects whose configuration asks for another core
    (`[run] core`, COVERAGE_CORE, `timid`) keep it.

    Calls nest: `uninstall` undoes one `install`.  coverage.py need not be imported yet.

    Raises:
        ImportError: coverage.py is unusable, and QUICKCOVER_ENGINE forces an engine.  Without a
            forced engine this is a warning, and coverage.py's own core stays in place.
    """
    _startup.install()


def uninstall() -> None:
    """Undo one `install`; with none left, new `Coverage` objects get coverage.py's own core.

    Objects that were configured with the plugin keep using quickcover, and so do those that are
    already measuring.  Without a preceding `install` this does nothing.
    """
    _startup.uninstall()


def coverage_init(reg: Any, options: Mapping[str, Any] | None = None) -> None:
    """Make quickcover the core of the `Coverage` object that is loading its plugins.

    coverage.py calls this for `[run] plugins = quickcover`.  It can also be given directly:
    `Coverage(plugins=[quickcover.coverage_init])`.

    Args:
        reg: coverage.py's plugin registry (`coverage.plugin_support.Plugins`).
        options: the `[quickcover]` section of the configuration; `engine` forces an engine.

    Raises:
        ImportError: as in `install`.  An engine that is unknown or that can't do what is asked is
            reported when measuring starts, as coverage.py's ConfigError: reports are not affected.
    """
    seam = _startup.enter()
    if seam is not None:
        seam.register(reg, options)
