"""Read XML of official releases safely: no entity is expanded, nothing is fetched, sizes are bounded.

https://lxml.de/parsing.html#parser-options
"""

from __future__ import annotations

import re
from typing import NoReturn

from lxml import etree

from terminology.importers.given import Member, refuse

MAX_XML = 2**27
"""Bytes of one file; the largest official one has a tenth of that."""

_DOCTYPE = re.compile(rb"<!(DOCTYPE|ENTITY)")


def parse(member: Member, root: str) -> etree._Element:
    """The root element, which must be called `root`; refused by line and column where the file is no whole XML."""
    text = member.read(MAX_XML)
    if found := _DOCTYPE.search(text):
        line = text.count(b"\n", 0, found.start()) + 1
        column = found.start() - (text.rfind(b"\n", 0, found.start()) + 1) + 1
        refuse(member, line, column, "official files declare no document type and no entities")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        element = etree.fromstring(text, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position if error.position else (0, 0)
        refuse(member, line, column, "this is not whole XML")
    if element.tag != root:
        refuse_at(member, element, f"the root element {root} is expected")
    return element


def refuse_at(member: Member, element: etree._Element, why: str) -> NoReturn:
    """Refuse the file at the place where an element begins."""
    last = int(str(element.sourceline or 0))  # the stubs leave its type open; beyond 65,535 it is one of the next lines
    line, column = last, 0
    for number, text in member.lines():
        if number > last:
            break
        if found := text.find(f"<{element.tag}") + 1:
            line, column = number, found
    refuse(member, line, column, why)


def text_of(element: etree._Element, tag: str) -> str:
    """The text of a child with single blanks, empty where there is no such child."""
    return " ".join((element.findtext(tag) or "").split())


def need_text(member: Member, element: etree._Element, tag: str) -> str:
    """The text of a child, which must be there."""
    found = text_of(element, tag)
    if not found:
        refuse_at(member, element, f"{element.tag} has no {tag}")
    return found
