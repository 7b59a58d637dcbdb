"""Patient, Practitioner and Encounter of a document (https://hl7.org/fhir/R4/patient.html).

A person is matched by identifier, never by name alone: with a printed MRN or a printed, well-formed NPI the resource is
created only when nobody has that identifier yet; without one it stands for this document only.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from extractors.emit.concepts import coding
from extractors.emit.ids import Ids
from extractors.emit.source import Context, Reference, Source
from extractors.model import Coded, Identity, Setting
from fhir_profiles.systems import ACT_CODE, IDENTIFIER_TYPE, NPI

CLASSES: dict[Setting, tuple[str, str]] = {
    "outpatient": ("AMB", "ambulatory"),
    "inpatient": ("IMP", "inpatient encounter"),
}

ESCAPED, ESCAPE = re.compile(r"[\\,$|]"), r"\\\g<0>"  # what a search value must not say by itself


def emit_people(source: Source, coded: Coded, ids: Ids) -> Context:
    """The references that the document's resources share, and the resources made where the source names nobody."""
    identity = coded.findings.identity
    made: list[dict[str, Any]] = []
    subject, performer = source.subject, source.author
    if subject is None:
        made.append(_patient(source, identity, ids.next("Patient")))
        subject = reference_to(made[-1])
    if performer is None and identity.npi:
        made.append(_practitioner(identity, ids.next("Practitioner")))
        performer = {**reference_to(made[-1]), **({"display": identity.provider} if identity.provider else {})}
    elif performer is None and identity.provider:
        performer = {"display": identity.provider}
    encounter = source.encounter
    if encounter is None:
        made.append(_encounter(coded, subject, performer, ids.next("Encounter")))
        encounter = reference_to(made[-1])
    return Context(subject, encounter, performer, tuple(made))


def reference_to(resource: dict[str, Any]) -> dict[str, str]:
    """How other resources of the same Bundle point to `resource`; the transaction turns it into `Type/id`."""
    return {"reference": f"urn:uuid:{resource['id']}"}


def match(resource: dict[str, Any]) -> str | None:
    """The search that finds the same person (`identifier=system|value`), None for whom no identifier is sure."""
    if resource["resourceType"] not in ("Patient", "Practitioner"):
        return None
    for identifier in resource.get("identifier", ()):
        system, value = identifier.get("system"), identifier.get("value")
        if system and value and (system != NPI or is_npi(value)):
            return f"identifier={system}|{quote(ESCAPED.sub(ESCAPE, value), safe='')}"
    return None


def is_npi(value: str) -> bool:
    """Ten digits whose last one is the Luhn check digit over 80840 and the rest; a misread digit fails this."""
    if len(value) != 10 or not (value.isascii() and value.isdigit()):
        return False
    digits = [int(digit) for digit in "80840" + value]
    doubled = [digit * 2 if place % 2 else digit for place, digit in enumerate(reversed(digits))]
    return sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0


def _patient(source: Source, identity: Identity, id: str) -> dict[str, Any]:
    patient: dict[str, Any] = {"resourceType": "Patient", "id": id}
    if identity.mrn:
        kind = {"coding": [coding(IDENTIFIER_TYPE, "MR", "Medical record number")]}
        patient["identifier"] = [{"type": kind, "system": source.mrn_system, "value": identity.mrn}]
    name: dict[str, Any] = {"family": identity.family, "given": list(identity.given)}
    if name := {key: value for key, value in name.items() if value}:
        patient["name"] = [name]
    if identity.phone:
        patient["telecom"] = [{"system": "phone", "value": identity.phone}]
    if identity.sex:
        patient["gender"] = identity.sex
    if identity.birth_date:
        patient["birthDate"] = identity.birth_date.isoformat()
    if identity.address:
        patient["address"] = [{"text": identity.address}]
    return patient


def _practitioner(identity: Identity, id: str) -> dict[str, Any]:
    practitioner: dict[str, Any] = {
        "resourceType": "Practitioner",
        "id": id,
        "identifier": [{"system": NPI, "value": identity.npi}],
    }
    if identity.provider:
        practitioner["name"] = [{"text": identity.provider}]
    return practitioner


def _encounter(coded: Coded, subject: Reference, performer: Reference | None, id: str) -> dict[str, Any]:
    identity = coded.findings.identity
    code, display = CLASSES[coded.setting]
    encounter: dict[str, Any] = {
        "resourceType": "Encounter",
        "id": id,
        "status": "finished",
        "class": coding(ACT_CODE, code, display),
        "subject": dict(subject),
    }
    if performer:
        encounter["participant"] = [{"individual": dict(performer)}]
    start, end = coded.service_date, identity.service_end
    if start:
        period = {"start": start.isoformat()}
        if end and end >= start:
            period["end"] = end.isoformat()
        elif coded.setting == "outpatient":
            period["end"] = start.isoformat()
        encounter["period"] = period
    if identity.facility:
        encounter["serviceProvider"] = {"display": identity.facility}
    return encounter
