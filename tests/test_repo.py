"""The rules that keep the parts apart: who may include, import or mention what.

They are tests, and `make lint` runs them too, because nothing else would notice a breach.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import quickcover
from quickcover import _env
from tests.conftest import Runner

ROOT = Path(__file__).resolve().parent.parent
C_FILES = sorted(ROOT.glob("csrc/*/*.[ch]"))
PY_FILES = sorted(path for path in ROOT.glob("src/quickcover/**/*.py"))
MOST_LINES = 600
MOST_FUNCTION_LINES = 60


def names(paths: list[Path]) -> list[str]:
    """Paths as messages show them."""
    return [path.relative_to(ROOT).as_posix() for path in paths]


def mentions(pattern: str, paths: list[Path]) -> list[str]:
    """Which of the files match the pattern."""
    return names([path for path in paths if re.search(pattern, path.read_text("utf-8"), re.M)])


def imports_coverage(path: Path) -> bool:
    """Whether a file imports coverage.py anywhere, in functions too, but not for types alone."""
    tree = ast.parse(path.read_text("utf-8"))
    for_types = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    for node in set(ast.walk(tree)) - for_types:
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            modules = [node.module or ""]
        if any(module.partition(".")[0] == "coverage" for module in modules):
            return True
    return False


def test_there_is_something_to_check() -> None:
    assert len(C_FILES) > 10
    assert len(PY_FILES) > 5


def test_core_is_plain_c() -> None:
    core = [path for path in C_FILES if path.parent.name == "core"]
    assert mentions(r"^\s*#\s*include\s*[<\"](Python\.h|opcode\.h|internal/|cpython/)", core) == []
    assert mentions(r"\bPy[A-Z_]\w*\s*\(", core) == []


def test_core_includes_nothing_of_the_upper_layer() -> None:
    upper = {path.name for path in ROOT.glob("csrc/py/*.h")}
    for path in ROOT.glob("csrc/core/*.[ch]"):
        included = set(re.findall(r'^\s*#\s*include\s*"([^"]+)"', path.read_text("utf-8"), re.M))
        assert not included & upper, path.name


def test_python_versions_of_c_stand_in_one_file() -> None:
    pattern = r"\bPY_(VERSION_HEX|M[AI][A-Z]+_VERSION)\b"
    assert mentions(pattern, C_FILES) == ["csrc/py/qc_compat.h"]


def test_internal_headers_are_included_in_one_file() -> None:
    pattern = r"^\s*#\s*include\s*[<\"]internal/|\bPy_BUILD_CORE\b"
    assert set(mentions(pattern, C_FILES)) <= {"csrc/py/qc_compat.h"}


def test_python_versions_of_python_stand_in_one_file() -> None:
    pattern = r"\bsys\.(version_info|hexversion|version)\b|\bplatform\.python_version"
    assert set(mentions(pattern, PY_FILES)) <= {"src/quickcover/_env.py"}


def test_coverage_is_imported_in_the_seam_alone() -> None:
    importers = [path for path in PY_FILES if imports_coverage(path)]
    assert names(importers) == [
        "src/quickcover/coveragepy.py",
        "src/quickcover/coveragepy_html.py",
        "src/quickcover/coveragepy_regions.py",
        "src/quickcover/coveragepy_report.py",
    ]


def test_import_of_the_package_is_cheap() -> None:
    code = (
        "import sys, quickcover, quickcover.cli; "
        "print([m for m in ('coverage', 'sqlite3', 'argparse', 'quickcover.bench', "
        "'quickcover._native') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(not _env.current().extension, reason="there is no extension here")
def test_extension_exports_its_init_function_alone() -> None:
    from quickcover import _native

    nm = shutil.which("nm")
    if nm is None or sys.platform != "linux":
        pytest.skip("needs the program nm, and ELF")
    done = subprocess.run(
        [nm, "-D", "--defined-only", _native.__file__], capture_output=True, text=True, check=True
    )
    defined = {line.split()[-1] for line in done.stdout.splitlines()}
    assert {name for name in defined if "asan" not in name} == {"PyInit__native"}


@pytest.mark.parametrize("path", C_FILES + PY_FILES, ids=lambda path: path.name)
def test_files_are_not_too_long(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", PY_FILES, ids=lambda path: path.name)
def test_functions_fit_a_screen(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < MOST_FUNCTION_LINES, node.name


def test_version_is_stated_alike() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        stated = tomllib.load(file)["project"]["version"]
    assert quickcover.__version__ == stated
    assert f"[{stated}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_supported_pythons_are_stated_alike() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        classifiers = tomllib.load(file)["project"]["classifiers"]
    stated = re.findall(r":: (3\.\d+)$", "\n".join(classifiers), re.M)
    supported = [version for version in _env.SUPPORTED if not version.startswith("PyPy")]
    assert stated == sorted(supported, key=lambda version: int(version.partition(".")[2]))


def test_example_project_is_measured(run_coverage: Runner, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "project", tmp_path, dirs_exist_ok=True)
    run_coverage("run", "--debug=sys", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert re.search(r"^inventory.py .* 17, 23->25, 30->29$", run_coverage("report").stdout, re.M)
