"""Make sound claims of hospitals: a stay and an outpatient visit (https://hl7.org/fhir/R4/claim.html)."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

from campaigns.claiming.making import Json, claim, coded
from fhir_profiles.systems import CPT, DATA_ABSENT, DIAGNOSIS_TYPE, HCPCS, ICD10CM, ICD10PCS

STAY = ("J18.9", "I10", "E11.9", "R50.9")
"""Principal, two others and the admitting diagnosis of a stay."""

VISIT = ("S52.501A", "W01.0XXA", "I10", "M25.531")
"""Principal, cause, another and the reason of a visit to the emergency department."""

OPERATION = "0W9B3ZZ"
DAYS = 4
_NONE = {"extension": [{"url": DATA_ABSENT, "valueCode": "not-applicable"}]}


def inpatient(dice: random.Random, number: int) -> Json:
    """A stay of four days with an operation, which breaks no rule."""
    made, day = _started(dice, number, "0111")
    end = day + timedelta(days=DAYS)
    made["billablePeriod"]["end"] = end.isoformat()
    made["created"] = (end + timedelta(days=2)).isoformat()
    made["supportingInfo"] = [
        _info("clmrecvddate", timingDate=(end + timedelta(days=3)).isoformat()),
        _info("admissionperiod", timingPeriod={"start": day.isoformat(), "end": end.isoformat()}),
        _info("admission-hour", "14"),
        _info("admtype", "1"),
        _info("pointoforigin", "1"),
        _info("discharge-status", "01"),
        _info("value", "80", valueQuantity={"value": DAYS}),
        _info("condition", "77"),
        _info("occurrence", "11", timingDate=(day - timedelta(days=2)).isoformat()),
        _info("span", "72", timingPeriod={"start": day.isoformat(), "end": end.isoformat()}),
    ]
    _number(made["supportingInfo"])
    made["careTeam"].append(_member("operating"))
    made["diagnosis"] = _diagnoses(STAY, ("principal", "", "", "admitting"))
    for one in made["diagnosis"][:3]:
        one["onAdmission"] = coded("http://terminology.hl7.org/CodeSystem/ex-diagnosis-on-admission", "y")
    operated = (day + timedelta(days=1)).isoformat()
    made["procedure"] = [{"sequence": 1, "date": operated, "procedureCodeableConcept": coded(ICD10PCS, OPERATION)}]
    made["item"] = [
        _line(dice, "0120", day, None, DAYS, "DA"),
        _line(dice, "0250", day, None, dice.randrange(1, 9), "UN"),
        _line(dice, "0360", day + timedelta(days=1), None, 1, "UN"),
    ]
    return _finished(made)


def outpatient(dice: random.Random, number: int) -> Json:
    """A visit to an emergency department with an image and a drug, which breaks no rule."""
    made, day = _started(dice, number, "0131")
    made["supportingInfo"] = [
        _info("clmrecvddate", timingDate=(day + timedelta(days=3)).isoformat()),
        _info("admtype", "1"),
        _info("pointoforigin", "1"),
        _info("discharge-status", "01"),
    ]
    _number(made["supportingInfo"])
    made["diagnosis"] = _diagnoses(VISIT, ("principal", "externalcauseofinjury", "", "patientreasonforvisit"))
    made["item"] = [
        _line(dice, "0450", day, "99284", 1, "UN"),
        _line(dice, "0320", day, "73110", 1, "UN"),
        _line(dice, "0636", day, "J1100", dice.randrange(1, 5), "UN"),
    ]
    return _finished(made)


def _started(dice: random.Random, number: int, bill: str) -> tuple[Json, date]:
    """What claims of a hospital share with those of a practice, and the first day."""
    made = claim(dice, number)
    day = date.fromisoformat(made["billablePeriod"]["start"])
    made["type"]["coding"][0]["code"] = "institutional"
    made["subType"] = {"coding": [{"code": bill}]}
    made["careTeam"] = [_member("attending")]
    return made, day


def _finished(made: Json) -> Json:
    for place, member in enumerate(made["careTeam"], 1):
        member["sequence"] = place
    for place, line in enumerate(made["item"], 1):
        line["sequence"] = place
    made["total"]["value"] = sum(round(line["net"]["value"] * 100) for line in made["item"]) / 100
    return made


def _info(category: str, code: str | None = None, **said: Any) -> Json:
    if code:
        said["code"] = {"coding": [{"code": code}]}
    return {"category": {"coding": [{"code": category}]}, **said}


def _number(rows: list[Json]) -> None:
    for place, row in enumerate(rows, 1):
        row["sequence"] = place


def _member(role: str) -> Json:
    return {"provider": {"reference": "#r"}, "role": {"coding": [{"code": role}]}}


def _diagnoses(codes: tuple[str, ...], kinds: tuple[str, ...]) -> list[Json]:
    return [
        {"sequence": n, "diagnosisCodeableConcept": coded(ICD10CM, code),
         **({"type": [coded(DIAGNOSIS_TYPE, kind)]} if kind else {})}
        for n, (code, kind) in enumerate(zip(codes, kinds, strict=True), 1)
    ]  # fmt: skip


def _line(dice: random.Random, revenue: str, day: date, code: str | None, units: int, unit: str) -> Json:
    price = dice.randrange(2_000, 40_000)
    system = HCPCS if code and code[0].isalpha() else CPT
    return {
        "revenue": {"coding": [{"code": revenue}]},
        "productOrService": coded(system, code) if code else dict(_NONE),
        "servicedDate": day.isoformat(),
        "quantity": {"value": units, "code": unit},
        "unitPrice": {"value": price / 100, "currency": "USD"},
        "net": {"value": price * units / 100, "currency": "USD"},
    }
