"""Files that come by a door: what each is, how it is known, and what becomes of it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import quote

from extractors.emit.people import ESCAPE, ESCAPED
from extractors.pages.limits import Refused
from extractors.pages.sniff import CCDA, media_type
from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import LOINC
from server.interactions.fhir import Fhir
from server.settings import Settings

from . import documents, mllp
from .arrivals import Arrival, Made, Unusable, arrive, derived_id
from .rows import Outcome
from .v2.message import reader

DOOR = "file"
_CONFLICTS = 3
_MESSAGES = (b"MSH|", b"MSH^")


class About(NamedTuple):
    """What is known of a file beside its bytes: a Reference to its patient, and its type as a LOINC code."""

    patient: str = ""
    type: str = ""


def about_of(told: bytes) -> About:
    """What a sidecar says: `patient` as `Patient/id`, or an identifier's `system` and `value`; `type`, a LOINC code."""
    try:
        given = json.decode(told, max_bytes=65_536, max_depth=5)
    except FhirError:
        raise Unusable("structure", "The JSON file beside it cannot be read.") from None
    fields = {name: given.get(name, "") for name in ("patient", "system", "value", "type")}
    if not all(isinstance(value, str) and len(value) <= 500 for value in fields.values()) or given.keys() - fields:
        raise Unusable("structure", "The JSON file beside it may say patient, system, value and type, each as text.")
    patient = fields["patient"]
    if patient and not (patient.startswith("Patient/") and patient.count("/") == 1 and "?" not in patient):
        raise Unusable("value", "The patient in the JSON file beside it is no reference Patient/[id].")
    return About(patient or by_number(fields["system"], fields["value"]), fields["type"])


def by_number(system: str, value: str) -> str:
    """A Reference to whoever has an identifier, which must be one patient; empty without a value."""
    number = quote(ESCAPED.sub(ESCAPE, value), safe="")
    house = f"{quote(system, safe=':/.')}|" if system else ""
    return f"Patient?identifier={house}{number}" if value else ""


def take(fhir: Fhir, content: bytes, about: About) -> Outcome:
    """Store what a file says, once; what cannot be used goes into quarantine. Raises FhirError to be tried again."""
    return _settled(fhir, *_sorted(fhir, content, about))


def take_ccda(fhir: Fhir, content: bytes) -> Outcome:
    """The same of what must be a C-CDA document: anything else goes into quarantine."""
    return _settled(fhir, documents.arrival_of(content, fhir.settings), partial(documents.to_bundle, fhir))


def _settled(fhir: Fhir, arrival: Arrival, make: Callable[[bytes], Made]) -> Outcome:
    for _ in range(_CONFLICTS):
        try:
            return arrive(fhir, arrival, make)
        except FhirError as error:
            if error.category is not Category.CONFLICT:
                raise
            text = error.problems[0].text

    def refuse(_: bytes) -> Made:
        raise Unusable("conflict", text)

    return arrive(fhir, arrival, refuse)  # it meets what is stored each time: waiting does not help


def maker_of(fhir: Fhir, door: str) -> Callable[[bytes], Made] | None:
    """How what lies in quarantine under a door of files is made; None for other doors."""
    return {documents.DOOR: partial(documents.to_bundle, fhir), DOOR: partial(_to_bundle, fhir.settings)}.get(door)


def _sorted(fhir: Fhir, content: bytes, about: About) -> tuple[Arrival, Callable[[bytes], Made]]:
    """How a file is known, and how it is made: a C-CDA document and an HL7 v2 message by its own
    id, another file by patient and content."""
    if _kind(content) == CCDA:
        return documents.arrival_of(content, fhir.settings), partial(documents.to_bundle, fhir)
    if content.lstrip(b"\xef\xbb\xbf \t\r\n\x0b").startswith(_MESSAGES):
        return mllp.arrival_of(content), reader(fhir.settings)
    kept = content
    if not _is_json(content) and any(about):
        kept = json.encode(_reference(content, about))
    return Arrival(DOOR, sha256(kept).hexdigest(), kept), partial(_to_bundle, fhir.settings)


def _kind(content: bytes) -> str:
    try:
        return media_type(content)
    except Refused:
        return ""


def _is_json(content: bytes) -> bool:
    return content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and not content.startswith(b"{\\rtf")


def _reference(content: bytes, about: About) -> dict[str, Any]:
    """The DocumentReference of a file; raises Unusable for what the pipeline cannot read."""
    try:
        kind = media_type(content)
    except Refused as refused:
        raise Unusable(refused.code, refused.text) from None
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        **({"type": {"coding": [{"system": LOINC, "code": about.type}]}} if about.type else {}),
        **({"subject": {"reference": about.patient}} if about.patient else {}),
        "content": [{"attachment": {"contentType": kind, "data": base64.b64encode(content).decode()}}],
    }


def _to_bundle(settings: Settings, content: bytes) -> Made:
    if len(content) > settings.document_bytes * 3 // 2:
        raise Unusable("too-long", f"The file is over {settings.document_bytes / 1e6:g} MB. Send it in parts.")
    key = sha256(content).hexdigest()
    if not _is_json(content):
        return Made(_transaction([_reference(content, About())], key))
    return Made(_of_json(content, key))


def _of_json(content: bytes, key: str) -> dict[str, Any]:
    """A transaction as it is; another Bundle, a resource, or NDJSON as the resources in it."""
    try:
        lines = [line for line in content.lstrip(b"\xef\xbb\xbf").splitlines() if line.strip()]
        found = [json.decode(line) for line in lines] if _is_ndjson(lines) else [json.decode(content)]
    except FhirError as error:
        raise Unusable("structure", error.problems[0].text) from None
    if len(found) == 1 and found[0].get("resourceType") == "Bundle":
        [bundle] = found
        if bundle.get("type") == "transaction":
            return bundle
        found = [entry.get("resource") or {} for entry in bundle.get("entry") or () if isinstance(entry, dict)]
    if not found or not all(isinstance(one, dict) and isinstance(one.get("resourceType"), str) for one in found):
        raise Unusable("structure", "The JSON is neither a resource, a Bundle of resources nor NDJSON of them.")
    return _transaction(found, key)


def _is_ndjson(lines: list[bytes]) -> bool:
    return len(lines) > 1 and all(line.startswith(b"{") and line.rstrip().endswith(b"}") for line in lines)


def _transaction(resources: list[dict[str, Any]], key: str) -> dict[str, Any]:
    """Each resource under its id, or under one that comes from its place in the file."""
    entries = []
    for place, one in enumerate(resources):
        id = one.get("id") or derived_id(DOOR, key, str(place))
        url = f"{one['resourceType']}/{id}"
        entries.append({"resource": {**one, "id": id}, "request": {"method": "PUT", "url": url}})
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}
