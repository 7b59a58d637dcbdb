"""The item of work of a second look: who looks, and at its end how far two people agree.

https://hl7.org/fhir/R4/task.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid5

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import TASK_CODE
from server.jobs.tasks import task_id
from server.review.model import Json, Review
from server.review.trail import Agreement, Key, agreement, considered_keys
from server.review.unaided import is_unaided, marked
from server.review.work import is_of

_SPACE: Final = UUID("5b7f0d52-6c0e-5a0b-9c59-1d9f4f5f2a77")
CODE: Final = "second-look"
MOST: Final = 500
"""Differences that the Task tells of each side."""


def look_id(document: str) -> str:
    """The id of the Task of a second look at a DocumentReference's id, known before it exists."""
    return str(uuid5(_SPACE, document))


def is_sampled(document: str, percent: float) -> bool:
    """Whether a DocumentReference's id is among the `percent` of all that get a second look: always the same ones.

    A larger share has all of a smaller one.
    """
    drawn = int.from_bytes(hashlib.sha256(f"second-look {document}".encode()).digest()[:8], "big")
    return drawn * 100 < percent * 2**64


def is_over(task: Mapping[str, Any] | None) -> bool:
    """Whether the second look was finished."""
    return (task or {}).get("status") == "completed"


def check_may_look(task: Mapping[str, Any] | None, deciders: Collection[str], who: Mapping[str, Any]) -> None:
    """FhirError (409) unless this one may: nobody looks a second time at what they decided, and one looks, not two.

    `deciders` are those who decided about the document, as their decisions name them.
    """
    if is_over(task):
        raise FhirError.of(Category.CONFLICT, "business-rule", "The second look at this document is finished.")
    if task is not None and not is_of(task, who):
        raise FhirError.of(Category.CONFLICT, "lock-error", "Somebody else takes the second look at this document.")
    if "reference" in who and {who["reference"], who.get("display", "")} & {*deciders}:
        text = "You decided about this document yourself: a second look is for somebody else."
        raise FhirError.of(Category.CONFLICT, "business-rule", text)


def begun(document: str, who: Mapping[str, Any], coding: Mapping[str, Any], now: str) -> Json:
    """The Task in somebody's hands; `coding` is the Task of the document's coding, `now` an instant."""
    made: Json = {
        "resourceType": "Task",
        "id": look_id(document),
        "status": "in-progress",
        "intent": "order",
        "code": {"coding": [{"system": TASK_CODE, "code": CODE, "display": "Second look"}]},
        "partOf": [{"reference": f"Task/{task_id(document)}"}],
        "reasonReference": {"reference": f"DocumentReference/{document}"},
        "authoredOn": now,
        "lastModified": now,
        "executionPeriod": {"start": now},
        "owner": {name: who[name] for name in ("reference", "display") if name in who},
    }
    made |= {"for": coding["for"]} if "for" in coding else {}
    return marked(made) if is_unaided(coding) else made


def agreed(first: Collection[Key], second: Review) -> Agreement:
    """How far the codes that stand agree with those of the second look (`server.review.second.looked`).

    FhirError (422) while a code that the machine put on the claim is undecided: silence is no agreement.
    """
    open = sum(one.state == "suggested" and one.proposed for one in second.suggestions)
    if open:
        text = f"{open} suggested code{' is' if open == 1 else 's are'} undecided."
        raise FhirError.of(Category.INCORRECT, "business-rule", text)
    stands = {(one.system, one.code) for one in second.suggestions if one.stands}
    return agreement(first, stands, considered_keys(second))


def finished(task: Mapping[str, Any], result: Agreement, displays: Mapping[Key, str], now: str) -> Json:
    """The Task done, with the score and the differences as outputs."""
    made: Json = {name: value for name, value in task.items() if name != "meta"}
    outputs = [_output("jaccard", valueDecimal=round(result.jaccard, 4))]
    if result.kappa is not None:
        outputs.append(_output("kappa", valueDecimal=round(result.kappa, 4)))
    outputs.append(_output("both", valueInteger=len(result.both)))
    for name, keys in (("first", result.first), ("second", result.second)):
        outputs += [_output(name, valueCoding=_coding(key, displays)) for key in sorted(keys)[:MOST]]
    period = {**(made.get("executionPeriod") or {}), "end": now}
    return made | {"status": "completed", "lastModified": now, "executionPeriod": period, "output": outputs}


def _coding(key: Key, displays: Mapping[Key, str]) -> Json:
    shown = {"display": displays[key]} if displays.get(key) else {}
    return {"system": key[0], "code": key[1]} | shown


def _output(name: str, **value: Any) -> Json:
    return {"type": {"text": name}, **value}


@dataclass(frozen=True, slots=True)
class Score:
    """What the Task of a finished second look tells; `first` and `second` are (code, display) of one side alone."""

    jaccard: float
    kappa: float | None
    both: int
    first: tuple[tuple[str, str], ...]
    second: tuple[tuple[str, str], ...]


def score_of(task: Mapping[str, Any] | None) -> Score | None:
    """The score; None while the second look is not finished."""
    if task is None or not is_over(task):
        return None
    outputs = [((one.get("type") or {}).get("text", ""), one) for one in task.get("output") or ()]
    values = {name: float(one["valueDecimal"]) for name, one in outputs if "valueDecimal" in one}
    both = next((int(one["valueInteger"]) for name, one in outputs if name == "both"), 0)
    return Score(
        values.get("jaccard", 0.0), values.get("kappa"), both, _codes(outputs, "first"), _codes(outputs, "second")
    )


def _codes(outputs: Iterable[tuple[str, Mapping[str, Any]]], side: str) -> tuple[tuple[str, str], ...]:
    codings = [one["valueCoding"] for name, one in outputs if name == side and "valueCoding" in one]
    return tuple((str(one.get("code", "")), str(one.get("display", ""))) for one in codings)
