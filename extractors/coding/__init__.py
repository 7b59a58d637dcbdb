"""From findings to codes: candidates, specificity, guideline rules, sequence (https://www.cms.gov/medicare/coding-billing/icd-10-codes)."""

from __future__ import annotations

from extractors.coding.coder import code
from extractors.coding.lexicon import Entry, Lexicon

__all__ = ["Entry", "Lexicon", "code"]
