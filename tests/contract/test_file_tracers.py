"""File tracer plugins for real templates: the same report, on an engine that can have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import Runner
from ..seam.same import same

pytestmark = pytest.mark.slow

PROGRAM = """\
import django
from django.conf import settings
from django.template import Context, engines
settings.configure(
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": ["templates"],
        "OPTIONS": {"debug": True},
    }],
)
django.setup()
page = engines["django"].get_template("page.html")
for names in ([], ["a", "b"]):
    print(page.render({"names": names, "title": "t"}))
"""
TEMPLATES = {
    "base.html": "<h1>{{ title }}</h1>\n{% block body %}\nnothing\n{% endblock %}\n",
    "page.html": """\
{% extends "base.html" %}
{% block body %}
{% for name in names %}
    <li>{{ name }}</li>
    {% if name == "c" %}
        never {{ name }}
    {% endif %}
{% empty %}
    nobody
{% endfor %}
{% include "part.html" %}
{% endblock %}
""",
    "part.html": "{% if names %}\nsome\n{% else %}\nnone\n{% endif %}\n",
}


def test_django_templates(run_python: Runner, tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    for name, text in TEMPLATES.items():
        (tmp_path / "templates" / name).write_text(text)
    (tmp_path / "program.py").write_text(PROGRAM)
    check_templates(run_python, tmp_path, "django_coverage_plugin")


#: Nobody has published one for Jinja2, whose templates become Python code with a table of lines.
JINJA_PLUGIN = """\
import bisect, re
import jinja2
from coverage import CoveragePlugin, FileReporter, FileTracer

def table(text):
    return [tuple(map(int, pair.split("=")))[::-1] for pair in text.split("&") if pair]

class Tracer(FileTracer):
    def __init__(self, filename):
        self.filename = filename
    def source_filename(self):
        return self.filename
    def line_number_range(self, frame):
        lines = table(frame.f_globals.get("debug_info", ""))
        place = bisect.bisect_right(lines, (frame.f_lineno, 1 << 30))
        line = lines[place - 1][1] if place else -1
        return line, line

class Reporter(FileReporter):
    def lines(self):
        code = jinja2.Environment().compile(self.source(), raw=True)
        return {line for _, line in table(re.search("debug_info = '(.*)'", code)[1])}

class Plugin(CoveragePlugin):
    def file_tracer(self, filename):
        return Tracer(filename) if filename.endswith(".html") else None
    def file_reporter(self, filename):
        return Reporter(filename)

def coverage_init(reg, options):
    reg.add_file_tracer(Plugin())
"""
JINJA_PROGRAM = """\
import asyncio, jinja2
for asynchronous in (False, True):
    loader = jinja2.FileSystemLoader("templates")
    page = jinja2.Environment(loader=loader, enable_async=asynchronous).get_template("page.html")
    for names in ([], ["a", "b"]):
        print(page.render(names=names, title="t"))
"""


def test_jinja_templates(run_python: Runner, tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    for name, text in TEMPLATES.items():
        text = text.replace("{% empty %}", "{% else %}")
        (tmp_path / "templates" / name).write_text(text)
    (tmp_path / "program.py").write_text(JINJA_PROGRAM)
    (tmp_path / "jinja_plugin.py").write_text(JINJA_PLUGIN)
    check_templates(run_python, tmp_path, "jinja_plugin")


def check_templates(run_python: Runner, tmp_path: Path, plugin: str) -> None:
    """Run the program under ctrace and quickcover with that plugin: the same, of templates too."""
    found = same(
        run_python,
        tmp_path,
        "program.py",
        config="source = .",
        only_ctrace=f"plugins = {plugin}",
        only_ours=f"plugins = {plugin}, quickcover",
    )
    assert found.report["templates/page.html"]["executed_lines"]
    shown = run_python("-m", "coverage", "debug", "sys").stdout
    assert "quickcover_engine: trace" in shown
    reasons = shown.partition("quickcover_engines:")[2]
    assert plugin in reasons or "has no sys.monitoring" in reasons
