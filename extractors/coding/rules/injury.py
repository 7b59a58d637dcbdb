"""Injuries and ulcers by their words: kind, site, side, depth, 7th character, and what happened (I.C.19, I.C.20)."""

from __future__ import annotations

import re

from extractors.coding.case import Candidate, Case, Rule
from extractors.coding.resolve import HEADS
from extractors.findings.cues import Cues

INJURY = Rule("injury-by-words", "I.C.19")
SEVENTH = Rule("seventh-character", "I.C.19.a")
ULCER = Rule("ulcer-depth", "I.C.4.a, E11.621 note")
EXTERNAL = Rule("external-cause", "I.C.20")
SIDE = Rule("laterality", "I.B.13")
_HEAD = re.compile(rf"\b(?:{'|'.join(HEADS)})\b")
_HEADS = Cues(HEADS)
_NOT_NOW = re.compile(
    r"\b(?:old|history of|prior|previous|healed|no|without|denies|negative for|possible|rule out|r/o)\b"
)
_AFTER = re.compile(
    r"follow[- ]?up|healing|recheck|cast (?:removal|change)|subsequent|post-?op|weeks? (?:ago|after|out)|rehab"
)
_SEQUELA = re.compile(r"sequela|late effect|residual of|due to old")
_OPEN = re.compile(r"\bopen\b|\bcompound\b")
_ULCER = re.compile(
    r"\b(?:(right|left|bilateral) )?(heel|midfoot|foot|toe|ankle|calf|plantar)(?: diabetic)?(?: pressure)? ulcer"
)
_ULCER_SITE = {"heel": "4", "midfoot": "4", "plantar": "4", "foot": "5", "toe": "5", "ankle": "3", "calf": "2"}
_DEPTH = (
    (re.compile(r"necrosis of (?:the )?bone|bone necrosis"), "4"),
    (re.compile(r"necrosis of (?:the )?muscle|muscle necrosis"), "3"),
    (re.compile(r"fat layer|subcutaneous (?:fat|tissue)"), "2"),
    (re.compile(r"skin breakdown|limited to (?:the )?skin|superficial"), "1"),
)


def injury_by_words(case: Case) -> None:
    """Find the title whose words all stand in the injury's own clause; more matching words win."""
    for match in _HEADS.beginning(_HEAD, case.text):
        left = max(case.text.rfind(stop, 0, match.start()) for stop in ".;:\n") + 1
        right = min(
            p
            for stop in ".;\n"
            if (p := case.text.find(stop, match.end())) >= 0 or (stop == "\n" and (p := len(case.text)))
        )
        clause = case.text[left:right]
        if _NOT_NOW.search(case.text[left : match.start()]):
            continue
        stem = case.lexicon.resolve(match[0], clause)
        if stem is None:
            continue
        code = seventh(case, stem, clause)
        if code is None:
            continue
        for candidate in case.accepted("S", "T14"):
            if left <= candidate.start < right and candidate.code != code and not candidate.printed:
                case.reject(candidate, INJURY, f"{code} says more")
        why = f"The clause has every word of {case.lexicon.display_of(stem)}"
        case.add(code, left + len(clause) - len(clause.lstrip()), right, INJURY, why)


def seventh(case: Case, stem: str, clause: str) -> str | None:
    """The billable code of a stem: active treatment unless the text says healing or sequela; closed unless open."""
    if case.lexicon.billable(stem):
        return stem
    base = f"{stem.replace('.', '')[:3]}.{stem.replace('.', '')[3:]:X<3}"
    wanted = (
        "S" if _SEQUELA.search(clause) else "D" if _AFTER.search(case.text) else "B" if _OPEN.search(clause) else "A"
    )
    for character in (wanted, "A"):
        if case.lexicon.billable(base + character):
            return base + character
    return case.lexicon.leaf(stem)


def ulcer_depth(case: Case) -> None:
    """A foot ulcer by site, side and depth (L97.-)."""
    if not case.says(" ulcer"):
        return
    for match in case.search(_ULCER):
        clause = case.text[match.start() : match.end() + 80].split(".")[0]
        depth = next((d for pattern, d in _DEPTH if pattern.search(clause)), "9")
        side = {"right": "1", "left": "2"}.get(match[1] or "", "0")
        code = f"L97.{_ULCER_SITE[match[2]]}{side}{depth}"
        new = case.add(
            code, match.start(), match.start() + len(clause.rstrip()), ULCER, "Site, side and depth of the ulcer"
        )
        if new is None:
            continue
        for candidate in case.accepted("L97", "L89", "L98.4"):
            if candidate is not new and candidate.start < match.end() and match.start() < candidate.end:
                case.reject(candidate, ULCER, f"{code} says more")


def external_cause(case: Case) -> None:
    """What happened follows the injury, and is nothing without one."""
    injured = case.has("S", "T0", "T1", "T2", "T3", "M80", "M84")
    for candidate in case.accepted("V", "W", "X", "Y"):
        candidate.rank = 8
        if not injured:
            case.reject(candidate, EXTERNAL, "There is no injury that it explains", "suggested")


def laterality(case: Case) -> None:
    """An "unspecified side" code becomes the side that the text says beside it."""
    for candidate in case.accepted("M", "S", "H", "G", "C", "I", "L", "N"):
        if candidate.printed:
            continue
        side = _side(case, candidate)
        if side is None:
            continue
        code = case.lexicon.sided(candidate.code, side)
        if code is not None:
            case.replace(candidate, code, SIDE, f"The text says {side}")


_WORDS = re.compile(r"\b(right|left|bilateral|both|bilaterally|rt|lt)\b")


def _side(case: Case, candidate: Candidate) -> str | None:
    before = case.text[max(0, candidate.start - 24) : candidate.start]
    after = case.text[candidate.end : candidate.end + 24]
    before = re.split(r"[.;:,\n]", before)[-1]
    after = re.split(r"[.;:\n]", after)[0]
    words = set(_WORDS.findall(before + case.text[candidate.start : candidate.end] + after))
    words = {{"rt": "right", "lt": "left", "both": "bilateral", "bilaterally": "bilateral"}.get(w, w) for w in words}
    if words == {"right", "left"}:
        return None
    return words.pop() if len(words) == 1 else None


RULES = (injury_by_words, ulcer_depth, laterality, external_cause)
