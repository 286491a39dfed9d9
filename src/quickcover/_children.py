"""What a measuring process tells its children, so that they can do without coverage.py.

Only where the configuration is one that `_child.py` understands whole; where anything else is
asked, there is no message, and children start coverage.py.  The next run of the same command line
is told in the same way (`_resolved.py`).
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

from quickcover import _child, _datafile, _engines, _resolved
from quickcover._startup import CHILD_VARIABLE, CONFIG_VARIABLE

if TYPE_CHECKING:
    from types import ModuleType

_PATCHES = frozenset({"subprocess", "_exit", "execv"})
#: Where coverage.py may put the value of an environment variable.
_VARIABLE = re.compile(r"\$[\w{]")


def tell(cov: Any, engine: str, systrace: bool, sqldata: ModuleType) -> None:
    """Put the message for children into the environment, or take an old one out.

    Args:
        cov: the Coverage object, which is about to start.
        engine: the engine that measures.
        systrace: threads have to be given a tracer each.
        sqldata: coverage.py's module that knows data files.
    """
    config = os.environ.get(CONFIG_VARIABLE)
    rules = _rules(cov) if config is not None and _simple(cov) and cov.config.parallel else None
    if config is None or rules is None or not set(cov.config.patch) <= _PATCHES:
        os.environ.pop(CHILD_VARIABLE, None)
        return
    told: dict[str, list[str]] = {
        "interpreter": _child.interpreter(),
        "directory": [os.getcwd()] if _relative(cov.config) else [],
        "config": [config],
        **_manner(cov, engine, systrace, sqldata),
        **rules,
    }
    try:
        os.environ[CHILD_VARIABLE] = _child.encoded(told)
    except ValueError:
        os.environ.pop(CHILD_VARIABLE, None)


def keep(cov: Any, command: Any, engine: str, systrace: bool, sqldata: ModuleType) -> None:
    """Keep what its next run needs to know, if that is one that can do without coverage.py.

    Args:
        cov: the Coverage object, which is about to start.
        command: a `_quickrun.Command`.
        engine: the engine that measures.
        systrace: threads have to be given a tracer each.
        sqldata: coverage.py's module that knows data files.
    """
    config = cov.config
    asked = config.patch or config._crash or config.include_namespace_packages
    # coverage.py's own use of the standard library is measured, too.
    asked = asked or config.cover_pylib or cov._warnings
    rules = _rules(cov) if not asked else None
    package = os.path.dirname(os.path.abspath(sqldata.__file__ or ""))
    reader = sys.modules[type(config).__module__]
    if rules is None or not _simple(cov) or not _resolved.imported(package):
        return
    file = command.settings.get("config_file", True)
    files = [name for name, *_ in reader.config_files_to_try(file)] if file else []
    if any(_VARIABLE.search(text) for name in files for text in _resolved.contents(name)[1:]):
        return  # parts of it come from the environment
    given = [*(config.source or ()), *config.source_dirs]
    patterns = [*(config.run_include or ()), *(config.run_omit or ())]
    paths = [*given, *(name for name in patterns if not name.startswith(("*", "?")))]
    _resolved.keep(
        {
            **_resolved.circumstances(command.options),
            **_resolved.surroundings(package, files, paths),
            **_manner(cov, engine, systrace, sqldata),
            **rules,
        }
    )


def _manner(cov: Any, engine: str, systrace: bool, sqldata: ModuleType) -> dict[str, list[str]]:
    """How to measure, and what to write."""
    tables = _datafile.tables_of(sqldata.SCHEMA) if engine != _engines.PURE else []
    return {
        "engine": [engine],
        "systrace": ["yes"] if systrace else [],
        "branch": ["yes"] if cov.config.branch else [],
        "relative": ["yes"] if cov.config.relative_files else [],
        "patch": sorted(cov.config.patch),
        "sigterm": ["yes"] if cov.config.sigterm else [],
        "suffix": ["yes"] if cov.config.parallel else [],
        "data_file": [os.path.abspath(cov.config.data_file)],
        "tables": tables,
        "schema": [sqldata.SCHEMA] if not tables else [],
        "schema_version": [str(sqldata.SCHEMA_VERSION)],
        "version": [sqldata.__version__],
    }


def _simple(cov: Any) -> bool:
    """Is everything that is asked something that can be done without coverage.py?"""
    config = cov.config
    return (
        list(config.plugins) == ["quickcover"]
        and not cov._plugins.file_tracers
        and not cov._plugins.context_switchers
        and list(config.concurrency) in ([], ["thread"])
        and config.dynamic_context in (None, "", "none")
        and not config.context
        and not config.debug
        and not config.timid
        and hasattr(os, "uname")
    )


def _relative(config: Any) -> bool:
    """Does the configuration mean other files in another directory?"""
    made_absolute = {name for name, _ in getattr(config, "SERIALIZE_ABSPATH", ())}
    sources = {"source": config.source, "source_dirs": config.source_dirs}
    if any(given and name not in made_absolute for name, given in sources.items()):
        return True
    patterns = [*(config.run_include or ()), *(config.run_omit or ())]
    return not all(pattern.startswith(("*", "?", os.sep)) for pattern in patterns)


def _rules(cov: Any) -> dict[str, list[str]] | None:
    """The rules of coverage.py's `InOrOut`; None if they are others than `_child.Rules` knows."""
    found = cov._inorout
    module = sys.modules[type(found).__module__]
    if found.source_pkgs or not hasattr(module, "_analyze_directory"):
        return None
    installed: set[str] = set()
    module._add_sysconfig_paths(installed, ["platlib", "purelib", "scripts"])
    return {
        "source": _trees(found.source_match),
        "include": _pattern(found.include_match),
        "omit": _pattern(found.omit_match),
        "stdlib": _trees(found.pylib_match),
        "coverage": _trees(found.coverage_match),
        "installed": sorted(installed),
    }


def _trees(matcher: Any) -> list[str]:
    return list(matcher.paths) if matcher is not None else []


def _pattern(matcher: Any) -> list[str]:
    return [matcher.re.pattern] if matcher is not None else []
