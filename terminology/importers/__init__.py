"""Readers of official files, one module each (`fhirwright load NAME FILE…`)."""

from __future__ import annotations

from terminology.importers.given import Given, Member, refusal, refuse
from terminology.importers.registry import IMPORTERS, Importer, importer_of

__all__ = ["IMPORTERS", "Given", "Importer", "Member", "importer_of", "refusal", "refuse"]
