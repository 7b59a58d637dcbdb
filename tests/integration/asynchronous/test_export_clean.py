"""`$export?_deidentify=true`: nothing that says who somebody is, in any file; one set of stand-ins for all."""

# ruff: noqa: E501 - resources are data
from __future__ import annotations

import asyncio
import base64
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from test_export import LATER, export, lines, put

PLANTED = (
    "Brandvold",
    "Ottoline",
    "pat-secret-1",
    "MRN-4419027",
    "5557781",
    "555-7781",
    "Ypsilanti",
    "1971-08-19",
    "Oyelowo",
    "03/04/2025",
)
SUBJECT = {"reference": "Patient/pat-secret-1", "display": "Ottoline Brandvold"}
NOTE = b"Ottoline Brandvold (MRN-4419027), born 1971-08-19, seen 03/04/2025 by Dr. Wilhelmina Oyelowo for asthma. 303-555-7781"


@pytest.fixture
async def planted(house: Any, built: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A patient with a document, two observations and a resource whose patient is not there."""
    from server.jobs.exporting import clean
    from server.operations.deidentify import vocabulary_of

    monkeypatch.setattr(clean, "vocabulary_of", lambda _: vocabulary_of(built))
    person = {"name": [{"family": "Brandvold", "given": ["Ottoline"]}]}
    answer = await house.client.put("Patient/pat-secret-1", json=dict(
              resourceType="Patient", id="pat-secret-1", **person, gender="female", birthDate="1971-08-19", identifier=[{"system": "urn:mrn", "value": "MRN-4419027"}],
              telecom=[{"system": "phone", "value": "303-555-7781"}],
              address=[{"line": ["17 Harrow St"], "city": "Ypsilanti", "state": "MI", "postalCode": "48197"}]))  # fmt: skip
    assert answer.status_code == 201
    data = base64.b64encode(NOTE).decode()
    await put(house, "DocumentReference", "doc1", status="current", subject=SUBJECT,
              content=[{"attachment": {"contentType": "text/plain", "data": data, "title": "Brandvold.txt"}}])  # fmt: skip
    for name, day in (("o1", "2025-03-04"), ("o2", "2025-03-18")):
        await put(
            house,
            "Observation",
            name,
            status="final",
            code={"text": "for Brandvold"},
            subject=SUBJECT,
            effectiveDateTime=day,
        )
    return house


async def test_no_planted_identifier_leaves(planted: Any) -> None:
    """In elements, in the text of documents, in ids and references; days move by one number for the patient."""
    manifest = await export(planted, "$export?_deidentify=true")
    found = await lines(planted, manifest)
    document = next(one for one in found if one["resourceType"] == "DocumentReference")
    note = base64.b64decode(document["content"][0]["attachment"]["data"]).decode()
    text = json.dumps(found) + note
    assert [word for word in PLANTED if word.lower() in text.lower()] == []
    assert "asthma" in note and len(found) == 4
    patient = next(one for one in found if one["resourceType"] == "Patient")
    observations = [one for one in found if one["resourceType"] == "Observation"]
    named = {one["subject"]["reference"] for one in (*observations, document)}
    assert named == {f"Patient/{patient['id']}"}
    days = sorted(date.fromisoformat(one["effectiveDateTime"]) for one in observations)
    assert (days[1] - days[0]).days == 14 and days[0] != date(2025, 3, 4)
    assert all({"PSEUDED"} <= {label["code"] for label in one["meta"]["security"]} for one in found)


async def test_two_exports_cannot_be_joined(planted: Any) -> None:
    """Each export has a key of its own: no id of one is found in another."""
    both = [await lines(planted, await export(planted, "$export?_deidentify=true")) for _ in range(2)]
    first, second = ({one["id"] for one in found} for found in both)
    assert len(first) == 4 and not first & second


async def test_exports_are_joined_where_that_is_asked_for(planted: Any) -> None:
    """By `stable` two exports call everybody the same, with the same days, and not as any other does."""
    asked = ("stable", "stable", "true")
    several = [await lines(planted, await export(planted, f"$export?_deidentify={how}")) for how in asked]
    first, second, other = ({one["id"]: one for one in found} for found in several)
    assert len(first) == 4 and first == second and not first.keys() & other.keys()
    assert "Brandvold" not in json.dumps(list(first.values()))


async def test_what_cannot_be_judged_is_left_out(planted: Any) -> None:
    """A resource whose patient is not seen is in no file, and the error file says how many there were."""
    lost = {"status": "final", "code": {"text": "x"}}
    await put(planted, "Patient", "gone")
    await put(planted, "Observation", "lost", **lost, subject={"reference": "Patient/gone"})
    assert (await planted.client.delete("Patient/gone")).status_code in (200, 204)
    manifest = await export(planted, "$export?_deidentify=true")
    assert len(await lines(planted, manifest)) == 4
    [told] = await lines(planted, manifest, "error")
    assert told["issue"][0]["diagnostics"].endswith("let them go: 1 resources.")


@pytest.mark.parametrize("asked", ["$export?_deidentify=maybe", "$export?_deidentify=true&_deidentify=false"])
async def test_a_half_understood_wish_is_refused(planted: Any, asked: str) -> None:
    """Nothing is exported in clear because the wish was misspelt."""
    answer = await planted.client.get(asked, headers=LATER)
    assert answer.status_code == 400


async def test_a_body_cannot_hide_the_wish_from_the_trail(planted: Any) -> None:
    """The parameter must stand in the URL, which the audit trail keeps; the event of the kick-off says it."""
    body = {"resourceType": "Parameters", "parameter": [{"name": "_deidentify", "valueBoolean": True}]}
    answer = await planted.client.post("$export", headers=LATER, json=body)
    assert answer.status_code == 400
    await export(planted, "$export?_deidentify=true")
    asked: list[str] = []
    for _ in range(600):  # events of reads are taken from their spool a moment later
        asked = await asked_of_events(planted)
        if any("_deidentify=true" in text for text in asked):
            break
        await asyncio.sleep(0.1)
    assert any("$export" in text and "_deidentify=true" in text for text in asked)


async def asked_of_events(house: Any) -> list[str]:
    """What the events say was asked."""
    events = (await house.client.get("AuditEvent?_count=200")).json().get("entry", ())
    entities = [entity for one in events for entity in one["resource"].get("entity", ())]
    return [base64.b64decode(entity["query"]).decode() for entity in entities if entity.get("query")]
