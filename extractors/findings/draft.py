"""A finding before its assertion is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from extractors.model import FindingKind, Span


@dataclass(frozen=True, slots=True)
class Draft:
    """What a finder saw: its whole evidence `start`–`end`, and `subject`, the words that an assertion is about."""

    kind: FindingKind
    start: int
    end: int
    subject: Span
    attributes: dict[str, Any] = field(default_factory=dict)
    concepts: tuple[tuple[str, str, float], ...] = ()
    negated: bool = False  # the phrase itself denies: "No known drug allergies"
