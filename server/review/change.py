"""What a decision changes, and the errors of one that cannot be made."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_profiles.errors import Category, FhirError
from server.review.model import Json, Review


@dataclass(frozen=True, slots=True)
class Change:
    """Resources to write and references to delete; `coding` is the code that was chosen, `undone` what was undone."""

    written: tuple[Json, ...]
    about: tuple[str, ...]
    deleted: tuple[str, ...] = ()
    coding: Json | None = None
    undone: str | None = None


def refused(text: str, code: str = "business-rule", where: str | None = None) -> FhirError:
    """The error for a decision that cannot be made."""
    return FhirError.of(Category.INCORRECT, code, text, where)


def conflict(text: str) -> FhirError:
    """The error for a decision that what stands does not allow."""
    return FhirError.of(Category.CONFLICT, "conflict", text)


def refuse_finished(review: Review) -> None:
    """A finished review changes only by undoing that it was finished."""
    claim = review.resources.get(review.claim or "", {})
    if claim.get("status", "draft") != "draft":
        raise conflict("The review is finished. Undo that first, then decide.")
