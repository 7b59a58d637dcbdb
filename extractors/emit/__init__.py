"""Codes to FHIR: the resources a document yields, each coding with the words and the box that prove it."""

from __future__ import annotations

from extractors.emit.bundle import bundle
from extractors.emit.claim import DraftClaim
from extractors.emit.evidence import Box, boxes
from extractors.emit.resources import emit
from extractors.emit.serialise import as_dict
from extractors.emit.source import Source, source_of

__all__ = ["Box", "DraftClaim", "Source", "as_dict", "boxes", "bundle", "emit", "source_of"]
