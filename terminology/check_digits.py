"""The check digit of a LOINC number, modulo 10 (https://loinc.org/kb/users-guide/loinc-database-structure)."""

from __future__ import annotations

import re

_LOINC = re.compile(r"([0-9]{1,7})-([0-9])")


def loinc_check_digit(number: str) -> int:
    """The digit that belongs behind the hyphen of a LOINC number, given the digits before it."""
    doubled = (int(digit) * 2 for digit in number[::-2])
    return -(sum(d // 10 + d % 10 for d in doubled) + sum(map(int, number[-2::-2]))) % 10


def is_loinc(code: str) -> bool:
    """Whether the text is a LOINC number with the right check digit."""
    found = _LOINC.fullmatch(code)
    return found is not None and loinc_check_digit(found[1]) == int(found[2])


def meant_loinc(code: str) -> str | None:
    """The LOINC number with the check digit that its digits call for, where another stands; else None."""
    found = _LOINC.fullmatch(code)
    if found is None or loinc_check_digit(found[1]) == int(found[2]):
        return None
    return f"{found[1]}-{loinc_check_digit(found[1])}"
