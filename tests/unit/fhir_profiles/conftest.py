"""Small valid resources that tests break in one place."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles import json

DIV = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Seen <b>today</b></p></div>'

PATIENT = b"""{"resourceType": "Patient", "id": "p1", "text": {"status": "generated", "div":
"<div xmlns=\\"http://www.w3.org/1999/xhtml\\"><p>Seen</p></div>"},
"extension": [{"url": "https://example.org/a", "valueString": "x"},
 {"url": "https://example.org/b", "extension": [{"url": "c", "valueBoolean": true}]}],
"identifier": [{"system": "https://example.org/mrn", "value": "M1"}], "active": true,
"name": [{"family": "Quill", "given": ["Ada", null], "_given": [null, {"extension": [
 {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}]}],
"telecom": [{"system": "phone", "value": "555-0100", "use": "home", "rank": 1}],
"gender": "female", "birthDate": "1980-02-29", "_birthDate": {"id": "b1"}, "deceasedBoolean": false,
"maritalStatus": {"text": "married"}, "photo": [{"contentType": "image/png", "data": "aGVsbG8="}],
"contact": [{"name": {"text": "Bo"}, "period": {"start": "2020-01"}}],
"generalPractitioner": [{"reference": "Practitioner/d1"}, {"reference": "#d2"}],
"contained": [{"resourceType": "Practitioner", "id": "d2", "name": [{"family": "Vane"}]}]}"""

OBSERVATION = b"""{"resourceType": "Observation", "id": "o1", "status": "final",
"category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category",
 "code": "vital-signs"}]}],
"code": {"coding": [{"system": "http://loinc.org", "code": "8480-6", "display": "Systolic"}], "text": "BP"},
"subject": {"reference": "Patient/p1"}, "encounter": {"reference": "Encounter/e1"},
"effectiveDateTime": "2024-03-01T10:00:00+01:00", "issued": "2024-03-01T09:00:00.5Z",
"valueQuantity": {"value": 72.50, "comparator": "<", "unit": "mm[Hg]", "system": "http://unitsofmeasure.org",
 "code": "mm[Hg]"},
"referenceRange": [{"low": {"value": 90}, "high": {"value": 120}}],
"component": [{"code": {"text": "x"}, "valueInteger": 3}]}"""

CONDITION = b"""{"resourceType": "Condition", "id": "c1",
"clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
 "code": "active"}]},
"code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9"}]},
"subject": {"reference": "Patient/p1"}, "onsetDateTime": "2019"}"""


@pytest.fixture
def patient() -> dict[str, Any]:
    return json.decode(PATIENT)


@pytest.fixture
def observation() -> dict[str, Any]:
    return json.decode(OBSERVATION)


@pytest.fixture
def condition() -> dict[str, Any]:
    return json.decode(CONDITION)


@pytest.fixture
def broken(
    patient: dict[str, Any], observation: dict[str, Any], condition: dict[str, Any]
) -> Callable[[str, Callable[[dict[str, Any]], Any]], dict[str, Any]]:
    """A copy of the named resource after a change made in place."""
    whole = {"Patient": patient, "Observation": observation, "Condition": condition}

    def change(name: str, edit: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        resource = copy.deepcopy(whole[name])
        edit(resource)
        return resource

    return change
