"""The release files: the wheel installs where there is no compiler, and measures.

`make wheel` builds dist/ and runs this; it needs the network for coverage.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = """\
def sign(number):
    if number < 0:
        return -1
    for _ in range(number):
        pass
    return 1


print(sign(3))
"""

pytestmark = pytest.mark.slow


def newest(pattern: str) -> Path:
    """The newest file of dist/ that matches, or skip."""
    found = sorted(ROOT.glob(f"dist/{pattern}"), key=lambda path: path.stat().st_mtime)
    if not found:
        pytest.skip(f"there is no dist/{pattern}: run `make wheel`")
    return found[-1]


@pytest.fixture(scope="module")
def wheel() -> Path:
    """The wheel for this Python."""
    tag = f"cp{sysconfig.get_config_var('py_version_nodot')}"
    return newest(f"quickcover-*-{tag}-{tag}-*.whl")


@pytest.fixture(scope="module")
def bin_directory(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a new virtual environment that holds the wheel."""
    directory = tmp_path_factory.mktemp("wheel") / "venv"
    venv.create(directory, with_pip=True)
    found = directory / ("Scripts" if os.name == "nt" else "bin")
    run(found, "python", "-m", "pip", "install", "--quiet", wheel)
    return found


def run(
    bin_directory: Path, program: str, *args: str | Path, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program of the environment. PATH names the environment alone: no compiler there."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("COVERAGE_", "COV_CORE_", "QUICKCOVER_", "PYTHON"))
    }
    done = subprocess.run(
        [bin_directory / program, *args],
        cwd=cwd,
        env={**kept, "PATH": str(bin_directory), "CC": "no-compiler"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{program} {args}:\n{done.stdout}\n{done.stderr}"
    return done


def test_wheel_holds_the_package_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        files = archive.namelist()
    tops = {name.partition("/")[0] for name in files}
    assert {top for top in tops if not top.endswith(".dist-info")} <= {
        "quickcover",
        "a0_quickcover.pth",
        "a2_quickcover.pth",
    }
    suffixes = {Path(name).suffix for name in files if name.startswith("quickcover/")}
    assert suffixes <= {".py", ".pyi", ".so", ".pyd", ".typed"}
    assert any("_native." in name and not name.endswith(".pyi") for name in files)


def test_sdist_is_complete_and_clean() -> None:
    with tarfile.open(newest("quickcover-*.tar.gz")) as archive:
        files = {name.partition("/")[2] for name in archive.getnames()}
    wanted = ["csrc", "src", "tests", "tools", "examples", "docs"]
    for path in (path for top in wanted for path in ROOT.joinpath(top).rglob("*.[chp]*")):
        if path.suffix in (".c", ".h", ".py", ".pyi", ".pth") and "__pycache__" not in path.parts:
            assert path.relative_to(ROOT).as_posix() in files
    assert {"LICENSE", "README.md", "CHANGELOG.md", "Makefile", "CMakeLists.txt"} <= files
    assert not [name for name in files if name.startswith((".venv", "build/", "dist/"))]
    assert not [name for name in files if name.endswith((".so", ".pyc", ".o"))]


def test_installed_wheel_measures(bin_directory: Path, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / ".coveragerc").write_text(
        "[run]\nbranch = True\nplugins = quickcover\n", encoding="utf-8"
    )
    done = run(bin_directory, "coverage", "run", "--debug=sys", "program.py", cwd=tmp_path)
    assert "1\n" in done.stdout
    assert "quickcover_engine: " in done.stdout + done.stderr
    assert "quickcover_engine: -none-" not in done.stdout + done.stderr
    run(bin_directory, "coverage", "json", "-q", cwd=tmp_path)
    report = json.loads((tmp_path / "coverage.json").read_text("utf-8"))["files"]["program.py"]
    assert report["executed_lines"] == [1, 2, 4, 5, 6, 9]
    assert report["missing_lines"] == [3]
    assert report["executed_branches"] == [[2, 4], [4, 5], [4, 6]]
    assert report["missing_branches"] == [[2, 3]]


def test_installed_command_works(bin_directory: Path, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    run(bin_directory, "quickcover", "run", "program.py", cwd=tmp_path)
    done = run(bin_directory, "quickcover", "report", cwd=tmp_path)
    assert "program.py" in done.stdout
