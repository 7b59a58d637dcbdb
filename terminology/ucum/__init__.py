"""Units of measure: validity by grammar, exact conversion (https://ucum.org/ucum)."""

from __future__ import annotations

from terminology.ucum.convert import canonical, comparable, convert, is_valid
from terminology.ucum.grammar import parse
from terminology.ucum.unit import Unit

__all__ = ["Unit", "canonical", "comparable", "convert", "is_valid", "parse"]
