"""C-CDA documents in the store: once, in their newest version, about one patient."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles import json
from server.access.caller import ANYBODY
from server.doors.arrivals import Unusable
from server.doors.files import About, about_of, by_number, take
from server.doors.rows import Outcome, raw_of
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir

SAMPLES = Path(__file__).parents[2] / "unit" / "doors" / "ccda_samples"


def send(fhir: Fhir, name: str) -> Outcome:
    """A sample by the door."""
    return take(fhir, (SAMPLES / f"{name}.xml").read_bytes(), About())


def stored(fhir: Fhir, kind: str, **query: str) -> list[dict[str, Any]]:
    """What a search finds."""
    asked = Request(method="GET", path=(kind,), query=tuple(query.items()), caller=ANYBODY)
    return [entry["resource"] for entry in json.decode(fhir.handle_sync(asked).body).get("entry", ())]


def test_a_document_comes_once(fhir: Fhir) -> None:
    """Sent again nothing is written; two documents of a patient make one Patient; its entries are there at once."""
    first, again = send(fhir, "ccd"), send(fhir, "ccd")
    assert (first.state, again) == ("stored", first._replace(known=True))
    assert send(fhir, "referral_note").state == "stored"
    assert len(stored(fhir, "Patient")) == 1
    assert len(stored(fhir, "Practitioner")) == 1
    kinds = Counter(reference.partition("/")[0] for reference in first.written)
    assert kinds["Condition"] == 3
    [document] = stored(fhir, "DocumentReference", type="34133-9")
    assert document["subject"]["reference"] == f"Patient/{stored(fhir, 'Patient')[0]['id']}"


def test_a_later_version_takes_the_place_of_an_earlier_one(fhir: Fhir) -> None:
    """What the later one lost is gone, what it changed is changed, and it says what it replaces."""
    send(fhir, "version_1")
    assert len(stored(fhir, "Condition")) == 2
    assert send(fhir, "version_2").state == "stored"
    [condition] = stored(fhir, "Condition")
    assert condition["abatementDateTime"] == "2024-04-01"
    [document] = stored(fhir, "DocumentReference")
    assert document["meta"]["versionId"] == "2"
    assert [one["code"] for one in document["relatesTo"]] == ["replaces"]


def test_an_earlier_version_that_comes_late_changes_nothing(fhir: Fhir) -> None:
    """It is acknowledged, and the later one stands."""
    send(fhir, "version_2")
    late = send(fhir, "version_1")
    assert (late.state, late.written) == ("stored", ())
    assert len(stored(fhir, "Condition")) == 1


def test_a_version_about_somebody_else_is_a_conflict(fhir: Fhir) -> None:
    """The set of versions is one patient's."""
    send(fhir, "version_1")
    other = send(fhir, "other_patient")
    assert (other.state, other.reason) == ("quarantined", "conflict")
    assert len(stored(fhir, "Patient")) == 1


def test_the_same_id_with_another_content_is_a_conflict(fhir: Fhir) -> None:
    """A changed document under an id that is stored lies apart, with its bytes."""
    send(fhir, "version_1")
    changed = (SAMPLES / "version_1.xml").read_bytes().replace(b"Summary", b"Another")
    outcome = take(fhir, changed, About())
    assert (outcome.state, outcome.reason) == ("quarantined", "conflict")
    assert raw_of(fhir.store, outcome.id) == changed


def test_a_replaced_document_of_no_set_is_superseded(fhir: Fhir) -> None:
    """A document that names by id which one it replaces ends that one, with what was made of it."""
    send(fhir, "referral_note")
    before = len(stored(fhir, "Condition"))
    newer = (SAMPLES / "version_2.xml").read_bytes().replace(b'extension="D-30"', b'extension="D-3"')
    assert take(fhir, newer, About()).state == "stored"
    assert (before, len(stored(fhir, "Condition"))) == (2, 1)
    assert {one["status"] for one in stored(fhir, "DocumentReference")} == {"current", "superseded"}


@pytest.mark.parametrize("name", ["two_patients", "entity_bomb", "missing_document_id", "damaged_cut"])
def test_what_cannot_be_used_lies_apart(fhir: Fhir, name: str) -> None:
    """Nothing of it is stored, its reason is told, its bytes are kept."""
    outcome = send(fhir, name)
    assert outcome.state == "quarantined"
    assert outcome.text
    assert raw_of(fhir.store, outcome.id) == (SAMPLES / f"{name}.xml").read_bytes()
    assert stored(fhir, "Patient") == []


def test_other_files(fhir: Fhir) -> None:
    """A text for a patient by number, a resource, NDJSON and a transaction; what is none of these has its reason."""
    patient = {"resourceType": "Patient", "id": "p1", "identifier": [{"system": "urn:oid:1.2.3", "value": "7"}]}
    assert take(fhir, json.encode(patient), About()).written == ("Patient/p1",)
    by = About(by_number("urn:oid:1.2.3", "7"), "11506-3")
    assert take(fhir, b"Seen for asthma.", by).state == "stored"
    assert stored(fhir, "DocumentReference")[0]["subject"]["reference"] == "Patient/p1"
    lines = b'{"resourceType":"Patient","id":"p2"}\n{"resourceType":"Patient","id":"p3"}\n'
    assert take(fhir, lines, About()).written == ("Patient/p2", "Patient/p3")
    assert take(fhir, b"Seen again.", About(by_number("urn:oid:1.2.3", "8"))).reason == "conflict"
    assert take(fhir, b'{"resourceType":"Patient","gender":5}', About()).reason == "refused"
    assert take(fhir, b"{broken", About()).reason == "structure"
    assert take(fhir, b"PK\x03\x04zip", About()).reason == "not-supported"


@pytest.mark.parametrize(
    "told", [b"{", b'{"patient":"Practitioner/1"}', b'{"patient":"Patient/1?x"}', b'{"mrn":"1"}', b'{"type":5}']
)
def test_a_sidecar_that_cannot_be_read_is_told(told: bytes) -> None:
    """No patient is guessed."""
    with pytest.raises(Unusable):
        about_of(told)
