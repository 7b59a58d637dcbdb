"""Dates that cannot be are misread: the day or month that can."""

from __future__ import annotations

import re

DATE = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2((?:19|20)\d\d)[.,;:]?")
BENT = {"4": "1", "7": "1", "9": "0", "8": "0", "6": "0"}


def plausible_date(text: str) -> bool:
    """False when `text` is written as a date but no calendar has it."""
    found = DATE.fullmatch(text)
    if found is None:
        return True
    one, two = int(found[1]), int(found[3])
    return 0 < min(one, two) <= 12 and max(one, two) <= 31


def likely_date(text: str) -> str | None:
    """The only plausible date that differs from `text` in one digit that is easily bent."""
    made = {
        text[:at] + BENT[char] + text[at + 1 :]
        for at, char in enumerate(text[:5])
        if char in BENT and plausible_date(text[:at] + BENT[char] + text[at + 1 :])
    }
    return made.pop() if len(made) == 1 and not plausible_date(text) else None
