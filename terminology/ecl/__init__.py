"""The expression constraint language of SNOMED CT (https://docs.snomed.org/snomed-ct-specifications/snomed-ct-expression-constraint-language)."""

from __future__ import annotations

from terminology.ecl.grammar import read
from terminology.ecl.tree import Node

__all__ = ["Node", "read"]
