"""Identifiers in every structured place of a resource: none is left, whatever element holds it."""

# ruff: noqa: E501 - resources are data
from __future__ import annotations

import base64
import json
from datetime import date
from typing import Any

import pytest

from extractors.deid.resource import Deidentifier

KEY = b"a key for tests, of 32 bytes ..."
SUBJECT = {"reference": "Patient/p77secret", "display": "Ottoline Brandvold"}
PATIENT: dict[str, Any] = {
    "resourceType": "Patient", "id": "p77secret", "birthDate": "1971-08-19",
    "name": [{"family": "Brandvold", "given": ["Ottoline"]}],
    "contact": [{
        "name": {"family": "Quistgaard", "given": ["Leopold"], "text": "Leopold Quistgaard"},
        "telecom": [{"system": "phone", "value": "303-555-7781"}],
        "address": {"line": ["17 Harrowgate Pl"], "city": "Ypsilanti", "postalCode": "48197"},
        "organization": {"display": "Harrowgate Foundry"}}],
    "generalPractitioner": [{"display": "Dr. Wilhelmina Oyelowo", "identifier": {"value": "NPI-1902837465"}}],
    "link": [{"type": "seealso", "other": {"reference": "http://other.example/Patient/p77secret"}}],
    "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "en"}], "text": "Ottoline speaks it"}}],
}  # fmt: skip
TEXT = base64.b64encode(b"Ottoline Brandvold called from 303-555-7781 on 03/04/2025.").decode()
PLACES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "contact": (PATIENT, ("Quistgaard", "Leopold", "7781", "Harrowgate", "Ypsilanti", "48197")),
    "general practitioner": (PATIENT, ("Wilhelmina", "Oyelowo", "1902837465")),
    "text of a concept": (PATIENT, ("Ottoline",)),
    "link": (PATIENT, ("p77secret", "other.example")),
    "RelatedPerson": (
        {"resourceType": "RelatedPerson", "id": "r9x", "patient": SUBJECT, "birthDate": "1950-02-03",
         "name": [{"family": "Vandersloot", "given": ["Casimir"]}], "telecom": [{"system": "email", "value": "casimir@sloot.example"}]},
        ("Vandersloot", "Casimir", "casimir", "1950-02-03", "Ottoline")),
    "Practitioner": (
        {"resourceType": "Practitioner", "id": "d1", "name": [{"text": "Theodosia Ekwensi MD"}],
         "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1427391825"}],
         "qualification": [{"identifier": [{"value": "LIC-99120"}], "code": {"text": "licence of Theodosia Ekwensi"}}]},
        ("Theodosia", "Ekwensi", "1427391825", "99120")),
    "Organization": (
        {"resourceType": "Organization", "name": "Brandvold Family Clinic", "alias": ["Thornbury Clinic"],
         "contact": [{"name": {"family": "Escarra"}, "telecom": [{"value": "614-555-0921"}]}]},
        ("Brandvold", "Thornbury", "Escarra", "0921")),
    "narrative": (
        {"resourceType": "Observation", "status": "final", "subject": SUBJECT, "code": {"text": "Glucose"}, "text": {
            "status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml' id='Brandvold'><a href='x/p77secret' title='Ottoline'>"
            "Otto<i>line</i> Brand&#118;old</a></div>"}},
        ("Brandvold", "Ottoline", "p77secret", "Brand&#118;old")),
    "extensions": (
        {"resourceType": "Observation", "status": "final", "subject": SUBJECT, "code": {"text": "Glucose"},
         "_status": {"extension": [{"url": "http://x.example/who", "valueString": "Brandvold"}]},
         "extension": [{"url": "http://x.example/who", "valueString": "Ottoline"},
                       {"url": "http://x.example/Brandvold", "extension": [{"url": "a", "valueReference": SUBJECT}]}]},
        ("Brandvold", "Ottoline", "x.example")),
    "attachment": (
        {"resourceType": "DocumentReference", "status": "current", "subject": SUBJECT, "description": "Letter to O. Brandvold",
         "content": [{"attachment": {"contentType": "text/plain", "title": "Brandvold_Ottoline 1971-08-19.txt", "data": TEXT,
                                     "url": "http://files.example/Brandvold.txt", "hash": "QUJD"}}],
         "context": {"related": [{"display": "visit of Ottoline Brandvold", "identifier": {"value": "CSN-5548120"}}]}},
        ("Brandvold", "Ottoline", "7781", "1971", "files.example", "QUJD", "5548120")),
    "display of a code": (
        {"resourceType": "Condition", "subject": SUBJECT, "code": {"text": "for Brandvold", "coding": [
            {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "J45.909", "display": "asthma of Ottoline Brandvold"},
            {"code": "x", "display": "call Dr. Wilhelmina Oyelowo at 303-555-7781"}]}},
        ("Brandvold", "Ottoline", "Oyelowo", "7781")),
    "unit": (
        {"resourceType": "Observation", "status": "final", "subject": SUBJECT, "code": {"text": "Glucose"},
         "valueQuantity": {"value": 3, "unit": "mg for Brandvold"}}, ("Brandvold",)),
    "supportingInfo": (
        {"resourceType": "Claim", "patient": SUBJECT, "supportingInfo": [
            {"sequence": 1, "category": {"text": "info"}, "valueString": "Ottoline Brandvold, 303-555-7781"},
            {"sequence": 2, "category": {"text": "att"}, "valueAttachment": {"contentType": "application/pdf", "data": TEXT, "title": "Brandvold"}},
            {"sequence": 3, "category": {"text": "r"}, "valueReference": {"reference": "DocumentReference/Brandvold"}}]},
        ("Brandvold", "Ottoline", "7781", TEXT)),
    "Binary of text": (
        {"resourceType": "Binary", "contentType": "text/plain", "securityContext": SUBJECT, "data": TEXT},
        ("Brandvold", "Ottoline", "7781", "2025", "p77secret")),
    "Binary of a picture": (
        {"resourceType": "Binary", "contentType": "image/png", "securityContext": SUBJECT, "data": TEXT}, (TEXT, "Brandvold")),
    "contained": (
        {"resourceType": "Observation", "status": "final", "subject": {"reference": "#Brandvold"}, "code": {"text": "Glucose"},
         "contained": [PATIENT | {"id": "Brandvold"}], "note": [{"authorString": "Ottoline", "text": "told by Leopold Quistgaard"}]},
        ("Brandvold", "Ottoline", "Quistgaard", "Leopold")),
}  # fmt: skip


@pytest.mark.parametrize("place", sorted(PLACES))
def test_nothing_is_left_in(place: str, vocabulary: Any) -> None:
    """Each planted identifier is removed or replaced, also inside of data in base64."""
    resource, planted = PLACES[place]
    made = Deidentifier(vocabulary, KEY, date(2026, 1, 1), [PATIENT]).resource(resource)
    text = json.dumps(made)
    data = (*(content["attachment"].get("data", "") for content in made.get("content", ())), made.get("data", ""))
    text += " ".join(base64.b64decode(one).decode() for one in data)
    assert [word for word in planted if word.lower() in text.lower()] == []
    assert made["resourceType"] == resource["resourceType"]


def test_what_a_code_is_called_stays(vocabulary: Any) -> None:
    """A display of a system that names nobody is kept as it is, also with an eponym."""
    coding = {"system": "http://snomed.info/sct", "code": "49049000", "display": "Parkinson's disease"}
    resource = {"resourceType": "Condition", "subject": SUBJECT, "code": {"coding": [coding]}}
    made = Deidentifier(vocabulary, KEY, date(2026, 1, 1), [PATIENT]).resource(resource)
    assert made["code"]["coding"][0]["display"] == "Parkinson's disease"


def test_a_binary_of_nobody_known_loses_its_data(vocabulary: Any) -> None:
    """Without anybody known, a text that stands alone is not trusted."""
    made = Deidentifier(vocabulary, KEY, date(2026, 1, 1)).resource(
        {"resourceType": "Binary", "contentType": "text/plain", "data": TEXT}
    )
    assert "data" not in made
