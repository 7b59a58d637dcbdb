"""Add to made claims what only some claims have: dependants, other payers, accidents, drugs, several who treat."""

# ruff: noqa: ARG001 - every addition is called alike

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

from campaigns.claiming.institutional import inpatient, outpatient
from campaigns.claiming.making import NPIS, Json, claim, coded
from fhir_profiles.systems import (
    ADJUDICATION,
    CLAIM_EXTENSIONS,
    HCPCS,
    NDC,
    NPI,
    NUCC,
    X12_ADJUSTMENT_GROUPS,
    X12_ADJUSTMENT_REASONS,
)

Addition = Callable[[random.Random, Json], None]
_ADDRESS = {"line": ["7 Elm Street", "Suite 4"], "city": "Austin", "state": "TX", "postalCode": "787011234"}


def fuller(kind: str, count: int, seed: int = 1, leave: Sequence[Addition] = ()) -> Iterator[Json]:
    """Made claims of a kind, most of them with one to four additions."""
    dice = random.Random(seed)
    for number in range(count):
        if kind == "professional":
            made, additions = claim(dice, number, dice.randrange(1, 9)), (*BOTH, *PROFESSIONAL)
        else:
            made, additions = dice.choice((inpatient, outpatient))(dice, number), (*BOTH, *INSTITUTIONAL)
        chosen = [add for add in dice.sample(additions, dice.randrange(5)) if add not in leave]
        if second in chosen and second_by_line in chosen:
            chosen.remove(second)
        for add in chosen:
            add(dice, made)
        yield made


def _find(made: Json, id: str) -> Json:
    return next(one for one in made["contained"] if one["id"] == id)


def _person(made: Json, id: str, place: int) -> None:
    if not any(one["id"] == id for one in made["contained"]):
        made["contained"].append(
            {"resourceType": "Practitioner", "id": id, "name": [{"family": "Núñez", "given": ["Ana", "L"],
                                                                    "suffix": ["MD"]}],
             "identifier": [{"system": NPI, "value": NPIS[place]}]}
        )  # fmt: skip


def _member(made: Json, role: str, id: str, place: int) -> int:
    _person(made, id, place)
    sequence = len(made["careTeam"]) + 1
    made["careTeam"].append({"sequence": sequence, "provider": {"reference": f"#{id}"}, "role": coded("role", role)})
    return sequence


def _info(made: Json, category: str, **said: object) -> None:
    said = {"sequence": len(made["supportingInfo"]) + 1, "category": coded("kind", category), **said}
    made["supportingInfo"].append(said)


def dependant(dice: random.Random, made: Json) -> None:
    """The patient is a child or spouse of who is insured."""
    made["contained"].append(
        {"resourceType": "Patient", "id": "s", "name": [{"family": "O'Hara", "given": ["Sam"]}], "gender": "female",
         "birthDate": "1970-02-03", "address": [_ADDRESS]}
    )  # fmt: skip
    coverage = _find(made, "v")
    coverage["subscriber"] = {"reference": "#s"}
    coverage["relationship"] = coded("relationship", dice.choice(("child", "spouse", "other", "common")))


def group(dice: random.Random, made: Json) -> None:
    """The plan is of a group."""
    _find(made, "v")["class"] = [{"type": coded("class", "group"), "value": f"G{dice.randrange(1000)}"}]


def plan(dice: random.Random, made: Json) -> None:
    """The plan is of another kind."""
    _find(made, "v")["type"] = coded("plan", dice.choice(("HMO", "PPO", "MB", "MC", "WCBPOL")))


def second(dice: random.Random, made: Json) -> None:
    """Another payer has answered the claim as a whole before."""
    _answered(made)["adjudication"] = [_adjustment("OA", "23", made["total"]["value"])]


def second_by_line(dice: random.Random, made: Json) -> None:
    """Another payer has answered line by line before."""
    response = _answered(made)
    response["item"] = [_answer(dice, line) for line in made["item"]]
    paid = sum(round(i["adjudication"][0]["amount"]["value"] * 100) for i in response["item"])
    response["payment"]["amount"]["value"] = paid / 100


def _answered(made: Json) -> Json:
    """The response of another payer, which paid nothing yet."""
    made["contained"] += [
        {"resourceType": "Organization", "id": "y2", "name": "First Plan", "identifier": [{"value": "54321"}]},
        {"resourceType": "Coverage", "id": "v2", "status": "active", "subscriberId": "F123",
         "type": coded("plan", "HMO"), "relationship": coded("relationship", "self"), "subscriber": {"reference": "#p"},
         "beneficiary": {"reference": "#p"}, "payor": [{"reference": "#y2"}]},
    ]  # fmt: skip
    payment = {"date": "2026-09-01", "amount": {"value": 0, "currency": "USD"}}
    response: Json = {
        "resourceType": "ClaimResponse",
        "id": "a2",
        "identifier": [{"value": "ICN77"}],
        "payment": payment,
    }
    made["contained"].append(response)
    made["insurance"][0]["sequence"] = 2
    secondary = {"url": f"{CLAIM_EXTENSIONS}medicare-secondary", "valueCode": "12"}
    if "subType" not in made:
        _find(made, "v")["extension"] = [secondary]
    first = {"sequence": 1, "focal": False, "coverage": {"reference": "#v2"}}
    made["insurance"].insert(0, {**first, "claimResponse": {"reference": "#a2"}})
    return response


def _answer(dice: random.Random, line: Json) -> Json:
    charge = round(line["net"]["value"] * 100)
    paid = charge * dice.randrange(10) // 10
    benefit = {"category": coded(ADJUDICATION, "benefit"), "amount": {"value": paid / 100, "currency": "USD"}}
    off = (charge - paid) // 2
    parts = [_adjustment("CO", "45", off / 100)] if off else []
    parts.append(_adjustment("PR", "2", (charge - paid - off) / 100))
    return {"itemSequence": line["sequence"], "adjudication": [benefit, *parts]}


def _adjustment(group: str, reason: str, amount: float) -> Json:
    return {
        "category": coded(X12_ADJUSTMENT_GROUPS, group), "reason": coded(X12_ADJUSTMENT_REASONS, reason),
        "amount": {"value": amount, "currency": "USD"},
    }  # fmt: skip


def accident(dice: random.Random, made: Json) -> None:
    """The services follow an accident."""
    made["accident"] = {
        "date": made["billablePeriod"]["start"], "type": coded("accident", dice.choice(("MVA", "WPA"))),
        "locationAddress": {"state": "TX"},
    }  # fmt: skip


def numbers(dice: random.Random, made: Json) -> None:
    """A referral, an authorisation and a replaced claim."""
    made["contained"].append({"resourceType": "ServiceRequest", "id": "q", "identifier": [{"value": "REF9"}]})
    made["referral"] = {"reference": "#q"}
    made["insurance"][-1]["preAuthRef"] = [f"AU{dice.randrange(1000)}"]
    made["related"] = [{"relationship": coded("how", "7"), "reference": {"value": "ICN12"}}]
    if "subType" in made:
        made["subType"]["coding"][0]["code"] = made["subType"]["coding"][0]["code"][:3] + "7"


def facility(dice: random.Random, made: Json) -> None:
    """The services were rendered elsewhere."""
    made["contained"].append(
        {"resourceType": "Location", "id": "f", "name": "Elm Hospital", "address": _ADDRESS,
         "identifier": [{"system": NPI, "value": NPIS[2]}]}
    )  # fmt: skip
    made["facility"] = {"reference": "#f"}


def dates(dice: random.Random, made: Json) -> None:
    """Onset and other days, an amount that the patient paid, certificates."""
    day = made["billablePeriod"]["start"]
    for category in ("onset", "last-seen", "last-menstrual-period", "initial-treatment"):
        _info(made, category, timingDate=day)
    _info(made, "admissionperiod", timingPeriod={"start": day, "end": day})
    _info(made, "patient-paid", valueQuantity={"value": 12.5})
    _info(made, "clia", code={"coding": [{"code": "22D0123456"}]})
    _info(made, "clinical-trial", code={"coding": [{"code": "01234567"}]})
    _info(made, "delay-reason", code={"coding": [{"code": "7"}]})


def treaters(dice: random.Random, made: Json) -> None:
    """Several who treat, one of them for single lines only."""
    referring, other = _member(made, "referring", "r2", 5), _member(made, "rendering", "r3", 7)
    supervisor, ordering = _member(made, "supervisor", "r4", 9), _member(made, "ordering", "r5", 3)
    made["careTeam"][other - 1]["qualification"] = coded(NUCC, "207R00000X")
    for n, line in enumerate(made["item"]):
        line["careTeamSequence"] = sorted([other if n % 2 else 1, referring, supervisor, *([ordering] if n else [])])


def drug(dice: random.Random, made: Json) -> None:
    """A drug, modifiers, a range of days, minutes, a note, an authorised line."""
    line = made["item"][-1]
    if "revenue" not in line:
        line["productOrService"] = {**coded(HCPCS, "J3490"), "text": "Compounded cream"}
        line["modifier"] = [coded(HCPCS, code) for code in dice.sample(("JZ", "RT", "KX", "GY", "59"), 3)]
        line["extension"] = [{"url": f"{CLAIM_EXTENSIONS}authorisation", "valueString": "AUL1"}]
        line["locationCodeableConcept"] = coded("place", "12")
        line["quantity"] = {"value": 31.5, "code": dice.choice(("UN", "MJ"))}
    else:
        line["extension"] = [{"url": f"{CLAIM_EXTENSIONS}noncovered", "valueMoney": {"value": 3.25, "currency": "USD"}}]
    line["detail"] = [
        {"sequence": 1, "productOrService": coded(NDC, "00409123401"), "quantity": {"value": 2.5, "code": "ML"}}
    ]
    period = {"start": line.pop("servicedDate"), "end": made["billablePeriod"]["end"]}
    line["servicedPeriod"] = period
    if period["start"] == period["end"]:
        line["servicedDate"] = line.pop("servicedPeriod")["start"]


def unassigned(dice: random.Random, made: Json) -> None:
    """Who bills does not accept what the payer allows."""
    made["extension"] = [{"url": f"{CLAIM_EXTENSIONS}participating", "valueBoolean": False}]


def hospital(dice: random.Random, made: Json) -> None:
    """Causes, conditions and procedures in number, the hour of discharge, a DRG."""
    for n, code in enumerate(dice.sample([f"M25.5{a}{b}" for a in range(1, 8) for b in range(1, 3)], 14)):
        made["diagnosis"].append(
            {"sequence": 5 + n, "diagnosisCodeableConcept": coded("icd", code), "onAdmission": coded("poa", "n")}
        )
        made["diagnosis"][-1]["diagnosisCodeableConcept"]["coding"][0].pop("system")
    day = made["billablePeriod"]["start"]
    made.setdefault("procedure", []).extend(
        {"sequence": n, "date": day, "procedureCodeableConcept": {"coding": [{"code": "0W9B3ZZ"}]}}
        for n in range(2, 16)
    )
    _info(made, "drg", code={"coding": [{"code": "193"}]})
    _info(made, "discharge-hour", code={"coding": [{"code": "09"}]})
    _info(made, "value", code={"coding": [{"code": "A1"}]}, valueQuantity={"value": 120.25})


def surgeons(dice: random.Random, made: Json) -> None:
    """Others who treat in a hospital."""
    for role, id, place in (("otheroperating", "r2", 5), ("rendering", "r3", 7), ("referring", "r4", 9)):
        _member(made, role, id, place)


BOTH: tuple[Addition, ...] = (dependant, group, plan, second, second_by_line, numbers, facility, unassigned, drug)
PROFESSIONAL: tuple[Addition, ...] = (accident, dates, treaters)
INSTITUTIONAL: tuple[Addition, ...] = (hospital, surgeons)
