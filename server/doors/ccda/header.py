"""The header of a document: whom it is about, who wrote it, what it is (https://hl7.org/fhir/us/ccda/CF-documentreference.html)."""

from __future__ import annotations

import base64
import binascii

from extractors.pages.limits import Refused
from extractors.pages.sniff import CCDA, media_type
from fhir_profiles.systems import DOCUMENT_VERSION, PROCESSING_TAG, US_CORE_DOCUMENT_CATEGORY

from . import times
from .people import patient
from .sheet import Sheet
from .tree import Element, attribute, every, find, words
from .values import Json, absent_concept, identifier

MAPPED = "mapped"
"""The tag of a DocumentReference whose entries are resources already."""

_RELATIONS = {"RPLC": "replaces", "APND": "appends", "XFRM": "transforms"}


def record_target(root: Element) -> Element | None:
    """The patientRole of the one patient, if there is any; raises `Refused` for several."""
    found = list(every(root, "v:recordTarget/v:patientRole"))
    if len(found) > 1:
        raise Refused("business-rule", "The document is about several patients. Send one document for each.")
    return found[0] if found else None


def read_patient(sheet: Sheet, root: Element) -> None:
    """Make the Patient; raises `Refused` for none, for several and for one who has neither number nor name."""
    role = record_target(root)
    if role is None:
        raise Refused("required", "The document has no recordTarget with a patientRole. Export it with its patient.")
    made = patient(role, sheet.notes)
    if not made.get("identifier") and not made.get("name"):
        raise Refused("required", "The patient of the document has neither a number nor a name.")
    sheet.patient = sheet.add("Patient", None, made, place="recordTarget")


def read_authors(sheet: Sheet, root: Element) -> list[Json]:
    """The authors; the first who is a person is who wrote what names nobody."""
    found = [sheet.person(one) for one in every(root, "v:author/v:assignedAuthor")]
    authors = [one for one in found if one]
    sheet.author = next((one for one in authors if sheet.is_person(one)), None)
    return authors


def document_reference(sheet: Sheet, root: Element, data: bytes, authors: list[Json]) -> None:
    """The DocumentReference under the id of the document's home, with the document in it."""
    number = identifier(find(root, "v:id"))
    group, version = identifier(find(root, "v:setId")), attribute(root, "v:versionNumber", "value")
    when = times.of(root, sheet.notes, "v:effectiveTime")
    label = sheet.concept(find(root, "v:confidentialityCode"))
    service = times.period(find(root, "v:documentationOf/v:serviceEvent/v:effectiveTime"), sheet.notes)
    context = {"encounter": [sheet.encounter] if sheet.encounter else [], "period": service}
    custodian = sheet.body(find(root, "v:custodian/v:assignedCustodian/v:representedCustodianOrganization"))
    content: Json = {
        "meta": {"tag": [{"system": PROCESSING_TAG, "code": MAPPED}]},
        "masterIdentifier": number,
        "identifier": [
            *([group] if group else []),
            *([{"system": DOCUMENT_VERSION, "value": version}] if version else []),
        ],
        "status": "current",
        "docStatus": "final" if find(root, "v:legalAuthenticator") is not None else None,
        "type": sheet.concept(find(root, "v:code")) or absent_concept(find(root, "v:code")),
        "category": [{"coding": [{"system": US_CORE_DOCUMENT_CATEGORY, "code": "clinical-note"}]}],
        "subject": dict(sheet.patient),
        "date": when if when and len(when) > 10 else None,
        "author": authors,
        "custodian": custodian,
        "relatesTo": _relations(root),
        "securityLabel": [label] if label else [],
        "content": _contents(root, data, when),
        "context": {key: value for key, value in context.items() if value},
    }
    made = {"resourceType": "DocumentReference", "id": sheet.home}
    sheet.resources.append(made | {key: value for key, value in content.items() if value not in (None, [], {})})


def _relations(root: Element) -> list[Json]:
    made = []
    for one in every(root, "v:relatedDocument"):
        code, target = _RELATIONS.get(one.get("typeCode", "")), identifier(find(one, "v:parentDocument/v:id"))
        if code and target:
            made.append({"code": code, "target": {"type": "DocumentReference", "identifier": target}})
    return made


def _contents(root: Element, data: bytes, when: str | None) -> list[Json]:
    """What the document holds, if that is a file, before the document itself: the first attachment is what is read."""
    title = words(find(root, "v:title"))
    around = {"contentType": CCDA, "data": base64.b64encode(data).decode()}
    around |= {"title": title} if title else {}
    around |= {"creation": when} if when else {}
    inner = embedded(root)
    if inner is None:
        return [{"attachment": around}]
    file = {"contentType": media_type(inner), "data": base64.b64encode(inner).decode()}
    return [{"attachment": file | ({"title": title} if title else {})}, {"attachment": around}]


def embedded(root: Element) -> bytes | None:
    """The file in a nonXMLBody; None where the body has sections. Raises `Refused` for what is damaged or elsewhere."""
    body = find(root, "v:component/v:nonXMLBody")
    if body is None:
        return None
    text = find(body, "v:text")
    if text is None or find(text, "v:reference") is not None:
        raise Refused("not-supported", "The body of the document lies elsewhere. Send it with the file inside.")
    if text.get("compression"):
        raise Refused("not-supported", "The file in the document is compressed. Send it as it is.")
    given = "".join(map(str, text.itertext()))
    if (text.get("representation") or "TXT").upper() != "B64":
        inner = given.strip().encode()
    else:
        try:
            inner = base64.b64decode("".join(given.split()), validate=True)
        except (binascii.Error, ValueError):
            raise Refused("structure", "The file in the document is not base64. Export it again.") from None
    if not inner:
        raise Refused("required", "The body of the document is empty. Send it with the file inside.")
    if media_type(inner) == CCDA:
        raise Refused("not-supported", "The document holds another document. Send that one.")
    return inner
