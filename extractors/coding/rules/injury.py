"""Injuries and ulcers by their words: kind, site, side, depth, 7th character, and what happened (I.C.19, I.C.20)."""

from __future__ import annotations

import re

from extractors.coding.case import Candidate, Case, Rule, asked
from extractors.coding.clauses import bounds, spelled
from extractors.coding.resolve import HEADS
from extractors.coding.titles import best, meant

INJURY = Rule("injury-by-words", "I.C.19", "An injury is the title whose every word stands in its clause")
SEVENTH = Rule(
    "seventh-character", "I.C.19.a", "The 7th character by encounter, open or closed, and healing; X fills the gap"
)
ULCER = Rule("ulcer-depth", "I.C.4.a, E11.621 note", "A skin ulcer that no pressure made, by site, side and depth")
EXTERNAL = Rule(
    "external-cause",
    "I.C.20",
    "What happened follows an injury, takes its kind of encounter, and is nothing without one",
)
SIDE = Rule("laterality", "I.B.13", "An unspecified side becomes the side that the text says")
PRESSED = Rule(
    "further-pressure-ulcer", "I.C.12.a", "Each pressure ulcer that a sentence names is coded by place and stage"
)
_HEAD = asked(rf"\b({'|'.join(HEADS)})s?\b", HEADS)
_NOT_NOW = re.compile(
    r"\b(?:old|history of|prior|previous|healed|no|without|denies|negative for|possible|rule out|r/o"
    r"|stress|pathologic\w*|fragility)\b"
)
_AFTER = re.compile(
    r"follow[- ]?up|healing|recheck|cast (?:removal|change)|subsequent|post-?op|weeks? (?:ago|after|out)|rehab"
)
_SEQUELA = re.compile(r"sequela|late effect|residual of|due to old")
_OPEN = re.compile(r"\bopen\b|\bcompound\b")
_ULCER = asked(
    r"\b(?:(right|left) )?(?:great |big |second |third |fourth |fifth |little )?(heel|midfoot|foot|toe"
    r"|ankle|calf|plantar|thigh|shin)"
    r"(?: diabetic| venous| stasis| chronic){0,2} ulcer"
    r"|\bulcers?(?: (?:of|on|at|over|in)|,) (?:the |his |her )?(?:(right|left) )?(?:great |big |second |third "
    r"|fourth |fifth |little )?"
    r"(heel|midfoot|foot|toe|ankle|calf|plantar|thigh|shin)\b"
)
_ULCER_AT = re.compile(
    r"^s? (?:of|on|at) (?:the |his |her )?(right|left) (?:great |big )?(heel|midfoot|foot|toe|ankle|calf)\b"
)
_PRESSED = re.compile(r"\b(?:pressure|decubitus|bed ?sore)\b")
_ULCER_SITE = {
    "heel": "4",
    "midfoot": "4",
    "plantar": "4",
    "foot": "5",
    "toe": "5",
    "ankle": "3",
    "calf": "2",
    "thigh": "1",
    "shin": "8",
}
_DEPTH = (
    (re.compile(r"necrosis of (?:the )?bone|bone necrosis"), "4"),
    (re.compile(r"necrosis of (?:the )?muscle|muscle necrosis"), "3"),
    (re.compile(r"fat layer|subcutaneous (?:fat|tissue)"), "2"),
    (
        re.compile(
            r"skin breakdown|limited to (?:the )?(?:breakdown of (?:the )?)?skin|breakdown of (?:the )?skin|superficial"
        ),
        "1",
    ),
)


def injury_by_words(case: Case) -> None:
    """Find the title whose words all stand in the injury's own clause; more matching words win."""
    for match in case.each(_HEAD):
        left = max(case.text.rfind(stop, 0, match.start()) for stop in ".;:\n") + 1
        right = min(
            p
            for stop in ".;\n"
            if (p := case.text.find(stop, match.end())) >= 0 or (stop == "\n" and (p := len(case.text)))
        )
        clause = case.text[left:right]
        if _NOT_NOW.search(case.text[left : match.start()]):
            continue
        stem = case.lexicon.resolve(match[1], clause)
        if stem is None and case.text[left - 1 : left] == ":":  # "Cut his thumb with a knife: laceration"
            left = max(case.text.rfind(stop, 0, left - 1) for stop in ".;\n") + 1
            clause = case.text[left:right]
            stem = None if _NOT_NOW.search(case.text[left : match.start()]) else case.lexicon.resolve(match[1], clause)
        if stem is None:
            continue
        code = seventh(case, stem, clause)
        if code is None:
            continue
        for candidate in case.accepted("S", "T14"):
            if left <= candidate.start < right and candidate.code != code and not candidate.printed:
                case.reject(candidate, INJURY, f"{code} says more")
        why = f"The clause has every word of {case.lexicon.display_of(stem)}"
        new = case.add(code, left + len(clause) - len(clause.lstrip()), right, INJURY, why)
        if new is not None and new.code[-1] in _ENCOUNTER:
            case.note(new, SEVENTH, f"The words ask for {_ENCOUNTER[new.code[-1]]}")


_ENCOUNTER = {
    "A": "active treatment", "D": "routine healing", "S": "a sequela",
    "B": "an open fracture", "C": "an open fracture, type III",
    "K": "nonunion", "P": "malunion", "G": "delayed healing",
}  # fmt: skip


def seventh(case: Case, stem: str, clause: str) -> str | None:
    """The billable code of a stem: active treatment unless the text says healing or sequela; closed unless open."""
    if case.lexicon.billable(stem):
        return stem
    base = f"{stem.replace('.', '')[:3]}.{stem.replace('.', '')[3:]:X<3}"
    wanted = _seventh(clause, case.text)
    fallback = "D" if wanted in "DEFGHJKMNPQR" else "A"
    for character in (wanted, fallback, "A"):
        if case.lexicon.billable(base + character):
            return base + character
    return case.lexicon.leaf(stem)


def _seventh(clause: str, text: str) -> str:
    """The 7th character that the words ask for: encounter, open or closed, and how it heals (I.C.19.a, I.C.19.c)."""
    if _SEQUELA.search(clause):
        return "S"
    opened = 0 if not _OPEN.search(clause) else 2 if _TYPE_III.search(clause) else 1
    heals = next((row for pattern, row in _HEALS if pattern.search(clause)), None)
    if heals is None:
        if not _AFTER.search(text):
            return "ABC"[opened]
        heals = "DEF"
    return heals[opened]


_TYPE_III = re.compile(r"\b(?:type|grade|gustilo)[ -]*(?:iii|3)[abc]?\b")
_HEALS = (
    (re.compile(r"\bnon-?union"), "KMN"),
    (re.compile(r"\bmal-?union"), "PQR"),
    (re.compile(r"\bdelayed (?:healing|union)"), "GHJ"),
)


def ulcer_depth(case: Case) -> None:
    """A foot ulcer by site, side and depth (L97.-)."""
    if not case.says(" ulcer"):
        return
    for match in case.search(_ULCER):
        clause = case.text[match.start() : match.end() + 80].split(".")[0]
        depth = next((d for pattern, d in _DEPTH if pattern.search(clause)), "9")
        if _PRESSED.search(case.text, max(0, match.start() - 24), match.end()):
            continue  # L89 by its stage
        further = _ULCER_AT.match(case.text[match.end() : match.end() + 40])
        named = further[1] if further else match[1] or match[3] or ""
        where = further[2] if further else match[2] or match[4]
        side = {"right": "1", "left": "2"}.get(named, "0")
        code = f"L97.{_ULCER_SITE[where]}{side}{depth}"
        new = case.add(
            code, match.start(), match.start() + len(clause.rstrip()), ULCER, "Site, side and depth of the ulcer"
        )
        if new is None:
            continue
        for candidate in case.accepted("L97", "L98.4", "M87", "I96"):
            if candidate is not new and candidate.start < match.start() + len(clause) and match.start() < candidate.end:
                case.reject(candidate, ULCER, f"{code} says more")


def further_pressure_ulcer(case: Case) -> None:
    """A pressure ulcer at a further place: "of the left heel, stage 2, and of the sacrum, stage 4"."""
    for ulcer in case.accepted("L89"):
        stop = bounds(case.text, ulcer.start, ulcer.end)[1]
        for match in _FURTHER.finditer(case.text, ulcer.end, stop):
            words = meant(f"pressure {match[0]}")
            title = best(case.lexicon.titles("L89").fitting(words | _PRESSURE), words, frozenset())
            if title is not None and title.code != ulcer.code and len(words & title.words) > 1:
                case.add(title.code, *match.span(), PRESSED, "A further place", finding=ulcer.finding)


_FURTHER = re.compile(
    r"\b(?:and|plus) (?:another |one )?(?:of|on|over|at) (?:the |his |her )?[a-z][a-z ]{3,24},? stage (?:\d|i{1,3}v?)\b"
)
_PRESSURE = frozenset({"pressure", "ulcer"})


def external_cause(case: Case) -> None:
    """What happened follows the injury, and is nothing without one."""
    injured = case.has("S", "T0", "T1", "T2", "T3", "M80", "M84")
    for candidate in case.accepted("V", "W", "X", "Y"):
        candidate.rank = 8
        if injured:
            case.note(candidate, EXTERNAL, "What happened follows the injury")
        if (
            candidate.code.endswith("A")
            and injured
            and all(c.code[-1] in "DEFGHJKMNPQR" for c in case.accepted("S", "T0", "T1", "T2", "T3"))
        ):
            later = f"{candidate.code[:-1]}D"
            if case.lexicon.billable(later):
                case.replace(candidate, later, SEVENTH, "The cause takes the injury's kind of encounter")
        if not injured:
            case.reject(candidate, EXTERNAL, "There is no injury that it explains", "suggested")


_EACH = ("right", "left", "bilateral")


def laterality(case: Case) -> None:
    """An "unspecified side" code becomes the side that the text says beside it."""
    for candidate in case.accepted("M", "S", "H", "G", "C", "I", "L", "N"):
        if candidate.printed or not any(case.lexicon.sided(candidate.code, s) for s in _EACH):
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
    words = set(_WORDS.findall(spelled(before + case.text[candidate.start : candidate.end] + after)))
    words = {{"rt": "right", "lt": "left", "both": "bilateral", "bilaterally": "bilateral"}.get(w, w) for w in words}
    if words == {"right", "left"}:
        return None
    return words.pop() if len(words) == 1 else None


RULES = (injury_by_words, ulcer_depth, laterality)
ULCERS = (further_pressure_ulcer,)  # after the first one has its place and stage
LAST = (external_cause,)
