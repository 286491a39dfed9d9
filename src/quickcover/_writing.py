"""What reports of coverage.py write with, quicker: the same bytes as the standard library's.

`json.dump` writes piece by piece, in Python; here the text is made at once, in C.  A document of
`xml.dom.minidom` has three objects for each attribute; here an element has a dict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.dom import minidom

if TYPE_CHECKING:
    from types import ModuleType

#: With one of these in it, an attribute's value isn't written as it is.
_SPECIAL = frozenset('&<>"\r\n\t')


class Json:
    """The module `json`, for `dump`."""

    def __init__(self, module: ModuleType) -> None:
        """Be like `module`, but for `dump`."""
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def dump(self, data: Any, file: Any, **options: Any) -> None:
        """Write `data` as JSON."""
        file.write(self._module.dumps(data, **options))


class Xml:
    """The package `xml`, for `xml.dom.minidom`."""

    def __init__(self, xml: ModuleType) -> None:
        """Be like `xml`, but for the documents."""
        self._xml = xml
        self.dom = self
        self.minidom = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._xml.dom.minidom, name)

    def getDOMImplementation(self) -> Xml:
        """What makes documents."""
        return self

    def createDocument(self, *names: Any) -> minidom.Document:
        """Make a document of minidom; what it creates is light."""
        document = self._xml.dom.minidom.getDOMImplementation().createDocument(*names)
        document.createElement = _Element
        found: minidom.Document = document
        return found


class _Element:
    """An element: attributes, and elements or nodes of minidom in it."""

    # What minidom asks of a child.
    nodeType = minidom.Node.ELEMENT_NODE
    parentNode = previousSibling = nextSibling = None

    def __init__(self, name: str) -> None:
        self.tagName = name
        self._attributes: dict[str, str] = {}
        self._children: list[Any] = []

    def setAttribute(self, name: str, value: str) -> None:
        """Set one; an earlier value is replaced."""
        self._attributes[name] = value

    def appendChild(self, node: Any) -> Any:
        """Add the last child."""
        self._children.append(node)
        return node

    def writexml(self, writer: Any, indent: str = "", addindent: str = "", newl: str = "") -> None:
        """Write it as minidom does."""
        attributes = "".join(
            f' {name}="{value}"' if _SPECIAL.isdisjoint(value) else _odd(name, value)
            for name, value in self._attributes.items()
        )
        start = f"{indent}<{self.tagName}{attributes}"
        if not self._children:
            writer.write(f"{start}/>{newl}")
            return
        writer.write(f"{start}>")
        if len(self._children) == 1 and self._children[0].nodeType == minidom.Node.TEXT_NODE:
            self._children[0].writexml(writer, "", "", "")
        else:
            writer.write(newl)
            for node in self._children:
                node.writexml(writer, indent + addindent, addindent, newl)
            writer.write(indent)
        writer.write(f"</{self.tagName}>{newl}")


def _odd(name: str, value: str) -> str:
    """An attribute with characters that have to be written in another way."""
    element = minidom.Document().createElement("e")
    element.setAttribute(name, value)
    return element.toxml()[2:-2]
