"""How much of the body is burned or corroded, and how much of it to the third degree (I.C.19.d.6)."""

from __future__ import annotations

import re

from extractors.coding.case import Case, Rule, asked

EXTENT = Rule("burn-extent", "I.C.19.d.6", "A burn's share of the body surface is an additional code")
_TOTAL = asked(
    r"\b(?P<a>\d{1,2}(?:\.\d)?) ?%(?: of)?(?: the| his| her)?(?: total)? ?(?:body surface(?: area)?|tbsa|bsa|body)\b"
    r"|\b(?:tbsa|bsa)(?: burn\w*)?[ :of<]{0,6}(?P<b>\d{1,2}(?:\.\d)?) ?%"
    r"|\btotal(?: burn(?:ed)?)?(?: body)?(?: surface)? area(?: of| is|:)? (?P<c>\d{1,2}(?:\.\d)?) ?%"
)
_DEEP = re.compile(
    r"\b(?P<a>\d{1,2}(?:\.\d)?) ?%[^.;%\n]{0,24}\b(?:third|3rd|full)\b"
    r"|\b(?:third|3rd)[- ]degree\b[^.;%\n]{0,16}?(?P<b>\d{1,2}(?:\.\d)?) ?%"
)


def burn_extent(case: Case) -> None:
    """T31 for burns, T32 for corrosions alone: by tens of the whole, and by tens of what is of the third degree."""
    hurt = case.accepted("T2")
    match = next(case.search(_TOTAL), None) if hurt else None
    if match is None:
        return
    whole = _share(match)
    deep = _DEEP.search(case.text)
    third = _share(deep) if deep is not None else 0
    if third > whole:
        return
    corroded = all("orrosion" in case.lexicon.display_of(c.code) for c in hurt)
    category = "T32" if corroded else "T31"
    code = f"{category}.0" if whole < 10 else f"{category}.{whole // 10}{third // 10}"
    new = case.add(code, *match.span(), EXTENT, EXTENT.does)
    if new is not None:
        new.rank = max(new.rank, 3)
        if deep is not None and third >= 10:
            new.evidence.append(deep.span())


def _share(match: re.Match[str]) -> int:
    return int(float(next(said for said in match.groups() if said)))


RULES = (burn_extent,)
