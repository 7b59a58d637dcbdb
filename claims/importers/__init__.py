"""Readers of the official files that rules and prices rest on, one module each (`fhirwright load NAME FILE…`)."""

from __future__ import annotations

from claims.importers.registry import IMPORTERS, Importer, importer_of

__all__ = ["IMPORTERS", "Importer", "importer_of"]
