"""A finding before its assertion is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from extractors.model import EMPTY, FindingKind, Span


class Draft(msgspec.Struct, frozen=True, gc=False):
    """What a finder saw: its whole evidence `start`–`end`, and `subject`, the words that an assertion is about."""

    kind: FindingKind
    start: int
    end: int
    subject: Span
    attributes: Mapping[str, Any] = EMPTY
    concepts: tuple[tuple[str, str, float], ...] = ()
    negated: bool = False  # the phrase itself denies: "No known drug allergies"
