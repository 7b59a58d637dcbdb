"""Fluids into a vein by their time, and what is breathed in, with its units (CPT 96360-96361; HCPCS J7030-J7613)."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from functools import cache

from extractors.coding.case import Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.done import add_service
from extractors.coding.rules.given import minutes_in
from extractors.coding.tables import table
from extractors.findings.cues import Cued
from fhir_profiles.systems import HCPCS

FLUID = Rule("hydration", "CPT 96360-96361", "Fluid into a vein: more than 30 minutes, then each hour beyond the first")
BREATHED = Rule("inhaled-drug", "HCPCS Level II, amount per unit", "A drug that was breathed in: its units, rounded up")
_SAID = {"one": 1, "a": 1, "an": 1, "two": 2, "three": 3, "four": 4}
_VOLUME = re.compile(r"\b(\d[\d,]*(?:\.\d+)?|one|two|a) ?(ml|cc|l|lit(?:er|re)s?)\b")
SHORTEST = 30  # minutes that hydration must exceed
_INTO_VEIN = ("96365", "96374", "96413")
_NOT = re.compile(r"\b(?:will|order\w*|plan\w*|daily|home|keep vein open|kvo)\b")
_AMOUNT = re.compile(r"\b(\d+(?:\.\d+)?) ?mg\b")
_BREATHED = re.compile(r"\bneb(?:s|uli[sz]\w+)?\b")


@cache
def _fluids() -> tuple[Cued, list[tuple[re.Pattern[str], dict[str, str]]]]:
    rows = table("injectables")["fluids"]
    return asked("|".join(rows)), [(re.compile(words), codes) for words, codes in rows.items()]


def hydration(case: Case) -> None:
    """Normal saline or Ringer's by volume; its time where the text says that it was hydration."""
    if case.setting != "outpatient" or not case.says(
        "saline", "ringer", "sodium chloride", " lr", " ns ", "ns bolus", "ns 1", "ns 5"
    ):
        return
    fluid, rows = _fluids()
    for match in case.search(fluid):
        low, high = bounds(case.text, *match.span())
        clause = case.text[low:high]
        minutes = minutes_in(case.text[match.start() : high]) or minutes_in(clause)
        volume = _VOLUME.search(case.text, match.end(), high) or _VOLUME.search(clause)
        if minutes is None or volume is None or _NOT.search(clause):
            continue
        amount = Decimal(_SAID.get(volume[1], 0) or volume[1].replace(",", "")) * (1000 if volume[2][0] == "l" else 1)
        codes = next(codes for words, codes in rows if words.search(match[0]))
        code, count = _bags(codes, int(amount))
        add_service(case, code, match.span(), FLUID, f"{amount} mL", system=HCPCS, units=count)
        if minutes > SHORTEST and "hydrat" in case.text:
            other = any(c.code.startswith(_INTO_VEIN) and c.status == "accepted" for c in case.candidates)
            more = max(0, minutes - 31) // 60 + other  # beside a drug into the vein its first hour is a further one
            if not other:
                add_service(case, "96360", match.span(), FLUID, f"{minutes} minutes: the first hour")
            if more:
                add_service(case, "96361", match.span(), FLUID, f"{minutes} minutes: further hours", units=more)
        return


def _bags(codes: dict[str, str], amount: int) -> tuple[str, int]:
    """The largest bag that divides the amount, else the smallest that holds it or as many of the largest as do."""
    sizes = sorted(map(int, codes), reverse=True)
    fitting = [s for s in sizes if amount % s == 0] or [min((s for s in sizes if s >= amount), default=sizes[0])]
    return codes[str(fitting[0])], -(-amount // fitting[0])


def inhaled(case: Case) -> None:
    """Albuterol by its milligrams, where it was nebulized here."""
    if not any(c.code == "94640" and c.status == "accepted" for c in case.candidates):
        return
    for name, code in table("injectables")["inhaled"].items():
        at = case.text.find(name)
        low, high = bounds(case.text, at, at + len(name)) if at >= 0 else (0, 0)
        amount = _AMOUNT.search(case.text, low, high)
        if amount and _BREATHED.search(case.text, low, high) and "ipratropium" not in case.text[low:high]:
            units = math.ceil(Decimal(amount[1]))
            add_service(
                case, code, (at, amount.end()), BREATHED, f"{amount[0]} at 1 mg a unit", system=HCPCS, units=units
            )


RULES = (hydration, inhaled)
