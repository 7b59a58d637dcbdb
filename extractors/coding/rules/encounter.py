"""Why the patient came: office E/M level by decision making or time, the global period (AMA/CMS 2021/2023 rules)."""

from __future__ import annotations

import re

from extractors.coding.case import Case, Rule
from extractors.coding.tables import table
from fhir_profiles.systems import CPT

LEVEL = Rule("office-em", "CMS/AMA office E/M 2021")
GLOBAL = Rule("global-period", "CMS global surgery")
FIRST = Rule("reason-for-encounter", "I.C.2.e.2, I.C.21.c.5")
_NEW = re.compile(r"\bnew patient\b")
_KNOWN = re.compile(r"\bestablished patient\b")
_LAST_SEEN = re.compile(r"\blast seen\b[^.;\n]{0,60}?\b(\d+) (months?|years?) ago")
_TIME = re.compile(
    r"\b(\d{2,3}) min(?:ute)?s?\b[^.;\n]{0,30}\b(?:total|in all)|\btotal time\b[^.;\n\d]{0,20}(\d{2,3}) min"
)
_POST_OP = re.compile(r"\bpost-?op(?:erative)?(?: day)? ?#?(\d{1,2})\b[^.;\n]{0,60}")
_COMPLICATED = re.compile(r"(?<!no )(?<!without )\bcomplication")
_STATED = re.compile(r"\b(straightforward|low|moderate|high)(?: complexity)? (?:mdm|medical decision making)\b")
LEVELS = ("straightforward", "low", "moderate", "high")


def global_period(case: Case) -> None:
    """A check after surgery by the surgeon within the global period is 99024 and no visit level."""
    match = _POST_OP.search(case.text) if case.says("post") else None
    if match and re.search(r"\b(?:check|visit|follow-?up|recheck)\b", case.text) and not _COMPLICATED.search(case.text):
        case.add("99024", *match.span(), GLOBAL, "A visit within the global period of surgery", system=CPT)


def office_level(case: Case) -> None:
    """New or established, then the level: by stated time, stated decision making, or two of its three elements."""
    if case.setting != "outpatient" or any(c.code == "99024" for c in case.candidates):
        return
    new = _is_new(case.text)
    if new is None or any(c.code.startswith("992") and c.printed for c in case.candidates):
        return
    at, is_new = new
    found = _by_time(case.text, is_new) or _by_decision(case.text, is_new)
    if found is None:
        return
    code, span, why = found
    candidate = case.add(code, *span, LEVEL, why, system=CPT, confidence=0.75)
    if candidate is not None:
        candidate.evidence.append(at)


def _is_new(text: str) -> tuple[tuple[int, int], bool] | None:
    seen = _LAST_SEEN.search(text) if "last seen" in text else None
    if seen:
        months = int(seen[1]) * (12 if seen[2].startswith("year") else 1)
        return seen.span(), months >= 36
    for pattern, words, is_new in ((_KNOWN, "established patient", False), (_NEW, "new patient", True)):
        if words in text and (match := pattern.search(text)):
            return match.span(), is_new
    return None


def _by_time(text: str, is_new: bool) -> tuple[str, tuple[int, int], str] | None:
    match = _TIME.search(text)
    if match is None:
        return None
    minutes = int(match[1] or match[2])
    codes = table("office_em")["minutes"]["new" if is_new else "established"]
    reached = [code for least, code in codes if minutes >= least]
    return (reached[-1], match.span(), f"{minutes} minutes in total") if reached else None


def _by_decision(text: str, is_new: bool) -> tuple[str, tuple[int, int], str] | None:
    stated = _STATED.search(text)
    if stated:
        level, span = LEVELS.index(stated[1]), stated.span()
    else:
        elements = [_element(text, name) for name in ("problems", "data", "risk")]
        known = [e for e in elements if e is not None]
        if len(known) < 2:
            return None
        ranked = sorted(known, key=lambda e: -e[0])
        level, span = ranked[1]
        span = (min(e[1][0] for e in known), max(e[1][1] for e in known))
    codes = table("office_em")["levels"]["new" if is_new else "established"]
    return codes[level], span, f"{LEVELS[level]} decision making, two of three elements"


def _element(text: str, name: str) -> tuple[int, tuple[int, int]] | None:
    for level in (3, 2, 1, 0):
        for phrase in table("office_em")["elements"][name].get(LEVELS[level], ()):
            if match := re.search(phrase, text):
                return level, match.span()
    return None


def reason_first(case: Case) -> None:
    """Chemotherapy, screening and examination encounters are first-listed."""
    for candidate in case.accepted("Z51.0", "Z51.1", "Z12", "Z00", "Z01", "Z47", "Z48"):
        candidate.rank = min(candidate.rank, -4)


RULES = (global_period, office_level, reason_first)
