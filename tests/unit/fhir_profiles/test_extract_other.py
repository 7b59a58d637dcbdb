"""The index rows of one small resource of each other kind, worked out by hand from the parameters of R4."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from fhir_profiles import json
from fhir_profiles.dates import microseconds
from fhir_profiles.extract import Index, index
from fhir_profiles.validate import check

INF = float("inf")


def us(*at: int) -> int:
    """A UTC date and time as µs."""
    return microseconds(datetime(*at, tzinfo=UTC))  # type: ignore[misc]


CASES: list[tuple[str, bytes, dict[str, Any]]] = [
    (
        "Appointment",
        b"""{"status": "booked", "start": "2024-02-29T23:59:60Z", "end": "2024-03-01T00:30:00Z",
        "participant": [{"actor": {"reference": "Practitioner/d1"}, "status": "accepted"},
        {"actor": {"reference": "Patient/p1"}, "status": "accepted"}]}""",
        {
            "tokens": {
                ("status", "http://hl7.org/fhir/appointmentstatus", "booked"),
                ("part-status", "http://hl7.org/fhir/participationstatus", "accepted"),
            },
            "dates": {("date", us(2024, 3, 1), us(2024, 3, 1, 0, 0, 1))},
            "references": {
                ("actor", "Practitioner", "d1", None),
                ("practitioner", "Practitioner", "d1", None),
                ("actor", "Patient", "p1", None),
                ("patient", "Patient", "p1", None),
            },
            "patient": "p1",
            "date": us(2024, 3, 1),
        },
    ),
    (
        "Invoice",
        b"""{"status": "issued", "totalGross": {"value": 72.50, "currency": "USD"}}""",
        {
            "tokens": {("status", "http://hl7.org/fhir/invoice-status", "issued")},
            "quantities": {("totalgross", 72.5, 72.495, 72.505, "urn:iso:std:iso:4217", "USD", None)},
            "patient": None,
            "date": None,
        },
    ),
    (
        "RiskAssessment",
        b"""{"status": "final", "subject": {"reference": "Group/g1"},
        "prediction": [{"probabilityDecimal": 0.10},
        {"probabilityRange": {"low": {"value": 1, "system": "http://unitsofmeasure.org", "code": "%"},
         "high": {"value": 2, "system": "http://unitsofmeasure.org", "code": "%"}}}]}""",
        {
            "numbers": {("probability", 0.1, 0.095, 0.105), ("probability", 1.0, 0.5, 2.5)},
            "references": {("subject", "Group", "g1", None)},
            "patient": None,
            "date": None,
        },
    ),
    (
        "ValueSet",
        b"""{"status": "draft", "url": "http://e.org/vs", "version": "1", "name": "V", "date": "2019-11-01",
        "compose": {"include": [{"system": "http://loinc.org"}]},
        "useContext": [{"code": {"code": "focus"}, "valueQuantity": {"value": 2}}]}""",
        {
            "tokens": {
                ("status", "http://hl7.org/fhir/publication-status", "draft"),
                ("version", None, "1"),
                ("context-type", None, "focus"),
            },
            "strings": {("name", "v", "V")},
            "dates": {("date", us(2019, 11, 1), us(2019, 11, 2))},
            "uris": {("url", "http://e.org/vs"), ("reference", "http://loinc.org")},
            "quantities": {("context-quantity", 2.0, 1.5, 2.5, None, None, None)},
            "patient": None,
            "date": us(2019, 11, 1),
        },
    ),
    (
        "PlanDefinition",
        b"""{"status": "draft", "library": ["http://e.org/lib|2.0"],
        "relatedArtifact": [{"type": "depends-on", "resource": "http://e.org/a|1"},
        {"type": "citation", "resource": "http://e.org/b"}]}""",
        {
            "tokens": {("status", "http://hl7.org/fhir/publication-status", "draft")},
            "references": {
                ("depends-on", None, None, "http://e.org/a"),
                ("depends-on", None, None, "http://e.org/a|1"),
                ("depends-on", None, None, "http://e.org/lib"),
                ("depends-on", None, None, "http://e.org/lib|2.0"),
            },
            "patient": None,
            "date": None,
        },
    ),
    (
        "Bundle",
        b"""{"type": "document", "timestamp": "2024-01-01T00:00:00Z", "identifier": {"system": "s", "value": "b"},
        "entry": [{"resource": {"resourceType": "Composition", "id": "c1", "status": "final", "title": "t",
        "type": {"text": "x"}, "date": "2024", "author": [{"display": "a"}]}}]}""",
        {
            "tokens": {("type", "http://hl7.org/fhir/bundle-type", "document"), ("identifier", "s", "b")},
            "dates": {("timestamp", us(2024, 1, 1), us(2024, 1, 1, 0, 0, 1))},
            "references": {(p, "Composition", "c1", None) for p in ("composition", "message")},
            "patient": None,
            "date": us(2024, 1, 1),
        },
    ),
    (
        "Task",
        b"""{"status": "requested", "intent": "order", "for": {"reference": "Patient/p1"},
        "authoredOn": "2024-01-01", "lastModified": "2024-01-02", "focus": {"reference": "DocumentReference/d1"}}""",
        {
            "tokens": {
                ("status", "http://hl7.org/fhir/task-status", "requested"),
                ("intent", None, "order"),
            },
            "dates": {
                ("authored-on", us(2024, 1, 1), us(2024, 1, 2)),
                ("modified", us(2024, 1, 2), us(2024, 1, 3)),
            },
            "references": {
                ("subject", "Patient", "p1", None),
                ("patient", "Patient", "p1", None),
                ("focus", "DocumentReference", "d1", None),
            },
            "patient": None,
            "date": us(2024, 1, 1),
        },
    ),
    (
        "Provenance",
        b"""{"target": [{"reference": "Patient/p1"}, {"reference": "Claim/c1"}], "recorded": "2024-01-01T00:00:00Z",
        "agent": [{"who": {"reference": "Device/d1"}}],
        "entity": [{"role": "source", "what": {"reference": "DocumentReference/r1"}}]}""",
        {
            "dates": {("recorded", us(2024, 1, 1), us(2024, 1, 1, 0, 0, 1))},
            "references": {
                ("target", "Patient", "p1", None),
                ("patient", "Patient", "p1", None),
                ("target", "Claim", "c1", None),
                ("agent", "Device", "d1", None),
                ("entity", "DocumentReference", "r1", None),
            },
            "patient": "p1",
            "date": us(2024, 1, 1),
        },
    ),
    (
        "Location",
        b"""{"name": "North \\u00c9tage", "alias": ["N1"], "position": {"longitude": 1.5, "latitude": 2.5},
        "address": {"text": "1 Elm"}, "partOf": {"reference": "urn:uuid:5f3c1a52-7ad1-4cf6-a0ee-1f6c8c1b3c30"}}""",
        {
            "strings": {("name", "north etage", "North Étage"), ("name", "n1", "N1"), ("address", "1 elm", "1 Elm")},
            "references": {("partof", None, None, "urn:uuid:5f3c1a52-7ad1-4cf6-a0ee-1f6c8c1b3c30")},
            "patient": None,
            "date": None,
        },
    ),
    (
        "MolecularSequence",
        b"""{"coordinateSystem": 0, "patient": {"reference": "Patient/p1"}, "variant": [{"start": 10, "end": 12}],
        "referenceSeq": {"windowStart": 1, "windowEnd": 99, "chromosome": {"coding": [{"code": "1"}]},
        "genomeBuild": "GRCh38"}}""",
        {
            "tokens": {("chromosome", None, "1")},
            "references": {("patient", "Patient", "p1", None)},
            "numbers": {
                ("variant-start", 10.0, 9.5, 10.5),
                ("variant-end", 12.0, 11.5, 12.5),
                ("window-start", 1.0, 0.5, 1.5),
                ("window-end", 99.0, 98.5, 99.5),
            },
            "patient": "p1",
            "date": None,
        },
    ),
    (
        "Basic",
        b"""{"meta": {"profile": ["http://e.org/p"], "source": "urn:s", "lastUpdated": "2024-01-01T00:00:00.001Z",
        "tag": [{"system": "t", "code": "1"}], "security": [{"code": "R"}]}, "code": {"text": "x"}}""",
        {
            "tokens": {("_tag", "t", "1"), ("_security", None, "R")},
            "dates": {("_lastUpdated", us(2024, 1, 1) + 1_000, us(2024, 1, 1) + 2_000)},
            "uris": {("_profile", "http://e.org/p"), ("_source", "urn:s")},
            "patient": None,
            "date": None,
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


def test_numbers_beyond_float_are_indexed_at_infinity() -> None:
    """A number of any size is indexed without raising."""
    body = (
        b'{"resourceType": "Observation", "valueQuantity": {"value": 1E+400}, "status": "final", "code": {"text": "x"}}'
    )
    assert index(json.decode(body)).quantities[0][1] == INF
    huge = {"resourceType": "Observation", "valueQuantity": {"value": 10**400}}
    assert index(huge).quantities[0][1] == INF


def test_an_unknown_type_has_no_index() -> None:
    """Extraction is for types of R4 only."""
    with pytest.raises(KeyError):
        index({"resourceType": "Banana"})


def test_an_index_starts_empty() -> None:
    """Two resources never share rows."""
    assert index({"resourceType": "Basic"}) == Index() == index({"resourceType": "Basic"})
