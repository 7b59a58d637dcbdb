"""How a defect is told: the kind of claim that it is done to, the change, and what else it cannot help breaking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from campaigns.claiming.making import NPIS, paid_by
from claims.rules.rule import own_rules
from fhir_profiles.systems import CLAIM_EXTENSIONS, CPT, HCPCS, NDC, NPI, X12_ADJUSTMENT_GROUPS

Json = dict[str, Any]
Change = Callable[[Json], list[Json] | None]


@dataclass(frozen=True, slots=True)
class Defect:
    """`change` alters a Claim of the kind `base` in place; `also` are rules that the fault breaks by its nature.

    What it returns are lines of the patient's earlier claims (`history` of the sheet).
    """

    rule: str
    change: Change
    base: str = "professional"
    also: frozenset[str] = frozenset()


DEFECTS: dict[str, Defect] = {}


@cache
def _payers() -> dict[str, tuple[str, ...]]:
    """Rule → the kinds of payers whose rule it is."""
    return {rule.id: rule.payer for rule in own_rules()}


def breaks(rule: str, base: str = "professional", also: tuple[str, ...] = ()) -> Callable[[Change], Change]:
    """Register the decorated function as the defect of a rule; the claim goes to a payer whose rule it is."""

    def register(change: Change) -> Change:
        def done(claim: Json) -> list[Json] | None:
            payers = _payers().get(rule)
            if payers and "commercial" not in payers:
                paid_by(claim, payers[0])
            return change(claim)

        assert rule not in DEFECTS, rule
        DEFECTS[rule] = Defect(rule, done, base, frozenset(also))
        return change

    return register


def contained(claim: Json, id: str) -> Json:
    """A resource that the claim contains: p patient, o billing provider, r rendering provider, y payer, v coverage."""
    found: Json = next(one for one in claim["contained"] if one["id"] == id)
    return found


def member(claim: Json, role: str, npi: str) -> None:
    """One more in the care team."""
    number = len(claim["careTeam"]) + 1
    provider = {"identifier": {"system": NPI, "value": npi}}
    claim["careTeam"].append({"sequence": number, "provider": provider, "role": {"coding": [{"code": role}]}})


def info(claim: Json, category: str, **said: Any) -> None:
    """One more piece of supporting information."""
    number = len(claim["supportingInfo"]) + 1
    claim["supportingInfo"].append({"sequence": number, "category": {"coding": [{"code": category}]}, **said})


def item(claim: Json, code: str) -> Json:
    """The first line, for another service."""
    first: Json = claim["item"][0]
    first["productOrService"] = {"coding": [{"system": HCPCS, "code": code}]}
    return first


def site(claim: Json, npi: str) -> None:
    """Where the services were done."""
    identifier = [{"system": NPI, "value": npi}]
    claim["contained"].append({"resourceType": "Location", "id": "f", "name": "Hospital", "identifier": identifier})
    claim["facility"] = {"reference": "#f"}


def place(claim: Json, code: str) -> None:
    """Another place of service for every line."""
    for line in claim["item"]:
        line["locationCodeableConcept"]["coding"][0]["code"] = code


def received(claim: Json, day: str) -> None:
    """Another day of receipt."""
    claim["supportingInfo"][0]["timingDate"] = day


def later(day: str, days: int = 1) -> str:
    """A day some days after another."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def total(claim: Json) -> None:
    """The total that fits the lines."""
    claim["total"]["value"] = sum(round(line["net"]["value"] * 100) for line in claim["item"]) / 100


def service(claim: Json, number: int, code: str, *modifiers: str) -> Json:
    """Another service in a line, counted from 0, with modifiers."""
    line: Json = claim["item"][number]
    line["productOrService"] = {"coding": [{"system": HCPCS if code[0].isalpha() else CPT, "code": code}]}
    if modifiers:
        line["modifier"] = [{"coding": [{"code": modifier}]} for modifier in modifiers]
    return line


def units(claim: Json, number: int, many: float) -> None:
    """Other units of a line, its charge and the total with them."""
    line = claim["item"][number]
    line["quantity"]["value"] = many
    line["net"]["value"] = round(line["unitPrice"]["value"] * many + 1e-9, 2)
    total(claim)


def extend(claim: Json, number: int, name: str, **value: Any) -> None:
    """One of our extensions on a line."""
    claim["item"][number].setdefault("extension", []).append({"url": f"{CLAIM_EXTENSIONS}{name}", **value})


def drug(claim: Json, number: int, ndc: str, many: float) -> None:
    """The drug of a line."""
    product = {"coding": [{"system": NDC, "code": ndc}]}
    claim["item"][number]["detail"] = [
        {"sequence": 1, "productOrService": product, "quantity": {"value": many, "code": "UN"}}
    ]


def earlier(claim: Json, code: str, before: int = 0, **said: Any) -> Json:
    """A line of an earlier claim by the same provider, some days before."""
    start = date.fromisoformat(claim["item"][0]["servicedDate"]).toordinal() - date(1970, 1, 1).toordinal() - before
    return {
        "claim": "e1", "control": "E1", "seq": 1, "code": code, "start": start, "end": start, "units": 1.0,
        "mods": [], "provider_npi": NPIS[1], "provider_tax": "043456789", "specialty": "207R00000X", "status": "paid",
        **said,
    }  # fmt: skip


def answered(claim: Json, paid: int, adjusted: dict[int, list[tuple[str, str, int]]]) -> None:
    """What the first payer paid and adjusted, in cents: line (0: the claim) → (group, reason, cents)."""
    parts = {
        line: [
            {"category": {"coding": [{"system": X12_ADJUSTMENT_GROUPS, "code": group}]},
             "reason": {"coding": [{"code": reason}]}, "amount": {"value": cents / 100}}
            for group, reason, cents in said
        ]
        for line, said in adjusted.items()
    }  # fmt: skip
    response = {
        "resourceType": "ClaimResponse", "id": "w", "adjudication": parts.pop(0, []),
        "payment": {"date": claim["created"], "amount": {"value": paid / 100}},
        "item": [{"itemSequence": line, "adjudication": said} for line, said in parts.items()],
    }  # fmt: skip
    claim["contained"].append(response)
    claim["insurance"][0]["claimResponse"] = {"reference": "#w"}
