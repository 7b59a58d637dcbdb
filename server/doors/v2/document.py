"""MDM: TXA and OBX as a DocumentReference, which is coded like any that is posted.

http://hl7.org/fhir/uv/v2mappings (MDM message maps) https://www.hl7.eu/HL7v2x/v251/std251/ch09.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from fhir_profiles.systems import OID
from server.doors.arrivals import Unusable

from .draft import MERGED, Draft
from .parse import Segment
from .people import practitioner
from .values import Json, local

TRIGGERS = {"T01": "new", "T02": "new", "T03": "status", "T04": "status", "T05": "appends", "T06": "appends"}
TRIGGERS |= {"T07": "edit", "T08": "edit", "T09": "replaces", "T10": "replaces", "T11": "cancel"}
MEDIA = {
    "PDF": "application/pdf",
    "RTF": "text/rtf",
    "TIFF": "image/tiff",
    "TIF": "image/tiff",
    "JPEG": "image/jpeg",
    "JPG": "image/jpeg",
    "PNG": "image/png",
    "HTML": "text/html",
    "XML": "application/xml",
    "PLAIN": "text/plain",
    "TEXT": "text/plain",
    "TXT": "text/plain",
    "X-HL7-CDA-LEVEL-ONE": "application/hl7-cda+xml",
}
_TEXTS = frozenset({"TX", "FT", "ST"})
_DOC_STATUS = {"AU": "final", "LA": "final", "DI": "preliminary", "DO": "preliminary", "IN": "preliminary"}
_DOC_STATUS |= {"IP": "preliminary", "PA": "preliminary"}


def document(draft: Draft, subject: str, stay: str | None, trigger: str) -> None:
    """The DocumentReference of a TXA and its OBX; Unusable without a document number."""
    context = draft.context
    head = context.message.need("TXA")
    number = _number(draft, head, 12)
    if number is None:
        raise Unusable("field-missing", "TXA-12: The document has no number.")
    what = TRIGGERS[trigger]
    resource: Json = {
        "identifier": [number],
        "masterIdentifier": number,
        "subject": {"reference": subject},
        **_details(draft, head, stay),
    }
    resource["status"] = "entered-in-error" if what == "cancel" else _status(head)
    content = contents(draft)
    if content:
        resource["content"] = content
    title = {"attachment": {"title": (resource.get("type") or {}).get("text") or "Document without content"}}
    key = (subject, number["system"], number["value"])
    if what in ("appends", "replaces"):
        parent = _number(draft, head, 13)
        if parent is None:
            raise Unusable("field-missing", "TXA-13: The message does not say which document it is about.")
        if parent == number:
            raise Unusable("value", "TXA-13: A document cannot be its own parent.")
        resource["relatesTo"] = [{"code": what, "target": {"reference": _parent(draft, subject, parent, what)}}]
    draft.add(
        "DocumentReference", key, resource, MERGED, found_by=number, fresh={} if content else {"content": [title]}
    )


def _parent(draft: Draft, subject: str, number: Json, what: str) -> str:
    """The document that another adds to or replaces; one that never came is kept as a mere name."""
    resource: Json = {"identifier": [number], "masterIdentifier": number, "subject": {"reference": subject}}
    if what == "replaces":
        resource["status"] = "superseded"
    fresh = {"status": "current", "content": [{"attachment": {"title": "Document without content"}}]}
    key = (subject, number["system"], number["value"])
    return draft.add("DocumentReference", key, resource, MERGED, found_by=number, fresh=fresh | resource)


def _number(draft: Draft, head: Segment, at: int) -> Json | None:
    """An EI of a document as an Identifier."""
    one = head.first(at)
    value = one.part(1) or one.part(3)
    if not value:
        return None
    root = one.part(3) if one.part(1) else ""
    name = one.part(2) or draft.context.message.header.text(4) or draft.context.message.header.text(3)
    system = draft.context.systems.get(name) or (f"{OID}{root}" if one.part(4) == "ISO" and root else local(name))
    return {"system": system, "value": value}


def _status(head: Segment) -> str:
    return "superseded" if head.text(19) in ("OB", "CA") else "current"


def _details(draft: Draft, head: Segment, stay: str | None) -> Json:
    context = draft.context
    found: Json = {}
    if kind := context.concept(head.first(2), "0270"):
        found["type"] = kind
    if state := _DOC_STATUS.get(head.text(17)):
        found["docStatus"] = state
    when = context.time(head.text(6), "TXA-6") or context.time(head.text(4), "TXA-4")
    if when and "T" in when:
        found["date"] = when
    people = [one for at in (9, 5) for raw in head.each(at) if (one := practitioner(draft, raw))]
    if people:
        found["author"] = [one for n, one in enumerate(people) if one not in people[:n]]
    if head.each(22) and (who := practitioner(draft, head.first(22))):
        found["authenticator"] = who
    if secret := context.concept(head.first(18), "0272"):
        found["securityLabel"] = [secret]
    around: Json = {"encounter": [{"reference": stay}]} if stay else {}
    if done := context.time(head.text(4), "TXA-4"):
        around["period"] = {"start": done}
    if around:
        found["context"] = around
    return found


def contents(draft: Draft) -> list[Json]:
    """The attachments in the OBX of a message: each that is embedded, and all text as one."""
    found, lines, hint = [], [], ""
    for segment in draft.context.message.all("OBX"):
        kind = segment.text(2)
        if kind == "ED":
            found += [{"attachment": embedded(one.part)} for one in segment.each(5)]
        elif kind in _TEXTS:
            lines.append(segment.whole(5))
            hint = hint or segment.text(3, 2)
        elif kind == "RP":
            draft.context.note("OBX-5: A pointer to a document elsewhere is not followed.")
        elif kind:
            draft.context.note(
                f"OBX-2: Content of type {kind if kind.isalnum() and len(kind) < 4 else 'unknown'} is left out."
            )
    if any(line.strip() for line in lines):
        data = base64.b64encode("\n".join(lines).encode()).decode()
        found.append(
            {
                "attachment": {"contentType": "text/plain; charset=utf-8", "data": data}
                | ({"title": hint} if hint else {})
            }
        )
    return found


def embedded(part: Callable[[int], str]) -> Json:
    """An ED as an Attachment; Unusable for data that is not what its encoding says."""
    media = _media(part(2), part(3))
    encoding, data = part(4).upper(), part(5)
    if not data:
        raise Unusable("data-type", "OBX-5: An embedded document is empty.")
    if encoding == "BASE64":
        data = "".join(data.split())
        try:
            raw = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            raise Unusable("data-type", "OBX-5: The embedded document is no Base64.") from None
    elif encoding == "HEX":
        try:
            raw = bytes.fromhex(data)
        except ValueError:
            raise Unusable("data-type", "OBX-5: The embedded document is not hexadecimal.") from None
    elif encoding in ("", "A"):
        raw = data.encode()
    else:
        raise Unusable("value", "OBX-5: The encoding of an embedded document must be Base64, Hex or A.")
    return {"contentType": media, "data": base64.b64encode(raw).decode()}


def _media(kind: str, subtype: str) -> str:
    """The media type of an ED: by its subtype, which some write as `AP^PDF` and some as `application^pdf`."""
    for text in (subtype.upper(), kind.upper()):
        if text in MEDIA:
            return MEDIA[text]
    if "/" in subtype:
        return subtype.lower()
    return "application/octet-stream"
