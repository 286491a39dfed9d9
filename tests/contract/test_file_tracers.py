"""File tracer plugins from PyPI: the same report, on an engine that can have them."""

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
        never
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
    tracer = "plugins = django_coverage_plugin"
    found = same(
        run_python,
        tmp_path,
        "program.py",
        config="source = .",
        only_ctrace=tracer,
        only_ours=f"{tracer}, quickcover",
    )
    assert found.report["templates/page.html"]["executed_lines"]
    shown = run_python("-m", "coverage", "debug", "sys").stdout
    assert "quickcover_engine: trace" in shown
    reasons = shown.partition("quickcover_engines:")[2]
    assert "django_coverage_plugin" in reasons or "has no sys.monitoring" in reasons
