"""Decisions about the claim: order, principal, present on admission, modifiers, units, pointers."""

from __future__ import annotations

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.systems import CPT, HCPCS


def test_another_order_moves_the_pointers_with_it(desk) -> None:
    """Each pointer leads to the diagnosis that it led to; the first one is principal."""
    desk.decide("pointers", "J1885", order=(desk.of("I10"),))
    desk.decide("reorder", order=tuple(desk.of(code) for code in ("E78.5", "I10", "E11.65")))
    assert desk.claimed == ["E78.5", "I10", "E11.65"]
    assert [one.code for one in desk.review.diagnoses][:3] == desk.claimed
    assert desk.lines == [("99214", [3, 2, 1]), ("J1885", [2])]
    assert ["type" in one for one in desk.claim["diagnosis"]] == [True, False, False]


def test_an_order_names_each_diagnosis_of_the_claim_once(desk) -> None:
    """One too few, one twice, and one that is not on the claim are refused."""
    every = tuple(desk.of(code) for code in ("E78.5", "I10", "E11.65"))
    for order in (every[:2], (*every[:2], every[0]), (*every, desk.of("G47.30"))):
        with pytest.raises(FhirError):
            desk.bundle("reorder", order=order)


def test_what_others_put_on_the_claim_stays_behind(desk) -> None:
    """A diagnosis that the review does not know keeps its place at the end, and its pointer."""
    foreign = {"sequence": 4, "diagnosisCodeableConcept": {"text": "by hand"}}
    claim = {**desk.claim, "diagnosis": [*desk.claim["diagnosis"], foreign]}
    url = f"Claim/{claim['id']}"
    desk.shelf.take({"entry": [{"resource": claim, "request": {"method": "PUT", "url": url}}]})
    desk.decide("reorder", order=tuple(desk.of(code) for code in ("E78.5", "I10", "E11.65")))
    desk.decide("reject", "I10", reason="duplicate")
    assert desk.claim["diagnosis"][-1] == {**foreign, "sequence": 3}


def test_the_principal_diagnosis_comes_first(desk) -> None:
    """One that is not on the claim cannot be it."""
    desk.decide("principal", "E78.5")
    assert desk.claimed == ["E78.5", "E11.65", "I10"]
    assert desk.review.diagnoses[0].principal
    with pytest.raises(FhirError):
        desk.bundle("principal", "G47.30")


def test_present_on_admission_is_said_and_taken_back(desk) -> None:
    """One of y, n, u, w; empty says nothing."""
    desk.decide("present-on-admission", "I10", value="n")
    assert desk.review.find(desk.of("I10")).present_on_admission == "n"
    desk.decide("present-on-admission", "I10", value="")
    assert "onAdmission" not in desk.claim["diagnosis"][1]
    with pytest.raises(FhirError):
        desk.bundle("present-on-admission", "I10", value="perhaps")


def test_modifiers_are_of_the_system_that_has_them(desk) -> None:
    """Digits and physical status are CPT's, other letters HCPCS'; they stand in the order given."""
    desk.decide("modifiers", "99214", values=("25", "gt", "p3"))
    codings = [one["coding"][0] for one in desk.claim["item"][0]["modifier"]]
    assert codings == [{"system": CPT, "code": "25"}, {"system": HCPCS, "code": "GT"}, {"system": CPT, "code": "P3"}]
    assert desk.review.services[0].modifiers == ("25", "GT", "P3")
    desk.decide("modifiers", "99214", values=())
    assert "modifier" not in desk.claim["item"][0]


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("modifiers", {"values": ("25", "25")}),
        ("modifiers", {"values": ("2",)}),
        ("modifiers", {"values": ("25", "59", "76", "77", "GT")}),
        ("units", {"value": "0"}),
        ("units", {"value": "NaN"}),
        ("units", {"value": "many"}),
        ("units", {"value": "10000"}),
        ("pointers", {"order": ()}),
        ("pointers", {"order": ("Condition/none",)}),
    ],
)
def test_what_a_line_cannot_have_is_refused(desk, kind: str, more: dict) -> None:
    """Nothing of it is stored."""
    with pytest.raises(FhirError):
        desk.bundle(kind, "99214", **more)


def test_units_are_a_number(desk) -> None:
    """Whole ones are stored as such, halves too."""
    desk.decide("units", "J1885", value="4.0")
    assert desk.claim["item"][1]["quantity"]["value"] == 4
    desk.decide("units", "J1885", value="1.5")
    assert desk.review.services[1].units == "1.5"


def test_pointers_lead_where_the_coder_says(desk) -> None:
    """At most four diagnoses of the claim, the first one first."""
    desk.decide("pointers", "99214", order=(desk.of("E78.5"), desk.of("E11.65")))
    assert desk.lines[0] == ("99214", [3, 1])
    with pytest.raises(FhirError):
        desk.bundle("pointers", "99214", order=(desk.of("G47.30"),))


def test_labels_of_a_resource_stay(desk) -> None:
    """A security label is not lost by a decision."""
    name = desk.of("I10")
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    labelled = {**desk.shelf.current[name], "meta": {"security": [label]}}
    desk.shelf.take({"entry": [{"resource": labelled, "request": {"method": "PUT", "url": name}}]})
    desk.decide("accept", "I10")
    assert desk.shelf.current[name]["meta"]["security"] == [label]
