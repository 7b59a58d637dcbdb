"""Explanations of benefits in the shape of CARIN's guide (https://hl7.org/fhir/us/carin-bb/)."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from fhir.resources.R4B.explanationofbenefit import ExplanationOfBenefit

from campaigns.claiming.institutional import inpatient, outpatient
from campaigns.claiming.making import claim, coded
from claims.answer.benefit import PROFILES, Made, explanation
from claims.x12.read835 import read_835
from fhir_profiles import json as fhir_json
from fhir_profiles.errors import FhirError
from fhir_profiles.systems import (
    ADJUDICATION,
    CARIN_SLICE,
    EDIT_RUN,
    NDC,
    X12_ADJUSTMENT_GROUPS,
    X12_ADJUSTMENT_REASONS,
)
from fhir_profiles.validate import check
from tests.unit.claims.answer.carin import RULES, broken
from tests.unit.claims.test_x12 import REMITTANCE, _enveloped

Json = dict[str, Any]
MADE = Made("e1", "Claim/c1", "ClaimResponse/r1", "innetwork", "innetwork")
CDT = "http://www.ada.org/cdt"


def _oral(dice: random.Random, number: int) -> Json:
    made = claim(dice, number)
    made["type"] = coded(made["type"]["coding"][0]["system"], "oral")
    for item in made["item"]:
        item["productOrService"] = coded(CDT, "X0000")
    return made


def _pharmacy(dice: random.Random, number: int) -> Json:
    made = _oral(dice, number)
    made["type"]["coding"][0]["code"] = "pharmacy"
    made["careTeam"][0]["role"] = {"coding": [{"code": "prescribing"}]}
    said = {"dayssupply": {"valueQuantity": {"value": 30}}, "refillnum": {"valueQuantity": {"value": 0}}}
    said["dawcode"] = {"code": {"coding": [{"code": "0"}]}}
    made["supportingInfo"] += [
        {"sequence": n, "category": {"coding": [{"code": name}]}, **value}
        for n, (name, value) in enumerate(said.items(), 2)
    ]
    for item in made["item"]:
        item["productOrService"] = coded(NDC, "00000-0000-00")
    return made


KINDS: dict[str, Callable[[random.Random, int], Json]] = {
    "professional": claim, "inpatient": inpatient, "outpatient": outpatient, "oral": _oral, "pharmacy": _pharmacy,
}  # fmt: skip


def _answer(made: Json, lines: bool = True) -> Json:
    """A payer's ClaimResponse as an 835 is read: 20 written off, 10 left to the patient, the rest paid."""
    found: Json = {
        "resourceType": "ClaimResponse", "status": "active", "created": "2026-11-04", "outcome": "complete",
        "disposition": "Processed as primary", "identifier": [{"value": "ICN1"}],
        "payment": {"date": "2026-11-05", "amount": {"value": 1, "currency": "USD"}, "identifier": {"value": "T9"}},
    }  # fmt: skip
    told = [(item["sequence"], item["net"]["value"]) for item in made["item"]]
    rows = [{"itemSequence": n, "adjudication": _decided(charge)} for n, charge in told]
    return found | ({"item": rows} if lines else {"adjudication": _decided(made["total"]["value"])})


def _decided(charge: float) -> list[Json]:
    return [
        {"category": coded(ADJUDICATION, "submitted"), "amount": _usd(charge)},
        {"category": coded(ADJUDICATION, "benefit"), "amount": _usd(round(charge - 30, 2)), "value": 1},
        {"category": coded(X12_ADJUSTMENT_GROUPS, "CO"), "reason": coded(X12_ADJUSTMENT_REASONS, "45"),
         "amount": _usd(20)},
        {"category": coded(X12_ADJUSTMENT_GROUPS, "PR"), "reason": coded(X12_ADJUSTMENT_REASONS, "2"),
         "amount": _usd(10)},
    ]  # fmt: skip


def _usd(value: float) -> Json:
    return {"value": value, "currency": "USD"}


def _read(found: Json) -> Json:
    return json.loads(fhir_json.encode(found))


def _lacks(found: Json) -> list[str]:
    return [one["valueString"] for one in found.get("extension", ())]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lines", [True, False])
def test_what_a_payer_decided_is_of_the_profile(kind: str, lines: bool) -> None:
    """Claims of each kind with a payer's answer: R4, fhir.resources and every demand of the guide are met."""
    if not lines and kind not in ("inpatient", "outpatient"):
        return  # such an answer to them has no amounts for lines; see below
    for seed in range(20):
        made = KINDS[kind](random.Random(seed), seed)
        found = explanation(made, _answer(made, lines), MADE)
        assert _lacks(found) == [] and found["meta"]["profile"][0].split("|")[0].endswith(PROFILES[kind])  # type: ignore[index]
        assert check(fhir_json.decode(fhir_json.encode(found))) == []
        assert broken(_read(found), kind) == []
        ExplanationOfBenefit.model_validate_json(fhir_json.encode(found))


@pytest.mark.parametrize("kind", KINDS)
def test_the_demands_are_felt(kind: str) -> None:
    """Each element taken out of a sound explanation is missed by the guide or is one that it does not demand."""
    made = KINDS[kind](random.Random(5), 5)
    found = _read(explanation(made, _answer(made), MADE))
    free = {"resourceType", "id", "contained", "claim", "claimResponse", "disposition", "payee", "payment", "careTeam"}
    free |= {"processNote", "procedure", "related"} | ({"diagnosis"} if kind in ("oral", "pharmacy") else set())
    free |= {"supportingInfo"} if kind in ("professional", "outpatient", "oral") else set()
    free |= {"adjudication"} if kind == "professional" else set()
    for name in set(found) - free:
        less = {key: value for key, value in found.items() if key != name}
        assert broken(less, kind), name


LOSSES: list[tuple[str, Callable[[Json, Json], Any]]] = [
    ("professional", lambda _, a: a.pop("identifier")),
    ("professional", lambda c, _: c["item"][0].pop("servicedDate")),
    ("professional", lambda c, _: c["item"][0].pop("locationCodeableConcept")),
    ("professional", lambda c, _: c.pop("diagnosis")),
    ("professional", lambda c, _: c.update(insurer={"display": "A plan"}, insurance=[])),
    ("professional", lambda c, _: c["careTeam"][0].update(provider={"display": "Somebody"})),
    ("professional", lambda c, _: c["careTeam"][0].update(provider={"reference": "#o"})),
    ("professional", lambda _, a: a["item"].pop()),
    ("inpatient", lambda c, _: c["supportingInfo"].pop(1)),
    ("inpatient", lambda c, _: c["item"][0].pop("revenue")),
    ("inpatient", lambda c, _: c.update(provider={"reference": "#r"})),
    ("outpatient", lambda c, _: (c["item"][0].pop("servicedDate"), c["billablePeriod"].update(end="2026-12-01"))),
    ("oral", lambda c, _: c["item"][0].update(productOrService={"text": "a filling"})),
    ("pharmacy", lambda c, _: c["supportingInfo"].pop()),
]


@pytest.mark.parametrize(("kind", "lose"), LOSSES)
def test_a_profile_that_is_not_met_is_not_claimed(kind: str, lose: Callable[[Json, Json], Any]) -> None:
    """Without something that the guide demands there is an explanation, without the profile and with the reason."""
    made = KINDS[kind](random.Random(7), 7)
    answer = _answer(made)
    lose(made, answer)
    found = explanation(made, answer, MADE)
    assert len(_lacks(found)) >= 1 and "profile" not in found.get("meta", {})


def test_nobody_guesses_the_network() -> None:
    """Unless told, only coverages without a network have a status; a claim under a plan then is of no profile."""
    made = claim(random.Random(2), 2)
    unknown = MADE._replace(network=None)
    assert any("network" in one for one in _lacks(explanation(made, _answer(made), unknown)))
    coverage = next(one for one in made["contained"] if one["resourceType"] == "Coverage")
    coverage["type"]["coding"][0]["code"] = "MEDICARE"
    assert _lacks(explanation(made, _answer(made), unknown)) == []


def test_amounts_are_told_in_the_categories_of_the_guide() -> None:
    """A write-off is a discount, a coinsurance one, what is paid goes to the provider; sums are exact."""
    made = claim(random.Random(3), 3)
    found = explanation(made, _answer(made), MADE)
    charged = round(made["total"]["value"] * 100)
    sums = {one["category"]["coding"][0]["code"]: one["amount"]["value"] for one in found["total"]}
    assert sums == {
        "submitted": Decimal(charged) / 100, "benefit": Decimal(charged - 9000) / 100, "discount": Decimal(60),
        "coinsurance": Decimal(30), "memberliability": Decimal(30), "paidtoprovider": Decimal(charged - 9000) / 100,
    }  # fmt: skip
    reason = next(a for a in found["item"][0]["adjudication"] if a["category"]["coding"][0]["code"] == "discount")
    assert reason["reason"]["coding"][0]["code"] == "45"


def test_a_remittance_becomes_an_adjudication() -> None:
    """The claims of an 835: payer's number, reasons and remarks, a line that was split put together, a denial."""
    (remittance,) = read_835(_enveloped("HP", "835", "005010X221A1", REMITTANCE))
    made = claim(random.Random(4), 4)
    paid, denied = (explanation(made, one, MADE) for one in remittance.responses)
    assert paid["identifier"][0]["value"] == "ICN1" and paid["payment"]["type"]["coding"][0]["code"] == "paid"
    (line,) = [item for item in paid["item"] if "adjudication" in item]
    said = [(a["category"]["coding"][0]["code"], a.get("amount", {}).get("value")) for a in line["adjudication"]]
    assert ("submitted", Decimal(200)) in said and ("discount", Decimal(30)) in said
    why = next(a for a in line["adjudication"] if a["category"]["coding"][0]["system"] == CARIN_SLICE)
    assert [c["code"] for c in why["reason"]["coding"]] == ["45", "2", "N1", "96"]
    assert denied["payment"]["type"]["coding"][0]["code"] == "denied"


def test_our_answer_is_an_estimate_and_says_so() -> None:
    """A scrub makes a tagged draft of no profile, paid by nobody; its errors become notes of lines."""
    made = claim(random.Random(6), 6)
    scrub: Json = {
        "resourceType": "ClaimResponse", "status": "active", "created": "2026-11-04", "outcome": "error",
        "extension": [{"url": EDIT_RUN, "valueString": "x"}],
        "item": [{"itemSequence": 1, "adjudication": [
            {"category": coded(ADJUDICATION, "submitted"), "amount": _usd(5)},
            {"category": coded(ADJUDICATION, "eligible"), "reason": {"text": "No price"}}]}],
        "error": [{"itemSequence": 2, "code": {"text": "A rule is broken"}}],
    }  # fmt: skip
    found = explanation(made, scrub, MADE)
    assert found["status"] == "draft" and found["outcome"] == "queued" and "payment" not in found
    assert found["meta"] == {"tag": [{"system": found["meta"]["tag"][0]["system"], "code": "estimate"}]}
    assert [one["text"] for one in found["processNote"]] == ["A rule is broken", "No price"]
    assert [item.get("noteNumber") for item in found["item"]] == [[2], [1], None]
    assert check(fhir_json.decode(fhir_json.encode(found))) == []


def test_roles_references_and_newborns() -> None:
    """A role that the guide lacks is left out with what points to it; a newborn's origin is of its own list."""
    made = inpatient(random.Random(8), 8)
    made["careTeam"].append({"sequence": 9, "provider": {"reference": "#r"}, "role": {"coding": [{"code": "other"}]}})
    made["item"][0]["careTeamSequence"] = [1, 9]
    for info in made["supportingInfo"]:
        if info["category"]["coding"][0]["code"] == "admtype":
            info["code"] = {"coding": [{"code": "4"}]}
    found = explanation(made, _answer(made), MADE)
    assert [one["sequence"] for one in found["careTeam"]] == [1, 2] and found["item"][0]["careTeamSequence"] == [1]
    assert broken(_read(found), "inpatient") == []
    assert {one["id"] for one in found["contained"]} == {"p", "o", "r", "y", "v"}


def test_a_claim_is_not_changed_and_other_kinds_are_refused() -> None:
    """What goes in stays as it was; a hospital's claim without a type of bill and a claim of no kind are refused."""
    made = outpatient(random.Random(9), 9)
    before = copy.deepcopy(made)
    explanation(made, _answer(made), MADE)
    assert made == before
    with pytest.raises(FhirError, match="type of bill"):
        explanation({**made, "subType": None}, _answer(made), MADE)
    with pytest.raises(FhirError, match="professional"):
        explanation({**made, "type": coded(ADJUDICATION, "x")}, _answer(made), MADE)


def test_every_demand_names_its_page() -> None:
    """The data of the checker: each row has a page of the guide and holds for a kind that there is."""
    assert all(rule["url"].startswith("https://hl7.org/fhir/us/carin-bb/") for rule in RULES)
    assert all(set(rule["shapes"]) <= set(KINDS) for rule in RULES) and len(RULES) > 80
