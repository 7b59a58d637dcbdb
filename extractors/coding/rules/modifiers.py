"""Modifiers that one service gives another: 25 and 24 on a visit (CPT appendix A in our own words)."""

from __future__ import annotations

from extractors.coding.case import Candidate, Case, Rule, asked
from fhir_profiles.systems import CPT, HCPCS

SEPARATE = Rule(
    "modifier-25",
    "CPT modifier 25",
    "A visit beside a minor procedure takes 25 where the text says that it stood by itself",
)
UNRELATED = Rule(
    "modifier-24", "CPT modifier 24", "A visit in the global period that has nothing to do with the surgery takes 24"
)
ASK = Rule("separate-visit", "CPT modifier 25", "Asks whether a visit beside a procedure was significant and separate")
_SEPARATE = asked(
    r"\b(?:separate(?:ly)?|significant|distinct|unrelated|in addition|additionally|also (?:had|has"
    r"|complain\w+|addressed|evaluated)|as well as)\b"
)
_UNRELATED = asked(r"\bunrelated\b[^.;\n]{0,60}|\bnot related to (?:the |her |his )?(?:surgery|operation|procedure)")
_GLOBAL = asked(r"\bpost-?op\w*|\bglobal period\b")
_VISITS = ("99202", "99203", "99204", "99205", "99211", "99212", "99213", "99214", "99215")
_MINOR = ("10", "11", "12", "13", "17", "2055", "206", "6920", "6921", "5830", "4608", "5170", "3010")
_PREVENTIVE = ("9938", "9939", "G0438", "G0439", "G0402")


def modifiers(case: Case) -> None:
    """25 and 24 on the visit of the day."""
    lines = [c for c in case.candidates if c.system in (CPT, HCPCS) and c.status == "accepted" and not c.printed]
    visit = next((c for c in lines if c.code in _VISITS), None)
    if visit is None:
        return
    unrelated = case.first(_UNRELATED)
    if unrelated and case.first(_GLOBAL):
        _give(visit, "24", UNRELATED, "It has nothing to do with the surgery")
    beside = next((c for c in lines if c.code.startswith((*_MINOR, *_PREVENTIVE))), None)
    if beside is None:
        return
    said = case.first(_SEPARATE)
    if said is not None:
        _give(visit, "25", SEPARATE, f"It stood by itself beside {beside.code}")
        visit.evidence.append(said.span())
    else:
        case.ask(ASK, "Was the visit significant and separate from the procedure?", visit.start, visit.end)


def _give(visit: Candidate, modifier: str, rule: Rule, why: str) -> None:
    if modifier not in visit.modifiers:
        visit.modifiers = (*visit.modifiers, modifier)
        visit.reasons.append(f"{why}: modifier {modifier} ({rule.id}; {rule.cites})")


RULES = (modifiers,)
