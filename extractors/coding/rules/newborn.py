"""A newborn that came early or weighs little: weeks of gestation and birth weight (I.C.16.d)."""

from __future__ import annotations

import re

from extractors.coding.case import Case, Rule, asked
from extractors.coding.gestation import week_of, weeks

EARLY = Rule("prematurity", "I.C.16.d", "A newborn's birth weight and completed weeks, where they are recorded as low")
_CHILD = asked(r"\b(?:newborn|neonat\w*|baby (?:boy|girl)|infant|preemie|premature|prematurity|preterm|nicu)\b")
_AGE = re.compile(r"\b\d{1,2}[ -]?(?:years?|yrs?|yo\b|y/o|y\.o)")
_BORN = re.compile(r"\b(?:born|birth|deliver\w*|gestation\w*|ga\b|prematur\w*|preterm|ex-)|\d ?w[0-6]d")
_WEIGHT = asked(
    r"\b(?:birth ?weight|bw|born weighing|weighed)(?: was| of| at birth|:)?(?: at birth)? ?(\d{3,4}) ?(?:g|grams?|gm)\b"
    r"|\b(?:birth ?weight|bw)(?: was| of|:)? ?(\d\.\d{1,2}) ?(?:kg|kilograms?)\b"
)
_WEIGHTS = (
    (500, "P07.01"), (750, "P07.02"), (1000, "P07.03"), (1250, "P07.14"), (1500, "P07.15"), (1750, "P07.16"),
    (2000, "P07.17"), (2500, "P07.18"),
)  # fmt: skip


def prematurity(case: Case) -> None:
    """P07.0- or P07.1- by weight, then P07.2- or P07.3- by weeks; a weight or week of term says nothing."""
    if case.has("O") or _AGE.search(case.text) or not (case.has("P", "Z38") or case.first(_CHILD)):
        return
    heavy = next(case.search(_WEIGHT), None)
    grams = 0 if heavy is None else int(heavy[1]) if heavy[1] else round(float(heavy[2]) * 1000)
    light = next((code for most, code in _WEIGHTS if grams < most), None) if grams else None
    rank = max((c.rank for c in case.accepted("Z38")), default=0)
    if heavy is not None and light is not None:
        _add(case, light, heavy.span(), rank)
    match = weeks(case)
    if match is None or not _BORN.search(case.text, max(0, match.start() - 40), match.end() + 24):
        return
    week = week_of(match)
    code = "P07.21" if week < 23 else f"P07.2{week - 21}" if week < 28 else f"P07.3{week - 27}" if week < 37 else None
    if code is not None:
        _add(case, code, match.span(), rank)


def _add(case: Case, code: str, span: tuple[int, int], rank: int) -> None:
    new = case.add(code, *span, EARLY, EARLY.does)
    if new is not None:
        new.rank = max(new.rank, rank + 1)
    for vague in case.accepted("P07.10", "P07.30", "P07.20", "P07.00"):
        if vague is not new and vague.code[:5] in (code[:5], "P07.1", "P07.3"):
            case.reject(vague, EARLY, f"{code} says more")


RULES = (prematurity,)
