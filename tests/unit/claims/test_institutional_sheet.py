"""What sheets tell of claims of hospitals, of statuses behind references, and of other payers."""

import random
from typing import Any

import orjson
import pytest

from campaigns.claiming.institutional import inpatient, outpatient
from campaigns.claiming.making import claim
from claims.sheet.read import read_claim
from fhir_profiles.systems import ADJUDICATION, X12_ADJUSTMENT_GROUPS


def read(resource: Any) -> Any:
    """The record of a claim."""
    return read_claim(orjson.dumps(resource))


@pytest.mark.parametrize(
    ("make", "stay", "visit"), [(claim, False, False), (inpatient, True, False), (outpatient, False, True)]
)
def test_the_type_of_bill_says_what_kind_of_claim_it_is(make: Any, stay: bool, visit: bool) -> None:
    """Codes hold on the last day of a stay; a professional claim is neither."""
    row = read(make(random.Random(1), 1))["claim"]
    assert (row["inpatient"], row["outpatient"]) == (stay, visit)
    assert row["coded_on"] == row["last_service" if not stay else "discharge"]


def test_a_type_of_bill_has_four_characters() -> None:
    """Three are taken to lack the zero before them; without one nothing is known."""
    resource = inpatient(random.Random(1), 1)
    resource["subType"]["coding"][0]["code"] = "117"
    row = read(resource)["claim"]
    assert (row["bill_type"], row["frequency"], row["inpatient"]) == ("0117", "7", True)
    del resource["subType"]
    assert read(resource)["claim"]["inpatient"] is None


def test_diagnoses_tell_what_they_are() -> None:
    """The admitting diagnosis is not listed among the others; the principal is the one that says so, or the first."""
    resource = inpatient(random.Random(1), 1)
    rows = read(resource)["diagnoses"]
    assert [(row["principal"], row["listed"]) for row in rows] == [
        (True, True),
        (False, True),
        (False, True),
        (False, False),
    ]
    del resource["diagnosis"][0]["type"]
    assert [row["principal"] for row in read(resource)["diagnoses"]] == [True, False, False, False]


def test_a_diagnosis_may_be_a_condition() -> None:
    """Its code and its statuses are those of the Condition; one that is not found is told."""
    resource = claim(random.Random(1), 1)
    concept = resource["diagnosis"][0].pop("diagnosisCodeableConcept")
    resource["diagnosis"][0]["diagnosisReference"] = {"reference": "#n"}
    assert read(resource)["claim"]["unresolved"] is True
    refuted = {"coding": [{"code": "refuted"}]}
    resource["contained"].append(
        {"resourceType": "Condition", "id": "n", "code": concept, "verificationStatus": refuted}
    )
    record = read(resource)
    assert record["claim"]["unresolved"] is False
    assert record["diagnoses"][0]["verification"] == "refuted"
    assert record["diagnoses"][0]["code"] == concept["coding"][0]["code"]


def test_adjustments_of_other_payers_are_adjudications_with_a_reason() -> None:
    """Of the claim and of its lines, with group, reason and amount."""
    resource = claim(random.Random(1), 1)
    group, reason = {"coding": [{"system": X12_ADJUSTMENT_GROUPS, "code": "CO"}]}, {"coding": [{"code": "45"}]}
    paid = {"category": {"coding": [{"system": ADJUDICATION, "code": "benefit"}]}, "amount": {"value": 9}}
    cut = {"category": group, "reason": reason, "amount": {"value": 1.5}}
    item = {"itemSequence": 2, "adjudication": [cut, paid, {"category": {}}]}
    resource["contained"].append({"resourceType": "ClaimResponse", "id": "w", "adjudication": [cut], "item": [item]})
    resource["insurance"][0]["claimResponse"] = {"reference": "#w"}
    rows = read(resource)["adjustments"]
    assert [(row["line"], row["group"], row["reason"], row["amount"]) for row in rows] == [
        (0, "CO", "45", 150),
        (2, "CO", "45", 150),
        (2, None, None, 900),
    ]
    assert [row["paid"] for row in rows] == [False, False, True]


def test_a_reference_is_lost_only_where_it_was_looked_for() -> None:
    """Within the claim, or where a caller resolves; else it is not known."""
    resource = claim(random.Random(1), 1)
    resource["facility"] = {"reference": "Location/1"}
    assert read(resource)["claim"]["unresolved"] is False
    assert read_claim(orjson.dumps(resource), resolve=lambda _: None)["claim"]["unresolved"] is True
    resource["facility"] = {"reference": "#gone"}
    assert read(resource)["claim"]["unresolved"] is True
