"""The index rows of one small clinical resource per type, worked out by hand from the parameters of R4."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from fhir_profiles import json
from fhir_profiles.dates import OPEN_HIGH, OPEN_LOW, microseconds
from fhir_profiles.extract import index
from fhir_profiles.validate import check

INF = float("inf")


def us(*at: int) -> int:
    """A UTC date and time as µs."""
    return microseconds(datetime(*at, tzinfo=UTC))  # type: ignore[misc]


CASES: list[tuple[str, bytes, dict[str, Any]]] = [
    (
        "Patient",
        b"""{"id": "p1", "active": true, "gender": "female", "birthDate": "1980-02", "deceasedDateTime": "2020-01-01",
        "identifier": [{"system": "urn:mrn", "value": "M1"}, {"value": "N2"}],
        "name": [{"text": "Zo\\u00eb Qu\\u00edll", "family": "Qu\\u00edll", "given": ["Zo\\u00eb", "Ann  Lee"]}],
        "telecom": [{"system": "phone", "use": "home", "value": "555-0100"}, {"system": "email", "value": "z@e.org"}],
        "address": [{"line": ["1 Elm St"], "city": "Dover", "state": "DE", "postalCode": "19901", "use": "home"}],
        "managingOrganization": {"reference": "Organization/o1"}}""",
        {
            "tokens": {
                ("active", None, "true"),
                ("gender", "http://hl7.org/fhir/administrative-gender", "female"),
                ("identifier", "urn:mrn", "M1"),
                ("identifier", None, "N2"),
                ("telecom", "home", "555-0100"),
                ("phone", "home", "555-0100"),
                ("telecom", None, "z@e.org"),
                ("email", None, "z@e.org"),
                ("address-use", "http://hl7.org/fhir/address-use", "home"),
                ("deceased", None, "true"),
            },
            "strings": {
                *((p, n, e) for p in ("name", "phonetic") for n, e in (("zoe quill", "Zoë Quíll"), ("quill", "Quíll"))),
                *((p, n, e) for p in ("name", "phonetic") for n, e in (("zoe", "Zoë"), ("ann lee", "Ann  Lee"))),
                ("family", "quill", "Quíll"),
                ("given", "zoe", "Zoë"),
                ("given", "ann lee", "Ann  Lee"),
                *(("address", x.lower(), x) for x in ("1 Elm St", "Dover", "DE", "19901")),
                ("address-city", "dover", "Dover"),
                ("address-state", "de", "DE"),
                ("address-postalcode", "19901", "19901"),
            },
            "dates": {
                ("birthdate", us(1980, 2, 1), us(1980, 3, 1)),
                ("death-date", us(2020, 1, 1), us(2020, 1, 2)),
            },
            "references": {("organization", "Organization", "o1", None)},
            "patient": "p1",
            "date": us(1980, 2, 1),
        },
    ),
    (
        "Observation",
        b"""{"status": "final", "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}, {"code": "SBP"}]},
        "subject": {"reference": "Patient/p1/_history/3"}, "effectiveDateTime": "2024-03-01T10:00:00+02:00",
        "valueQuantity": {"value": 72.50, "unit": "mm[Hg]", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"},
        "performer": [{"reference": "#x"}, {"reference": "https://other.example/fhir/Practitioner/9/_history/1"}],
        "contained": [{"resourceType": "Practitioner", "id": "x"}],
        "component": [{"code": {"coding": [{"code": "c"}]}, "valueQuantity": {"value": 3, "comparator": ">"}}]}""",
        {
            "tokens": {
                ("status", "http://hl7.org/fhir/observation-status", "final"),
                ("code", "http://loinc.org", "8480-6"),
                ("code", None, "SBP"),
                ("combo-code", "http://loinc.org", "8480-6"),
                ("combo-code", None, "SBP"),
                ("component-code", None, "c"),
                ("combo-code", None, "c"),
            },
            "dates": {("date", us(2024, 3, 1, 8), us(2024, 3, 1, 8, 0, 1))},
            "references": {
                ("subject", "Patient", "p1", None),
                ("patient", "Patient", "p1", None),
                ("performer", "Practitioner", None, "https://other.example/fhir/Practitioner/9"),
            },
            "quantities": {
                *(
                    (p, 72.5, 72.495, 72.505, "http://unitsofmeasure.org", "mm[Hg]", "mm[Hg]")
                    for p in ("value-quantity", "combo-value-quantity")
                ),
                ("component-value-quantity", 3.0, 3.0, INF, None, None, None),
                ("combo-value-quantity", 3.0, 3.0, INF, None, None, None),
            },
            "patient": "p1",
            "date": us(2024, 3, 1, 8),
        },
    ),
    (
        "Condition",
        b"""{"subject": {"reference": "Patient/p1"}, "recordedDate": "2024-01-05",
        "onsetRange": {"low": {"value": 40, "system": "urn:u", "code": "a", "unit": "years"}},
        "abatementString": "Last Year", "clinicalStatus": {"coding": [{"code": "resolved",
        "system": "http://terminology.hl7.org/CodeSystem/condition-clinical"}]},
        "evidence": [{"detail": [{"reference": "Observation/o1"}], "code": [{"coding": [{"code": "e"}]}]}]}""",
        {
            "tokens": {
                ("evidence", None, "e"),
                ("clinical-status", "http://terminology.hl7.org/CodeSystem/condition-clinical", "resolved"),
            },
            "strings": {("abatement-string", "last year", "Last Year")},
            "dates": {("recorded-date", us(2024, 1, 5), us(2024, 1, 6))},
            "references": {
                ("subject", "Patient", "p1", None),
                ("patient", "Patient", "p1", None),
                ("evidence-detail", "Observation", "o1", None),
            },
            "quantities": {("onset-age", 40.0, 39.5, INF, "urn:u", "a", "years")},
            "patient": "p1",
            "date": us(2024, 1, 5),
        },
    ),
    (
        "Encounter",
        b"""{"status": "finished", "class": {"system": "urn:c", "code": "AMB"}, "subject": {"reference": "Patient/p1"},
        "period": {"start": "2024-01-01T08:00:00Z"}, "length": {"value": 1.5, "unit": "h"},
        "location": [{"location": {"reference": "Location/l1"}, "period": {"end": "2024"}}]}""",
        {
            "tokens": {("status", "http://hl7.org/fhir/encounter-status", "finished"), ("class", "urn:c", "AMB")},
            "dates": {
                ("date", us(2024, 1, 1, 8), OPEN_HIGH),
                ("location-period", OPEN_LOW, us(2025, 1, 1)),
            },
            "references": {
                ("subject", "Patient", "p1", None),
                ("patient", "Patient", "p1", None),
                ("location", "Location", "l1", None),
            },
            "quantities": {("length", 1.5, 1.45, 1.55, None, None, "h")},
            "patient": "p1",
            "date": us(2024, 1, 1, 8),
        },
    ),
    (
        "Claim",
        b"""{"status": "draft", "type": {"coding": [{"code": "professional"}]}, "use": "claim", "created": "2024-05-06",
        "patient": {"reference": "Patient/p1"}, "provider": {"reference": "Organization/o1"},
        "priority": {"coding": [{"code": "normal"}]}, "insurance": [{"sequence": 1, "focal": true,
        "coverage": {"reference": "Coverage/v1"}}], "item": [{"sequence": 1, "productOrService": {"text": "x"},
        "encounter": [{"reference": "Encounter/e1"}]}]}""",
        {
            "tokens": {
                ("status", "http://hl7.org/fhir/fm-status", "draft"),
                ("use", "http://hl7.org/fhir/claim-use", "claim"),
                ("priority", None, "normal"),
            },
            "dates": {("created", us(2024, 5, 6), us(2024, 5, 7))},
            "references": {
                ("patient", "Patient", "p1", None),
                ("provider", "Organization", "o1", None),
                ("encounter", "Encounter", "e1", None),
            },
            "patient": "p1",
            "date": us(2024, 5, 6),
        },
    ),
    (
        "AllergyIntolerance",
        b"""{"patient": {"reference": "Patient/p2"}, "asserter": {"reference": "Patient/p9"},
        "category": ["food", "medication"], "criticality": "high", "clinicalStatus": {"coding": [{"code": "active",
        "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"}]}, "recordedDate": "2024"}""",
        {
            "tokens": {
                ("clinical-status", "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "active"),
                ("category", "http://hl7.org/fhir/allergy-intolerance-category", "food"),
                ("category", "http://hl7.org/fhir/allergy-intolerance-category", "medication"),
                ("criticality", "http://hl7.org/fhir/allergy-intolerance-criticality", "high"),
            },
            "dates": {("date", us(2024, 1, 1), us(2025, 1, 1))},
            "references": {("patient", "Patient", "p2", None), ("asserter", "Patient", "p9", None)},
            "patient": "p2",
            "date": us(2024, 1, 1),
        },
    ),
    (
        "Coverage",
        b"""{"status": "active", "beneficiary": {"reference": "Patient/p1"}, "subscriberId": "x",
        "payor": [{"reference": "Organization/o1"}], "class": [{"type": {"coding": [{"code": "g"}]}, "value": "V1"}],
        "dependent": "Two"}""",
        {
            "tokens": {("status", "http://hl7.org/fhir/fm-status", "active"), ("class-type", None, "g")},
            "strings": {("class-value", "v1", "V1"), ("dependent", "two", "Two")},
            "references": {
                ("beneficiary", "Patient", "p1", None),
                ("patient", "Patient", "p1", None),
                ("payor", "Organization", "o1", None),
            },
            "patient": "p1",
            "date": None,
        },
    ),
    (
        "DocumentReference",
        b"""{"status": "current", "subject": {"identifier": {"system": "urn:mrn", "value": "M1"}, "type": "Patient"},
        "date": "2024-01-01T00:00:00.5Z", "description": "Discharge note",
        "content": [{"attachment": {"contentType": "text/plain", "url": "http://e.org/a", "creation": "2023"}}],
        "relatesTo": [{"code": "replaces", "target": {"reference": "DocumentReference/d0"}}]}""",
        {
            "tokens": {
                ("status", "http://hl7.org/fhir/document-reference-status", "current"),
                ("subject:identifier", "urn:mrn", "M1"),
                ("patient:identifier", "urn:mrn", "M1"),
                ("contenttype", None, "text/plain"),
                ("relation", "http://hl7.org/fhir/document-relationship-type", "replaces"),
            },
            "strings": {("description", "discharge note", "Discharge note")},
            "dates": {("date", us(2024, 1, 1) + 500_000, us(2024, 1, 1) + 600_000)},
            "references": {("relatesto", "DocumentReference", "d0", None)},
            "uris": {("location", "http://e.org/a")},
            "patient": None,
            "date": us(2024, 1, 1) + 500_000,
        },
    ),
    (
        "MedicationRequest",
        b"""{"status": "active", "intent": "order", "subject": {"reference": "Patient/p1"}, "authoredOn": "2024-01-02",
        "medicationCodeableConcept": {"coding": [{"system": "rx", "code": "161"}]},
        "dosageInstruction": [{"timing": {"event": ["2024-02-01", "2024-02-03"]}}]}""",
        {
            "tokens": {
                ("status", "http://hl7.org/fhir/CodeSystem/medicationrequest-status", "active"),
                ("intent", "http://hl7.org/fhir/CodeSystem/medicationrequest-intent", "order"),
                ("code", "rx", "161"),
            },
            "dates": {
                ("authoredon", us(2024, 1, 2), us(2024, 1, 3)),
                ("date", us(2024, 2, 1), us(2024, 2, 2)),
                ("date", us(2024, 2, 3), us(2024, 2, 4)),
            },
            "references": {("subject", "Patient", "p1", None), ("patient", "Patient", "p1", None)},
            "patient": "p1",
            "date": us(2024, 1, 2),
        },
    ),
    (
        "ServiceRequest",
        b"""{"status": "active", "intent": "order", "subject": {"reference": "Device/x"}, "occurrenceTiming": {
        "event": ["2024-02-01", "2024-02-03"], "repeat": {"boundsPeriod": {"start": "2024-01-15"}}}}""",
        {
            "tokens": {
                ("status", "http://hl7.org/fhir/request-status", "active"),
                ("intent", "http://hl7.org/fhir/request-intent", "order"),
            },
            "dates": {("occurrence", us(2024, 1, 15), OPEN_HIGH)},
            "references": {("subject", "Device", "x", None)},
            "patient": None,
            "date": us(2024, 1, 15),
        },
    ),
    (
        "MedicationStatement",
        b"""{"status": "active", "subject": {"reference": "Patient/p1"}, "effectivePeriod": {"end": "2024-01"},
        "medicationReference": {"reference": "Medication/m1"}}""",
        {
            "tokens": {("status", "http://hl7.org/fhir/CodeSystem/medication-statement-status", "active")},
            "dates": {("effective", OPEN_LOW, us(2024, 2, 1))},
            "references": {
                ("subject", "Patient", "p1", None),
                ("patient", "Patient", "p1", None),
                ("medication", "Medication", "m1", None),
            },
            "patient": "p1",
            "date": us(2024, 2, 1),
        },
    ),
    (
        "Procedure",
        b"""{"status": "completed", "subject": {"reference": "Patient/p1"},
        "performedPeriod": {"start": "2024-01-01", "end": "2024-01-03"},
        "instantiatesCanonical": ["http://e.org/p|3"], "instantiatesUri": ["http://e.org/u"]}""",
        {
            "tokens": {("status", "http://hl7.org/fhir/event-status", "completed")},
            "dates": {("date", us(2024, 1, 1), us(2024, 1, 4))},
            "references": {
                ("subject", "Patient", "p1", None),
                ("patient", "Patient", "p1", None),
                ("instantiates-canonical", None, None, "http://e.org/p"),
                ("instantiates-canonical", None, None, "http://e.org/p|3"),
            },
            "uris": {("instantiates-uri", "http://e.org/u")},
            "patient": "p1",
            "date": us(2024, 1, 1),
        },
    ),
]


@pytest.mark.parametrize(("name", "body", "expected"), CASES, ids=[c[0] for c in CASES])
def test_rows_are_those_worked_out_by_hand(name: str, body: bytes, expected: dict[str, Any]) -> None:
    """Every row of a resource is there and no other."""
    resource = {"resourceType": name, **json.decode(body)}
    assert check(resource) == []
    found = index(resource)
    for field in ("tokens", "strings", "dates", "references", "uris"):
        assert set(getattr(found, field)) == expected.get(field, set()), field
    for field in ("quantities", "numbers"):
        assert _rounded(getattr(found, field)) == _rounded(expected.get(field, ())), field
    assert (found.patient, found.date) == (expected["patient"], expected["date"])


def _rounded(rows: Any) -> set[tuple[Any, ...]]:
    return {tuple(round(x, 9) if isinstance(x, float) and abs(x) != INF else x for x in row) for row in rows}
