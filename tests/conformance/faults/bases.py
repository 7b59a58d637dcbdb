"""Valid resources that faults are planted in."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

DIV = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Seen <b>today</b></p></div>'
UCUM = "http://unitsofmeasure.org"
CODES = "http://terminology.hl7.org/CodeSystem/"


def _concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


BASES: dict[str, Json] = {
    "Patient": {
        "resourceType": "Patient",
        "id": "p1",
        "text": {"status": "generated", "div": DIV},
        "contained": [{"resourceType": "Practitioner", "id": "d2", "name": [{"family": "Vane"}]}],
        "extension": [
            {"url": "https://example.org/a", "valueString": "x"},
            {"url": "https://example.org/b", "extension": [{"url": "c", "valueBoolean": True}]},
        ],
        "identifier": [{"use": "usual", "system": "https://example.org/mrn", "value": "M1"}],
        "active": True,
        "name": [{"family": "Quill", "given": ["Ada", "Mae"], "period": {"start": "2000", "end": "2010-05"}}],
        "telecom": [{"system": "phone", "value": "555-0100", "use": "home", "rank": 1}],
        "gender": "female",
        "birthDate": "1980-02-29",
        "_birthDate": {"id": "b1"},
        "deceasedBoolean": False,
        "address": [{"line": ["1 Elm Street"], "city": "Dover"}],
        "photo": [{"contentType": "image/png", "data": "aGVsbG8="}],
        "contact": [{"name": {"text": "Bo"}}],
        "generalPractitioner": [{"reference": "Practitioner/d1"}, {"reference": "#d2"}],
        "link": [{"other": {"reference": "Patient/p2"}, "type": "seealso"}],
    },
    "Observation": {
        "resourceType": "Observation",
        "status": "final",
        "category": [_concept(f"{CODES}observation-category", "vital-signs")],
        "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}], "text": "BP"},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2024-03-01T10:00:00+01:00",
        "issued": "2024-03-01T09:00:00.5Z",
        "valueQuantity": {"value": 72.5, "unit": "mm[Hg]", "system": UCUM, "code": "mm[Hg]"},
        "referenceRange": [{"low": {"value": 90}, "high": {"value": 120}}],
        "component": [{"code": {"text": "x"}, "valueInteger": 3}],
    },
    "Condition": {
        "resourceType": "Condition",
        "clinicalStatus": _concept(f"{CODES}condition-clinical", "active"),
        "verificationStatus": _concept(f"{CODES}condition-ver-status", "confirmed"),
        "code": _concept("http://hl7.org/fhir/sid/icd-10-cm", "E11.9"),
        "subject": {"reference": "Patient/p1"},
        "onsetDateTime": "2019",
        "stage": [{"summary": {"text": "II"}}],
        "evidence": [{"code": [{"text": "seen"}]}],
    },
    "AllergyIntolerance": {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": _concept(f"{CODES}allergyintolerance-clinical", "active"),
        "verificationStatus": _concept(f"{CODES}allergyintolerance-verification", "confirmed"),
        "patient": {"reference": "Patient/p1"},
    },
    "Appointment": {
        "resourceType": "Appointment",
        "status": "booked",
        "start": "2024-03-01T10:00:00Z",
        "end": "2024-03-01T11:00:00Z",
        "participant": [{"actor": {"reference": "Patient/p1"}, "status": "accepted"}],
    },
    "MedicationRequest": {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "aspirin"},
        "subject": {"reference": "Patient/p1"},
        "dosageInstruction": [
            {
                "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "when": ["ACM"], "offset": 30}},
                "doseAndRate": [{"doseRange": {"low": {"value": 1, "unit": "mg"}, "high": {"value": 2, "unit": "mg"}}}],
            }
        ],
    },
    "Bundle": {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:0b6b3f2a-5f0e-4f43-9c3a-7d4d5b9a2c11",
                "resource": {"resourceType": "Organization", "name": "O"},
                "request": {"method": "POST", "url": "Organization"},
            },
            {
                "fullUrl": "urn:uuid:0b6b3f2a-5f0e-4f43-9c3a-7d4d5b9a2c12",
                "resource": {"resourceType": "Patient", "active": True},
                "request": {"method": "POST", "url": "Patient"},
            },
        ],
    },
    "Questionnaire": {
        "resourceType": "Questionnaire",
        "status": "draft",
        "item": [
            {"linkId": "1", "type": "group", "item": [{"linkId": "1.1", "type": "string", "maxLength": 5}]},
            {"linkId": "2", "type": "choice", "answerOption": [{"valueString": "a"}]},
            {"linkId": "3", "type": "display", "text": "x"},
            {
                "linkId": "4",
                "type": "date",
                "enableWhen": [{"question": "2", "operator": "exists", "answerBoolean": True}],
            },
        ],
    },
    "ValueSet": {
        "resourceType": "ValueSet",
        "status": "active",
        "compose": {"include": [{"system": "http://loinc.org", "concept": [{"code": "8480-6"}]}]},
    },
    "StructureDefinition": {
        "resourceType": "StructureDefinition",
        "url": "https://example.org/StructureDefinition/p",
        "name": "P",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "derivation": "constraint",
        "differential": {
            "element": [
                {"id": "Patient", "path": "Patient"},
                {"id": "Patient.name", "path": "Patient.name", "min": 1, "max": "2", "mustSupport": True},
            ]
        },
    },
    "List": {
        "resourceType": "List",
        "status": "current",
        "mode": "changes",
        "entry": [{"deleted": True, "item": {"reference": "Patient/p1"}}],
    },
    "Consent": {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"text": "s"},
        "category": [{"text": "c"}],
        "policyRule": {"text": "r"},
    },
    "Organization": {"resourceType": "Organization", "name": "O", "address": [{"use": "work", "city": "Dover"}]},
    "Parameters": {"resourceType": "Parameters", "parameter": [{"name": "p", "valueString": "x"}]},
    "Claim": {
        "resourceType": "Claim",
        "status": "active",
        "type": _concept(f"{CODES}claim-type", "professional"),
        "use": "claim",
        "patient": {"reference": "Patient/p1"},
        "created": "2024-03-02",
        "provider": {"reference": "Organization/o1"},
        "priority": {"coding": [{"code": "normal"}]},
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"reference": "Coverage/v1"}}],
        "item": [{"sequence": 1, "productOrService": {"text": "visit"}, "net": {"value": 5, "currency": "USD"}}],
    },
}
