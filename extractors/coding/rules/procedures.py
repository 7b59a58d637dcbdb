"""What was given by needle, with its units, and what was thrown away (HCPCS Level II)."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from functools import cache

from extractors.coding.case import NO_FINDING, Candidate, Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.place import place_of
from extractors.coding.rules.dated import in_force
from extractors.coding.rules.given import Giving, administer, way_of
from extractors.coding.tables import table
from extractors.findings.cues import Cued
from extractors.model import Span
from fhir_profiles.systems import CPT, HCPCS

UNITS = Rule("injection-units", "HCPCS Level II, amount per unit", "A drug given by needle: its units, rounded up")
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
    r"\b(?:in(?:to)?|to|for) each\b|\b(?:mg|units) (?:[a-z-]+ )?each\b|\bper (?:side|knee|shoulder|hip|joint)\b"
    r"|\beach (?:side|knee|shoulder|hip)\b"
)
_BOTH = re.compile(
    r"\b(?:both|bilateral(?:ly)?|two|right and left|left and right)\b|\beach (?:side|knee|shoulder|hip)\b"
)
_NEEDLE = re.compile(r"\binject(?:ed|ions?)\b|\binto (?:the|her|his|both)\b")
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
    found = list(case.search(_drugs()))
    givings: list[Giving] = []
    for number, match in enumerate(found):
        low, high = bounds(case.text, *match.span())
        clause = case.text[low:high]
        until = found[number + 1].start() if number + 1 < len(found) else len(case.text)
        own = case.text[match.start() : min(high, until)]
        way = way_of(own) or way_of(clause)
        if (way is None and not _NEEDLE.search(clause)) or _AT_HOME.search(clause):
            continue
        amount = _nearest(_without_waste(clause), match.start() - low, match.end() - low)
        if amount is None:
            case.ask(AMOUNT, "How much of the drug was given?", *match.span())
            continue
        code, span = _give(case, match, amount, (low, high), case.text[low : min(high + 160, until)])
        if way is not None:
            chemo = code.startswith(tuple(table("services")["chemo"]))
            givings.append(Giving("chemo" if chemo and way[0] == "infusion" else way[0], way[1], span))
    administer(case, givings)


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


def _give(
    case: Case, match: re.Match[str], amount: re.Match[str], where: tuple[int, int], later: str
) -> tuple[str, Span]:
    """The drug's line, and a second one for what was thrown away, which `later` may tell."""
    low, high = where
    clause = case.text[low:high]
    code = table("injectables")["drugs"][match[1]]
    span = (min(match.start(), low + amount.start()), max(match.end(), low + amount.end()))
    sides = 2 if _EACH.search(clause) and _BOTH.search(case.text) else 1
    given = sides * Decimal(amount[1].replace(",", "")) * _FACTOR[amount[2]]
    code = in_force(case, code, given, _FACTOR)
    new = _line(case, code, given, f"{amount[0]}{' twice' if sides > 1 else ''}", span)
    if new is not None:
        wasted = _WASTED.search(later)
        if wasted is not None:
            _waste(case, code, wasted, (low + wasted.start(), low + wasted.end()))
        elif _NO_WASTE.search(later) and _SINGLE.search(later):
            new.modifiers = (*new.modifiers, "JZ")
    return code, span


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
            if _headed(case, new):
                new.status, new.confidence, new.modifiers = "accepted", 0.8, place_of(case, new.start, new.end)


def _headed(case: Case, new: Candidate) -> bool:
    """The head of an operation's note names what was done, and nothing else of the same organ is coded."""
    if case.setting != "outpatient" or new.system != CPT or case.section_at(new.start) != "procedures":
        return False
    low, high = bounds(case.text, new.start, new.end, "\n")
    if not _HEAD.search(case.text, low, new.start) or _NOT_DONE.search(case.text, low, high):
        return False
    label = case.lexicon.properties(CPT, new.code)
    if label.get("kind") != "procedure" or (
        "imaging" in (case.lexicon.display(CPT, new.code) or "") and not case.says(*_IMAGED)
    ):
        return False
    return not any(c.system == CPT and c.code[:2] == new.code[:2] and c.status == "accepted" for c in case.candidates)


_HEAD = re.compile(r"\b(?:procedure|operation|(?:procedures?|operations?) performed)(?: note)?: *[^.;,]*$")
_NOT_DONE = re.compile(
    r"\b(?:plan\w*|schedul\w*|propos\w*|possible|attempt\w*|abort\w*|cancel\w*|not|no|deferred|declin\w*|none|history"
    r"|prior|previous|s/p|ago|consent\w*|will|needs?|(?:19|20)\d\d)\b"
)
_IMAGED = ("ultraso", "us guid", "us-guid", "fluoro", "sonogra", "ct guid", "ct-guid", "u/s")


RULES = (injections,)
LAST = (named,)
