"""Vaccines with their administration: by payer, age with counselling, number, route (CPT 90460-90480, G0008-G0010)."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from extractors.coding.case import Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.done import add_service
from extractors.coding.rules.encounter import years_of
from extractors.coding.tables import table
from extractors.findings.cues import Cued
from fhir_profiles.systems import HCPCS

GIVEN = Rule(
    "vaccine-given",
    "CPT 90460-90480, 90619-91322; I.C.21.c.2",
    "A vaccine that was given, with Z23 and its administration",
)
PRODUCT = Rule("vaccine-product", "CPT 90653-90689", "Asks which product of a vaccine was given")
_CUES = (
    "abrysvo", "adacel", "afluria", "arexvy", "bexsero", "boostrix", "comirnaty", "covid", "daptacel", "engerix",
    "fluad", "fluarix", "flublok", "flucelvax", "flulaval", "flumist", "flu shot", "fluzone", "flu vaccin",
    "gardasil", "havrix", "hepatitis", "hep a", "hep b", "hib", "hpv", "immuni", "infanrix", "influenza", "ipol",
    "ipv", "kinrix", "menquadfi", "mmr", "moderna", "dtap", "tdap", "td vaccin", "td booster", "tdvax", "tenivac",
    "twinrix", "pcv", "pentacel", "pfizer", "pneumovax", "ppsv", "prevnar", "priorix", "proquad", "quadracel",
    "recombivax", "rotarix", "rotateq", "shingrix", "spikevax", "vaccin", "vaqta", "varicella", "varivax", "vaxelis",
    "zoster",
)  # fmt: skip
_GIVEN = asked(
    r"\b(?:given|gave|administered|receive[ds]|gets?|got|vaccinated|injected|today|im|intramuscular\w*"
    r"|intranasal\w*|orally|po|sq|subq"
    r"|deltoid|thigh|by (?:the |our )?(?:nurse|rn|lpn|ma|medical assistant))\b"
)
_NOT = re.compile(
    r"\b(?:declin\w+|refus\w+|deferred|not given|will|schedul\w+|due for|next|last year|ago|in (?:19"
    r"|20)\d\d|contraindicated|elsewhere|pharmacy|up to date|utd|previously|already|allerg\w+|reaction to"
    r"|order\w*|recommend\w*|there|at work|cvs|walgreens|employer|tit(?:er|re)s?|serolog\w*|immunity)\b"
)
_MEDICARE = asked(r"\bmedicare\b")
_CHILD = asked(r"\b(?:child|infant|boy|girl|toddler|wcc|well[- ]child|well[- ]baby|pediatric|peds?)\b")
_COUNSELLED = asked(r"\bcounsel\w*")
_MEDICARE_GIVEN = {"influenza": "G0008", "pneumococcal": "G0009", "hepatitis b": "G0010"}


@cache
def _rows() -> list[tuple[dict[str, Any], Cued]]:
    return [(row, asked(rf"(?<!\w)(?:{row['words']})")) for row in table("services")["vaccines"]]


def vaccines(case: Case) -> None:
    """Find what was given, then code how it was given once for all of it."""
    if case.setting != "outpatient" or not case.says(*_CUES) or not case.first(_GIVEN):
        return
    child, years = _is_child(case), years_of(case)
    given: list[tuple[dict[str, Any], tuple[int, int]]] = []
    for row, pattern in _rows():
        if row.get("child") and not child:
            continue
        for match in case.search(pattern):
            low, high = bounds(case.text, *match.span())
            clause = case.text[low:high]
            taken = any(a < match.end() and match.start() < b for _, (a, b) in given)
            told = not row["code"] and any(r.get("kind") == row.get("kind") for r, _ in given)
            if taken or told or not _GIVEN.pattern.search(clause) or _NOT.search(clause):
                continue
            given.append((row, match.span()))
            break
    for row, span in given:
        if row["code"] and (years is None or years >= row.get("least", 0)):
            add_service(case, row["code"], span, GIVEN, "It was given")
        else:
            case.ask(PRODUCT, "Which product was given: dose, valence, preservative?", *span)
        case.add("Z23", *span, GIVEN, "A vaccine was given")
    if given:
        _administration(case, given, child=child)


def _is_child(case: Case) -> bool:
    years = years_of(case)
    return years <= 18 if years is not None else case.first(_CHILD) is not None


def _administration(case: Case, given: list[tuple[dict[str, Any], tuple[int, int]]], *, child: bool) -> None:
    """How all of it was given: COVID-19 and Medicare's own by themselves, the rest by counselling or by route."""
    rest: list[tuple[dict[str, Any], tuple[int, int]]] = []
    for row, at in given:
        medicare = _MEDICARE_GIVEN.get(row.get("kind", "")) if next(case.search(_MEDICARE), None) else None
        if row.get("kind") == "covid":
            add_service(case, "90480", at, GIVEN, "A COVID-19 vaccine was given")
        elif medicare:
            add_service(case, medicare, at, GIVEN, "Medicare has its own number for giving it", system=HCPCS)
        else:
            rest.append((row, at))
    if not rest:
        return
    span = rest[0][1]
    if child and next(case.search(_COUNSELLED), None):
        more = sum(row.get("components", 1) - 1 for row, _ in rest)
        add_service(case, "90460", span, GIVEN, "Given to a child with counselling", units=len(rest))
        if more:
            add_service(case, "90461", span, GIVEN, "Further components, with counselling", units=more)
        return
    mouth = sum(1 for row, _ in rest if row.get("mouth"))
    needle = len(rest) - mouth
    if needle:
        add_service(case, "90471", span, GIVEN, "The first one given by needle")
    if needle > 1:
        add_service(case, "90472", span, GIVEN, "Each further one by needle", units=needle - 1)
    if mouth and not needle:
        add_service(case, "90473", span, GIVEN, "The first one given by nose or mouth")
        mouth -= 1
    if mouth:
        add_service(case, "90474", span, GIVEN, "Each further one by nose or mouth", units=mouth)


RULES = (vaccines,)
