"""The week of a pregnancy or of a birth, as it is written: "31w4d", "33+2", "22 weeks pregnant", "20 wks"."""

from __future__ import annotations

import re

from extractors.coding.case import Case, asked

_DAYS = asked(
    r"\b(?P<week>[1-4]\d|[4-9]) ?w(?:ks?|eeks?)?,? ?[0-6] ?d(?:ays?)?\b"
    r"|\b(?P<week2>[1-4]\d|[4-9])(?:\+[0-6]|[ -][0-6]/7)(?=[\s,.;:)]|$)"
)
_PREGNANT = asked(
    r"\b(?P<week>\d{1,2})(?: \d/7)?[ -]*(?:weeks?|wks?)[ -]*(?:pregnant|pregnancy|gestation|gestational age|ga\b|iup)"
)
_WEEKS = asked(
    r"\b(?P<week>\d{1,2})(?: \d/7)?[ -]*(?:weeks?|wks?)\b"
    r"(?! ago| later|[- ]old| post|[- ]pp\b| of age| out\b| after| from now| follow| for\b|[- ]sized?\b|\))"
)


def weeks(case: Case) -> re.Match[str] | None:
    """The first match that gives a week, the surest form first; its number is `week_of` it."""
    for pattern in (_DAYS, _PREGNANT, _WEEKS):
        match = case.first(pattern)
        if match is not None:
            return match
    return None


def week_of(match: re.Match[str]) -> int:
    """The completed weeks that a match gives."""
    groups = match.groupdict()
    return int(groups["week"] or groups["week2"])
