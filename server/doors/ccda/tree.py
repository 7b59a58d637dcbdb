"""The XML of a C-CDA document, parsed without entities, DTD and network, within limits (https://www.hl7.org/cda/stds/core/)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from extractors.pages.limits import Refused
from fhir_profiles.systems import CDA, SDTC

Element = etree._Element
NAMESPACES = {"v": CDA, "s": SDTC}
ROOT = f"{{{CDA}}}ClinicalDocument"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one document: bytes, nesting of elements, number of elements, entries that become resources."""

    size: int = 50_000_000
    depth: int = 200
    nodes: int = 500_000
    entries: int = 5_000


_ENTITIES = re.compile(rb"<!(?:DOCTYPE|ENTITY)")


def open_document(data: bytes, limits: Limits) -> Element:
    """The ClinicalDocument in `data`; raises `Refused` for what is too large, hostile, damaged or no C-CDA."""
    if len(data) > limits.size:
        raise Refused("too-long", f"The document is over {limits.size / 1e6:g} MB. Send it in parts.")
    if _ENTITIES.search(data.replace(b"\0", b"")):
        raise _typed()
    parser = etree.XMLPullParser(
        ("start", "end"),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = _feed(parser, data, limits)
    except etree.XMLSyntaxError as error:
        told = str(error).lower()
        if "depth" in told or "huge" in told:
            raise _too_much() from None
        raise Refused("structure", "The C-CDA document is not well-formed XML. Export it again.") from None
    if root.getroottree().docinfo.internalDTD is not None:  # in an encoding that the bytes do not show it in
        raise _typed()
    if root.tag != ROOT:
        name = etree.QName(root).localname
        if name == "ClinicalDocument":
            raise Refused(
                "structure", f"The ClinicalDocument is not in the namespace {CDA}. Export it as HL7 CDA Release 2."
            )
        raise Refused("not-supported", "The XML is no ClinicalDocument. Send C-CDA.")
    return root


_PART = 1 << 16


def _feed(parser: etree.XMLPullParser, data: bytes, limits: Limits) -> Element:
    """Parse in parts, so that depth and number of elements are seen before the whole tree stands."""
    depth = nodes = 0
    for at in range(0, len(data), _PART):
        parser.feed(data[at : at + _PART])
        for event, _ in parser.read_events():
            depth += 1 if event == "start" else -1
            nodes += event == "start"
            if depth > limits.depth or nodes > limits.nodes:
                raise _too_much()
    root: Element = parser.close()
    return root


def _typed() -> Refused:
    return Refused("security", "The XML has a document type or entities, which C-CDA does not use. Export it without.")


def _too_much() -> Refused:
    return Refused("too-costly", "The XML has too many elements, or they are nested too deep. Send it in parts.")


def find(node: Element | None, path: str) -> Element | None:
    """The first element at `path` (prefixes `v` and `s`), None without one."""
    return None if node is None else node.find(path, NAMESPACES)


def every(node: Element | None, path: str) -> Iterator[Element]:
    """All elements at `path`, in their order."""
    return iter(()) if node is None else node.iterfind(path, NAMESPACES)


def attribute(node: Element | None, path: str, name: str) -> str:
    """An attribute of the first element at `path`, stripped; empty without one."""
    found = find(node, path) if path != "." else node
    return (found.get(name) or "").strip() if found is not None else ""


def words(node: Element | None) -> str:
    """The text of an element with all below it, white space collapsed."""
    return " ".join("".join(map(str, node.itertext())).split()) if node is not None else ""


def name_of(node: Element) -> str:
    """The name of an element without its namespace."""
    return etree.QName(node).localname


def templates(node: Element) -> list[str]:
    """The roots of an element's templateIds."""
    return [(one.get("root") or "").strip() for one in every(node, "v:templateId")]
