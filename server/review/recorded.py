"""The Provenance of a decision (https://hl7.org/fhir/R4/provenance.html).

Its entities are the versions that it changed, so that undoing is exact, and the document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_profiles.systems import CODING_DECISION, PROVENANCE_PARTICIPANT, REJECTION_REASON, REVIEW_ROLE
from server.review.change import Change
from server.review.coded import REASONS
from server.review.model import Decision, Json, Review
from server.review.read import reference_of, version_of

DISPLAYS = {
    "accept": "Accept",
    "reject": "Reject",
    "replace": "Replace",
    "add": "Add",
    "undo": "Undo",
    "reorder": "Reorder",
    "principal": "Principal diagnosis",
    "present-on-admission": "Present on admission",
    "modifiers": "Modifiers",
    "units": "Units",
    "pointers": "Diagnosis pointers",
    "finish": "Finish",
}
"""Codes of CodeSystem coding-decision."""


def recorded(review: Review, decision: Decision, who: Mapping[str, Any], change: Change) -> Json:
    """The Provenance, without an id: the server gives it one."""
    codings = [{"system": CODING_DECISION, "code": decision.kind, "display": DISPLAYS[decision.kind]}]
    codings += [change.coding] if change.coding else []
    made: Json = {
        "resourceType": "Provenance",
        "target": [{"reference": reference} for reference in _targets(change)],
        "recorded": decision.at,
        "activity": {"coding": codings},
    }
    if reason := reason_of(decision):
        made["reason"] = [reason]
    return made | {"agent": [agent_of(who)], "entity": _entities(review, change)}


def _targets(change: Change) -> list[str]:
    """What it changes: the suggestion before the Claim."""
    return list(dict.fromkeys([*map(reference_of, change.written), *change.deleted]))


def reason_of(decision: Decision) -> Json:
    """Why it was decided so; empty where nothing is told."""
    reason: Json = {}
    if decision.reason in REASONS:
        display = REASONS[decision.reason].display
        reason["coding"] = [{"system": REJECTION_REASON, "code": decision.reason, "display": display}]
    return reason | ({"text": decision.note.strip()} if decision.note.strip() else {})


def agent_of(who: Mapping[str, Any]) -> Json:
    """Who decided, and as what."""
    agent: Json = {
        "type": {"coding": [{"system": PROVENANCE_PARTICIPANT, "code": "performer", "display": "Performer"}]}
    }
    if role := who.get("role"):
        agent["role"] = [{"coding": [{"system": REVIEW_ROLE, "code": role, "display": role.capitalize()}]}]
    return agent | {"who": {name: who[name] for name in ("reference", "identifier", "display") if name in who}}


def _entities(review: Review, change: Change) -> list[Json]:
    changed = [*map(reference_of, change.written), *change.deleted]
    known = [
        (reference, version_of(review.resources[reference])) for reference in changed if reference in review.resources
    ]
    entities = [_entity("revision", f"{reference}/_history/{version}") for reference, version in known]
    entities += [_entity("removal", change.undone)] if change.undone else []
    entities += [
        _entity("source", f"{one}/_history/{version_of(review.resources[one])}") for one in _only_about(review, change)
    ]
    return [*entities, _entity("source", review.document)]


def _only_about(review: Review, change: Change) -> list[str]:
    """Suggestions that it is about and does not change: only their place on the claim."""
    return [one for one in change.about if one not in _targets(change) and one in review.resources]


def _entity(role: str, reference: str) -> Json:
    return {"role": role, "what": {"reference": reference}}
