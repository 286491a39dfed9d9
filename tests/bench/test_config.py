"""The user's configuration, and what a benchmark changes in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from quickcover.bench import config
from quickcover.bench.errors import CommandError

INI = """\
[{prefix}run]
branch = true
core = ctrace
plugins =
    other
    quickcover
source = pkg
data_file = somewhere
[{prefix}quickcover]
engine = trace
[{prefix}report]
exclude_also =
    if x:

    raise \\w+ %
"""

TOML = """\
[tool.coverage.run]
branch = true
core = "ctrace"
plugins = ["other", "quickcover"]
source = ["pkg"]
data_file = "somewhere"
[tool.coverage.quickcover]
engine = "trace"
[tool.coverage.report]
exclude_also = ["if x:", 'raise \\w+ %']
"""

FILES = {
    ".coveragerc": INI.replace("{prefix}", ""),
    "setup.cfg": INI.replace("{prefix}", "coverage:"),
    "tox.ini": INI.replace("{prefix}", "coverage:"),
    "pyproject.toml": TOML,
    ".coveragerc.toml": TOML.replace("tool.coverage.", ""),
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COVERAGE_RCFILE", raising=False)


def read_back(branch: bool, quickcover: bool, rcfile: str | None = None) -> dict[str, object]:
    """What coverage.py makes of the file that is written."""
    from coverage import Coverage

    config.write(config.read(rcfile), Path("out"), branch=branch, quickcover=quickcover)
    found = Coverage(config_file="out").config
    return {
        "branch": found.branch, "core": found.core, "plugins": found.plugins,
        "source": found.source, "exclude": found.exclude_list[-2:],
        "engine": found.plugin_options.get("quickcover", {}).get("engine"),
    }  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_settings_are_kept_but_for_what_tools_differ_in(name: str) -> None:
    Path(name).write_text(FILES[name])
    kept = {"source": ["pkg"], "exclude": ["if x:", "raise \\w+ %"], "core": None}
    assert read_back(branch=False, quickcover=True) == kept | {
        "branch": False, "plugins": ["other", "quickcover"], "engine": "trace",
    }  # fmt: skip
    assert read_back(branch=True, quickcover=False) == kept | {
        "branch": True, "plugins": ["other"], "engine": None,
    }  # fmt: skip


def test_no_settings() -> None:
    Path("pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert config.read(None) == {}
    assert read_back(branch=True, quickcover=True)["branch"] is True


def test_the_first_file_with_settings_counts() -> None:
    Path("setup.cfg").write_text("[metadata]\nname = x\n")
    Path("tox.ini").write_text("[coverage:run]\nsource = second\n")
    Path("pyproject.toml").write_text(TOML)
    assert config.read(None)["run"] == {"source": "second"}


def test_named_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("rc").write_text("[run]\nsource = named\n")
    Path(".coveragerc").write_text("[run]\nsource = other\n")
    assert config.read("rc")["run"]["source"] == "named"
    monkeypatch.setenv("COVERAGE_RCFILE", "rc")
    assert config.read(None)["run"]["source"] == "named"


@pytest.mark.parametrize("name, text", [("rc", "[run\n"), ("rc.toml", "x = ["), ("rc", "x = 1")])
def test_broken_file(name: str, text: str) -> None:
    Path(name).write_text(text)
    with pytest.raises(CommandError, match="couldn't read config file"):
        config.read(name)


def test_missing_file() -> None:
    with pytest.raises(CommandError, match="couldn't read 'rc' as a config file"):
        config.read("rc")


def test_directories() -> None:
    Path("src").mkdir()
    assert config.directories({"run": {"source": "\nsrc\npkg"}}, None) == ["src"]
    assert config.directories({}, "src,pkg") == ["src"]
    assert config.directories({}, None) == []
