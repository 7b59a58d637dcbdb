"""Counts as a sig writes them: "1", "one", "1/2", "1 and 1/2", "1½", "one-half", "ii", "1 to 2", "1 (one)"."""

from __future__ import annotations

import re
from decimal import Decimal

from extractors.findings.grammar import NUMBER, decimal

NUMBERS = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
]  # fmt: skip
WORDS = {word: Decimal(i + 1) for i, word in enumerate(NUMBERS)}
_SIGNS = {"¼": Decimal("0.25"), "½": Decimal("0.5"), "¾": Decimal("0.75"), "⅓": Decimal(1) / 3, "⅔": Decimal(2) / 3}
_ROMAN = {"i": Decimal(1), "ii": Decimal(2), "iii": Decimal(3), "iv": Decimal(4)}
_WORD = "|".join(sorted(WORDS, key=len, reverse=True))
_PART = r"(?:[123]/[2-4]\b|(?:(?:one[ -]|a )?(?:half|quarter)|(?:one|three)[ -]quarters?)\b(?: (?:of )?an?\b)?|[¼½¾⅓⅔])"
_LEAD = rf"(?:\d{{1,2}}(?:\s?(?:and|&|-)\s?|\s(?=\d)|\s?(?=[¼½¾⅓⅔]))|(?:{_WORD})\s(?:and|&)\s)"
ONE = rf"(?:{_LEAD}{_PART}|{_PART}|{NUMBER}|{_WORD})"
SAID = rf"(?P<v>{ONE})(?:\s?\(\w+\))?(?:\s?(?:-|to|or)\s?(?P<w>{ONE})(?:\s?\(\w+\))?)?"
COUNT = re.compile(
    rf"(?<![\w./])(?:{SAID}|(?P<r>i{{1,3}}|iv|an?))"
    r"(?:\s(?:additional|more|full|whole|extended release|er|oral|dose of))?[\s-]?$"
)
_MIXED = re.compile(rf"(?P<whole>{_LEAD})(?P<part>{_PART})")
_JOINT = re.compile(r"\s?(?:and|&|-)?\s?$")
_PARTIAL = re.compile(_PART)


def number(printed: str) -> Decimal:
    """The value of one count that `ONE` matched."""
    if mixed := _MIXED.fullmatch(printed):
        return number(_JOINT.sub("", mixed["whole"])) + _part(mixed["part"])
    if _PARTIAL.fullmatch(printed):
        return _part(printed)
    return WORDS.get(printed) or decimal(printed)


def _part(printed: str) -> Decimal:
    if printed in _SIGNS:
        return _SIGNS[printed]
    over, slash, under = printed.partition("/")
    if slash:
        return Decimal(over) / Decimal(under)
    if "quarter" in printed:
        return Decimal("0.75") if printed.startswith("three") else Decimal("0.25")
    return Decimal("0.5")


def counted(match: re.Match[str]) -> tuple[Decimal, Decimal | None]:
    """The count that `COUNT` or `SAID` found, with the end of its range."""
    printed = match["v"]
    if printed is None:
        return _ROMAN.get(match["r"], Decimal(1)), None
    low = number(printed)
    high = number(match["w"]) if match["w"] else None
    return low, high if high is not None and high > low else None
