"""If-Match and its like against the current version (https://hl7.org/fhir/R4/http.html#concurrency)."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

from fhir_profiles.errors import Category, FhirError
from server.store import Version

from .exchange import Request

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_WRITES = frozenset({"PUT", "PATCH"})


def tags(header: str) -> set[str]:
    """The versions that an If-Match or If-None-Match header names; `*` stands for any."""
    found = set(_TAG.findall(header))
    return found | {part.strip() for part in _TAG.sub("", header).split(",") if part.strip()}


def check_match(request: Request, current: Version | None) -> None:
    """Refuse a write whose If-Match is not the current version, or whose If-None-Match is.

    Where the server asks for If-Match (`request.versioned`), a change of what exists is refused without it.
    """
    exists = current is not None and not current.deleted
    if request.if_match is not None:
        wanted = tags(request.if_match)
        if current is None or not exists or ("*" not in wanted and str(current.version) not in wanted):
            text = "The resource is not in the version that If-Match names. Read it again and repeat the change."
            raise FhirError.of(Category.CONFLICT, "conflict", text)
    elif request.versioned and exists and len(request.path) == 2:
        text = "This server changes a resource only for who names its version: send If-Match with the ETag of a read."
        raise FhirError.of(Category.CONFLICT, "required", text)
    if request.if_none_match is not None and request.method in _WRITES and exists and current is not None:
        unwanted = tags(request.if_none_match)
        if "*" in unwanted or str(current.version) in unwanted:
            text = "The resource exists in the version that If-None-Match excludes."
            raise FhirError.of(Category.CONFLICT, "conflict", text)


def is_unchanged(request: Request, version: Version) -> bool:
    """Whether the client has this version already, so that 304 says all."""
    if request.if_none_match is not None:
        known = tags(request.if_none_match)
        return "*" in known or str(version.version) in known
    if request.if_modified_since is not None:
        try:
            since = parsedate_to_datetime(request.if_modified_since)
        except ValueError:
            return False  # as HTTP asks for a date that cannot be read
        if since.tzinfo is None:
            since = since.replace(tzinfo=UTC)
        return version.updated // 1_000_000 <= since.timestamp()
    return False
