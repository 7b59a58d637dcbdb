import base64
import json
from datetime import date

import pytest

from extractors.deid.resource import Deidentifier
from fhir_profiles.definitions import load
from fhir_profiles.validate import check

KEY = b"a key for tests, of 32 bytes ..."
PATIENT = {
    "resourceType": "Patient", "id": "pat1", "gender": "male", "birthDate": "1931-03-02",
    "name": [{"family": "Schwarzenberg", "given": ["William"]}],
    "extension": [{"url": "http://example.org/mothers-maiden-name", "valueString": "Kleinfeldt"}],
    "identifier": [{"system": "urn:mrn", "value": "MRN-0048213"}],
    "telecom": [{"system": "phone", "value": "(614) 555-2291"}],
    "address": [{"line": ["48 Elmcrest St"], "city": "Dayton", "state": "OH", "postalCode": "45402"}],
    "text": {"status": "generated",
             "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p title="Schwarzenberg">Will<b>iam</b> Schwarzenberg</p></div>'},  # noqa: E501
}  # fmt: skip
DOCUMENT = {
    "resourceType": "DocumentReference", "id": "d1", "status": "current",
    "subject": {"reference": "Patient/pat1", "display": "William Schwarzenberg"}, "date": "2025-03-04T10:00:00Z",
    "content": [{"attachment": {"contentType": "text/plain", "url": "https://example.org/Schwarzenberg", "data":
                base64.b64encode(b"Bill Schwarzenberg seen March 4, 2025 by Dr. Nkechi Okafor for asthma.").decode()}}],
}  # fmt: skip
BUNDLE = {
    "resourceType": "Bundle", "type": "collection",
    "entry": [{"fullUrl": "http://x/fhir/Patient/pat1", "resource": PATIENT},
              {"fullUrl": "http://x/fhir/DocumentReference/d1", "resource": DOCUMENT}],
}  # fmt: skip


@pytest.fixture
def made(vocabulary):
    return Deidentifier(vocabulary, KEY, date(2026, 1, 1)).resource(BUNDLE)


def test_nothing_known_is_left(made):
    """Names, numbers, days, places, links, maiden names: gone from elements, narrative and attachment."""
    data = made["entry"][1]["resource"]["content"][0]["attachment"].pop("data")
    text = json.dumps(made) + base64.b64decode(data).decode()
    planted = (
        "Schwarzenberg",
        "William",
        "Kleinfeldt",
        "0048213",
        "2291",
        "Elmcrest",
        "Dayton",
        "45402",
        "1931",
        "2025",
        "pat1",
        "Okafor",
    )
    assert [word for word in planted if word in text] == []
    assert "asthma" in text


def test_references_are_renamed_alike(made):
    """The document still points to its patient, and the answer is valid R4."""
    patient, document = (entry["resource"] for entry in made["entry"])
    assert document["subject"]["reference"] == f"Patient/{patient['id']}"
    assert [p for p in check(made) if p.severity in ("error", "fatal")] == []


def test_the_old_and_small_places_are_generalised(made):
    """Over 89 only a year remains; of a ZIP code three digits."""
    patient = made["entry"][0]["resource"]
    assert patient["birthDate"] == "1936" and patient["address"] == [{"state": "OH", "postalCode": "454"}]


def test_days_move_by_one_number_for_a_patient(vocabulary):
    """Intervals stay, whatever the shape of the date."""
    seen = [{"resourceType": "Observation", "status": "final", "code": {"text": "Glucose"}, "subject": {"reference": "Patient/pat1"},  # noqa: E501
             "effectiveDateTime": day} for day in ("2025-03-04", "2025-03-18")]  # fmt: skip
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in seen]}
    made = Deidentifier(vocabulary, KEY, date(2026, 1, 1)).resource(bundle)
    days = [date.fromisoformat(entry["resource"]["effectiveDateTime"]) for entry in made["entry"]]
    assert (days[1] - days[0]).days == 14 and days[0] != date(2025, 3, 4)


def test_rules_name_elements_that_exist():
    """Each rule of an element is about an element of R4."""
    from extractors.deid.resource import _rules

    types = load().types
    for place in _rules()[1]:
        owner, _, name = place.rpartition(".")
        assert owner in types, place
        assert name in types[owner].by_key or name in types[owner].by_name, place
