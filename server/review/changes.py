"""Decisions about a suggestion itself: it stands, it does not, another code stands, one that nobody suggested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace as with_
from typing import Any

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import ICD10CM
from server.review import coded
from server.review.change import Change, refused
from server.review.claiming import claim_after, day_of
from server.review.coded import REASONS, Chosen
from server.review.model import Decision, Json, Kind, Review, Suggestion
from server.review.read import reference_of

LONGEST_NOTE = 1_000


def accept(review: Review, decision: Decision) -> Change:
    """The suggestion stands and goes on the claim."""
    one = _about(review, decision)
    return _decided(review, decision, one, coded.accepted(review.resources[one.reference]))


def reject(review: Review, decision: Decision) -> Change:
    """The suggestion does not stand and leaves the claim."""
    one = _about(review, decision)
    if decision.reason not in REASONS:
        raise refused(f"Say why it is rejected: {', '.join(REASONS)}.", "required", "reason")
    if decision.reason == "other" and not decision.note.strip():
        raise refused("Say in a note why it is rejected.", "required", "note")
    return _decided(review, decision, one, coded.rejected(review.resources[one.reference], decision.reason))


def replace(review: Review, decision: Decision, chosen: Chosen) -> Change:
    """The suggestion stands under another code of the same kind."""
    one = _about(review, decision)
    if _kind(chosen.system) != one.kind:
        raise refused("A diagnosis is replaced by a diagnosis, a service by a service.", "value", "system")
    if (chosen.system, chosen.code) == (one.system, one.code):
        raise refused("This is the code that stands: accept it.", "duplicate", "code")
    _refuse_twice(review, chosen)
    made = coded.replaced(review.resources[one.reference], chosen)
    return with_(_decided(review, decision, one, made), coding=chosen.coding([]))


def add(review: Review, decision: Decision, chosen: Chosen) -> Change:
    """A code that nobody suggested."""
    _refuse_twice(review, chosen)
    made = coded.added(review.document, chosen, decision.places, _like(review))
    if (known := review.find(reference_of(made))) and known.state == "replaced":
        raise refused("The code was suggested here and replaced by another: undo that instead.", "duplicate", "code")
    kind = _kind(chosen.system)
    one = Suggestion(
        reference_of(made), "", kind, chosen.system, chosen.code, chosen.display, chosen.edition, None, "", "added",
        "", "",
    )  # fmt: skip
    return with_(_decided(review, decision, one, made), coding=chosen.coding([]))


def _about(review: Review, decision: Decision) -> Suggestion:
    found = review.find(decision.about)
    if found is None:
        raise FhirError.of(Category.NOT_FOUND, "not-found", "The review has no such suggestion. Read it again.")
    if len(decision.note) > LONGEST_NOTE:
        raise refused(f"A note has at most {LONGEST_NOTE:,} characters.", "too-long", "note")
    return found


def _kind(system: str) -> Kind:
    return "diagnosis" if system == ICD10CM else "service"


def _refuse_twice(review: Review, chosen: Chosen) -> None:
    same = [one for one in review.suggestions if (one.system, one.code) == (chosen.system, chosen.code)]
    if any(one.state == "rejected" for one in same):
        raise refused("The code was suggested here and rejected: accept that suggestion.", "duplicate", "code")
    if same:
        raise refused("The code stands here already.", "duplicate", "code")


def _decided(review: Review, decision: Decision, one: Suggestion, made: Json) -> Change:
    """The suggestion as it is now, and the Claim where that changes."""
    claim = claim_after(review, one, made, decision.at)
    return Change((made, claim) if claim else (made,), (one.reference,))


def _like(review: Review) -> Mapping[str, Any]:
    """Subject, encounter and day of what stands; FhirError where nothing tells whom the document is about."""
    found: Json = {"day": str(day)} if (day := day_of(review)) else {}
    for resource in review.resources.values():
        subject = resource.get("patient" if resource["resourceType"] == "Claim" else "subject")
        if subject and resource["resourceType"] in (
            "Claim",
            "Condition",
            "DocumentReference",
            "Observation",
            "Procedure",
        ):
            found.setdefault("subject", subject)
        if resource["resourceType"] in ("Condition", "Procedure") and "encounter" in resource:
            found.setdefault("encounter", resource["encounter"])
    if "subject" not in found:
        raise refused(
            "Nothing tells whom the document is about: give the DocumentReference a subject first.", "required"
        )
    return found
