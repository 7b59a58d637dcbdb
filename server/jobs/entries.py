"""The coded entries of a C-CDA document that was posted as an attachment (https://hl7.org/fhir/us/ccda/)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from extractors.pages.limits import Limits as PageLimits
from extractors.pages.limits import Refused
from extractors.pages.sniff import CCDA, media_type
from fhir_profiles.systems import CDA, PROCESSING_TAG
from server.doors.ccda import MAPPED, Limits, Mapped, embedded, map_entries, open_document


def file_in(data: bytes) -> bytes:
    """The file in an unstructured C-CDA document, which is what is read of it; other data as it is. Raises Refused."""
    if b"nonXMLBody" not in data:
        return data
    try:
        if media_type(data) != CCDA:
            return data
    except Refused:  # whoever reads it says better what is wrong
        return data
    if CDA.encode() not in data:
        return data
    return embedded(open_document(data, Limits(size=len(data)))) or data


def entries_of(data: bytes, around: Mapping[str, Any], recorded: str, limits: PageLimits) -> Mapped | None:
    """What the entries of a C-CDA document become; None without any, and where a door has made them already.

    Raises Refused. `around` is the DocumentReference, or has at least an id.
    """
    tags = (around.get("meta") or {}).get("tag") or ()
    if any(tag.get("system") == PROCESSING_TAG and tag.get("code") == MAPPED for tag in tags):
        return None
    if b"entry" not in data or CDA.encode() not in data:
        return None
    return map_entries(data, Limits(size=limits.size, depth=limits.depth), around, recorded)
