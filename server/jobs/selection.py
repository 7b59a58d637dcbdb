"""Which documents are coded: a setting, and a tag or a category that opts a document in or out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fhir_profiles.systems import PROCESSING_TAG
from server.jobs.attachments import attachment_of
from server.settings import Settings

_OVER = frozenset({"superseded", "entered-in-error"})


def is_wanted(document: Mapping[str, Any], settings: Settings) -> bool:
    """Whether this DocumentReference is to be coded. One without an attachment to read, or withdrawn, never is."""
    if settings.coding == "off" or attachment_of(document) is None:
        return False
    if document.get("status") in _OVER or document.get("docStatus") == "entered-in-error":
        return False
    tags = {
        tag.get("code") for tag in (document.get("meta") or {}).get("tag") or () if tag.get("system") == PROCESSING_TAG
    }
    if "skip" in tags:
        return False
    if "code" in tags:
        return True
    kinds = set(_kinds(document))
    if settings.coding == "opt-in":
        return not kinds.isdisjoint(settings.coding_categories)
    return kinds.isdisjoint(settings.coding_skip_categories)


def _kinds(document: Mapping[str, Any]) -> Iterator[str]:
    """`system|code` of each category and of the type."""
    for concept in (*(document.get("category") or ()), document.get("type") or {}):
        for coding in concept.get("coding") or ():
            yield f"{coding.get('system', '')}|{coding.get('code', '')}"
