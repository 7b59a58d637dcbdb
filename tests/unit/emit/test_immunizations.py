"""Vaccines that were given, and where services were rendered."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from extractors.emit.immunizations import _vaccines
from extractors.model import Document
from fhir_profiles.systems import CPT, CVX
from terminology.fragments import starter


def said(case, text: str):
    """The case with another text, still without findings."""
    return replace(case, document=Document(text, "text/plain", "0" * 64))


def test_a_vaccine_that_was_given_is_an_immunization_with_lot_and_site(empty) -> None:
    """CVX comes from the table, evidence stands on the number that was found; the service stays on the Claim."""
    case = said(empty, "MMR (M-M-R II, lot X012345, SC left thigh); flu shot declined")
    case.add("code", "MMR", CPT, "90707")
    (one,) = case.of("Immunization")
    cvx, cpt = one["vaccineCode"]["coding"]
    assert (cvx["system"], cvx["code"], cpt["code"]) == (CVX, "03", "90707") and cpt["extension"]
    assert (one["status"], one["lotNumber"], one["site"]) == ("completed", "X012345", {"text": "left thigh"})
    assert [line["productOrService"]["coding"][0]["code"] for line in case.of("Claim")[0]["item"]] == ["90707"]


def test_a_suggested_vaccine_is_no_immunization(empty) -> None:
    """What waits for a coder was not given yet."""
    case = said(empty, "MMR due")
    case.add("code", "MMR", CPT, "90707", "suggested")
    assert case.of("Immunization") == []


def test_every_vaccine_has_a_service_of_the_starter_table() -> None:
    """The numbers beside the CVX codes are those of vaccines that coding knows, each once."""
    known = {code for code, row in starter(CPT).items() if row.properties.get("kind") == "vaccine"}
    assert known and set(_vaccines()) <= known and len(_vaccines()) == len(starter(CVX))


@pytest.mark.parametrize(
    ("text", "code", "modifiers", "place"),
    [
        ("EMERGENCY DEPARTMENT NOTE\nchest pain 99285", "99285", (), "23"),
        ("Progress note\nnursing home resident, 99309", "99309", (), "32"),
        ("Video visit. Patient location: home. 99213-95", "99213", ("95",), "10"),
        ("Telehealth visit. 99213-95", "99213", ("95",), "02"),
        ("QuickCare Urgent Care\n12001", "12001", (), "20"),
        ("Lakeshore Endoscopy Center\n45385", "45385", (), "24"),
        ("Progress note, 99213", "99213", (), None),
    ],
)
def test_the_place_of_service_is_what_the_document_tells(empty, text, code, modifiers, place) -> None:
    """A defining service, a remote visit and the head of the page tell the place; silence leaves it open."""
    case = said(empty, text)
    case.add("code", code, CPT, code)
    case.codes = [structs.replace(case.codes[0], modifiers=modifiers)]
    (line,) = case.of("Claim")[0]["item"]
    found = line.get("locationCodeableConcept", {"coding": [{"code": None}]})
    assert found["coding"][0]["code"] == place


def test_a_hospital_stay_has_no_place_of_service(empty) -> None:
    """An institutional claim tells its place by the type of bill."""
    case = replace(said(empty, "Emergency department, then admitted. 99285"), setting="inpatient")
    case.add("code", "99285", CPT, "99285")
    assert "locationCodeableConcept" not in case.of("Claim")[0]["item"][0]
