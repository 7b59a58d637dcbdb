"""Modifiers that one service gives another: 25 and 24 on a visit (CPT appendix A in our own words)."""

from __future__ import annotations

import re

from extractors.coding.case import Candidate, Case, Rule, asked
from extractors.coding.clauses import bounds
from fhir_profiles.systems import CPT, HCPCS

SEPARATE = Rule(
    "modifier-25",
    "CPT modifier 25",
    "A visit beside a minor procedure takes 25 where the text says that it stood by itself",
)
UNRELATED = Rule(
    "modifier-24", "CPT modifier 24", "A visit in the global period that has nothing to do with the surgery takes 24"
)
AGAIN = Rule(
    "modifier-76",
    "CPT modifiers 76, 77, 91",
    "A service repeated the same day, by the same or another person; 91 a test",
)
TURNED = Rule(
    "modifier-pt", "CMS modifiers PT, 33", "A screening colonoscopy in which something was done takes PT or 33"
)
ASK = Rule("separate-visit", "CPT modifier 25", "Asks whether a visit beside a procedure was significant and separate")
_SEPARATE = asked(
    r"\b(?:separate(?:ly)?|significant|distinct|unrelated|in addition|additionally|also (?:had|has"
    r"|complain\w+|addressed|evaluated|destr\w+|remov\w+|inject\w+|shav\w+|punch|drain\w+"
    r"|excis\w+|biops\w+|repair\w*|cryo\w*)|as well as)\b"
)
_UNRELATED = asked(r"\bunrelated\b[^.;\n]{0,60}|\bnot related to (?:the |her |his )?(?:surgery|operation|procedure)")
_GLOBAL = asked(r"\bpost-?op\w*|\bglobal period\b")
_REPEATED = re.compile(r"\b(?:repeat(?:ed)?|second|again)\b")
_SAME_DAY = re.compile(
    r"\bsame (?:day|date|visit|physician|doctor|provider)|\blater (?:that|the same) day"
    r"|\b(?:another|different) (?:physician|doctor|provider)"
)
_ANOTHER = re.compile(r"\b(?:another|different) (?:physician|doctor|provider)")
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


def again(case: Case) -> None:
    """76 on what the same physician repeats that day, 77 on what another one does, 91 on a repeated test."""
    if case.setting != "outpatient" or not case.says("repeat", "second", "again"):
        return
    for line in case.candidates:
        if line.system != CPT or line.status != "accepted" or line.printed or line.code.startswith(("99", "9637")):
            continue
        low, high = bounds(case.text, line.start, line.end)
        if not _REPEATED.search(case.text, low, high) or not _SAME_DAY.search(case.text, low, high):
            continue
        test = line.code.startswith("8")
        modifier = "91" if test else "77" if _ANOTHER.search(case.text, low, high) else "76"
        _give(line, modifier, AGAIN, "It was repeated that day")


def screening_turned(case: Case) -> None:
    """PT for Medicare and 33 for other payers on a colonoscopy that began as a screening."""
    if not case.says("screening"):
        return
    for line in case.candidates:
        if (
            line.code in ("45380", "45381", "45384", "45385", "45390")
            and line.system == CPT
            and line.status == "accepted"
        ):
            if case.says("medicare"):
                _give(line, "PT", TURNED, "It began as a screening")
            elif case.says("commercial", "private insurance"):
                _give(line, "33", TURNED, "It began as a screening")


def _give(visit: Candidate, modifier: str, rule: Rule, why: str) -> None:
    if modifier not in visit.modifiers:
        visit.modifiers = (*visit.modifiers, modifier)
        visit.reasons.append(f"{why}: modifier {modifier} ({rule.id}; {rule.cites})")


RULES = (modifiers, again, screening_turned)
