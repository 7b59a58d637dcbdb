"""Finishing a review: the Claim becomes active, unless something stands in the way."""

from __future__ import annotations

from collections.abc import Sequence

from fhir_profiles.errors import Category, FhirError, Problem
from server.review.change import Change, conflict, refuse_finished
from server.review.coded import tagged
from server.review.model import Review, Stop


def finish(review: Review, stops: Sequence[Stop]) -> Change:
    """The Claim as it is to be sent; FhirError with every hard stop where there is one."""
    refuse_finished(review)
    hard = [stop for stop in stops if stop.severity == "hard"]
    if hard:
        raise FhirError(Category.INCORRECT, *(Problem("error", "business-rule", s.text, s.field or None) for s in hard))
    if review.claim is None:
        raise conflict("There is no claim yet: accept a code first.")
    claim = tagged(review.resources[review.claim], None) | {"status": "active"}
    return Change((claim,), (review.claim,))
