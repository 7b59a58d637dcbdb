"""The draft Claim after a suggestion was decided on (https://hl7.org/fhir/R4/claim.html).

What stands is on it in the order of the review, diagnoses as far as there is room for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from claims.draft import MAX_DIAGNOSES, draft_claim
from server.review.claim_of import BILLED, Draft, claimed_concept, put_together, taken_apart
from server.review.coded import tagged
from server.review.gather import claim_of
from server.review.model import Json, Review, Suggestion
from server.review.read import tags_of

OFF = "rejected"


def claim_after(review: Review, one: Suggestion, made: Json, at: str) -> Json | None:
    """The Claim when the suggestion `one` is now `made`; None where that does not change it."""
    if one.kind == "service" and one.system not in BILLED and coding_system(made) not in BILLED:
        return None
    stored = review.resources.get(review.claim or "")
    stands = OFF not in tags_of(made)
    if stored is None and not stands:
        return None
    draft = taken_apart(stored or _new(review, made, at), review.resources.values())
    elements = draft.diagnoses if one.kind == "diagnosis" else draft.lines
    if not stands:
        elements.pop(one.reference, None)
    elif one.reference in elements:
        name = "diagnosisCodeableConcept" if one.kind == "diagnosis" else "productOrService"
        elements[one.reference] = {**elements[one.reference], name: claimed_concept(made)}
    elif one.kind == "service" or len(elements) < MAX_DIAGNOSES:
        _insert(elements, one.reference, line_or_diagnosis(one.kind, made, draft), _shown(review, one.kind))
    _let_in(draft, review, one)
    claim = tagged(put_together(draft), None)
    return None if stored is not None and claim == tagged(stored, None) else claim


def coding_system(resource: Mapping[str, Any]) -> str:
    """The system of the code that a Condition or Procedure has."""
    coding: Json = next(iter((resource.get("code") or {}).get("coding") or ()), {})
    return str(coding.get("system", ""))


def day_of(review: Review) -> date | None:
    """The day of service; None where nothing tells it."""
    told = (_day(resource) for resource in review.resources.values())
    return next((date.fromisoformat(day[:10]) for day in told if day and len(day) >= len("2026-01-01")), None)


def _day(resource: Mapping[str, Any]) -> str | None:
    match resource["resourceType"]:
        case "Claim":
            return (resource.get("billablePeriod") or {}).get("start")
        case "Condition":
            return resource.get("recordedDate")
        case "Procedure":
            return resource.get("performedDateTime")
    return None


def _shown(review: Review, kind: str) -> list[str]:
    return [one.reference for one in review.suggestions if one.kind == kind]


def _let_in(draft: Draft, review: Review, decided: Suggestion) -> None:
    """Diagnoses that stand and found no room before come in where there is some now."""
    shown = _shown(review, "diagnosis")
    for one in review.diagnoses:
        if len(draft.diagnoses) >= MAX_DIAGNOSES:
            return
        if one.stands and one.reference not in draft.diagnoses and one.reference != decided.reference:
            element = line_or_diagnosis("diagnosis", review.resources[one.reference], draft)
            _insert(draft.diagnoses, one.reference, element, shown)


def _insert(elements: dict[str, Json], reference: str, element: Json, shown: Sequence[str]) -> None:
    """Put an element behind the nearest one that is shown before it; what is not shown yet comes last."""
    before = set(shown[: shown.index(reference)]) if reference in shown else set(elements)
    at = max((n for n, known in enumerate(elements, 1) if known in before), default=0)
    every = list(elements.items())
    every.insert(at, (reference, element))
    elements.clear()
    elements.update(every)


def line_or_diagnosis(kind: str, resource: Json, draft: Draft) -> Json:
    """The diagnosis or line of a new draft that claims the resource."""
    concept = claimed_concept(resource)
    parts: dict[str, Any] = {"id": "-", "kind": "professional", "patient": {}, "created": ""}
    if kind == "diagnosis":
        made: Json = draft_claim(**parts, diagnoses=[concept])["diagnosis"][0]
        return {"id": resource["id"], **made}
    day = _day(resource) or (draft.claim.get("billablePeriod") or {}).get("start")
    document = next((one.get("valueReference") for one in draft.claim.get("supportingInfo") or ()), None)
    serviced = date.fromisoformat(day[:10]) if day else None
    encounter = resource.get("encounter")
    line = draft_claim(
        **parts, document=document, encounter=encounter, lines=[{"concept": concept, "serviced": serviced}]
    )["item"][0]
    return {"id": resource["id"], **line}


def _new(review: Review, made: Json, at: str) -> Json:
    """A Claim for what no Claim was drafted for."""
    asserter = made.get("asserter")
    return draft_claim(
        id=claim_of(review.document).partition("/")[2],
        kind="professional",
        patient=made["subject"],
        created=at,
        provider=asserter,
        encounter=made.get("encounter"),
        document={"reference": review.document},
        start=day_of(review),
    )
