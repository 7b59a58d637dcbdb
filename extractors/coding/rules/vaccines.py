"""Vaccines with their administration: by payer, by age with counselling, by number (CPT 90460-90474, G0008-G0010)."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from extractors.coding.case import Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.done import add_service
from extractors.coding.tables import table
from extractors.findings.cues import Cued
from fhir_profiles.systems import HCPCS

GIVEN = Rule(
    "vaccine-given", "CPT 90632-90759; I.C.21.c.2", "A vaccine that was given, with Z23 and its administration"
)
PRODUCT = Rule("vaccine-product", "CPT 90653-90689", "Asks which product of a vaccine was given")
_GIVEN = asked(r"\b(?:given|gave|administered|receive[ds]|gets?|got|vaccinated|injected|today)\b")
_NOT = re.compile(
    r"\b(?:declin\w+|refus\w+|deferred|not given|will|schedul\w+|due for|next|last year|ago|in (?:19"
    r"|20)\d\d|contraindicated|elsewhere|pharmacy)\b"
)
_CUES = ("vaccin", "flu shot", "influenza", "fluzone", "pcv", "prevnar", "ppsv", "pneumovax", "tdap", "mmr",
         "varicella",
         "shingrix", "zoster", "hpv", "gardasil", "hepatitis", "immuni")  # fmt: skip
_MEDICARE = asked(r"\bmedicare\b")
_CHILD = asked(
    r"\b(?:child|infant|boy|girl|toddler|\d{1,2}[- ]months?[- ]old|(?:[1-9]|1[0-8])[- ]years?[- ]old"
    r"|(?:[1-9]|1[0-8])[- ]?y/?o)\b"
)
_COUNSELLED = asked(r"\bcounsel\w*")
_NASAL = asked(r"\bintranasal|nasal spray")
_MEDICARE_GIVEN = {"influenza": "G0008", "pneumococcal": "G0009", "hepatitis b": "G0010"}


@cache
def _rows() -> list[tuple[dict[str, Any], Cued]]:
    return [(row, asked(row["words"])) for row in table("services")["vaccines"]]


def vaccines(case: Case) -> None:
    """Find what was given, then code how it was given once for all of it."""
    if case.setting != "outpatient" or not case.says(*_CUES) or not case.first(_GIVEN):
        return
    given: list[tuple[dict[str, Any], tuple[int, int]]] = []
    for row, pattern in _rows():
        for match in case.search(pattern):
            low, high = bounds(case.text, *match.span())
            clause = case.text[low:high]
            taken = any(a < match.end() and match.start() < b for _, (a, b) in given)
            if taken or not _GIVEN.pattern.search(clause) or _NOT.search(clause):
                continue
            given.append((row, match.span()))
            break
    for row, span in given:
        if row["code"]:
            add_service(case, row["code"], span, GIVEN, "It was given")
        else:
            case.ask(PRODUCT, "Which product was given: dose, valence, preservative?", *span)
        case.add("Z23", *span, GIVEN, "A vaccine was given")
    if given:
        _administration(case, given)


def _administration(case: Case, given: list[tuple[dict[str, Any], tuple[int, int]]]) -> None:
    span = given[0][1]
    rest = len(given)
    if case.first(_MEDICARE):
        for row, at in given:
            code = _MEDICARE_GIVEN.get(row.get("kind", ""))
            if code:
                add_service(case, code, at, GIVEN, "Medicare has its own number for giving it", system=HCPCS)
                rest -= 1
    elif case.first(_CHILD) and case.first(_COUNSELLED):
        more = sum(row.get("components", 1) - 1 for row, _ in given)
        add_service(case, "90460", span, GIVEN, "Given to a child with counselling", units=rest)
        if more:
            add_service(case, "90461", span, GIVEN, "Further components, with counselling", units=more)
        return
    if rest > 0:
        add_service(case, "90473" if case.first(_NASAL) else "90471", span, GIVEN, "The first one given")
    if rest > 1:
        add_service(case, "90472", span, GIVEN, "Each further one given", units=rest - 1)


RULES = (vaccines,)
