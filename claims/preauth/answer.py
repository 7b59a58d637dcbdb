"""The ClaimResponse to a request for authorisation: pended until somebody decides.

https://hl7.org/fhir/us/davinci-pas/StructureDefinition-profile-claimresponse.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from claims.answer.benefit_parties import Beside, concept
from claims.edit import Finding
from fhir_profiles.systems import (
    ADJUDICATION,
    CLAIM_CONTENT,
    CLAIM_RULE,
    FINDING_RULE,
    PAS_EXTENSION,
    X12_REVIEW_ACTION,
)

Json = dict[str, Any]
Action = Literal["A1", "A2", "A3", "A4", "A6", "C"]
"""What became of an item (HCR01): certified, in part, not certified, pended, modified, cancelled."""

CATEGORIES = frozenset(
    {
        "IDN", "PAT", "POS", "DXV", "PTR", "PXV", "MOD", "UNT", "NCC", "SRG", "ANE", "TEL", "RXD", "LAB", "DME", "SRC",
    }
)  # fmt: skip
"""Rules that ask who, what and what for, which hold before a service as after it; the others are about bills."""

PENDED = "Pended: nobody has decided yet. This server is no payer; it tells what the request lacks and keeps it."


class Made(NamedTuple):
    """What an answer is called, when it is made (instant), what the Claim is called, and extensions it carries."""

    id: str
    created: str
    claim: str
    extensions: Sequence[Json] = ()


def pended(claim: Json, lacks: Iterable[str], findings: Iterable[Finding], made: Made) -> Json:
    """The answer before anybody has decided: every item pended, and notes of what is missing and would be refused."""
    found = head(claim, made, "queued", PENDED)
    notes = [_note(n, text) for n, text in enumerate((f"Missing: {one}" for one in lacks), 1)]
    numbers: dict[int, list[int]] = {}
    for finding in findings:
        rule = finding.rule
        if rule.category not in CATEGORIES:
            continue
        notes.append(_note(len(notes) + 1, rule.sentence) | {"extension": [_ruled(finding)]})
        if rule.scope == "line" and finding.sequence is not None:
            numbers.setdefault(finding.sequence, []).append(len(notes))
    found["item"] = [item(one, "A4", numbers.get(one.get("sequence", 0), ())) for one in claim.get("item", ())]
    if notes:
        found["processNote"] = notes
    return found


def _note(number: int, text: str) -> Json:
    return {"number": number, "type": "display", "text": text}


def _ruled(finding: Finding) -> Json:
    rule = finding.rule
    parts: list[Json] = [
        {"url": "rule", "valueCoding": {"system": CLAIM_RULE, "code": rule.id}},
        {"url": "severity", "valueCode": rule.severity},
        {"url": "path", "valueString": rule.where(finding.sequence)},
    ]
    return {"url": FINDING_RULE, "extension": parts}


def head(claim: Json, made: Made, outcome: str, disposition: str) -> Json:
    """What every answer repeats of a request, with those whom it names inside it."""
    request: Json = {"reference": made.claim}
    if claim.get("identifier"):
        request["identifier"] = {k: v for k, v in claim["identifier"][0].items() if k in ("system", "value")}
    found: Json = {
        "extension": list(made.extensions),
        "identifier": [{"system": CLAIM_CONTENT, "value": made.id}],
        "status": "active",
        "type": claim.get("type"),
        "use": "preauthorization",
        "patient": claim.get("patient"),
        "created": made.created,
        "insurer": claim.get("insurer") or {"type": "Organization", "display": "Not said in the request"},
        "requestor": claim.get("provider"),
        "request": request,
        "outcome": outcome,
        "disposition": disposition,
    }
    found = {name: value for name, value in found.items() if value not in (None, [])}
    contained = Beside(claim).kept(found)
    front: Json = {"resourceType": "ClaimResponse", "id": made.id}
    return front | ({"contained": contained} if contained else {}) | found


def item(asked: Json, action: Action, notes: Sequence[int] = (), number: str | None = None) -> Json:
    """One item with what became of it."""
    extensions = [one for one in asked.get("extension", ()) if one.get("url") == f"{PAS_EXTENSION}itemTraceNumber"]
    served: Json = {"url": f"{PAS_EXTENSION}itemRequestedServiceDate"}
    if "servicedDate" in asked:
        extensions.append({**served, "valueDateTime": asked["servicedDate"]})
    elif "servicedPeriod" in asked:
        extensions.append({**served, "valuePeriod": asked["servicedPeriod"]})
    review: list[Json] = [
        {"url": f"{PAS_EXTENSION}reviewActionCode", "valueCodeableConcept": concept(X12_REVIEW_ACTION, action)}
    ]
    if number:
        review.append({"url": "number", "valueString": number})
    found: Json = {"extension": extensions} if extensions else {}
    found["itemSequence"] = asked.get("sequence")
    if notes:
        found["noteNumber"] = list(notes)
    found["adjudication"] = [
        {
            "extension": [{"url": f"{PAS_EXTENSION}reviewAction", "extension": review}],
            "category": concept(ADJUDICATION, "submitted"),
        }
    ]
    return found


def action_of(item: Json) -> str | None:
    """What became of an item of an answer."""
    for one in item.get("adjudication", ()):
        for review in one.get("extension", ()):
            for part in review.get("extension", ()):
                if part.get("url") == f"{PAS_EXTENSION}reviewActionCode":
                    codings = (part.get("valueCodeableConcept") or {}).get("coding") or [{}]
                    code = codings[0].get("code")
                    return str(code) if code else None
    return None
