"""Services that the text says were done here and now: none that is ordered, planned, declined or of another day."""

from __future__ import annotations

import re

from extractors.coding.case import Candidate, Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.weigh import ALONE, SHORT
from extractors.model import CodeStatus
from fhir_profiles.systems import CPT

_NOT_YET = asked(
    r"\b(?:order(?:ed|s|ing)?|will|schedul\w+|recommend\w*|refer\w*|plan(?:ned|s|ning)?|next (?:week|visit"
    r"|month)|consider\w*|should"
    r"|if|pending|await\w*|declin\w+|refus\w+|defer\w*|request\w*|needs?|to be|return for|before the next"
    r"|discuss\w*|offered|not(?! (?:supplied|provided|included|billed|separately|otherwise))"
    r"|cancel\w*|due for|obtain)\b"
)
_ELSEWHERE = asked(
    r"\b(?:ago|last (?:week|month|year|visit)|previous\w*|prior|outside|history of|in (?:19|20)\d\d"
    r"|reviewed|yesterday|on admission|at home|s/p|status post|by ems|in the field"
    r"|last (?:[a-z-]+ ){1,3}(?:\w+ )?(?:19|20)\d\d|(?<![/\d])\d{1,2}/(?:19|20)\d\d)\b"
)
_DONE = asked(
    r"\b(?:performed|done|given|gave|administered|obtained|inject(?:ed|ions?)|remov(?:ed|al)|excis(?:ed|ion)|repair(?:ed)?|sutured?|clos(?:ed|ure)"
    r"|drawn|ran|run|received|collected|today|in (?:the )?(?:office|clinic)|in our (?:lab|office)"
    r"|in-office|completed|destroy(?:ed)?|placed|insert(?:ed|ion)"
    r"|aspirat(?:ed|ion)|arthrocentesis|cauteri[sz]\w+|lanced|incised"
    r"|positive|negative|shows?|showed|interpretation|only|treated|cryo\w*|liquid nitrogen"
    r"|minutes?|min|avulsion|drain(?:ed|age)|biops(?:y|ies|ied)"
    r"|frozen|shaved?|screening|test(?:ed|ing)|read|counsel\w*|applied|views?|with report|taken)\b"
)

_BEFORE = re.compile(r"[\s*•-]*(?:[\w/&-]+[ ,:]+){0,10}")
_TOLD = re.compile(
    r"\b(?:no|not|had|has|have|was|were|is|for|from|with|see|per|recent|after|before|since|due|who|he|she|we|until|by"
    r"|then|normal|abnormal|showed|on|of|prior|old)\b"
)
_AHEAD = asked(r"\b(?:plan|order\w*|will|recommend\w*|schedul\w+|refer\w*|consider\w*|needs?|should|history of|if)\b")
_TODAY = re.compile(r"\btoday(?:'s)?\b|\b(?:at|during) this visit\b|\bin (?:the|our) (?:office|clinic)\b|\bin-office\b")
_DEED = re.compile(
    r"\b(?:perform|done|given|gave|administer|obtain|inject|remov|excis|repair|sutur|clos|drawn|collected|taken|complet"
    r"|destroy|placed|insert|aspirat|appl|treated|freez|froze|shows?\b|showed|views?\b|interpret|drain|biops|read\b)"
)


def done_here(case: Case, start: int, end: int, *, said: bool = False) -> bool:
    """True when the sentence says that it was done, and not that it is still to do or was done elsewhere.

    `said` is for words that are the deed itself: they need no other word that says so.
    """
    low, high = bounds(case.text, start, end)
    may = case.seen.between(_DONE, low, high)
    if not said and not may and len(case.text) > ALONE:
        return False
    clause = _KIND.sub(" ", case.text[low:high])
    done = may and _DONE.pattern.search(clause)
    if not said and not done and not _stands_alone(case, low, start):
        return False
    otherwise = (p for p in (_NOT_YET, _ELSEWHERE) if case.seen.between(p, low, high))
    return not any(p.pattern.search(clause) for p in otherwise)


_TOLD_NEXT = re.compile(
    r"[.;]?\s+(?:(?:it|this|these|they|all|both|the (?:wax|cerumen|lesions?|nail|warts?)) )?"
    r"(?:(?:was|were) )?(?:then )?"
    r"(?:removed|treated|destroyed|frozen|froze|drained|cleared|injected|irrigated|disimpacted|cryo\w*)\b[^.;\n]*"
)


def deed_after(case: Case, high: int) -> str:
    """The next sentence, where it goes on with what was done to what this one names; "" where it does not."""
    next_one = _TOLD_NEXT.match(case.text, high)
    if next_one is None or any(p.pattern.search(next_one[0]) for p in (_NOT_YET, _ELSEWHERE)):
        return ""
    return next_one[0]


def _stands_alone(case: Case, low: int, start: int) -> bool:
    """A short text whose sentence begins with the service and that speaks of no plan states the service itself."""
    if len(case.text) > ALONE or not _BEFORE.fullmatch(case.text[low:start]) or _TOLD.search(case.text, low, start):
        return False
    return not (case.seen.may(_AHEAD) and _AHEAD.pattern.search(case.text))


def add_service(
    case: Case,
    code: str,
    span: tuple[int, int],
    rule: Rule,
    why: str,
    *,
    system: str = CPT,
    units: int = 1,
    modifiers: tuple[str, ...] = (),
) -> Candidate | None:
    """Add a service; of a long narrative only as a suggestion where the words do not say that it was at this visit."""
    if any(c.code == code and c.system == system and c.printed for c in case.candidates):
        return None
    known = next((c for c in case.candidates if c.code == code and c.system == system and c.status == "accepted"), None)
    new = case.add(code, *span, rule, why, system=system, units=units, confidence=0.8)
    if new is not None and new is not known:
        new.modifiers = tuple(dict.fromkeys((*new.modifiers, *modifiers)))
        status: CodeStatus = "accepted" if len(case.text) <= SHORT or _at_this_visit(case, *span) else "suggested"
        new.status = status
    return new


def _at_this_visit(case: Case, start: int, end: int) -> bool:
    """The sentence says today or here, or stands in the report of a procedure: stories tell of many days."""
    low, high = bounds(case.text, start, end)
    if case.section_at(start) == "procedures":
        return True
    return bool(_TODAY.search(case.text, low, high) and _DEED.search(case.text, low, high))


NUMBERS = {"one": 1, "a": 1, "an": 1, "single": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
           "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13,
           "fourteen": 14, "fifteen": 15, "sixteen": 16, "twenty": 20}  # fmt: skip
_KIND = re.compile(r"\bnon?t?[- ]?automated\b|\bwithout\b|\bnot diagnostic\b")
