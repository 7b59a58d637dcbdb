"""Injuries and ulcers by their words: kind, site, side, depth, 7th character, and what happened (I.C.19, I.C.20)."""

from __future__ import annotations

import re

from extractors.coding.case import Candidate, Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.resolve import heads
from extractors.coding.rules.skin import SITES as _SITES
from extractors.coding.shorthand import spelled
from extractors.coding.titles import best, meant

INJURY = Rule("injury-by-words", "I.C.19", "An injury is the title whose every word stands in its clause")
SEVENTH = Rule(
    "seventh-character", "I.C.19.a", "The 7th character by encounter, open or closed, and healing; X fills the gap"
)
ULCER = Rule("ulcer-depth", "I.C.4.a, E11.621 note", "A skin ulcer that no pressure made, by site, side and depth")
SIDE = Rule("laterality", "I.B.13", "An unspecified side becomes the side that the text says")
PRESSED = Rule(
    "further-pressure-ulcer", "I.C.12.a", "Each pressure ulcer that a sentence names is coded by place and stage"
)
HEADS_SAID = heads()
_THING = r"(?! (?:glass|bottle|window|plate|mirror|tooth|teeth|back on|down on|out))"  # what is broken or cut there
_HEAD = asked(rf"\b({'|'.join(sorted(HEADS_SAID, key=len, reverse=True))})\b{_THING}", HEADS_SAID)
_LISTED = frozenset(
    {"laceration", "abrasion", "contusion", "burn", "corrosion", "open bite", "puncture wound", "sprain"}
)
_JOINT = re.compile(r", and |,| and | with | & |\bplus\b")
_BOTH = re.compile(r"\b(?:both|bilateral)\b")
_ONE_SIDE = re.compile(r"\b(?:right|left)\b")
_DEGREE = re.compile(r"\b(?:first|second|third)[- ]degree|\b(?:partial|full)[- ]thickness\b")
_LATE = re.compile(
    r"\b(?:due to|from|after|following|secondary to|sequelae? of|late effects? of|residual of|as a result of"
    r"|caused by|by)"
    r" (?:an? |the |his |her )?(?:old|remote|previous|prior|healed|childhood|past)\b[^.;\n]{0,40}$"
)
_NOT_NOW = re.compile(
    r"\b(?:old|history of|prior|previous|healed|no|without|w/o|denies|negative for|possible|rule out|r/o"
    r"|stress|pathologic\w*|fragility|concern(?:s|ed)?|suspect\w*|attempt\w*|at risk|prevent\w*"
    r"|(?:status[- ]post|s/p)(?: \w+)? repair)\b"
    r"|\b(?:to|may|can|could|might) $"
)
_AFTER = re.compile(
    r"follow[- ]?up|healing|recheck|cast (?:removal|removed|change)|subsequent|post-?op"
    r"|(?:weeks?|wks?) (?:ago|after|out)|rehab"
)
_PLANNED = re.compile(  # what is still to come says nothing of this encounter: "will follow up in 2 weeks"
    r"\b(?:will|shall|should|would|must|please|return|schedule|arrange|refer|plan|recommend(?:ed)?)\b[^.;\n]{0,60}$"
    r"|\b(?:to|can|may) (?:be )?(?:back )?$"
)
_TO_COME = re.compile(
    r"(?:[^.;\n]{0,40}\b(?:in|within|after)|:) (?:about |approximately )?(?:\d|an?\b|one\b|two\b|three\b|four\b|six\b)"
    r"|[^.;\n]{0,24}\b(?:as needed|prn|if)\b"
)
_BITTEN = re.compile(
    r"\b(?:dog|cat|animal|human|rat|horse|raccoon) bites?\b|\bbitten by (?:an? |the |her |his )?(?!tick|insect|spider)"
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
    r"^s?(?: (?:of|on|at)|,) (?:the |his |her )?(right|left) (?:great |big )?(heel|midfoot|foot|toe|ankle|calf)\b"
)
_PRESSED = re.compile(r"(?<!non-)(?<!non )\b(?:pressure|decubitus|bed ?sore)\b")
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
    (re.compile(r"fat layer|exposed fat|fat (?:is )?exposed|subcutaneous (?:fat|tissue)"), "2"),
    (
        re.compile(
            r"skin breakdown|limited to (?:the )?(?:breakdown of (?:the )?)?skin|breakdown of (?:the )?skin|superficial"
        ),
        "1",
    ),
)


def injury_by_words(case: Case) -> None:
    """Find the title whose words all stand in the injury's own clause; more matching words win."""
    taken: set[tuple[int, int, str]] = set()
    for match in case.each(_HEAD):
        low, high = _own_part(case.text, match)
        late = _LATE.search(case.text, low, match.start()) is not None
        if not late and _NOT_NOW.search(case.text, low, match.start()):
            continue
        if HEADS_SAID[match[1]] == "laceration" and _BITTEN.search(case.text, *_clause(case.text, match)):
            continue  # what an animal bit open is a bite
        stems = _stems(case, match[1], case.text[low:high])
        if not stems and case.text[low - 1 : low] == ":":  # "Cut his thumb with a knife: laceration"
            low = bounds(case.text, low - 1, low - 1, ".;:\n")[0]
            stems = (
                [] if _NOT_NOW.search(case.text, low, match.start()) else _stems(case, match[1], case.text[low:high])
            )
        if not stems:
            low, high = _clause(case.text, match)
            if not _NOT_NOW.search(case.text, low, match.start()):
                stems = _stems(case, match[1], case.text[low:high])
        clause = case.text[low:high]
        codes = [c for stem in stems if (c := seventh(case, stem, clause, late=late)) is not None]
        if not codes or (low, high, codes[0][:3]) in taken:
            continue
        taken.add((low, high, codes[0][:3]))
        for candidate in case.accepted("S", "T14"):
            if low <= candidate.start < high and candidate.code not in codes and not candidate.printed:
                case.reject(candidate, INJURY, f"{codes[0]} says more")
        for code in codes:
            new = case.add(
                code, low + len(clause) - len(clause.lstrip()), high, INJURY, "The clause has every word of it"
            )
            if new is not None and new.code[-1] in _ENCOUNTER:
                case.note(new, SEVENTH, f"The words ask for {_ENCOUNTER[new.code[-1]]}")
            if new is not None and code[-1] == "S":
                new.rank = max(new.rank, 2)


def _clause(text: str, match: re.Match[str]) -> tuple[int, int]:
    return bounds(text, *match.span(), ".;:\n")[0], bounds(text, *match.span())[1]


def _own_part(text: str, match: re.Match[str]) -> tuple[int, int]:
    """The clause of an injury, cut off from that of another injury before or after it."""
    low, high = _clause(text, match)
    others = [m for m in _HEAD.pattern.finditer(text, low, high) if m.start() != match.start()]
    for other in others:
        if other.end() <= match.start():
            cuts = list(_JOINT.finditer(text, other.end(), match.start()))
            low = max(low, cuts[-1].end()) if cuts else low
        else:
            cut = _JOINT.search(text, match.end(), other.start())
            high = min(high, cut.start()) if cut else high
    return low, high


def _stems(case: Case, said: str, clause: str) -> list[str]:
    """The stems of an injury: one, or one for each place that the clause lists."""
    head = HEADS_SAID[said]
    if head in _LISTED:
        found = [case.lexicon.resolve(head, text, said) for text in _places(clause)]
        if len({s for s in found if s is not None}) > 1 and None not in found:
            return list(dict.fromkeys(s for s in found if s is not None))
    one = case.lexicon.resolve(head, clause, said)
    return [one] if one else []


def _places(clause: str) -> list[str]:
    """The clause once for each place that it lists, with that place alone."""
    if _BOTH.search(clause) and not _ONE_SIDE.search(clause):
        return [_BOTH.sub(side, clause) for side in ("right", "left")]
    parts = _JOINT.split(clause)
    placed = [n for n, part in enumerate(parts) if _SITES.search(part) and not (n and _HEAD.pattern.search(part))]
    if len(placed) < 2:
        return []
    degree = " ".join(_DEGREE.findall(clause)) if len(set(_DEGREE.findall(clause))) == 1 else ""
    side, texts = "", []
    for number in placed:
        said = _ONE_SIDE.search(parts[number])
        side = said[0] if said else side
        texts.append(f"{degree} {side} {parts[number]}")
    return texts


_ENCOUNTER = {
    "A": "active treatment", "D": "routine healing", "S": "a sequela",
    "B": "an open fracture", "C": "an open fracture, type III",
    "K": "nonunion", "P": "malunion", "G": "delayed healing",
}  # fmt: skip


def seventh(case: Case, stem: str, clause: str, *, late: bool = False) -> str | None:
    """The billable code of a stem: active treatment unless the text says healing or sequela; closed unless open."""
    if case.lexicon.billable(stem):
        return stem
    base = f"{stem.replace('.', '')[:3]}.{stem.replace('.', '')[3:]:X<3}"
    wanted = "S" if late else _seventh(clause, case.text)
    fallback = "D" if wanted in "DEFGHJKMNPQR" else "A"
    for character in (wanted, fallback, "A"):
        if case.lexicon.billable(base + character):
            return base + character
    leaf = case.lexicon.leaf(stem)
    later = f"{leaf[:-1]}{wanted}" if leaf else ""
    return later if case.lexicon.billable(later) else leaf


def _seventh(clause: str, text: str) -> str:
    """The 7th character that the words ask for: encounter, open or closed, and how it heals (I.C.19.a, I.C.19.c)."""
    if _SEQUELA.search(clause):
        return "S"
    opened = 0 if not _OPEN.search(clause) else 2 if _TYPE_III.search(clause) else 1
    heals = next((row for pattern, row in _HEALS if pattern.search(clause)), None)
    if heals is None:
        if not any(_is_now(text, match) for match in _AFTER.finditer(text)):
            return "ABC"[opened]
        heals = "DEF"
    return heals[opened]


def _is_now(text: str, after: re.Match[str]) -> bool:
    """The word tells of this encounter, not of what is planned."""
    low, high = bounds(text, *after.span())
    return not (_PLANNED.search(text, low, after.start()) or _TO_COME.match(text[after.end() : high]))


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
    """Pressure ulcers of several places: "of the left heel, stage 2, and of the sacrum, stage 4"."""
    for ulcer in case.accepted("L89"):
        stop = bounds(case.text, ulcer.start, ulcer.end, ".;\n")[1]
        staged = [*_STAGE_OF.finditer(case.text, ulcer.start, stop)]
        found = staged if len(staged) > 1 else [*_FURTHER.finditer(case.text, ulcer.end, stop)]
        titles = [(_pressed(case, match[0]), match.span()) for match in found]
        codes = {title for title, _ in titles if title is not None}
        for code, span in titles:
            if code is not None and code != ulcer.code:
                case.add(code, *span, PRESSED, "Each place has its own stage", finding=ulcer.finding)
        if len(staged) > 1 and codes and ulcer.code not in codes:
            case.reject(ulcer, PRESSED, "Each place has its own stage")


def _pressed(case: Case, said: str) -> str | None:
    words = meant(f"pressure {said}")
    title = best(case.lexicon.titles("L89").fitting(words | _PRESSURE), words, frozenset())
    return title.code if title is not None and len(words & title.words) > 1 else None


_FURTHER = re.compile(
    r"\b(?:and|plus) (?:another |one )?(?:of|on|over|at) (?:the |his |her )?[a-z][a-z ]{3,24},? stage (?:\d|i{1,3}v?)\b"
)
_STAGE_OF = re.compile(
    r"\bstage (?:[1-4]|i{1,3}|iv) (?:of|on|over|at) (?:the |his |her )?[a-z][a-z ]{3,24}?(?=,|\.|;| and |$)"
)
_PRESSURE = frozenset({"pressure", "ulcer"})


_EACH = ("right", "left", "bilateral")


def laterality(case: Case) -> None:
    """An "unspecified side" code becomes the side that the text says beside it."""
    for candidate in case.accepted("M", "S", "H", "G", "C", "D", "I", "L", "N"):
        if candidate.printed or not any(_sided(case, candidate.code, s) for s in _EACH):
            continue
        side = _side(case, candidate)
        if side is None:
            continue
        code = _sided(case, candidate.code, side)
        if code is None and side == "bilateral":
            code, other = (_sided(case, candidate.code, each) for each in ("right", "left"))
            if code is None or other is None or _says_both(case, code):
                continue
            case.add(other, candidate.start, candidate.end, SIDE, "The text says both", finding=candidate.finding)
        if code is not None:
            case.replace(candidate, code, SIDE, f"The text says {side}")


def _sided(case: Case, code: str, side: str) -> str | None:
    """The code of a side, whatever the kind of encounter."""
    first = case.lexicon.sided(f"{code[:-1]}A" if len(code) == 8 else code, side)
    found = f"{first[:-1]}{code[-1]}" if first and len(code) == 8 else first
    return found if found and case.lexicon.billable(found) else None


def _says_both(case: Case, code: str) -> bool:
    """True when a code beside it says both sides; where none does, each side has its own (I.B.13)."""
    return any("bilateral" in case.lexicon.display_of(code[:-1] + end).lower() for end in "0123456789")


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
