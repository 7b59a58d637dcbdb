"""Coded unaided: what the machine made is set apart, and held against what stands when a person has finished."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fhir_profiles import json
from fhir_profiles.systems import CPT, HCPCS, ICD10CM
from fhir_profiles.validate import check
from server.review.gather import claim_of, pipeline_of, review_of
from server.review.model import Review
from server.review.read import reference_of
from server.review.unaided import is_drawn, is_unaided, is_wanted, parted
from server.review.unaided_task import Worth, compared, comparison_of, comparison_task
from tests.unit.review.conftest import DOCUMENT, SAID, Desk, Json, Shelf, machine


def _unaided() -> Desk:
    """A coder at the document as it is shown to one who codes unaided."""
    shelf = Shelf()
    shelf.take(parted(machine(), DOCUMENT).open)
    return Desk(shelf)


def _review(bundle: Json) -> Review:
    return review_of({reference_of(one["resource"]): one["resource"] for one in bundle["entry"]}, DOCUMENT)


def test_nothing_that_the_machine_said_is_in_what_is_stored() -> None:
    """Neither code nor words nor confidence of a suggestion is in the open part, and the whole of it is kept apart."""
    open, apart = parted(machine(), DOCUMENT)
    told = json.encode(open).decode()
    for words, _, code, _, _ in SAID:
        assert code not in told and words not in told, code
    assert "confidence" not in told and apart == machine()
    kinds = {entry["resource"]["resourceType"] for entry in open["entry"]}
    assert kinds <= {"Patient", "Practitioner", "Encounter", "Claim", "Provenance"}
    assert [check(entry["resource"]) for entry in open["entry"]] == [[]] * len(open["entry"])


def test_the_draft_has_whom_and_when_and_nothing_to_claim() -> None:
    """The Claim keeps its id, patient and day; where the machine claims nothing it looks alike."""
    claims = []
    for said in (SAID, SAID[4:5]):
        entries = parted(machine(said), DOCUMENT).open["entry"]
        (claim,) = (one["resource"] for one in entries if one["resource"]["resourceType"] == "Claim")
        claims.append(claim)
        assert reference_of(claim) == claim_of(DOCUMENT) and is_unaided(claim)
        assert {"diagnosis", "item", "total"} & claim.keys() == set() and check(claim) == []
        assert claim["patient"] == {"reference": "Patient/p"}
    assert claims[0]["billablePeriod"]["start"] == "2026-03-12"
    assert any(reference_of(one["resource"]) == pipeline_of(DOCUMENT) for one in entries)


def test_what_a_coder_adds_bears_the_tag_and_alone_is_claimed() -> None:
    """Whatever a decision writes says that it was coded unaided; the Claim has the coder's codes and no other."""
    desk = _unaided()
    desk.decide("add", "I10", system=ICD10CM)
    desk.decide("add", "99213", system=CPT)
    written = [one for one in desk.shelf.current.values() if one["resourceType"] != "Encounter"]
    assert len(written) == 6 and all(map(is_unaided, written))
    claim = desk.shelf.current[claim_of(DOCUMENT)]
    assert [one["diagnosisCodeableConcept"]["coding"][0]["code"] for one in claim["diagnosis"]] == ["I10"]
    assert [one["productOrService"]["coding"][0]["code"] for one in claim["item"]] == ["99213"]


def test_a_comparison_tells_each_code_of_either_side() -> None:
    """Who has which code, in which band and section, and what both are worth; read again it is the same."""
    desk = _unaided()
    for system, code in ((ICD10CM, "I10"), (ICD10CM, "G47.30"), (CPT, "99213")):
        desk.decide("add", code, system=system)
    rows, result = compared(_review(machine()), desk.review)
    sides = {one.code: (one.side, one.band, one.section) for one in rows}
    assert sides == {
        "I10": ("both", "sure", "assessment"),
        "G47.30": ("coder", "likely", "assessment"),
        "99213": ("coder", "", ""),
        "E11.65": ("machine", "sure", "assessment"),
        "E78.5": ("machine", "likely", "assessment"),
        "99214": ("machine", "sure", "assessment"),
        "J1885": ("machine", "sure", "assessment"),
    }
    assert {one.system for one in rows} == {ICD10CM, CPT, HCPCS} and result.jaccard == pytest.approx(1 / 7)
    coding, worth = {"for": {"reference": "Patient/p"}}, Worth(Decimal("9.50"), None)
    task = comparison_task("doc-1", coding, rows, result, worth, "2026-04-01T09:00:00Z")
    assert check(task) == [] and is_unaided(task)
    told = comparison_of(json.decode(json.encode(task)))
    assert told is not None and sorted(told.rows) == sorted(rows)
    assert told.worth == (Decimal("9.50"), None) and told.jaccard == round(1 / 7, 4)
    assert comparison_of(None) is None


def test_which_documents_are_coded_unaided() -> None:
    """Those of a named custodian, and a share by id that only grows with the percent."""
    ids = [f"document-{n}" for n in range(400)]
    tenth, half = ({one for one in ids if is_drawn(one, percent)} for percent in (10, 50))
    assert 15 < len(tenth) < 80 and tenth < half and not any(is_drawn(one, 0) for one in ids)
    assert all(is_drawn(one, 100) for one in ids)
    north = {"id": "a", "custodian": {"reference": "https://here.example/fhir/Organization/north/_history/2"}}
    assert is_wanted(north, 0, {"Organization/north"}) and not is_wanted(north, 0, {"Organization/south"})
    assert not is_wanted({"id": "a"}, 0, {"Organization/north"})
