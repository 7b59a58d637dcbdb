"""Which codes are in a value set (https://hl7.org/fhir/R4/valueset.html)."""

from __future__ import annotations

from terminology.value_sets.members import Members
from terminology.value_sets.value_sets import ValueSets

__all__ = ["Members", "ValueSets"]
