"""The explanation of benefits to a Claim and an answer to it, in the shape of CARIN's Blue Button guide.

https://hl7.org/fhir/us/carin-bb/
A payer's answer (read from an 835) makes an adjudication; ours makes an estimate, which is tagged as one and claims no
profile. The profile is claimed only where nothing of what it asks for is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from claims.answer.benefit_amounts import Line, amounts, read, reasons, totals
from claims.answer.benefit_items import items, lines_of, status
from claims.answer.benefit_parties import Beside, code, codings, concept
from claims.answer.benefit_parts import Shape, diagnoses, infos, procedures, team
from claims.answer.benefit_shape import unmet
from claims.sheet.parties import Resolve
from claims.sheet.read import read_claim
from claims.work_answer import source_of
from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import (
    BILLING,
    CARIN_EXPLANATION,
    CARIN_IDENTIFIER,
    CARIN_STATUS,
    CARIN_SUBTYPE,
    PAYEE_TYPE,
    PROFILE_NOT_CLAIMED,
    RELATED_CLAIM,
)

Json = dict[str, Any]
Network = Literal["innetwork", "outofnetwork", "other"]
VERSION = "2.2.0"
PROFILES: Mapping[Shape, str] = MappingProxyType(
    {
        "professional": "Professional-NonClinician", "inpatient": "Inpatient-Institutional",
        "outpatient": "Outpatient-Institutional", "oral": "Oral", "pharmacy": "Pharmacy",
    }
)  # fmt: skip
_TYPES: Mapping[str, Shape] = MappingProxyType(
    {"professional": "professional", "vision": "professional", "oral": "oral", "pharmacy": "pharmacy"}
)
_NO_NETWORK = frozenset({"MEDICARE", "MB", "MA", "MCAID", "MC", "SUBSIDIZ"})
"""Coverages that have no network, whose claims are paid neither in nor out of one."""

ESTIMATE = "An estimate from the fee schedules that are loaded. No payer has decided this claim."


_UNSAID: Json = {"type": "Organization", "display": "Not said in the claim"}


class Made(NamedTuple):
    """What the explanation is called, what it is an answer to, and what a caller knows of the payer's network.

    `claim` and `response` are references, `network` says how the claim was paid, `providers` what the providers are.
    """

    id: str
    claim: str
    response: str
    network: Network | None = None
    providers: Network | None = None


def shape_of(claim: Json, resolve: Resolve | None = None) -> Shape:
    """Which profile a Claim is of; FhirError where its type says no kind that CARIN knows."""
    kind = code(claim.get("type"))
    if kind == "institutional":
        stay = read_claim(json.encode(claim), resolve=resolve)["claim"]["inpatient"]
        if stay is None:
            text = "The Claim says no type of bill, so it is neither a stay nor a visit: give it in subType"
            raise FhirError.of(Category.INCORRECT, "required", text, "Claim.subType")
        return "inpatient" if stay else "outpatient"
    if kind is None or kind not in _TYPES:
        text = "Explanations are made of professional, institutional, oral, vision and pharmacy claims"
        raise FhirError.of(Category.UNSUPPORTED, "not-supported", text, "Claim.type")
    return _TYPES[kind]


def explanation(claim: Json, response: Json, made: Made, resolve: Resolve | None = None) -> Json:
    """The ExplanationOfBenefit; FhirError for a Claim of a kind that has none."""
    shape, beside, estimate = shape_of(claim, resolve), Beside(claim, resolve), source_of(response) == "scrub"
    network = made.network or _network(claim, beside)
    lines, whole = lines_of(response), read(response.get("adjudication", ()))
    found = _head(claim, response, made, shape, beside, estimate)
    found["careTeam"] = team(claim, shape, beside)
    found["supportingInfo"] = infos(claim, shape, beside)
    found["diagnosis"] = diagnoses(claim, shape, beside)
    if shape == "inpatient":
        found["procedure"] = procedures(claim, beside)
    found["insurance"] = [_insurance(one) for one in claim.get("insurance", ())]
    known = {
        "careTeamSequence": {one["sequence"] for one in found["careTeam"]},
        "informationSequence": {one.get("sequence") for one in found["supportingInfo"]},
    }
    found["item"] = items(claim, shape, lines, network, known)
    found["adjudication"] = _of_claim(whole, shape, bool(lines), network, made.providers)
    found["total"] = totals([*lines.values(), whole], response.get("total", ()))
    if not estimate:
        found["payment"] = _payment(response, lines, whole)
    _notes(found, response)
    found = {name: value for name, value in found.items() if value not in ([], {}, None)}
    if contained := beside.kept(found):
        found = {"resourceType": found.pop("resourceType"), "id": found.pop("id"), "contained": contained, **found}
    return _profiled(found, shape, beside, estimate)


def _head(claim: Json, response: Json, made: Made, shape: Shape, beside: Beside, estimate: bool) -> Json:
    """What there is once: who, whom, when, what became of it."""
    found: Json = {
        "resourceType": "ExplanationOfBenefit",
        "id": made.id,
        "identifier": [] if estimate else _numbers(response),
        "status": "draft" if estimate else response.get("status", "active"),
        "type": claim.get("type"),
        "use": "claim",
        "patient": claim.get("patient"),
        "billablePeriod": claim.get("billablePeriod") or _period(claim),
        "created": response.get("created"),
        "insurer": claim.get("insurer") or _insurer(claim, beside) or _UNSAID,
        "provider": beside.party(claim.get("provider")),
        "related": [_related(one) for one in claim.get("related", ())],
        "claim": {"reference": made.claim},
        "claimResponse": {"reference": made.response},
        "outcome": "queued" if estimate else response.get("outcome", "complete"),
        "disposition": ESTIMATE if estimate else response.get("disposition"),
        "facility": claim.get("facility") if beside.kind(claim.get("facility")) == "Location" else None,
        "accident": claim.get("accident"),
    }
    if shape in ("inpatient", "outpatient"):
        found["subType"] = concept(CARIN_SUBTYPE, shape)
    if not estimate:
        found["payee"] = claim.get("payee") or {"type": concept(PAYEE_TYPE, "provider"), "party": found["provider"]}
    return found


def _numbers(response: Json) -> list[Json]:
    """What the payer calls the claim."""
    kind = concept(CARIN_IDENTIFIER, "uc")
    return [{**one, "type": kind} for one in response.get("identifier", ())[:1] if one.get("value")]


def _period(claim: Json) -> Json:
    spans = [item.get("servicedPeriod") or {"start": item.get("servicedDate")} for item in claim.get("item", ())]
    starts = sorted(one["start"] for one in spans if one.get("start"))
    ends = sorted(one.get("end") or one["start"] for one in spans if one.get("start"))
    return {"start": starts[0], "end": ends[-1]} if starts else {}


def _insurer(claim: Json, beside: Beside) -> Json | None:
    """Who stands behind the coverage that is billed."""
    payors: list[Json] = _coverage(claim, beside).get("payor") or []
    return payors[0] if payors else None


def _coverage(claim: Json, beside: Beside) -> Json:
    """The coverage that is billed; empty where it is not known."""
    focal = next((one for one in claim.get("insurance", ()) if one.get("focal")), None)
    return beside.of(focal.get("coverage")) or {} if focal else {}


def _network(claim: Json, beside: Beside) -> Network | None:
    kinds = {one.get("code") for one in codings(_coverage(claim, beside).get("type"))}
    return "other" if kinds & _NO_NETWORK else None


def _related(one: Json) -> Json:
    found: Json = {"relationship": concept(RELATED_CLAIM, "prior")}
    return {**{name: one[name] for name in ("claim", "reference") if name in one}, **found}


def _insurance(one: Json) -> Json:
    found: Json = {"focal": bool(one.get("focal"))}
    return found | {name: one[name] for name in ("coverage", "preAuthRef") if name in one}


def _of_claim(
    whole: Line, shape: Shape, by_line: bool, network: Network | None, providers: Network | None
) -> list[Json]:
    """What was decided of the claim apart from its lines; amounts of a hospital's claim stand here or there."""
    found: list[Json] = []
    if shape in ("inpatient", "outpatient"):
        found += ([] if by_line else amounts(whole)) + reasons(whole, many=True)
    if providers:
        found.append(status("billingnetworkstatus", providers))
        found += [status("renderingnetworkstatus", providers)] if shape in ("professional", "oral") else []
    if network and shape != "professional":
        found.append(status("benefitpaymentstatus", network))
    return found


def _payment(response: Json, lines: Mapping[int, Line], whole: Line) -> Json:
    """Whether it was paid, in part or not at all, when and how much."""
    said = response.get("payment") or {}
    refused = [line.denied() for line in lines.values()] or [whole.denied()]
    kind = "denied" if all(refused) else "partiallypaid" if any(refused) else "paid"
    return {"type": concept(CARIN_STATUS, kind), **{k: said[k] for k in ("date", "amount", "identifier") if k in said}}


def _notes(found: Json, response: Json) -> None:
    """Notes of the answer, its errors, and lines without a price as notes too; lines name theirs."""
    notes = [dict(one) for one in response.get("processNote", ())]
    numbers = {item.get("itemSequence"): list(item.get("noteNumber", ())) for item in response.get("item", ())}
    last = max((one.get("number", 0) for one in notes), default=0)
    unpriced = [
        (item.get("itemSequence"), one["reason"].get("text"))
        for item in response.get("item", ())
        for one in item.get("adjudication", ())
        if code(one.get("category")) == "eligible" and one.get("reason") and "amount" not in one
    ]
    errors = [(one.get("itemSequence"), (one.get("code") or {}).get("text")) for one in response.get("error", ())]
    for sequence, text in [*errors, *unpriced]:
        if not text:
            continue
        last += 1
        notes.append({"number": last, "type": "display", "text": text})
        if sequence is not None:
            numbers.setdefault(sequence, []).append(last)
    found["processNote"] = notes
    for item in found["item"]:
        if mine := numbers.get(item.get("sequence")):
            item["noteNumber"] = mine


def _profiled(found: Json, shape: Shape, beside: Beside, estimate: bool) -> Json:
    """The same with the profile that it is of, or with the reasons why it claims none."""
    lacks = unmet(found, shape, beside)
    if estimate:
        lacks.insert(0, "An estimate is no adjudicated claim.")
    head: Json = {"resourceType": found.pop("resourceType"), "id": found.pop("id")}
    meta: Json = {}
    if not lacks:
        meta["profile"] = [f"{CARIN_EXPLANATION}{PROFILES[shape]}|{VERSION}"]
    if estimate:
        meta["tag"] = [{"system": BILLING, "code": "estimate"}]
    if meta:
        head["meta"] = meta
    if "contained" in found:
        head["contained"] = found.pop("contained")
    if lacks:
        head["extension"] = [{"url": PROFILE_NOT_CLAIMED, "valueString": one} for one in lacks]
    return {**head, **found}
