"""Undoing a decision: what it changed stands again exactly as before; undoing that does it again."""

from __future__ import annotations

from collections.abc import Mapping

from fhir_profiles.errors import Category, FhirError
from server.review.change import Change, conflict
from server.review.coded import tagged
from server.review.gather import pipeline_of
from server.review.model import Decision, Json, Review
from server.review.past import KINDS, undoable
from server.review.read import formers_of, kind_of, reference_of, targets_of


def formers(review: Review, decision: Decision) -> list[str]:
    """The versions that undoing needs, as `Type/ID/_history/N`; none for any other decision."""
    provenance = review.resources.get(decision.about)
    return formers_of(provenance) if decision.kind == "undo" and provenance else []


def undo(review: Review, decision: Decision, former: Mapping[str, Json]) -> Change:
    """Each version that the decision changed, written again; what it made is deleted.

    FhirError when something that was decided since rests on it, or the document was coded again.
    """
    provenance = review.resources.get(decision.about)
    if provenance is None or kind_of(provenance) not in KINDS:
        raise FhirError.of(Category.NOT_FOUND, "not-found", "There is no such decision. Read the review again.")
    if not undoable(review.resources.values(), decision.about):
        raise conflict(
            "Something was decided since that rests on it, or it was undone. Undo the newest decision first."
        )
    if _stored(review.resources.get(pipeline_of(review.document))) > _stored(provenance):
        raise conflict("The document was coded again since; what stood before cannot be put back. Decide anew.")
    wanted = formers_of(provenance)
    if missing := [reference for reference in wanted if reference not in former]:
        raise FhirError.of(Category.NOT_FOUND, "not-found", f"{len(missing)} former versions are not at hand.")
    written = tuple(tagged(former[reference], None) for reference in wanted)
    there = {reference_of(one) for one in written}
    gone = tuple(t for t in targets_of(provenance) if t not in there and t in review.resources)
    return Change(written, (), gone, undone=decision.about)


def _stored(resource: Json | None) -> str:
    return str(((resource or {}).get("meta") or {}).get("lastUpdated", ""))
