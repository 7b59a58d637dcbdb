"""What the assessment makes of signs: those that belong to it, and those that nobody took up (I.B.5, IV.J)."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from extractors.coding.case import Candidate, Case, Rule
from extractors.coding.clauses import bounds
from extractors.coding.rules.conflicts import VAGUE
from extractors.coding.tables import chronic, table

NOT_ASSESSED = Rule(
    "not-assessed",
    "IV.D, IV.J",
    "Beside an assessed diagnosis, what only the history of symptoms or the examination tells waits for a coder",
)
SAME_PLACE = Rule("pain-of-the-place", "I.B.5", "Pain of a place is integral to an injury or disease of that place")
MINOR = Rule(
    "superficial-injury",
    "I.C.19.b",
    "A contusion or abrasion is not coded beside a worse injury of the same place",
)
ASSESSED = frozenset({"assessment", "assessment_plan", "diagnoses", "reasoning"})
LOOKED_AT = frozenset({"ros", "exam", "vitals", "labs", "imaging"})
TOLD = frozenset({"chief_complaint", "hpi", "social_history"})
_CAME = frozenset({"chief_complaint"})
TO_DO = frozenset({"plan", "instructions", "precautions"})
_CAME_WITH = re.compile(  # an assessment that tells again what the patient came with
    r"\b(?:present(?:s|ed|ing)?|came|comes|seen|here|evaluat\w+|complain\w*|reports?|reported|states?|endors\w+"
    r"|mentions?|notes|experienc\w+)\b"
)
_WORKED_UP = re.compile(  # a plan that looks into a sign takes it up
    r"\b(?:order\w*|refer\w*|check|evaluat\w*|work-?up|investigat\w*|obtain\w*|follow up on)\b[^.;\n]{0,80}$"
)
_SIDE = re.compile(r"\b(right|left|bilateral)\b")
_WORD = re.compile(r"[a-z]+")


def not_assessed(case: Case) -> None:
    """A sign outside the assessment, or a finding of the examination alone, is suggested beside what was assessed.

    Where the assessment leaves a disease open, what the patient came with is coded (IV.D).
    """
    if case.setting != "outpatient":
        return
    codes = case.accepted("")
    said: dict[str, set[str]] = {}
    for candidate in codes:
        spans = ((candidate.start, candidate.end), *candidate.evidence)
        said.setdefault(candidate.code, set()).update(_told_in(case, candidate.code, start) for start, _ in spans)
    taken_up = [code for code, sections in said.items() if sections & ASSESSED and code[0] != "Z"]
    if not taken_up:
        return
    settled = not all(_is_sign(code) for code in taken_up)
    kept = _CAME if settled and _left_open(case) else frozenset()
    for candidate in codes:
        sections = said[candidate.code]
        if sections & ASSESSED or candidate.code[0] in "VWXYZ":
            continue
        if _is_sign(candidate.code):
            waits = (settled and not sections & kept) or sections <= LOOKED_AT | TO_DO
        else:
            waits = sections <= LOOKED_AT and candidate.rule is None
            waits = waits or (sections <= LOOKED_AT | TOLD and _passes(case, candidate))
        if waits:
            case.reject(candidate, NOT_ASSESSED, "The assessment does not take it up", "suggested")


def one_of_its_kind(case: Case) -> None:
    """Of a disease that a patient has once, the code that the assessment names stands for what the history told."""
    codes = case.accepted(*table("integral")["one"])
    for told in codes if len(codes) > 1 else ():
        kind = next(k for k in table("integral")["one"] if told.code.startswith(k))
        if told.printed or case.section_at(told.start) in ASSESSED:
            continue
        for other in codes:
            if other.code != told.code and other.code.startswith(kind) and case.section_at(other.start) in ASSESSED:
                case.reject(told, VAGUE, f"The assessment says {other.code}")
                break


def _passes(case: Case, candidate: Candidate) -> bool:
    """A named disease that passes: what was told of it without being taken up may be long over."""
    return not chronic(candidate.code) and candidate.code[0] not in "OST" and case.of(candidate) is not None


def _told_in(case: Case, code: str, start: int) -> str:
    """The section of a mention; a sign that is only told again is history, one that is looked into is assessed."""
    section = case.section_at(start)
    if section in ASSESSED and _is_sign(code):
        low, _ = bounds(case.text, start, start)
        if section == "reasoning" or _CAME_WITH.search(case.text, low, start):
            return "hpi"
    if section in TO_DO and _is_sign(code) and _WORKED_UP.search(case.text, bounds(case.text, start, start)[0], start):
        return "assessment"
    return section


def _left_open(case: Case) -> bool:
    """True when the assessment names a disease that it is not sure of, and that nothing else says for sure."""
    for candidate in case.candidates:
        finding = case.of(candidate) if candidate.status == "rejected" else None
        unsure = finding is not None and finding.assertion.possible and finding.section in ASSESSED | TO_DO
        if unsure and not case.has(candidate.code[:3]):
            return True
    return False


@lru_cache(maxsize=8192)
def _is_sign(code: str) -> bool:
    return code.startswith(tuple(table("integral")["signs"]))


@cache
def _regions() -> list[tuple[tuple[str, ...], frozenset[str]]]:
    """The codes of pain of each region, and the words of titles that are about it."""
    return [(tuple(row["signs"]), frozenset(row["words"].split())) for row in table("integral")["regions"]]


@lru_cache(maxsize=8192)
def _title(title: str) -> tuple[frozenset[str], frozenset[str]]:
    """The words of a title and its sides."""
    low = title.lower()
    return frozenset(_WORD.findall(low)), frozenset(_SIDE.findall(low))


def _touch(one: frozenset[str], other: frozenset[str]) -> bool:
    """True unless two titles name opposite sides."""
    return not one or not other or "bilateral" in one | other or bool(one & other)


def pain_of_the_place(case: Case) -> None:
    """Pain, effusion or stiffness of a place is not coded beside an injury or disease of the same place and side."""
    signs = case.accepted(*(sign for row in table("integral")["regions"] for sign in row["signs"]))
    if not signs:
        return
    placed = case.accepted(*table("integral")["placed"])
    causes = [c for c in placed if not _is_sign(c.code) and c.code[-1] != "S"]  # what a sequela left is coded first
    for sign in signs:
        side = _title(case.lexicon.display_of(sign.code))[1]
        words = frozenset().union(*(words for codes, words in _regions() if sign.code.startswith(codes)))
        for cause in causes:
            named, sides = _title(case.lexicon.display_of(cause.code))
            if named & words and _touch(side, sides):
                case.reject(sign, SAME_PLACE, f"{cause.code} says what hurts there")
                break


def superficial_injury(case: Case) -> None:
    """Bruises and scrapes fall beside a fracture, sprain, wound or dislocation of the same region and side."""
    injuries = case.accepted("S")
    minor = [c for c in injuries if _is_minor(c)]
    worse = [c for c in injuries if not _is_minor(c)]
    for small in minor if worse else ():
        named, side = _title(case.lexicon.display_of(small.code))
        for other in worse:
            words, sides = _title(case.lexicon.display_of(other.code))
            if _touch(side, sides) and any(named & region and words & region for _, region in _regions()):
                case.reject(small, MINOR, f"{other.code} is the worse injury there")
                break


def side_left_open(case: Case) -> None:
    """An injury whose side is left open falls beside the same injury with its side."""
    injuries = case.accepted("S")
    codes = {c.code for c in injuries}
    for candidate in injuries if len(codes) > 1 else ():
        sided = {case.lexicon.sided(candidate.code, side) for side in ("right", "left")} & codes
        if sided:
            case.reject(candidate, VAGUE, f"{min(filter(None, sided))} says which side")


def _is_minor(candidate: Candidate) -> bool:
    """True of chapter 19's blocks of superficial injury: S00, S10, S20 to S90."""
    return candidate.code[2] == "0"


RULES = (side_left_open, superficial_injury, pain_of_the_place, one_of_its_kind, not_assessed)
