"""What reports write with writes what the standard library writes."""

from __future__ import annotations

import io
import json
import xml
import xml.dom.minidom
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickcover import _writing

TEXT = st.text(st.sampled_from("ab&<>\"'\r\n\t é\U0001f600"), max_size=6)
NAMES = st.sampled_from(["line", "class", "number"])
TREES = st.recursive(
    st.tuples(NAMES, st.dictionaries(NAMES, TEXT), st.just([]) | st.lists(TEXT, max_size=2)),
    lambda trees: st.tuples(
        NAMES, st.dictionaries(NAMES, TEXT), st.lists(trees | TEXT, max_size=4)
    ),
    max_leaves=12,
)


def document(package: Any, tree: Any) -> str:
    """The text of a document with these elements, made as coverage.py makes it."""
    made = package.dom.minidom.getDOMImplementation().createDocument(None, "coverage", None)
    made.documentElement.setAttribute("version", "1")
    made.documentElement.appendChild(made.createComment(" made by "))

    def element(tree: Any) -> Any:
        if isinstance(tree, str):
            return made.createTextNode(tree)
        name, attributes, children = tree
        found = made.createElement(name)
        for key, value in attributes.items():
            found.setAttribute(key, value)
        for child in children:
            found.appendChild(element(child))
        return found

    for _ in range(2):
        made.documentElement.appendChild(element(tree))
    return str(made.toprettyxml())


@given(TREES)
def test_xml(tree: Any) -> None:
    assert document(_writing.Xml(xml), tree) == document(xml, tree)


def test_an_attribute_is_set_again() -> None:
    element = _writing.Xml(xml).createDocument(None, "x", None).createElement("e")
    element.setAttribute("a", "1")
    element.setAttribute("b", "2")
    element.setAttribute("a", "3")
    out = io.StringIO()
    element.writexml(out)
    assert out.getvalue() == '<e a="3" b="2"/>'


@pytest.mark.parametrize("indent", [None, 4])
def test_json(indent: int | None) -> None:
    data = {"a": [1, 2.5, None, True], "é\n": {"x": {}}, "b": [[], ["c"]]}
    ours, theirs = io.StringIO(), io.StringIO()
    _writing.Json(json).dump(data, ours, indent=indent)
    json.dump(data, theirs, indent=indent)
    assert ours.getvalue() == theirs.getvalue()
    assert _writing.Json(json).loads("1") == 1
