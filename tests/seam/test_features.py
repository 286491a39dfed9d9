"""Contexts started by functions, and files of plugins: the same data as with coverage.py's core."""

from __future__ import annotations

import json
from pathlib import Path

from ..conftest import STOCK, Runner, needs_extension
from .programs import write

#: Prints everything that a data file has.
DUMP = """\
import coverage, json, os
data = coverage.CoverageData()
data.read()
print(json.dumps({
    os.path.basename(name): [
        sorted(data.lines(name)),
        sorted(data.arcs(name) or []),
        {str(k): sorted(v) for k, v in sorted(data.contexts_by_lineno(name).items())},
        data.file_tracer(name),
    ]
    for name in sorted(data.measured_files())
}))
"""

TESTS = """\
def helper(x):
    if x:
        return 1
    return 2

def test_one():
    assert helper(1) == 1

def test_two():
    assert helper(0) == 2

def main():
    helper(1)
    test_one()
    test_two()

main()
"""

#: Claims files of templates, whose lines are those of the code that names them, times ten.
TEMPLATES = """\
import coverage

class Plugin(coverage.CoveragePlugin):
    def file_tracer(self, filename):
        if filename.endswith("engine.py"):
            return Tracer()

    def file_reporter(self, filename):
        return Reporter(filename)

class Tracer(coverage.FileTracer):
    def source_filename(self):
        return "unused"

    def has_dynamic_source_filename(self):
        return True

    def dynamic_source_filename(self, filename, frame):
        return frame.f_locals.get("template")

    def line_number_range(self, frame):
        if frame.f_locals.get("fail") and FAILING:
            raise ZeroDivisionError("on purpose")
        line = frame.f_lineno
        return (10 * line, 10 * line + 1) if line % 2 else (-1, -1)

class Reporter(coverage.FileReporter):
    def lines(self):
        return {1}

def coverage_init(reg, options):
    reg.add_file_tracer(Plugin())
"""
ENGINE = """\
def render(template, fail):
    a = 1
    b = 2
    c = 3
    return a + b + c

def other():
    return 1
"""
RENDERS = """\
import os
from engine import other, render
here = os.path.dirname(os.path.abspath(__file__))
render(os.path.join(here, "one.html"), False)
other()
render(os.path.join(here, "omitted.html"), False)
render(os.path.join(here, "two.html"), True)
render(os.path.join(here, "three.html"), False)
"""


def compare(
    run_python: Runner, directory: Path, program: str, *, arcs: bool = True
) -> dict[str, list[object]]:
    """Measure with coverage.py's C tracer and with quickcover; the data, if they are the same.

    Without `arcs`, those are not compared: some engines record others (the reports are the same).
    """
    results = []
    for package, core in (("coverage", STOCK), ("quickcover", "")):
        env = {"PYTHONPATH": str(directory), "COVERAGE_CORE": core}
        result = run_python("-m", package, "run", program, env=env)
        warnings = [line for line in result.stderr.splitlines() if "CoverageWarning" in line]
        shown = [line.partition("CoverageWarning: ")[2] for line in warnings]
        data = json.loads(run_python("-c", DUMP).stdout)
        for of_file in data.values():
            of_file[1] = of_file[1] if arcs else None
        results.append((data, shown))
    assert results[0] == results[1]
    measured: dict[str, list[object]] = results[1][0]
    return measured


@needs_extension
def test_contexts_started_by_functions(run_python: Runner, tmp_path: Path) -> None:
    write(tmp_path, program=TESTS)
    config = "[run]\nbranch = true\ndynamic_context = test_function\ncontext = static\n"
    (tmp_path / ".coveragerc").write_text(config)
    data = compare(run_python, tmp_path, "program.py", arcs=False)
    contexts = data["program.py"][2]
    assert isinstance(contexts, dict)
    assert contexts["3"] == ["static", "static|__main__.test_one"]
    assert contexts["4"] == ["static|__main__.test_two"]


@needs_extension
def test_files_of_a_plugin(run_python: Runner, tmp_path: Path) -> None:
    templates = TEMPLATES.replace("FAILING", "False")
    write(tmp_path, templates=templates, engine=ENGINE, program=RENDERS)
    config = "[run]\nplugins = templates\nomit = */omitted.html\n"
    (tmp_path / ".coveragerc").write_text(config)
    data = compare(run_python, tmp_path, "program.py")
    assert {name for name in data if name.endswith(".html")} == {
        "one.html",
        "two.html",
        "three.html",
    }
    assert data["one.html"][0] == [30, 31, 50, 51]
    assert data["one.html"][3] == "templates.Plugin"


@needs_extension
def test_a_plugin_that_fails(run_python: Runner, tmp_path: Path) -> None:
    templates = TEMPLATES.replace("FAILING", "True")
    write(tmp_path, templates=templates, engine=ENGINE, program=RENDERS)
    (tmp_path / ".coveragerc").write_text("[run]\nplugins = templates\n")
    data = compare(run_python, tmp_path, "program.py")
    assert "three.html" not in data
