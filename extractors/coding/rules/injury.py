"""Injuries by their words: kind, site, side, 7th character, and what happened (I.C.19, I.C.20)."""

from __future__ import annotations

import re

from extractors.coding.case import Candidate, Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.resolve import heads
from extractors.coding.rules.skin import SITES as _SITES
from extractors.coding.shorthand import spelled

INJURY = Rule("injury-by-words", "I.C.19", "An injury is the title whose every word stands in its clause")
SEVENTH = Rule(
    "seventh-character", "I.C.19.a", "The 7th character by encounter, open or closed, and healing; X fills the gap"
)
SIDE = Rule("laterality", "I.B.13", "An unspecified side becomes the side that the text says")
HEADS_SAID = heads()
_THING = r"(?! (?:glass|bottle|window|plate|mirror|tooth|teeth|back on|down on|out))"  # what is broken or cut there
_HEAD = asked(rf"\b({'|'.join(sorted(HEADS_SAID, key=len, reverse=True))})\b{_THING}", HEADS_SAID)
_LISTED = frozenset(
    {"laceration", "abrasion", "contusion", "burn", "corrosion", "open bite", "puncture wound", "sprain"}
)
_JOINT = re.compile(r", and |,| and | with | & |\bplus\b")
_LIGAMENT = re.compile(r"\bligaments?\b|\b[apml]cl\b|\b[ac]tfl\b")
_LONG_AGO = re.compile(
    r"\b(?:\d{1,2}|many|several|few|two|three|four|five|ten|twenty) (?:years|yrs) (?:ago|prior|back)\b"
    r"|\bas an? (?:child|kid|baby|infant|toddler|teen(?:ager)?|adolescent|young (?:adult|man|woman))\b"
    r"|\bin (?:childhood|infancy|adolescence|high school|college)\b|\bat (?:the )?age (?:of )?\d"
)
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
    r"|stress|path|pathologic\w*|fragility|concern(?:s|ed)?|suspect\w*|attempt\w*|at risk|prevent\w*"
    r"|(?:status[- ]post|s/p)(?: \w+)? repair)\b"
    r"|\b(?:to|may|can|could|might) $"
)
_AFTER = re.compile(
    r"follow[- ]?up|heal(?:ing|ed)|recheck|cast (?:removal|removed|change)|subsequent|post-?op"
    r"|(?:weeks?|wks?) (?:after|out)|rehab"
)
_PLANNED = re.compile(  # what is still to come says nothing of this encounter: "will follow up in 2 weeks"
    r"\b(?:will|shall|should|would|must|please|return|schedule|arrange|refer|plan|recommend(?:ed)?|if"
    r"|expect\w*|complications?|risks?|poor|promote|encourage|ensure)\b[^.;\n]{0,100}$"
    r"|\b(?:to|can|may) (?:be )?(?:back )?$"
)
_TO_COME = re.compile(
    r"(?:[^.;\n]{0,40}\b(?:in|within|after)|:) (?:about |approximately )?(?:\d|an?\b|one\b|two\b|three\b|four\b|six\b)"
    r"|[^.;\n]{0,24}\b(?:as needed|prn|if|expectations?|course|instructions)\b"
)
_BITTEN = re.compile(
    r"\b(?:dog|cat|animal|human|rat|horse|raccoon) bites?\b|\bbitten by (?:an? |the |her |his )?(?!tick|insect|spider)"
)
_SEQUELA = re.compile(r"sequela|late effect|residual of|due to old")
_OPEN = re.compile(r"\bopen\b|\bcompound\b")


def injury_by_words(case: Case) -> None:
    """Find the title whose words all stand in the injury's own clause; more matching words win."""
    taken: set[tuple[int, int, str]] = set()
    for match in case.each(_HEAD):
        low, high = _own_part(case.text, match)
        late = _LATE.search(case.text, low, match.start()) is not None
        if not late and (
            _NOT_NOW.search(case.text, low, match.start()) or _LONG_AGO.search(case.text, match.end(), high)
        ):
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
            inner = candidate.code.startswith(_INNER) and not codes[0].startswith(_INNER)
            if low <= candidate.start < high and candidate.code not in codes and not candidate.printed and not inner:
                case.reject(candidate, INJURY, f"{codes[0]} says more")
        for code in codes:
            new = case.add(
                code, low + len(clause) - len(clause.lstrip()), high, INJURY, "The clause has every word of it"
            )
            if new is not None and new.code[-1] in _ENCOUNTER:
                case.note(new, SEVENTH, f"The words ask for {_ENCOUNTER[new.code[-1]]}")
            if new is not None and code[-1] == "S":
                new.rank = max(new.rank, 2)


_INNER = ("S06", "S14", "S24", "S25", "S26", "S27", "S34", "S35", "S36", "S37")  # organs beside broken bones


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
    if head == "strain" and _LIGAMENT.search(clause):
        head = "sprain"  # the index sends a strain of a ligament there
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


_EACH = ("right", "left", "bilateral")


def laterality(case: Case) -> None:
    """An "unspecified side" code becomes the side that the text says beside it."""
    for candidate in case.accepted("M", "S", "H", "G", "C", "D", "I", "L", "N", "Q", "Z89", "Z90", "Z96"):
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


_LABEL = re.compile(r"\b(right|left|rt|lt|r|l|od|os)(?: [a-z]+)?: ?[^.;:\n]{0,40}$")  # "R eye: black eye"
_LETTER = {
    "right": "right",
    "left": "left",
    "rt": "right",
    "lt": "left",
    "r": "right",
    "l": "left",
    "od": "right",
    "os": "left",
}


def _side(case: Case, candidate: Candidate) -> str | None:
    before = case.text[max(0, candidate.start - 24) : candidate.start]
    after = case.text[candidate.end : candidate.end + 24]
    before = re.split(r"[.;:,\n]", before)[-1]
    after = re.split(r"[.;:\n]", after)[0]
    words = set(_WORDS.findall(spelled(before + case.text[candidate.start : candidate.end] + after)))
    label = None if words else _LABEL.search(case.text, max(0, candidate.start - 60), candidate.start)
    words = {_LETTER[label[1]]} if label else words
    words = {{"rt": "right", "lt": "left", "both": "bilateral", "bilaterally": "bilateral"}.get(w, w) for w in words}
    if words == {"right", "left"}:
        return None
    return words.pop() if len(words) == 1 else None


RULES = (injury_by_words, laterality)
