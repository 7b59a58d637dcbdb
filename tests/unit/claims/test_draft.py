"""The draft Claim."""

from __future__ import annotations

from datetime import date
from typing import Any

from claims.draft import draft_claim
from fhir_profiles.systems import CPT, DATA_ABSENT, ICD10CM
from fhir_profiles.validate import check


def concept(code: str, system: str = ICD10CM) -> dict[str, Any]:
    """A CodeableConcept."""
    return {"coding": [{"system": system, "code": code}]}


def draft(**more: Any) -> dict[str, Any]:
    """A Claim with the least that is needed, and `more`."""
    given = {"id": "c", "kind": "professional", "patient": {"reference": "Patient/p"}, "created": "2026-03-12", **more}
    return draft_claim(**given)


def test_the_smallest_draft_is_valid_r4() -> None:
    """With a patient and nothing else it is a valid Claim."""
    assert check(draft()) == []


def test_a_full_draft_is_valid_r4() -> None:
    """With provider, encounter, document, diagnoses and lines it is a valid Claim."""
    claim = draft(
        provider={"display": "Tobias Quill, MD"}, encounter={"reference": "Encounter/e"},
        document={"reference": "DocumentReference/d"}, start=date(2026, 3, 12), diagnoses=[concept("I10")],
        lines=[{"concept": concept("99214", CPT), "modifiers": [concept("25", CPT)], "units": 2,
                "serviced": date(2026, 3, 12), "diagnoses": [1]}],
    )  # fmt: skip
    assert check(claim) == []
    (line,) = claim["item"]
    assert (line["quantity"], line["servicedDate"], line["diagnosisSequence"]) == ({"value": 2}, "2026-03-12", [1])
    assert claim["supportingInfo"][0]["valueReference"] == {"reference": "DocumentReference/d"}


def test_nothing_is_invented() -> None:
    """No price, no total, no coverage and no provider that was not given; their absence is said."""
    claim = draft(lines=[{"concept": concept("99214", CPT)}])
    assert "total" not in claim
    assert {"unitPrice", "net"}.isdisjoint(claim["item"][0])
    absent = {"url": DATA_ABSENT, "valueCode": "unknown"}
    assert claim["insurance"][0]["coverage"]["extension"] == [absent]
    assert "reference" not in claim["insurance"][0]["coverage"]
    assert claim["provider"]["extension"] == [absent]


def test_diagnoses_keep_their_order_and_the_first_is_principal() -> None:
    """Sequence 1 is the principal diagnosis."""
    claim = draft(diagnoses=[concept("E11.65"), concept("I10")])
    assert [(d["sequence"], "type" in d) for d in claim["diagnosis"]] == [(1, True), (2, False)]


def test_at_most_twelve_diagnoses_and_four_pointers() -> None:
    """The form has no room for more; pointers lead to diagnoses that stand on the claim."""
    claim = draft(
        diagnoses=[concept(f"A0{n}.0") for n in range(15)],
        lines=[
            {"concept": concept("99214", CPT), "diagnoses": range(1, 16)},
            {"concept": concept("36415", CPT), "diagnoses": [13, 14, 2]},
        ],
    )
    assert len(claim["diagnosis"]) == 12
    assert [item.get("diagnosisSequence") for item in claim["item"]] == [[1, 2, 3, 4], [2]]
