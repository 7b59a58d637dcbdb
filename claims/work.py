"""The Task of a claim: what is wrong with it, who sees to it, by when (https://hl7.org/fhir/R4/task.html).

A claim has one Task. Each answer replaces what the same source, and the doors before it, had found; people assign and
close it by ordinary updates, and what they set stays until the claim fails anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from claims.rules.page import CATEGORIES
from claims.work_answer import DENIED, REFUSED, REJECTED, Answer, Failure, Source
from claims.work_due import priority
from fhir_profiles.systems import FINDING_PATH, TASK_CODE, WORK_STATE

Json = dict[str, Any]
_SPACE: Final = UUID("0f6f3f0a-64a1-5a3f-9c1d-5b1a3f2d7c9e")
MOST_FINDINGS = 100
"""Findings that a Task lists; its description tells how many there are."""

STATES = {
    "clean": "No edit finds an error", "received": "The payer took the file in",
    "accepted": "The payer takes the claim", "paid": "The payer decided without a denial",
    REFUSED: "The payer refused the file", REJECTED: "The payer rejected the claim", DENIED: "The payer denied",
    "other": "Other errors",
}  # fmt: skip
"""States of a claim, and kinds of work beside those of the categories of rules."""

_STAGES: dict[str, int] = {"999": 1, "277ca": 2, "835": 3}
_REACHED = {
    0: ("completed", "clean"), 1: ("received", "received"), 2: ("accepted", "accepted"), 3: ("completed", "paid")
}  # fmt: skip
_SET_ASIDE = frozenset({"cancelled", "rejected", "entered-in-error"})
_OURS = frozenset({"received", "accepted", "paid", "clean"})


def task_id(claim: str) -> str:
    """The id of a claim's Task, known before it exists."""
    return str(uuid5(_SPACE, claim))


class Circumstances:
    """What is known beside the answer: the claim's id and patient, the last day for it, owners by category, and now.

    `due` and `today` are days since 1970; `now` is an instant. `owners` has a reference for categories, `*` for others.
    """

    def __init__(
        self, claim: str, now: str, today: int, due: int | None = None, patient: str | None = None,
        owners: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.claim, self.now, self.today, self.due, self.patient = claim, now, today, due, patient
        self.owners = owners or {}

    def owner(self, category: str) -> str | None:
        """Whose work a category is."""
        return self.owners.get(category) or self.owners.get("*")


def task_after(answer: Answer, before: Mapping[str, Any] | None, at: Circumstances) -> Json | None:
    """The Task once an answer has come; None where there is nothing to do, or nothing new to tell."""
    if before is None and not answer.failures and answer.source not in ("999", "277ca"):
        return None
    kept = [given for given in (before or {}).get("input") or () if not _replaced(given, answer.source)]
    inputs = [*kept, *(_input(answer.source, failure) for failure in answer.failures)]
    outputs = [one for one in (before or {}).get("output") or () if _source(one) != answer.source]
    if answer.reference:
        outputs.append({"type": {"text": answer.source}, "valueReference": {"reference": answer.reference}})
    task = _task(before, at, inputs, outputs)
    if before is not None and _same(task, before):
        return None
    return {**task, "lastModified": at.now}


def _task(before: Mapping[str, Any] | None, at: Circumstances, inputs: list[Json], outputs: list[Json]) -> Json:
    old = {key: value for key, value in (before or {}).items() if key not in ("meta", *_WRITTEN)}
    stage = max((_STAGES.get(_source(one), 0) for one in outputs), default=0)
    reached, state = _REACHED[stage]
    main = _main(inputs)
    category = main["category"] if main else state
    task: Json = {
        "resourceType": "Task",
        "id": task_id(at.claim),
        "status": _status(before, inputs, reached),
        "intent": "order",
        "authoredOn": at.now,
        "code": {"coding": [{"system": TASK_CODE, "code": "resolve-claim", "display": "See to a claim"}]},
        "focus": {"reference": f"Claim/{at.claim}"},
        **({"for": {"reference": at.patient}} if at.patient else {}),
        **old,
        "businessStatus": _state(category),
        "description": _description(main, inputs, state),
    }
    if main:
        task["reasonCode"] = main["concept"]
        shown = next((one["valueReference"] for one in outputs if _source(one) == main["source"]), None)
        if shown:
            task["reasonReference"] = shown
    if inputs:
        task["input"] = inputs[:MOST_FINDINGS]
    if outputs:
        task["output"] = outputs
    if at.due is not None:
        task["restriction"] = {"period": {"end": (date(1970, 1, 1) + timedelta(days=at.due)).isoformat()}}
    if before is None or (inputs and not before.get("input")):
        task["priority"] = priority(at.due, at.today) if inputs else "routine"
    _own(task, before, at, category)
    return task


_WRITTEN = (
    "status", "businessStatus", "description", "reasonCode", "reasonReference", "input", "output", "restriction",
    "lastModified",
)  # fmt: skip
"""What each answer writes anew; all else is kept as it is."""


def _own(task: Json, before: Mapping[str, Any] | None, at: Circumstances, category: str) -> None:
    """Give the Task to who sees to the category, unless a person gave it to somebody."""
    was = ((before or {}).get("owner") or {}).get("reference")
    ours = at.owner(state_of(before)) if before else None
    if was is not None and was != ours:
        return
    if task.get("input") and (owner := at.owner(category)):
        task["owner"] = {"reference": owner}


def state_of(task: Mapping[str, Any] | None) -> str:
    """The code of a Task's business status; empty where it has none of ours."""
    codings = ((task or {}).get("businessStatus") or {}).get("coding") or ()
    return next((str(c.get("code")) for c in codings if c.get("system") == WORK_STATE), "")


def _status(before: Mapping[str, Any] | None, inputs: Sequence[Json], reached: str) -> str:
    was = (before or {}).get("status")
    if before is None or was is None:
        return "requested" if inputs else reached
    if was in _SET_ASIDE and (not inputs or list(inputs[:MOST_FINDINGS]) == before.get("input")):
        return str(was)
    if not inputs:
        return reached
    left_open = was not in (*_SET_ASIDE, "completed", "failed") and state_of(before) not in _OURS
    return str(was) if left_open else "requested"


def _replaced(given: Mapping[str, Any], by: Source) -> bool:
    """Whether a finding is overtaken: by its own source, by a later door of the payer, or by the payer's decision."""
    source = _source(given)
    if source == by or by == "835":
        return True
    return 0 < _STAGES.get(source, 0) < _STAGES.get(by, 0)


def _main(inputs: Sequence[Json]) -> Json | None:
    """The finding that the Task is about: the payer's before ours, of the claim before those of its lines."""
    found = [
        {"source": _source(one), "concept": one["valueCodeableConcept"], "category": _category(one), "path": _path(one)}
        for one in inputs
        if "valueCodeableConcept" in one
    ]
    return min(found, key=lambda one: (one["source"] == "scrub", ".where(" in (one["path"] or "")), default=None)


def _input(source: Source, failure: Failure) -> Json:
    given: Json = {"type": {"coding": [_coding(failure.category)], "text": source}}
    if failure.path:
        given = {"extension": [{"url": FINDING_PATH, "valueString": failure.path}], **given}
    return {**given, "valueCodeableConcept": failure.concept}


def _source(given: Mapping[str, Any]) -> str:
    return str((given.get("type") or {}).get("text") or "")


def _category(given: Mapping[str, Any]) -> str:
    return str(next((c.get("code") for c in given["type"].get("coding") or ()), "other"))


def _path(given: Mapping[str, Any]) -> str | None:
    return next((e.get("valueString") for e in given.get("extension") or () if e.get("url") == FINDING_PATH), None)


def _coding(category: str) -> Json:
    display = CATEGORIES.get(category) or STATES.get(category)
    return {"system": WORK_STATE, "code": category, **({"display": display} if display else {})}


def _state(category: str) -> Json:
    return {"coding": [_coding(category)]}


def _description(main: Mapping[str, Any] | None, inputs: Sequence[Json], state: str) -> str:
    if main is None:
        return f"{STATES[state]}."
    concept = main["concept"]
    codes = ", ".join(str(c.get("code")) for c in concept.get("coding") or ())
    said = concept.get("text") or codes or STATES["other"]
    more = len(inputs) - 1
    return f"{said}." if not more else f"{said}; and {more} more finding{'' if more == 1 else 's'}."


def _same(task: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    apart = ("meta", "lastModified")
    return {k: v for k, v in task.items() if k not in apart} == {k: v for k, v in before.items() if k not in apart}
