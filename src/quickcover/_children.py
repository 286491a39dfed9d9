"""What a measuring process tells its children, so that they can do without coverage.py.

Only where the configuration is one that `_child.py` understands whole; where anything else is
asked, there is no message, and children start coverage.py.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from quickcover import _child
from quickcover._startup import CHILD_VARIABLE, CONFIG_VARIABLE

if TYPE_CHECKING:
    from types import ModuleType

_PATCHES = frozenset({"subprocess", "_exit", "execv"})


def tell(cov: Any, tracer: str, systrace: bool, sqldata: ModuleType) -> None:
    """Put the message for children into the environment, or take an old one out.

    Args:
        cov: the Coverage object, which is about to start.
        tracer: the name of the tracer's class in `_native`.
        systrace: threads have to be given a tracer each.
        sqldata: coverage.py's module that knows data files.
    """
    config = os.environ.get(CONFIG_VARIABLE)
    rules = _rules(cov) if config is not None and _simple(cov) else None
    if config is None or rules is None:
        os.environ.pop(CHILD_VARIABLE, None)
        return
    told: dict[str, list[str]] = {
        "interpreter": _child.interpreter(),
        "directory": [os.getcwd()] if _relative(cov.config) else [],
        "config": [_child.checksum(config)],
        "tracer": [tracer],
        "systrace": ["yes"] if systrace else [],
        "branch": ["yes"] if cov.config.branch else [],
        "relative": ["yes"] if cov.config.relative_files else [],
        "patch": sorted(cov.config.patch),
        "sigterm": ["yes"] if cov.config.sigterm else [],
        "data_file": [os.path.abspath(cov.config.data_file)],
        "schema": [sqldata.SCHEMA],
        "schema_version": [str(sqldata.SCHEMA_VERSION)],
        "version": [sqldata.__version__],
        **rules,
    }
    try:
        os.environ[CHILD_VARIABLE] = _child.encoded(told)
    except ValueError:
        os.environ.pop(CHILD_VARIABLE, None)


def _simple(cov: Any) -> bool:
    """Is everything that is asked something that a child can do by itself?"""
    config = cov.config
    return (
        set(config.patch) <= _PATCHES
        and list(config.plugins) == ["quickcover"]
        and not cov._plugins.file_tracers
        and not cov._plugins.context_switchers
        and list(config.concurrency) in ([], ["thread"])
        and config.dynamic_context in (None, "", "none")
        and not config.context
        and not config.debug
        and not config.timid
        and config.parallel
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
