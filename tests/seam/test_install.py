"""Which Coverage objects are ours: by plugin, by install(), by core; and which are left alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import coverage
import coverage.collector
import coverage.core
import pytest

import quickcover
from quickcover import _engines, _startup

from ..conftest import COMMON, STOCK, Runner
from .programs import OURS, THEIRS

STOCK_TRACER = {"ctrace": "CTracer", "pytrace": "PyTracer"}[STOCK]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COVERAGE_CORE", raising=False)


@pytest.fixture
def installed() -> Iterator[None]:
    quickcover.install()
    yield
    quickcover.uninstall()


def started(**kwargs: Any) -> coverage.Coverage:
    """A Coverage object that was started and stopped."""
    cov = coverage.Coverage(data_file=None, **kwargs)
    cov.start()
    cov.stop()
    return cov


def measured_by(cov: coverage.Coverage) -> str:
    return type(cov._collector).__module__


def configure(text: str) -> None:
    Path(".coveragerc").write_text(text)


def test_plugin_in_the_configuration() -> None:
    configure("[run]\nplugins = quickcover\n")
    assert measured_by(started()) == OURS


def test_plugin_in_pyproject() -> None:
    Path("pyproject.toml").write_text('[tool.coverage.run]\nplugins = ["quickcover"]\n')
    assert measured_by(started()) == OURS


def test_plugin_as_a_function() -> None:
    cov = started(config_file=False, plugins=[quickcover.coverage_init])
    assert measured_by(cov) == OURS
    assert cov.config.plugins == ["quickcover"], "children get it by the configuration"


def test_plugin_as_a_function_with_options() -> None:
    def init(reg: Any) -> None:
        quickcover.coverage_init(reg, {"engine": COMMON})

    cov = started(config_file=False, plugins=[init])
    assert cov._core is not None
    assert cov._core.tracer_class.__name__ == _engines.TRACERS[COMMON]


def test_other_objects_are_left_alone() -> None:
    ours = started(config_file=False, plugins=[quickcover.coverage_init])
    other = started(config_file=False)
    assert measured_by(ours) == OURS
    assert type(other._collector) is coverage.collector.Collector
    assert other.config.plugins == []


def test_install(installed: None) -> None:
    cov = started(config_file=False)
    assert measured_by(cov) == OURS
    assert cov.config.plugins == ["quickcover"]


def test_install_with_plugins_as_functions(installed: None) -> None:
    cov = started(config_file=False, plugins=[lambda reg: None])
    assert measured_by(cov) == OURS
    assert cov.config.plugins == ["quickcover"]


def test_install_and_the_plugin_do_not_add_up(installed: None) -> None:
    configure("[run]\nplugins = quickcover\n")
    cov = started()
    assert cov.config.plugins == ["quickcover"]
    assert len(list(cov._plugins)) == 1


def test_installs_nest() -> None:
    quickcover.install()
    quickcover.install()
    quickcover.uninstall()
    assert measured_by(started(config_file=False)) == OURS
    assert os.environ[_startup.INSTALL_VARIABLE] == "1"
    quickcover.uninstall()
    assert measured_by(started(config_file=False)) == THEIRS
    assert _startup.INSTALL_VARIABLE not in os.environ


def test_uninstall_alone_does_nothing() -> None:
    quickcover.uninstall()
    quickcover.install()
    assert measured_by(started(config_file=False)) == OURS
    quickcover.uninstall()


def test_core_by_name_once_the_seam_is_there() -> None:
    quickcover.install()
    quickcover.uninstall()
    configure("[run]\ncore = quickcover\n")
    assert measured_by(started()) == OURS


def test_core_by_name_with_the_plugin() -> None:
    configure("[run]\nplugins = quickcover\ncore = quickcover\n")
    assert measured_by(started()) == OURS


@pytest.mark.parametrize(
    ("setting", "tracer"), [(f"core = {STOCK}", STOCK_TRACER), ("timid = true", "PyTracer")]
)
def test_another_core_is_respected(installed: None, setting: str, tracer: str) -> None:
    configure(f"[run]\nplugins = quickcover\n{setting}\n")
    cov = started()
    assert type(cov._collector) is coverage.collector.Collector
    assert cov._collector.tracer_name() == tracer


def test_another_core_by_environment(installed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERAGE_CORE", "pytrace")
    assert measured_by(started(config_file=False)) == THEIRS


def test_an_unknown_core_is_coverage_s_error(installed: None) -> None:
    configure("[run]\ncore = warp\n")
    with pytest.raises(coverage.exceptions.ConfigError, match="Unknown core value: 'warp'"):
        started()


@pytest.mark.parametrize("rcfile", [".coveragerc", "setup.cfg", "pyproject.toml"])
def test_options_are_read_without_the_plugin(installed: None, rcfile: str) -> None:
    sections = {
        ".coveragerc": "[run]\nbranch = false\n[quickcover]\nengine = " + COMMON + "\n",
        "setup.cfg": f"[coverage:run]\nbranch = false\n[coverage:quickcover]\nengine = {COMMON}\n",
        "pyproject.toml": (
            "[tool.coverage.run]\nbranch = false\n"
            f'[tool.coverage.quickcover]\nengine = "{COMMON}"\n'
        ),
    }
    Path(rcfile).write_text(sections[rcfile])
    cov = started()
    assert cov._core is not None
    assert cov._core.tracer_class.__name__ == _engines.TRACERS[COMMON]
    assert cov.config.plugin_options["quickcover"] == {"engine": COMMON}


def test_install_before_coverage_is_imported(run_python: Runner) -> None:
    run_python(
        "-c",
        "import sys, quickcover; quickcover.install()\n"
        "assert 'coverage' not in sys.modules\n"
        "import importlib.util\n"
        "[directory] = importlib.util.find_spec('coverage').submodule_search_locations\n"
        "for finder in sys.meta_path:  # to look for it is not to import it\n"
        "    finder.find_spec('coverage.control', [directory])\n"
        "import coverage.control\n"
        f"assert coverage.control.Core.__module__ == {OURS!r}\n"
        "assert 'exec_module' not in vars(coverage.control.__loader__)\n"
        "assert not [f for f in sys.meta_path if 'quickcover' in type(f).__module__]\n",
    )


def test_the_package_is_cheap_to_import(run_python: Runner) -> None:
    code = (
        "import sys; before = set(sys.modules)\n"
        "import quickcover\n"
        "print(*sorted(set(sys.modules) - before))\n"
    )
    imported = run_python("-c", code).stdout.split()
    foreign = {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names}
    assert foreign == {"quickcover", "quickcover._startup"}


def test_reports_do_not_load_the_extension(run_python: Runner) -> None:
    configure("[run]\nplugins = quickcover\n")
    code = (
        "import sys, coverage\n"
        "cov = coverage.Coverage(); cov.load(); cov.erase()\n"
        "assert 'quickcover.coveragepy' in sys.modules\n"
        "assert 'quickcover._native' not in sys.modules\n"
    )
    run_python("-c", code)


def test_version_is_the_installed_one() -> None:
    from importlib.metadata import version

    assert quickcover.__version__ == version("quickcover")
