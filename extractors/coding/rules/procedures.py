"""What was given by needle, with its units, how it was given, and what was thrown away (HCPCS Level II)."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from functools import cache

from extractors.coding.case import NO_FINDING, Candidate, Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.rules.dated import in_force
from extractors.coding.tables import table
from extractors.findings.cues import Cued
from fhir_profiles.systems import CPT, HCPCS

UNITS = Rule("injection-units", "HCPCS Level II, amount per unit", "A drug given by needle: its units, rounded up")
GIVEN = Rule("injection-given", "CPT 96365-96415", "How a drug was given: injection, push, infusion by its hours")
WASTE = Rule(
    "drug-wasted", "CMS modifiers JW, JZ", "What was thrown away of a single-dose vial is a line with JW; nothing is JZ"
)
AMOUNT = Rule("drug-amount", "HCPCS Level II, amount per unit", "Asks for the amount of a drug that was given")
NAMED = Rule("procedure-named", "starter tables", "A procedure that the text names is suggested to the coder")
_AT_HOME = re.compile(
    r"\b(?:daily|bid|tid|qid|q\d+|qhs|qd|nightly|weekly|monthly|every|prn|at bedtime|twice|at home"
    r"|prescribed|refill\w*|allerg\w*|will|order\w*|plan\w*)\b"
)
_FACTOR = {"g": Decimal(1000), "mg": Decimal(1), "mcg": Decimal("0.001"), "unit": Decimal(1), "units": Decimal(1),
           "million units": Decimal(1_000_000), "million": Decimal(1_000_000)}  # fmt: skip
_AMOUNT = re.compile(r"\b(\d[\d,]*(?:\.\d+)?) ?(g|mg|mcg|million(?: units)?|units?)\b(?!/)")
_EACH = re.compile(
    r"\b(?:in(?:to)?|to|for) each\b|\bper (?:side|knee|shoulder|hip|joint)\b|\beach (?:side|knee|shoulder|hip)\b"
)
_BOTH = re.compile(
    r"\b(?:both|bilateral(?:ly)?|two|right and left|left and right)\b|\beach (?:side|knee|shoulder|hip)\b"
)
_ROUTE = re.compile(
    r"\b(im|iv|ivp|sc|sq|subq|subcut|intramuscular(?:ly)?|intravenous(?:ly)?|subcutaneous(?:ly)?|intra-?articular(?:ly)?)\b"
)
_INFUSED = re.compile(r"\binfus(?:ion|ed)\b")
_HOURS = re.compile(r"\b(?:over|for|lasting) (\d+(?:\.\d+)?|one|two|three|four) (hours?|hrs?|min(?:ute)?s?)\b")
_NEEDLE = re.compile(r"\binject(?:ed|ion)\b|\binto (?:the|her|his|both)\b")
_WASTED = re.compile(
    r"\b(\d[\d,]*(?:\.\d+)?) ?(mg|mcg|units?|g)\b[^.;,\n]{0,50}\b(?:discarded|wasted|thrown away)"
    r"|\b(?:discarded|wasted) (\d[\d,]*(?:\.\d+)?) ?(mg|mcg|units?|g)\b"
)
_NO_WASTE = re.compile(
    r"\b(?:nothing|none|no (?:drug|waste|amount|medication)?)(?: was| were)? ?(?:discarded|wasted|waste)"
    r"|\bno waste\b|\bentire (?:vial|syringe)\b"
)
_SINGLE = re.compile(r"\bsingle[- ](?:dose|use)\b")


@cache
def _drugs() -> Cued:
    drugs = table("injectables")["drugs"]
    names = "|".join(sorted(map(re.escape, drugs), key=len, reverse=True))
    return asked(rf"\b({names})\b", drugs)


def injections(case: Case) -> None:
    """A drug given by needle: its J-code with units rounded up, and how it was given."""
    if case.setting != "outpatient" or not case.says(
        " im", " iv", " sc", " sq", "subq", "subcut", "intra", "inject", "infus", "into the"
    ):
        return
    for match in case.search(_drugs()):
        low, high = bounds(case.text, *match.span())
        clause = case.text[low:high]
        route, infused = _ROUTE.search(clause), _INFUSED.search(clause)
        if not (route or infused or _NEEDLE.search(clause)) or _AT_HOME.search(clause):
            continue
        amount = _nearest(_without_waste(clause), match.start() - low, match.end() - low)
        if amount is None:
            case.ask(AMOUNT, "How much of the drug was given?", *match.span())
            continue
        _give(case, match, amount, (low, high))


def _without_waste(clause: str) -> str:
    """The clause with the wasted amount blanked, of the same length."""
    return _WASTED.sub(lambda m: " " * len(m[0]), clause)


def _nearest(clause: str, start: int, end: int) -> re.Match[str] | None:
    """The amount right after a drug's name, else the one right before it."""
    after = _AMOUNT.search(clause, end)
    before = [m for m in _AMOUNT.finditer(clause, 0, start) if start - m.end() < 24]
    if after is not None and after.start() - end < 40:
        return after
    return before[-1] if before else None


def _give(case: Case, match: re.Match[str], amount: re.Match[str], where: tuple[int, int]) -> None:
    low, high = where
    clause = case.text[low:high]
    code = table("injectables")["drugs"][match[1]]
    span = (min(match.start(), low + amount.start()), max(match.end(), low + amount.end()))
    sides = 2 if _EACH.search(clause) and _BOTH.search(case.text) else 1
    given = sides * Decimal(amount[1].replace(",", "")) * _FACTOR[amount[2]]
    code = in_force(case, code, given, _FACTOR)
    new = _line(case, code, given, f"{amount[0]}{' twice' if sides > 1 else ''}", span)
    if new is None:
        return
    later = case.text[low : high + 160]
    wasted = _WASTED.search(later)
    if wasted is not None:
        _waste(case, code, wasted, (low + wasted.start(), low + wasted.end()))
    elif _NO_WASTE.search(later) and _SINGLE.search(later):
        new.modifiers = (*new.modifiers, "JZ")
    _route(case, code, clause, span)


def _line(case: Case, code: str, amount: Decimal, said: str, span: tuple[int, int]) -> Candidate | None:
    per, unit = case.lexicon.properties(HCPCS, code)["per"].split()
    units = math.ceil(amount / (Decimal(per) * _FACTOR[unit]))
    why = f"{said} at {per} {unit} a unit is {units}"
    return case.add(code, *span, UNITS, why, system=HCPCS, units=units)


def _waste(case: Case, code: str, wasted: re.Match[str], span: tuple[int, int]) -> None:
    """A line of its own for what was thrown away."""
    per, unit = case.lexicon.properties(HCPCS, code)["per"].split()
    value, said = (wasted[1], wasted[2]) if wasted[1] else (wasted[3], wasted[4])
    units = math.ceil(Decimal(value.replace(",", "")) * _FACTOR[said] / (Decimal(per) * _FACTOR[unit]))
    line = Candidate(
        HCPCS, code, *span, NO_FINDING, 0.85, reasons=[f"{value} {said} thrown away ({WASTE.id}; {WASTE.cites})"]
    )
    line.rule, line.units, line.modifiers = WASTE.id, units, ("JW",)
    case.candidates.append(line)


def _route(case: Case, code: str, clause: str, span: tuple[int, int]) -> None:
    """Injection, push or infusion; a joint that was injected has a number of its own, and so has chemotherapy."""
    route = _ROUTE.search(clause)
    cancer = code.startswith(tuple(table("services")["chemo"]))
    if _INFUSED.search(clause) or (route and route[1].startswith(("iv", "intravenous")) and _HOURS.search(clause)):
        hours = _hours(clause)
        first, further = ("96413", "96415") if cancer else ("96365", "96366")
        if hours is not None and hours <= Decimal("0.25"):
            case.add("96374", *span, GIVEN, "Up to 15 minutes is a push", system=CPT, confidence=0.8)
            return
        case.add(first, *span, GIVEN, "An infusion of up to an hour", system=CPT, confidence=0.8)
        more = math.floor(hours - 1 + Decimal("0.49")) if hours is not None else 0
        if more > 0:
            case.add(further, *span, GIVEN, f"{hours} hours", system=CPT, confidence=0.8, units=more)
        return
    if route is not None:
        given = table("injectables")["routes"].get(route[1].replace("ly", "").replace("-", ""))
        if given:
            _count(case, given, span)


def _count(case: Case, code: str, span: tuple[int, int]) -> None:
    """One more injection of the same kind; a further drug pushed into a vein has a number of its own."""
    known = next((c for c in case.candidates if c.code == code and c.system == CPT and c.status == "accepted"), None)
    if known is None or known.printed or known.rule != GIVEN.id:
        case.add(code, *span, GIVEN, "The drug was given by this route", system=CPT, confidence=0.8)
    elif code == "96374":
        _count(case, "96375", span)
    else:
        known.units += 1
        known.evidence.append(span)


def _hours(clause: str) -> Decimal | None:
    found = _HOURS.search(clause)
    if found is None:
        return None
    words = {"one": 1, "two": 2, "three": 3, "four": 4}
    value = Decimal(words.get(found[1], 0) or found[1])
    return value / 60 if found[2].startswith("m") else value


def named(case: Case) -> None:
    """A procedure that the text names: accepted from a list of procedures, else suggested to the coder."""
    for number, finding in enumerate(case.findings.items):
        if finding.kind not in ("problem", "procedure") or not finding.assertion.present:
            continue
        best = next((c for c in finding.concepts if c[0] in (CPT, HCPCS)), None)
        if best is None or any(c.code == best[1] and c.system == best[0] for c in case.candidates):
            continue
        why = f'"{finding.text}" names it; whether it was done here is for the coder to say'
        new = case.add(best[1], finding.start, finding.end, NAMED, why, system=best[0], finding=number, confidence=0.4)
        if new is not None:
            new.status = "suggested"


RULES = (injections,)
LAST = (named,)
