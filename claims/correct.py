"""The Claim that replaces or voids one which was sent: a bill stays as it is (https://hl7.org/fhir/R4/claim.html).

X12 tells the payer by the frequency of the claim (7 replaces, 8 voids) and the payer's number of the earlier one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from claims.answer.benefit_parties import code
from claims.work_answer import source_of
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import BILLING, RELATED_CLAIM

Json = dict[str, Any]
Kind = Literal["replace", "void"]
Standing = Literal["open", "rejected", "sent", "decided"]
"""Where a claim stands: nobody has it; the payer threw it back; it is on its way or accepted; it was decided."""

FREQUENCIES: Mapping[Kind, str] = {"replace": "7", "void": "8"}
NUMBER_LENGTH = 38
"""The most characters that an 837 has for the number of a claim (CLM01)."""

_DECIDED = ("835", "payer")
_COUNTED = re.compile(r"^(.*)-R(\d{1,4})$")
_SAME = ("patient", "insurer", "type")
_ENDED = frozenset({"cancelled", "entered-in-error", "draft"})


class Correction(NamedTuple):
    """What is to be done: `id` of the new Claim, day it is made, payer's number of the old one, content of the new."""

    kind: Kind
    id: str
    created: str
    number: Json | None = None
    content: Json | None = None


def standing(claim: Mapping[str, Any], task: Mapping[str, Any] | None, answers: Iterable[Json]) -> Standing:
    """Where a claim stands, by its tag, the Task of what came back about it, and the ClaimResponses to it."""
    told = {_source(one) for one in (task or {}).get("output", ())}
    against = {_source(one) for one in (task or {}).get("input", ())}
    if told & {*_DECIDED} or any(source_of(one) in _DECIDED for one in answers):
        return "decided"
    for door in ("277ca", "999"):
        if door in told:
            return "rejected" if door in against else "sent"
    return "sent" if is_exported(claim) else "open"


def is_exported(claim: Mapping[str, Any]) -> bool:
    """Whether somebody has marked the claim as sent."""
    tags = (claim.get("meta") or {}).get("tag") or ()
    return any(tag.get("system") == BILLING and tag.get("code") == "exported" for tag in tags)


def _source(one: Mapping[str, Any]) -> str:
    return str((one.get("type") or {}).get("text") or "")


def is_void(claim: Mapping[str, Any]) -> bool:
    """Whether a claim only takes another one back."""
    codings = [c for one in claim.get("related", ()) for c in (one.get("relationship") or {}).get("coding", ())]
    return any(c.get("code") in ("8", "void") for c in codings)


def payer_number(answers: Iterable[Json]) -> Json | None:
    """What the payer calls a claim, by its newest answer that says so."""
    numbers = (one["identifier"][0] for one in answers if source_of(one) != "scrub" and one.get("identifier"))
    return next(({k: n[k] for k in ("system", "value") if k in n} for n in numbers if n.get("value")), None)


def correct(claim: Json, correction: Correction) -> Json:
    """The new Claim; FhirError where the old one cannot be corrected so."""
    _refuse(claim, correction)
    frequency, content = FREQUENCIES[correction.kind], correction.content
    found = {name: value for name, value in (content or claim).items() if name not in ("id", "meta", "text", "related")}
    related: Json = {
        "claim": {"reference": f"Claim/{claim['id']}"},
        "relationship": {
            "coding": [{"system": BILLING, "code": frequency}, {"system": RELATED_CLAIM, "code": "prior"}]
        },
    }
    if correction.number:
        related["reference"] = correction.number
    head: Json = {"resourceType": "Claim", "id": correction.id}
    if profiles := (claim.get("meta") or {}).get("profile"):
        head["meta"] = {"profile": profiles}
    found["identifier"] = _numbers(claim, found.get("identifier") or [])
    if not found["identifier"]:
        del found["identifier"]
    found |= {
        "status": "active" if content or correction.kind == "void" else "draft",
        "created": correction.created,
        "related": [related],
    }
    found.pop("resourceType")
    if code(claim.get("type")) == "institutional":
        _bill(found, frequency)
    return {**head, **found}


def _refuse(claim: Json, correction: Correction) -> None:
    if claim.get("use") != "claim":
        raise _wrong("Only claims are corrected. Send a request for authorisation again instead", "Claim.use")
    if claim.get("status") in _ENDED:
        raise _wrong("A draft or withdrawn claim was never a bill. Change it itself", "Claim.status")
    if is_void(claim):
        raise _wrong("The claim takes another one back; nothing of it is left to correct. Send a new claim", "Claim")
    content = correction.content
    if content is None:
        return
    if correction.kind == "void":
        raise _wrong("What voids a claim bills what that has billed. Leave the parameter resource out", "resource")
    if content.get("resourceType") != "Claim" or content.get("use") != "claim":
        raise _wrong("The parameter resource is the Claim as it should have been", "resource")
    for name in _SAME:
        if _plain(claim.get(name)) != _plain(content.get(name)):
            text = f"A claim with another {name} replaces nothing. Void this one and send a new claim"
            raise _wrong(text, f"Claim.{name}")


def _plain(value: Any) -> Any:
    """What counts of a reference or concept."""
    if not isinstance(value, dict):
        return value
    return value.get("reference") or code(value) or value.get("identifier") or value.get("display")


def _wrong(text: str, where: str) -> FhirError:
    return FhirError.of(Category.CONFLICT, "business-rule", f"{text}.", where)


def _numbers(claim: Json, given: list[Json]) -> list[Json]:
    """The number of the new claim: its own where it has one, else that of the old one, counted on."""
    old = claim.get("identifier") or []
    taken = {one.get("value") for one in old}
    fresh = [one for one in given if one.get("value") not in taken]
    if fresh or not old or not old[0].get("value"):
        return fresh
    known = _COUNTED.match(old[0]["value"])
    base, count = (known[1], int(known[2])) if known else (old[0]["value"], 0)
    suffix = f"-R{count + 1}"
    return [{**old[0], "value": f"{base[: NUMBER_LENGTH - len(suffix)]}{suffix}"}]


def _bill(claim: Json, frequency: str) -> None:
    """The type of bill says the frequency too."""
    bill = code(claim.get("subType"))
    if bill:
        rest = claim["subType"]["coding"]
        claim["subType"] = {**claim["subType"], "coding": [{**rest[0], "code": bill[:-1] + frequency}, *rest[1:]]}
    claim["supportingInfo"] = [_info(one, frequency) for one in claim.get("supportingInfo", ())]
    if not claim["supportingInfo"]:
        del claim["supportingInfo"]


def _info(one: Json, frequency: str) -> Json:
    bill = code(one.get("code"))
    if code(one.get("category")) != "typeofbill" or not bill:
        return one
    return {**one, "code": {"coding": [{**one["code"]["coding"][0], "code": bill[:-1] + frequency}]}}
