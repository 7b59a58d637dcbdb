"""Whether the xhtml of a Narrative is well-formed and inert (https://hl7.org/fhir/R4/narrative.html)."""

from __future__ import annotations

import re
from html.entities import name2codepoint
from xml.parsers import expat

from fhir_profiles.systems import XHTML

ELEMENTS = frozenset(
    re.findall(
        r"\w+",
        "a abbr acronym address area b bdo big blockquote br caption center cite code col colgroup dd del dfn div dl "
        "dt em font h1 h2 h3 h4 h5 h6 hr i img ins kbd li map ol p pre q s samp small span strike strong sub sup "
        "table tbody td tfoot th thead tr tt u ul var",
    )
)
ATTRIBUTES = frozenset(
    re.findall(
        r"[\w:]+",
        "abbr accesskey align alt axis bgcolor border cellpadding cellspacing char charoff charset cite class clear "
        "color colspan compact coords datetime dir face frame headers height href hreflang hspace id ismap lang "
        "longdesc media name noshade nowrap rel rev rowspan rules scope shape size span src start style summary "
        "tabindex target title type usemap valign value vspace width xmlns xml:lang xml:space background",
    )
)
_LINKS = frozenset({"href", "src", "cite", "longdesc", "background"})
_IGNORED = re.compile(r"[\x00-\x20]+")  # browsers drop these inside a URL before they look at its scheme
_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]*:", re.IGNORECASE)
_PASSIVE = re.compile(r"(https?|mailto|tel|ftp|urn|cid):|data:image/(png|gif|jpeg|bmp|webp)[;,]", re.IGNORECASE)
_FETCHED = frozenset({"src", "background"})
_OUTSIDE = re.compile(r"(https?|ftp):|[/\\]{2}", re.IGNORECASE)
_STYLE_OUTSIDE = re.compile(r"(url|image|image-set)\(\s*['\"]?\s*((https?|ftp):|[/\\]{2})|\\", re.IGNORECASE)
_STYLE = re.compile(r"expression\s*\(|javascript:|@import|behavior\s*:|-moz-binding", re.IGNORECASE)
_LIVE_COMMENT = re.compile(r"^-?>|--!>|<!--")
"""A comment of XML that ends earlier where a browser reads it as HTML."""


class _Refused(Exception):
    """The reason as its message."""


def fault(div: str) -> str | None:
    """What is wrong with the xhtml, in words that repeat none of it; None when it is fine."""
    if "<!DOCTYPE" in div or "<!ENTITY" in div or "<?" in div:
        return "holds a document type, entity or processing instruction; send only the div"
    reader = _Reader()
    try:
        reader.parser.Parse(div, True)
    except expat.ExpatError as e:
        return f"is not well-formed XML (line {e.lineno}, column {e.offset})"
    except _Refused as e:
        return str(e)
    return None if reader.content else "has neither text nor an image"


class _Reader:
    """One pass of the XML parser over a div."""

    def __init__(self) -> None:
        self.content = False
        self._root = True
        self.parser = expat.ParserCreate()
        self.parser.UseForeignDTD(True)
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.CharacterDataHandler = self._text
        self.parser.SkippedEntityHandler = self._entity
        self.parser.CommentHandler = self._comment
        self.parser.StartCdataSectionHandler = self._cdata

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._root:
            self._root = False
            if name != "div" or attributes.get("xmlns") != XHTML:
                raise _Refused(f"must be one div in the namespace {XHTML}")
        if name not in ELEMENTS:
            raise _Refused("holds an element that a narrative may not: only text, lists, tables, links and images")
        if name == "img":
            self.content = True
        for attribute, value in attributes.items():
            lower = attribute.lower()
            active = (lower in _LINKS and _is_active(value)) or (lower == "style" and _STYLE.search(value))
            if lower.startswith("on") or active:
                raise _Refused("holds an active attribute (an event handler or script); remove it")
            if (lower in _FETCHED and _OUTSIDE.match(_IGNORED.sub("", value))) or (
                lower == "style" and _STYLE_OUTSIDE.search(value)
            ):
                raise _Refused("loads something from elsewhere, which tells who reads it; put the image inside")
            if attribute not in ATTRIBUTES and not attribute.startswith(("data-", "xmlns:")):
                raise _Refused("holds an attribute that a narrative may not: only those of text, tables and links")

    def _comment(self, text: str) -> None:
        if _LIVE_COMMENT.search(text):
            raise _Refused("holds a comment that browsers read otherwise; remove it")

    def _cdata(self) -> None:
        raise _Refused("holds a CDATA section, which browsers read otherwise; write its text with entities")

    def _text(self, data: str) -> None:
        if not self.content and not data.isspace():
            self.content = True

    def _entity(self, name: str, _parameter: bool) -> None:
        if name not in name2codepoint:
            raise _Refused("names an entity that HTML does not have")
        self.content = True


def _is_active(url: str) -> bool:
    """Whether following the link could run something: its scheme is not one of those that only fetch."""
    plain = _IGNORED.sub("", url)
    return _SCHEME.match(plain) is not None and _PASSIVE.match(plain) is None
