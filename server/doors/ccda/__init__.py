"""C-CDA documents to FHIR resources, without web, store or clock (https://hl7.org/fhir/us/ccda/)."""

from __future__ import annotations

from .document import Mapped, entry_of, home_of, map_document, map_entries, provenance_id
from .header import MAPPED, embedded
from .tree import Limits, open_document

__all__ = [
    "MAPPED",
    "Limits",
    "Mapped",
    "embedded",
    "entry_of",
    "home_of",
    "map_document",
    "map_entries",
    "open_document",
    "provenance_id",
]
