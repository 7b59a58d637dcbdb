"""How doubt is shown: statuses that ask for a second look, a note in words, and a tag to search by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from extractors.model import Finding
from fhir_profiles.systems import REVIEW_TAG

DOUBT = "The words on the page were hard to read; compare with the page before use."


def doubt(findings: Iterable[Finding]) -> str | None:
    """Why a value that all `findings` give is doubtful, None when at least one of them was read well."""
    every = [finding.attributes for finding in findings]
    if not every or not all(attributes.get("doubtful") for attributes in every):
        return None
    return next((f"{DOUBT} ({attributes['reason']})" for attributes in every if attributes.get("reason")), DOUBT)


def tags(*, doubtful: bool = False, suggested: bool = False) -> dict[str, Any]:
    """`meta` with the review tags that apply: `_tag=doubtful` and `_tag=suggested` find what wants a person."""
    codes = [("doubtful", "Doubtful reading")] * doubtful + [("suggested", "Suggested code")] * suggested
    if not codes:
        return {}
    return {"meta": {"tag": [{"system": REVIEW_TAG, "code": code, "display": display} for code, display in codes]}}
