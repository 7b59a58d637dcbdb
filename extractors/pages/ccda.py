"""C-CDA narrative: section titles, texts and tables (https://hl7.org/cda/us/ccda/)."""

from __future__ import annotations

from lxml import etree

from extractors.pages.flow import Flow
from extractors.pages.limits import Limits, Refused
from extractors.pages.wire import Opened
from fhir_profiles import systems

Element = etree._Element
LOINC_OID = "2.16.840.1.113883.6.1"
BLOCKS = {"paragraph", "list", "item", "caption", "table", "tr", "br", "title"}
CDA = f"{{{systems.CDA}}}"
CODED_SECTIONS = frozenset(
    {
        "48765-2",  # allergies
        "11450-4",  # problems
        "11348-0",  # past illness
        "75310-3",  # health concerns
        "46241-6",  # admission diagnosis
        "11535-2",  # discharge diagnosis
        "10160-0",  # medications
        "10183-2",  # discharge medications
        "42346-7",  # admission medications
        "29549-3",  # medications administered
        "11369-6",  # immunizations
        "47519-4",  # procedures
        "30954-2",  # results
        "8716-3",  # vital signs
        "29762-2",  # social history
        "10157-6",  # family history
        "46240-8",  # encounters
        "61146-7",  # goals
        "18776-5",  # plan of treatment
    }
)
"""LOINC codes of sections whose entries, where they have any, stand for their words: they are mapped and not read."""

BROKEN = "The C-CDA document is not well-formed XML. Export it again."


def read_ccda(data: bytes, limits: Limits) -> Opened:
    """Patient line, then each section: its title (else its LOINC display) and its narrative."""
    if b"<!DOCTYPE" in data[:65536] or b"<!ENTITY" in data:
        raise Refused(
            "security", "The XML has a document type or entities, which C-CDA does not use. Export it without."
        )
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        if "depth" in str(error).lower():
            raise Refused("too-costly", "The XML is nested too deep. Export it again.") from None
        raise Refused("structure", BROKEN) from None
    flow = Flow(limits)
    _header(root, flow)
    for section in root.iter("{*}section"):
        if not _is_coded(section):
            _section(section, flow, limits)
    title = root.find("{*}title")
    return flow.opened(" ".join("".join(map(str, title.itertext())).split()) if title is not None else None)


def _is_coded(section: Element) -> bool:
    """Whether the entries of a section say in codes what its words say again."""
    code = section.find(f"{CDA}code")
    if code is None or code.get("code") not in CODED_SECTIONS:
        return False
    return any(
        isinstance(one.tag, str) and not one.get("nullFlavor")
        for entry in section.iterfind(f"{CDA}entry")
        for one in entry
    )


def _section(section: Element, flow: Flow, limits: Limits) -> None:
    title, text, code = section.find("{*}title"), section.find("{*}text"), section.find("{*}code")
    name = "".join(map(str, title.itertext())).strip() if title is not None else ""
    if not name and code is not None and code.get("codeSystem") == LOINC_OID:
        name = code.get("displayName") or ""
    flow.blank()
    if name:
        flow.word(name.rstrip(":") + ":")
        flow.line()
    if text is not None:
        _narrative(text, flow, limits, 0)
        flow.line()


def _narrative(node: Element, flow: Flow, limits: Limits, depth: int) -> None:
    if depth > limits.depth:
        raise Refused("too-costly", "The XML is nested too deep. Export it again.")
    if not isinstance(node.tag, str):
        return
    name = etree.QName(node).localname
    if name == "table":
        _table(node, flow)
        flow.word(node.tail)
        return
    if name in BLOCKS:
        flow.line()
    flow.word(node.text)
    for child in node:
        _narrative(child, flow, limits, depth + 1)
    if name in BLOCKS:
        flow.line()
    if depth:
        flow.word(node.tail)


def _table(node: Element, flow: Flow) -> None:
    rows = []
    for row in node.iter("{*}tr"):
        cells = [cell for cell in row if isinstance(cell.tag, str) and etree.QName(cell).localname in ("td", "th")]
        if cells:
            rows.append([" ".join(" ".join(map(str, cell.itertext())).split()) for cell in cells])
    wide = max(map(len, rows), default=0)
    if rows:
        flow.rows([row + [""] * (wide - len(row)) for row in rows], header=wide > 1)


def _header(root: Element, flow: Flow) -> None:
    """The patient as a printed line, so that a C-CDA names its patient like any other document."""
    role = root.find("{*}recordTarget/{*}patientRole")
    if role is None:
        return
    patient = role.find("{*}patient")
    if patient is not None:
        name = patient.find("{*}name")
        if name is not None:
            given = " ".join((part.text or "").strip() for part in name.findall("{*}given"))
            family = " ".join((part.text or "").strip() for part in name.findall("{*}family"))
            _field(flow, "Patient", f"{given} {family}".strip())
        birth = patient.find("{*}birthTime")
        value = (birth.get("value") or "") if birth is not None else ""
        if len(value) >= 8 and value[:8].isdigit():
            _field(flow, "DOB", f"{value[4:6]}/{value[6:8]}/{value[:4]}")
        sex = patient.find("{*}administrativeGenderCode")
        if sex is not None:
            _field(flow, "Sex", {"M": "Male", "F": "Female"}.get(sex.get("code") or "", ""))
    number = role.find("{*}id")
    if number is not None:
        _field(flow, "MRN", number.get("extension") or "")
    when = root.find("{*}componentOf/{*}encompassingEncounter/{*}effectiveTime")
    if when is not None:
        low = when.find("{*}low")
        value = (low.get("value") if low is not None else when.get("value")) or ""
        if len(value) >= 8 and value[:8].isdigit():
            _field(flow, "Date of service", f"{value[4:6]}/{value[6:8]}/{value[:4]}")


def _field(flow: Flow, label: str, value: str) -> None:
    if value:
        flow.word(f"{label}: {value}")
        flow.line()
