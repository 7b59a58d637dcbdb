"""What each area of figures is computed from (docs/figures.md): the searches, and the functions that they feed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson

from fhir_profiles.errors import FhirError
from fhir_profiles.systems import PROVENANCE_PARTICIPANT, TASK_CODE
from server.figures.claims import claims
from server.figures.model import Figure, Period, seconds_of
from server.figures.operations import operations
from server.figures.quality import quality
from server.figures.reading import (
    Decision,
    Suggested,
    counting,
    decided,
    read_decision,
    read_due,
    read_review,
    read_work,
    second_looks,
    suggested_in,
)
from server.figures.reading_claims import read_benefit, read_claim_answer
from server.figures.reading_twice import read_comparison, read_dollars, read_look
from server.figures.rows import Answered, Decided, Paired, Review, Scrubbed, Twice
from server.operations.figures_found import Found, Pairs, within

MOST_FORMER = 1_000
"""Suggestions that a decision changed so much that they are read as they stood before."""
Area = Callable[[Found, Period, float], Iterator[Figure]]
_OPEN = (("status", "requested,received,accepted,ready,in-progress,on-hold"),)


def _tasks(code: str) -> Pairs:
    return (("code", f"{TASK_CODE}|{code}"),)


def of_operations(found: Found, period: Period, now: float) -> Iterator[Figure]:
    """Tasks of documents: those that moved since the period began, and those that wait."""
    since = (("modified", within("modified", period)[0][1]),)
    code = _tasks("code-document")
    works = {work.reference: work for work in map(read_work, found.newest("Task", (*code, *since), "modified"))}
    waiting = map(read_work, found.newest("Task", (*code, *_OPEN), "modified"))
    works |= {work.reference: work for work in waiting}
    return operations(list(works.values()), _reviews(found, period), period, now)


def _reviews(found: Found, period: Period) -> list[Review]:
    """Coders' items of work that wait, and those that moved since the period began."""
    if not found.may("Task"):
        return []
    code, since = _tasks("review-document"), (("modified", within("modified", period)[0][1]),)
    bodies = (body for more in (since, _OPEN) for body in found.newest("Task", (*code, *more), "modified"))
    return list({review.reference: review for review in map(read_review, bodies)}.values())


def of_quality(found: Found, period: Period, _now: float) -> Iterator[Figure]:
    """Provenances of coders' decisions, and what they are about."""
    decisions = _decisions(found, Period(period.before().start, period.end))
    now = [one for one in decisions if period.holds(one.at)]
    return quality(
        _decided(found, now),
        _decided(found, [one for one in decisions if one.at < period.start]),
        second_looks(now),
        _reviews(found, period),
        period,
        _twice(found, period),
    )


def _twice(found: Found, period: Period) -> Twice:
    """Second looks and comparisons with the machine that were finished within the period, by their Tasks."""
    if not found.may("Task"):
        return Twice()
    looks: list[Paired] = []
    pairs: list[Paired] = []
    dollars: list[tuple[str, float, Paired]] = []
    for code, kept in (("second-look", looks), ("unaided-comparison", pairs)):
        asked = (*_tasks(code), ("status", "completed"), ("period", within("period", period)[0][1]))
        for task in map(orjson.loads, found.newest("Task", asked, "modified")):
            if period.holds(seconds_of((task.get("executionPeriod") or {}).get("end"))):
                rows = read_look(task) if kept is looks else read_comparison(task)
                kept += rows
                dollars += read_dollars(task, rows) if kept is pairs else ()
    return Twice(tuple(looks), tuple(pairs), tuple(dollars))


def decided_within(found: Found, period: Period) -> list[Decided]:
    """The decisions of a period that count, each about a suggestion as that was made."""
    return _decided(found, _decisions(found, period))


def _decisions(found: Found, period: Period) -> list[Decision]:
    machine = (("agent-type:not", f"{PROVENANCE_PARTICIPANT}|assembler"),)
    bodies = found.newest("Provenance", (*within("recorded", period), *machine), "recorded")
    return [one for one in map(read_decision, bodies) if one is not None]


def _decided(found: Found, decisions: list[Decision]) -> list[Decided]:
    counts = counting(decisions)
    known = {name: suggested_in(body) for name, body in found.named(counts)}
    left = MOST_FORMER
    rows = []
    for target, decision in counts.items():
        about, former = known.get(target), None
        if left and about is not None and decision.kind != "add" and about.confidence() is None:
            former, left = _former(found, target, decision), left - 1
        rows.append(decided(target, decision, about, former))
    return rows


def _former(found: Found, target: str, decision: Decision) -> Suggested | None:
    """The suggestion as it stood before the decision; None where that cannot be seen."""
    version = next((one for one in decision.former if one.startswith(f"{target}/_history/")), None)
    try:
        return suggested_in(found.version(version)) if version else None
    except FhirError:
        return None


def of_claims(found: Found, period: Period, now: float) -> Iterator[Figure]:
    """Answers to claims, and the Tasks of claims that wait."""
    scrubs: list[Scrubbed] = []
    answers: dict[str, Answered] = {}
    for body in found.newest("ClaimResponse", (*within("created", period), ("use", "claim")), "created"):
        row = read_claim_answer(orjson.loads(body))
        if isinstance(row, Scrubbed):
            scrubs.append(row)
        elif row is not None:
            answers.setdefault(row.claim or row.reference, row)  # the newest comes first
    for benefit in _benefits(found, period):
        answers.setdefault(benefit.claim or benefit.reference, benefit)
    due = [read_due(body) for body in _waiting(found)]
    return claims(scrubs, list(answers.values()), due, period, now)


def _benefits(found: Found, period: Period) -> Iterator[Answered]:
    if found.may("ExplanationOfBenefit"):
        for body in found.newest("ExplanationOfBenefit", within("created", period), "created"):
            benefit: dict[str, Any] = orjson.loads(body)
            if benefit.get("use") == "claim":
                yield read_benefit(benefit)


def _waiting(found: Found) -> Iterator[bytes]:
    if found.may("Task"):
        yield from found.newest("Task", (*_tasks("resolve-claim"), *_OPEN), "modified")


AREAS: dict[str, Area] = {"operations": of_operations, "quality": of_quality, "claims": of_claims}
"""The areas that are about resources; `system` is about the server."""
