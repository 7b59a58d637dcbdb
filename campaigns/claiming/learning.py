"""Made claims whose denial follows a known function of what they say, and charges with planted outliers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from math import exp
from typing import Any, NamedTuple

from campaigns.claiming.making import Json, claim, coded
from fhir_profiles.systems import (
    ADJUDICATION,
    CLAIM_TYPE,
    PAYMENT_EXTENT,
    PLACE_OF_SERVICE,
    X12_ADJUSTMENT_GROUPS,
    X12_ADJUSTMENT_REASONS,
)

PAYERS = (("12345", "EHCPOL"), ("23456", "EHCPOL"), ("34567", "MCPOL"), ("45678", "SUBSIDIZ"), ("56789", "EHCPOL"))
PRICES = {
    "99213": 14_000, "83036": 3_000, "36415": 1_500, "80053": 4_000, "85025": 2_500, "71046": 9_000, "93000": 6_000,
    "90471": 4_500, "G0438": 21_000, "J1100": 800,
}  # fmt: skip
"""Code → cents that are usual; each provider's list lies around them."""
EVERY_DAY = 0.12
OUTLYING = 0.01
TIMES = 8.0
START = date(2026, 1, 5)
DAYS = 300


class Made(NamedTuple):
    """A claim, the payer's answer, the true probability of a denial, and the line whose charge is planted."""

    claim: Json
    response: Json
    truth: float
    planted: int | None


def effects(claim: Json) -> dict[str, float]:
    """What moves the log-odds of a denial, by the name of the feature that tells it."""
    payer, codes = claim["contained"][3]["identifier"][0]["value"], _codes(claim)
    days = (date.fromisoformat(claim["created"]) - date.fromisoformat(claim["billablePeriod"]["start"])).days
    return {
        "days to filing": 2.0 if days > 60 else 0.0,
        "rate payer": 1.0 if payer == "45678" else 0.0,
        "rate code": 1.4 if "93000" in codes else 0.0,
        "rate payer_code": 2.2 if payer == "23456" and "71046" in codes else 0.0,
        "place telehealth": 1.2 if claim["item"][0]["locationCodeableConcept"]["coding"][0]["code"] == "10" else 0.0,
        "diagnoses": -0.5 * (len(claim["diagnosis"]) - 1),
    }


def _codes(claim: Json) -> set[str]:
    return {item["productOrService"]["coding"][0]["code"] for item in claim["item"]}


def truth(claim: Json, usual: float = -2.0) -> float:
    """The probability of a denial."""
    return 1 / (1 + exp(-usual - sum(effects(claim).values())))


def made(count: int, seed: int = 1, null: bool = False) -> Iterator[Made]:
    """Claims and answers; `null`: denied by a coin that knows nothing of the claim."""
    dice = random.Random(seed)
    for number in range(count):
        one = claim(dice, number)
        planted = _vary(dice, one)
        probability = 0.25 if null else truth(one)
        yield Made(one, response(one, dice.random() < probability), probability, planted)


def _vary(dice: random.Random, one: Json) -> int | None:
    """Other days, payers, places, numbers of diagnoses and charges; the line with an outlying charge."""
    start = START + timedelta(days=dice.randrange(DAYS))
    filed = start + timedelta(days=dice.choice((2, 5, 9, 20, 40, 55, 70, 90)))
    one["billablePeriod"] = {"start": start.isoformat(), "end": start.isoformat()}
    one["created"] = filed.isoformat()
    one["supportingInfo"][0]["timingDate"] = one["created"]
    payer, kind = dice.choice(PAYERS)
    one["contained"][3]["identifier"][0]["value"] = payer
    one["contained"][4]["type"]["coding"][0]["code"] = kind
    kept = dice.randrange(1, 4)
    one["diagnosis"] = one["diagnosis"][:kept]
    place = dice.choice(("11", "11", "11", "22", "10"))
    planted = dice.randrange(1, len(one["item"]) + 1) if dice.random() < OUTLYING * len(one["item"]) else None
    for item in one["item"]:
        item["servicedDate"] = start.isoformat()
        item["locationCodeableConcept"] = coded(PLACE_OF_SERVICE, place)
        item["diagnosisSequence"] = [n for n in item["diagnosisSequence"] if n <= kept] or [1]
        usual = PRICES[item["productOrService"]["coding"][0]["code"]] * exp(dice.gauss(0, EVERY_DAY))
        if item["sequence"] == planted:
            usual *= TIMES if dice.random() < 0.5 else 1 / TIMES
        item["unitPrice"]["value"] = item["net"]["value"] = round(usual) / 100
    one["total"]["value"] = sum(round(item["net"]["value"] * 100) for item in one["item"]) / 100
    return planted


def response(claim: Json, denied: bool) -> Json:
    """What a payer answers, as an 835 brings it."""
    charged = [item["net"]["value"] for item in claim["item"]]
    items = [_item(n, charge, denied and n == 1) for n, charge in enumerate(charged, 1)]
    paid = round(sum(item["adjudication"][1]["amount"]["value"] for item in items), 2)
    later = date.fromisoformat(claim["created"]) + timedelta(days=14)
    return {
        "resourceType": "ClaimResponse", "status": "active", "use": "claim", "created": later.isoformat(),
        "request": {"identifier": claim["identifier"][0]}, "outcome": "complete",
        "disposition": "Processed as primary", "item": items,
        "type": coded(CLAIM_TYPE, "professional"), "patient": {"display": "-"}, "insurer": {"display": "-"},
        "payment": {"type": coded(PAYMENT_EXTENT, "partial"), "amount": _money(paid)},
    }  # fmt: skip


def _item(number: int, charge: float, denied: bool) -> Json:
    paid = 0.0 if denied else round(charge * 0.6, 2)
    reason = "16" if denied else "45"
    adjustment: dict[str, Any] = {
        "category": coded(X12_ADJUSTMENT_GROUPS, "CO"), "reason": coded(X12_ADJUSTMENT_REASONS, reason),
        "amount": _money(round(charge - paid, 2)),
    }  # fmt: skip
    submitted = {"category": coded(ADJUDICATION, "submitted"), "amount": _money(charge)}
    benefit = {"category": coded(ADJUDICATION, "benefit"), "amount": _money(paid)}
    return {"itemSequence": number, "adjudication": [submitted, benefit, adjustment]}


def _money(value: float) -> Json:
    return {"value": value, "currency": "USD"}
