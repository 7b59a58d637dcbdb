"""How drugs were given: the first infusion or push of a visit, what followed it, injections (CPT 96365-96417)."""

from __future__ import annotations

import re
from typing import NamedTuple

from extractors.coding.case import Candidate, Case, Rule
from extractors.coding.tables import table
from extractors.model import Span
from fhir_profiles.systems import CPT

GIVEN = Rule("injection-given", "CPT 96365-96417", "How a drug was given: injection, push, infusion by its hours")
_ROUTE = re.compile(
    r"\b(ivpb|ivp|iv push|im|iv|sc|sq|subq|subcut|intramuscular(?:ly)?|intravenous(?:ly)?|subcutaneous(?:ly)?"
    r"|intra-?articular(?:ly)?)\b"
)
_INFUSED = re.compile(r"\b(?:infus(?:ion|ed|ing)|ivpb|drip|piggyback)\b")
_TIME = re.compile(
    r"\b(?:over|for|lasting|ran|x) (?:about )?"
    r"(?:(\d+(?:\.\d+)?|one|two|three|four|an?) ?-?(?:hours?|hrs?|h)(?:,? (?:and )?(\d{1,2}) ?(?:min\w*|m)\b)?"
    r"|(\d{1,3}) ?-?min\w*)\b"
)
_SAID = {"one": 1, "a": 1, "an": 1, "two": 2, "three": 3, "four": 4}
PUSH = 15  # minutes; what takes no longer is a push


class Giving(NamedTuple):
    """One drug that was given: how, for how many minutes where the text says it, and where it says so."""

    way: str  # chemo, infusion, push, injection
    minutes: int | None
    span: Span


def minutes_in(text: str) -> int | None:
    """The minutes that something ran."""
    found = _TIME.search(text)
    if found is None:
        return None
    if found[3]:
        return int(found[3])
    return round(float(_SAID.get(found[1], 0) or found[1]) * 60) + int(found[2] or 0)


def way_of(text: str) -> tuple[str, int | None] | None:
    """How the words say that a drug was given, and for how many minutes."""
    route = _ROUTE.search(text)
    minutes = minutes_in(text)
    into_vein = route is not None and route[1].startswith(("iv", "intravenous"))
    if route is not None and route[1] in ("ivp", "iv push"):
        return "push", None
    if _INFUSED.search(text) or (into_vein and minutes is not None):
        return ("push", None) if minutes is not None and minutes <= PUSH else ("infusion", minutes)
    if into_vein:
        return "push", None
    if route is None:
        return None
    return ("injection" if route[1].replace("ly", "") in table("injectables")["injected"] else "joint"), None


def administer(case: Case, givings: list[Giving]) -> None:
    """The service of the highest rank is the first: infused chemotherapy, other infusions, pushes; the rest follow."""
    for giving in givings:
        if giving.way == "injection":
            _count(case, "96372", giving.span, "The drug was injected")
    ranks = [g for way in ("chemo", "infusion", "push") for g in givings if g.way == way]
    for number, giving in enumerate(ranks):
        _vein(case, giving, first=number == 0)


def _vein(case: Case, giving: Giving, *, first: bool) -> None:
    if giving.way == "push":
        _count(case, "96374" if first else "96375", giving.span, "The drug was pushed into a vein")
        return
    chemo = giving.way == "chemo"
    initial, following, hours = ("96413", "96417", "96415") if chemo else ("96365", "96367", "96366")
    _count(case, initial if first else following, giving.span, "An infusion of up to an hour")
    more = max(0, (giving.minutes or 0) - 31) // 60  # a further hour begins after its thirtieth minute
    for _ in range(more):
        _count(case, hours, giving.span, f"{giving.minutes} minutes")


def _count(case: Case, code: str, span: Span, why: str) -> Candidate | None:
    """One more of its kind."""
    known = next((c for c in case.candidates if c.code == code and c.system == CPT and c.status == "accepted"), None)
    if known is None or known.printed or known.rule != GIVEN.id:
        return case.add(code, *span, GIVEN, why, system=CPT, confidence=0.8)
    known.units += 1
    if span not in known.evidence and span != (known.start, known.end):
        known.evidence.append(span)
    return known
