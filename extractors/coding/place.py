"""Modifiers of the place: side, finger, toe and eyelid (CPT 50; HCPCS RT, LT, FA-F9, TA-T9, E1-E4)."""

from __future__ import annotations

import re

from extractors.coding.case import Case
from extractors.coding.clauses import bounds
from extractors.coding.shorthand import spelled
from extractors.coding.weigh import ALONE

_SIDE = re.compile(r"\b(right|left|bilateral(?:ly)?|both|rt|lt)\b")
_MODIFIER = {"right": "RT", "rt": "RT", "left": "LT", "lt": "LT", "bilateral": "50", "bilaterally": "50", "both": "50"}
_NAMES = "great|big|first|1st|second|2nd|third|3rd|fourth|4th|fifth|5th|little|small|index|middle|long|ring"
_KINDS = "toe|thumb|finger|hallux|digit"
_DIGIT = re.compile(
    rf"\b(right|rt|left|lt)(?: hand| foot)?,? (?:(?P<name>{_NAMES}) )?(?P<kind>{_KINDS})(?:nail)?s?\b"
    rf"|\b(?P<name2>{_NAMES}) (?P<kind2>toe|finger)(?:nail)?,?(?: of)?(?: the| her| his)? (right|rt|left|lt)\b"
    r"|\b(?P<kind3>thumb|hallux)(?:nail)?,?(?: of)?(?: the| her| his)? (right|rt|left|lt)\b"
    r"|\b(right|rt|left|lt) (?P<name4>ring|index|middle)\b"
)
_FIRST = ("great", "big", "first", "1st")
_TOES = {"second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3, "fifth": 4, "5th": 4, "little": 4,
         "small": 4, **dict.fromkeys(_FIRST, 0)}  # fmt: skip
_FINGERS = {"index": 1, "second": 1, "2nd": 1, "middle": 2, "long": 2, "third": 2, "3rd": 2, "ring": 3, "fourth": 3,
            "4th": 3, "little": 4, "small": 4, "fifth": 4, "5th": 4}  # fmt: skip
_LID = re.compile(
    r"\b(right|rt|left|lt) (upper|lower) (?:eye)?lid\b|\b(upper|lower) (right|left) (?:eye)?lid\b"
    r"|\b(upper|lower) (?:eye)?lid,?(?: of)?(?: the)? (right|left)\b|\b(ru|rl|lu|ll)l\b"
)
_LIDS = {("left", "upper"): "E1", ("left", "lower"): "E2", ("right", "upper"): "E3", ("right", "lower"): "E4"}


def place_of(case: Case, start: int, end: int) -> tuple[str, ...]:
    """The modifier of the place that the clause names; of a short text whose clause names none, that of the text."""
    low, high = bounds(case.text, start, end)
    return side_of(case.text[low:high]) or (side_of(case.text) if len(case.text) <= ALONE else ())


def side_of(clause: str) -> tuple[str, ...]:
    """The modifier of the one side that a clause names: RT, LT or 50; a digit has its own, and so has a lid."""
    clause = spelled(clause)
    if "lid" in clause or "ul" in clause or "ll" in clause:
        lids = {found for m in _LID.finditer(clause) if (found := _lid(m))}
        if len(lids) == 1:
            return (lids.pop(),)
    digits = {found for m in _DIGIT.finditer(clause) if (found := _digit(m))}
    if len(digits) == 1:
        return (digits.pop(),)
    sides = {_MODIFIER[w] for w in _SIDE.findall(clause)}
    if sides == {"RT", "LT"}:
        return ("50",)
    return (sides.pop(),) if len(sides) == 1 else ()


def _lid(match: re.Match[str]) -> str | None:
    if match[7]:
        return _LIDS["right" if match[7][0] == "r" else "left", "upper" if match[7][1] == "u" else "lower"]
    side, part = match[1] or match[4] or match[6], match[2] or match[3] or match[5]
    return _LIDS["right" if side.startswith("r") else "left", part]


def _digit(match: re.Match[str]) -> str | None:
    side = "left" if (match[1] or match[6] or match[8] or match[9]).startswith("l") else "right"
    name = match["name"] or match["name2"] or match["name4"] or ""
    kind = match["kind"] or match["kind2"] or match["kind3"] or "finger"
    if kind == "digit":
        return None  # of hand or foot, it does not say
    if kind in ("toe", "hallux"):
        number, letter = (0 if kind == "hallux" else _TOES.get(name, -1)), "T"
    else:
        number, letter = (0 if kind == "thumb" else _FINGERS.get(name, -1)), "F"
    if number < 0:
        return None
    if side == "left":
        return f"{letter}A" if number == 0 else f"{letter}{number}"
    return f"{letter}{number + 5}"


_READ_ONLY = re.compile(
    r"\b(?:(?:interpretation|reading|read|interp)(?: (?:and|&) report)? only"
    r"|professional (?:component|interpretation|read(?:ing)?))\b"
)
_TAKEN_ONLY = re.compile(r"\btechnical component\b")
_NEXT = re.compile(r"[.;\n]\s*(?:(?:professional|technical) component|interpretation|reading)\b[^.;\n]*")


def component_of(case: Case, start: int, end: int) -> tuple[str, ...]:
    """26 where only the reading was done here, TC where only the taking was: in the clause or the sentence after it."""
    low, high = bounds(case.text, start, end)
    after = _NEXT.match(case.text, high)
    clause = case.text[low : after.end() if after else high]
    return ("26",) if _READ_ONLY.search(clause) else ("TC",) if _TAKEN_ONLY.search(clause) else ()
