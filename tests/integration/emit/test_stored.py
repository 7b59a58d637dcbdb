"""Emitted Bundles in a real store, on both engines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from claims.draft import draft_claim
from extractors.emit import Source, bundle, emit
from extractors.model import Code, Coded, Document, Finding, Findings, Identity, Page, Word
from fhir_profiles import json
from fhir_profiles.systems import CPT, ICD10CM, LOINC
from server.interactions.exchange import Response

TEXT = "E11.65 Weight 72.50 kg 99214"
Call = Callable[..., Response]


def result(document: str, mrn: str | None = "5512907", codes: int = 3) -> bytes:
    """The Bundle of a one-line page about an invented person; the first `codes` of its codes."""
    words, at = [], 0
    for token in TEXT.split():
        at = TEXT.index(token, at)
        quad = (at / 40, 0.1, (at + len(token)) / 40, 0.1, (at + len(token)) / 40, 0.12, at / 40, 0.12)
        words.append(Word(token, at, at + len(token), quad, 96.0, 0))
    page = Page(1, 612, 792, 0, len(TEXT), "ocr", tuple(words))
    weight = {"name": "Weight", "loinc": "29463-7", "value": Decimal("72.50"), "unit": "kg"}
    items = (
        Finding("code", 0, 6, "E11.65"),
        Finding("vital", 7, 22, "Weight 72.50 kg", attributes=weight),
        Finding("code", 23, 28, "99214"),
    )
    systems = ((ICD10CM, "E11.65"), (LOINC, "29463-7"), (CPT, "99214"))
    found = [
        Code(system, code, code, item.start, item.end, 0.9, "accepted", "printed", n, "2026")
        for n, ((system, code), item) in enumerate(zip(systems, items, strict=True))
    ]
    identity = Identity(family="Abernathy", mrn=mrn, npi="1487650321", provider="Tobias Quill, MD")
    coded = Coded(Findings(items, identity), tuple(found[:codes]), "outpatient", date(2026, 3, 12), {ICD10CM: "2026"})
    source = Source(document, "2026-03-13T08:41:00Z", "1")
    emitted = emit(source, Document(TEXT, "image/tiff", "0", (page,)), coded, draft_claim=draft_claim)
    return json.encode(bundle(emitted))


@pytest.fixture
def documents(call: Call) -> None:
    """The two documents that the results point to."""
    for name in ("one", "two"):
        content = [{"attachment": {"contentType": "text/plain", "url": "urn:example:elsewhere"}}]
        body = {"resourceType": "DocumentReference", "id": name, "status": "current", "content": content}
        assert call("PUT", f"DocumentReference/{name}", body).status in (200, 201)


def found(call: Call, search: str) -> list[dict[str, Any]]:
    """The resources that a search finds, decimals as stored."""
    answer = call("GET", search)
    assert answer.status == 200
    return [entry["resource"] for entry in json.decode(answer.body).get("entry", ())]


@pytest.mark.usefixtures("documents")
def test_a_second_run_doubles_nothing(call: Call) -> None:
    """The same Bundle twice leaves one of each resource."""
    kinds = ("Patient", "Practitioner", "Encounter", "Condition", "Observation", "Procedure", "Claim", "Provenance")
    for _ in range(2):
        assert call("POST", "", result("one")).status == 200
        assert {kind: len(found(call, kind)) for kind in kinds} == dict.fromkeys(kinds, 1)


@pytest.mark.usefixtures("documents")
def test_two_documents_of_one_patient_share_patient_and_practitioner(call: Call) -> None:
    """The printed MRN and NPI find who is there; everything points to them."""
    for name in ("one", "two"):
        assert call("POST", "", result(name)).status == 200
    (patient,) = found(call, "Patient")
    assert len(found(call, "Practitioner")) == 1
    assert len(found(call, f"Condition?patient={patient['id']}&code={ICD10CM}|E11.65")) == 2
    assert len(found(call, f"Claim?patient=Patient/{patient['id']}&status=draft")) == 2


@pytest.mark.usefixtures("documents")
def test_documents_without_mrn_share_nobody(call: Call) -> None:
    """The same name alone makes no match."""
    for name in ("one", "two"):
        assert call("POST", "", result(name, mrn=None)).status == 200
    assert len(found(call, "Patient?family=Abernathy")) == 2


@pytest.mark.usefixtures("documents")
def test_decimals_and_evidence_survive_the_store(call: Call) -> None:
    """What is read back is what was emitted, to the last zero."""
    assert call("POST", "", result("one")).status == 200
    (weight,) = found(call, "Observation?code=29463-7&value-quantity=72.5||kg")
    assert str(weight["valueQuantity"]["value"]) == "72.50"
    box = weight["code"]["coding"][0]["extension"][1]["extension"]
    assert [str(part.get("valueDecimal", part.get("valuePositiveInt"))) for part in box[:3]] == [
        "1",
        "0.17500",
        "0.10000",
    ]


@pytest.mark.usefixtures("documents")
def test_provenance_leads_from_a_result_to_the_document(call: Call) -> None:
    """`Provenance?target=` finds the one Provenance, which names the version that was read."""
    assert call("POST", "", result("one")).status == 200
    (condition,) = found(call, "Condition")
    (provenance,) = found(call, f"Provenance?target=Condition/{condition['id']}")
    assert provenance["entity"][0]["what"]["reference"] == "DocumentReference/one/_history/1"
    assert not [t for t in provenance["target"] if t["reference"].startswith("urn:")]
