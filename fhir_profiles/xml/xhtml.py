"""The div of a narrative in one canonical form (https://hl7.org/fhir/R4/narrative.html).

One default namespace, attributes in double quotes, characters instead of references, no comments; an element without
content is written short only where HTML says that it never has any.
"""

from __future__ import annotations

from functools import lru_cache
from html.entities import name2codepoint
from xml.parsers import expat

from fhir_profiles.systems import XHTML, XML_NAMESPACE

VOID = frozenset({"area", "br", "col", "hr", "img"})
_XML_PREFIX = f"{XML_NAMESPACE} "
_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
IN_ATTRIBUTE = str.maketrans({"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"})


class NotXhtml(Exception):
    """The markup is not of the XHTML namespace."""


class Div:
    """Writes the canonical form from the events of an XML parser that tells names as `namespace name`."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._open: list[str] = []
        self._pending = False  # a start tag is written but for its `>`

    @property
    def depth(self) -> int:
        """How many elements are open."""
        return len(self._open)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Open an element; NotXhtml when it or an attribute is of another namespace."""
        namespace, _, local = name.rpartition(" ")
        if namespace != XHTML:
            raise NotXhtml
        self._close_tag()
        self._parts.append(f"<{local}" if self._open else f'<{local} xmlns="{XHTML}"')
        for key, value in attributes.items():
            if key.startswith(_XML_PREFIX):
                key = "xml:" + key.removeprefix(_XML_PREFIX)
            elif " " in key:
                raise NotXhtml
            self._parts.append(f' {key}="{value.translate(IN_ATTRIBUTE)}"')
        self._open.append(local)
        self._pending = True

    def text(self, data: str) -> None:
        """Add text to the element that is open."""
        self._close_tag()
        self._parts.append(data.translate(_IN_TEXT))

    def end(self) -> None:
        """Close the element that is open."""
        local = self._open.pop()
        if self._pending and local in VOID:
            self._parts.append("/>")
            self._pending = False
        else:
            self._close_tag()
            self._parts.append(f"</{local}>")

    def __str__(self) -> str:
        return "".join(self._parts)

    def _close_tag(self) -> None:
        if self._pending:
            self._parts.append(">")
            self._pending = False


@lru_cache(maxsize=256)
def canonical(markup: str) -> str:
    """The canonical form of a div as JSON holds it, where entities of HTML are allowed; NotXhtml when it is none."""
    if "<!" in markup.replace("<!--", "").replace("<![CDATA[", ""):
        raise NotXhtml  # a document type
    div = Div()

    def entity(name: str, _parameter: bool) -> None:
        if name not in name2codepoint:
            raise NotXhtml
        div.text(chr(name2codepoint[name]))

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.UseForeignDTD(True)
    parser.buffer_text = True
    parser.StartElementHandler = div.start
    parser.EndElementHandler = lambda _name: div.end()
    parser.CharacterDataHandler = div.text
    parser.SkippedEntityHandler = entity
    try:
        parser.Parse(markup, True)
    except expat.ExpatError:
        raise NotXhtml from None
    return str(div)
