"""The user's configuration of coverage.py, with what a benchmark has to say itself.

`branch`, the core and the plugin quickcover differ from tool to tool, and there is no option to
switch `branch` off.  So the user's settings are copied to a file of our own, and these are changed.
coverage.py reads that file; nothing here knows what the other settings mean.
"""

from __future__ import annotations

import configparser
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quickcover.bench.errors import CommandError

#: The files that coverage.py looks into, after COVERAGE_RCFILE; the first with settings counts.
_FILES = (".coveragerc", ".coveragerc.toml", "setup.cfg", "tox.ini", "pyproject.toml")
_OWN = (".coveragerc", ".coveragerc.toml")
_PREFIX = "coverage:"

#: What a tool decides: never copied.
_DECIDED = ("branch", "core", "timid", "data_file", "debug", "debug_file")

#: Sections, options, values.
Settings = dict[str, dict[str, str]]


def read(rcfile: str | None) -> Settings:
    """The user's settings; empty if there are none.

    Args:
        rcfile: the file to read, as `--rcfile`; None looks where coverage.py does.

    Raises:
        CommandError: a file can't be read.
    """
    rcfile = rcfile or os.environ.get("COVERAGE_RCFILE")
    if rcfile and not Path(rcfile).is_file():
        raise CommandError(f"couldn't read {rcfile!r} as a config file")
    for name in (rcfile,) if rcfile else _FILES:
        settings = _sections(Path(name)) if Path(name).is_file() else {}
        if settings:
            return settings
    return {}


def write(settings: Settings, path: Path, *, branch: bool, quickcover: bool) -> None:
    """Write the settings for one tool; `quickcover`: it is ours, the plugin may stay."""
    kept = {section: dict(options) for section, options in settings.items()}
    run = kept.setdefault("run", {})
    for option in _DECIDED:
        run.pop(option, None)
    run["branch"] = str(branch)
    plugins = _items(run.get("plugins", ""))
    if not quickcover and "quickcover" in plugins:
        run["plugins"] = _lines([plugin for plugin in plugins if plugin != "quickcover"])
        kept.pop("quickcover", None)
    text = []
    for section, options in kept.items():
        text.append(f"[{section}]")
        # Empty lines would end a value.
        text += [f"{option} = {_lines(_split(value))}" for option, value in options.items()]
    path.write_text("\n".join(text) + "\n", encoding="utf-8")


def directories(settings: Settings, source: str | None) -> list[str]:
    """The directories that are measured, for a tool that knows nothing of packages."""
    run = settings.get("run", {})
    wanted = _items(source or "") or _items(run.get("source", "")) + _items(
        run.get("source_dirs", "")
    )
    return [name for name in wanted if os.path.isdir(name)]


def _sections(path: Path) -> Settings:
    """What a file says about coverage."""
    own = path.name not in _FILES or path.name in _OWN
    try:
        if path.suffix == ".toml":
            return _from_toml(tomllib.loads(path.read_text("utf-8")), own)
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        parser.read_string(path.read_text("utf-8"))
    except (OSError, ValueError, configparser.Error) as error:
        raise CommandError(f"couldn't read config file {path}: {error}") from error
    return {
        name.removeprefix(_PREFIX): dict(parser.items(name))
        for name in parser.sections()
        if own or name.startswith(_PREFIX)
    }


def _from_toml(data: Mapping[str, Any], own: bool) -> Settings:
    """Tables of options; those that aren't are not for coverage.py."""
    tables = data.get("tool", {}).get("coverage", {}) or (data if own else {})
    return {
        section: {option: _text(value) for option, value in options.items()}
        for section, options in tables.items()
        if isinstance(options, dict)
    }


def _text(value: Any) -> str:
    """A TOML value as the other format has it."""
    return _lines([str(item) for item in value]) if isinstance(value, list) else str(value)


def _split(value: str) -> list[str]:
    return [line for line in value.splitlines() if line.strip()]


def _lines(items: list[str]) -> str:
    """One item, or one to a line."""
    return items[0] if len(items) == 1 else "".join(f"\n    {item.strip()}" for item in items)


def _items(value: str) -> list[str]:
    """What coverage.py reads as a list."""
    return [item for line in value.splitlines() for item in line.replace(",", " ").split()]
