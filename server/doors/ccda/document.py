"""One C-CDA document as resources: what it is known by, what it yields, what is left (https://hl7.org/fhir/us/ccda/)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import uuid5

from extractors.emit.ids import SPACE, coded_id
from extractors.emit.people import ESCAPE, ESCAPED, match, reference_to
from extractors.pages.limits import Refused
from fhir_profiles.systems import PROVENANCE_PARTICIPANT

from .encounters import encompassing
from .header import document_reference, read_authors, read_patient, record_target
from .sections import map_sections
from .sheet import Sheet
from .tree import Element, Limits, attribute, find, open_document
from .values import Json, identifier


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a document became. `key` is its own id, `home` the id of its DocumentReference, which versions share."""

    key: str
    home: str
    version: int
    resources: tuple[Json, ...]
    notes: tuple[str, ...]
    patient: Mapping[str, Any]
    encounter: Mapping[str, Any] | None
    author: Mapping[str, Any] | None

    def bundle(self) -> Json:
        """The transaction that stores it."""
        return {"resourceType": "Bundle", "type": "transaction", "entry": [entry_of(one) for one in self.resources]}


def map_document(data: bytes, limits: Limits, recorded: str) -> Mapped:
    """A document that stands for itself, with its DocumentReference; raises `Refused`. `recorded` is an instant."""
    root = open_document(data, limits)
    number = identifier(find(root, "v:id"))
    if number is None:
        raise Refused(
            "required", "The ClinicalDocument has no id, so that nobody could know it again. Export it with one."
        )
    key = f"{number.get('system', '')}|{number['value']}"
    group = identifier(find(root, "v:setId")) or number
    home = home_of(group)
    sheet = Sheet(home, limits.entries)
    sheet.learn_texts(root)
    read_patient(sheet, root)
    authors = read_authors(sheet, root)
    encompassing(sheet, root)
    document_reference(sheet, root, data, authors)
    map_sections(sheet, root)
    _provenance(sheet, recorded)
    return _mapped(sheet, key, _version(root))


def home_of(number: Mapping[str, Any]) -> str:
    """The id of the DocumentReference of a set of versions, or of a document that is of none."""
    return str(uuid5(SPACE, f"ccda|{number.get('system', '')}|{number['value']}"))


def map_entries(data: bytes, limits: Limits, document: Mapping[str, Any], recorded: str) -> Mapped:
    """The entries of a document whose DocumentReference there is; whom that names is who they are about.

    Raises `Refused`, also for a document about several patients.
    """
    root = open_document(data, limits)
    sheet = Sheet(document["id"], limits.entries)
    sheet.learn_texts(root)
    subject = document.get("subject")
    visit = next(iter((document.get("context") or {}).get("encounter") or ()), None)
    if subject is None:
        read_patient(sheet, root)
    else:
        record_target(root)
        sheet.patient = dict(subject)
    read_authors(sheet, root)
    if visit is None:
        encompassing(sheet, root)
    else:
        sheet.encounter = dict(visit)
    map_sections(sheet, root)
    _provenance(sheet, recorded)
    return _mapped(sheet, "", _version(root))


def _mapped(sheet: Sheet, key: str, version: int) -> Mapped:
    notes = tuple(dict.fromkeys(sheet.notes))
    return Mapped(key, sheet.home, version, tuple(sheet.resources), notes, sheet.patient, sheet.encounter, sheet.author)


def _version(root: Element) -> int:
    told = attribute(root, "v:versionNumber", "value")
    return int(told) if told.isascii() and told.isdigit() and len(told) < 10 else 0


def provenance_id(home: str) -> str:
    """The id of the Provenance that names what was made of the entries of a document."""
    return coded_id(home, "Provenance", "ccda")


def _provenance(sheet: Sheet, recorded: str) -> None:
    """Where the resources come from; there is none without any."""
    targets = [reference_to(one) for one in sheet.resources if one["resourceType"] != "DocumentReference"]
    if not targets:
        return
    kind = {"coding": [{"system": PROVENANCE_PARTICIPANT, "code": "assembler"}]}
    made: Json = {
        "resourceType": "Provenance",
        "id": provenance_id(sheet.home),
        "target": targets,
        "recorded": recorded,
        "activity": {"text": "Mapped from the entries of a C-CDA document"},
        "agent": [{"type": kind, "who": {"display": "fhirwright"}}],
        "entity": [{"role": "source", "what": {"reference": f"DocumentReference/{sheet.home}"}}],
    }
    if sheet.author:
        writer = {"coding": [{"system": PROVENANCE_PARTICIPANT, "code": "author"}]}
        made["agent"].append({"type": writer, "who": sheet.author})
    sheet.resources.append(made)


def entry_of(resource: Json) -> Json:
    """The entry that stores a resource; people and organizations with a number are made only where nobody has it."""
    kind, url = resource["resourceType"], f"urn:uuid:{resource['id']}"
    query = match(resource) or _organization(resource)
    if query is None:
        return {"fullUrl": url, "resource": resource, "request": {"method": "PUT", "url": f"{kind}/{resource['id']}"}}
    body = {key: value for key, value in resource.items() if key != "id"}
    return {"fullUrl": url, "resource": body, "request": {"method": "POST", "url": kind, "ifNoneExist": query}}


def _organization(resource: Json) -> str | None:
    if resource["resourceType"] != "Organization":
        return None
    for one in resource.get("identifier", ()):
        if one.get("system"):
            return f"identifier={one['system']}|{quote(ESCAPED.sub(ESCAPE, one['value']), safe='')}"
    return None
