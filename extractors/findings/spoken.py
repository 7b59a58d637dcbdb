"""Numbers as they are dictated: "one twenty over eighty", "ninety eight point six", "one oh two"."""

from __future__ import annotations

import re
from decimal import Decimal

from extractors.findings.counts import NUMBERS

_UNITS = {"zero": 0, "oh": 0} | {word: i + 1 for i, word in enumerate(NUMBERS)}
_TENS = {
    word: 10 * (i + 2)
    for i, word in enumerate(("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"))
}
_VALUES = _UNITS | _TENS | {"hundred": 100}
_WORD = rf"(?:{'|'.join(sorted(_VALUES, key=len, reverse=True))})\b"
SPOKEN = rf"{_WORD}(?:[ -](?:and )?{_WORD})*(?: point(?: {_WORD})+)?"
ANY = re.compile(rf"\b{_WORD}")


def spoken_number(words: str) -> Decimal | None:
    """The number that dictated words say; None where they are no number ("five five five five")."""
    whole, _, part = words.replace("-", " ").replace(" and ", " ").partition(" point ")
    value = _whole([_VALUES[word] for word in whole.split()])
    digits = [_UNITS.get(word, 10) for word in part.split()]
    if value is None or any(digit > 9 for digit in digits):
        return None
    return Decimal(f"{value}.{''.join(map(str, digits))}") if digits else Decimal(value)


def _whole(values: list[int]) -> int | None:
    """[1, 100, 30, 8] → 138; so are [1, 30, 8]; [1, 0, 2] → 102."""
    if len(values) > 1 and values[1] == 100 and values[0] < 10:
        rest = _below_hundred(values[2:]) if values[2:] else 0
        return None if rest is None else values[0] * 100 + rest
    if (low := _below_hundred(values)) is not None:
        return low
    rest = _below_hundred(values[1:])
    return values[0] * 100 + rest if 0 < values[0] < 10 and rest is not None else None


def _below_hundred(values: list[int]) -> int | None:
    match values:
        case [one] if one < 100:
            return one
        case [tens, one] if tens in _TENS.values() and 0 < one < 10:
            return tens + one
        case [0, one] if one < 10:
            return one
    return None
