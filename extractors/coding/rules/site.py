"""Where on the body: from "unspecified site" to the code of the site and side that the clause names (I.B.2, I.B.13)."""

from __future__ import annotations

import re

from extractors.coding.case import Candidate, Case, Rule
from extractors.coding.sites import SIDES, both_sides, site_after, site_before

SITE = Rule("site", "I.B.2, I.B.13", "An unspecified site becomes the site and side beside the words")
REACH = 56
_JOINED = re.compile(r" (?:and|with|or) (?:[a-z]+ ){1,2}(?=(?:of|on|in) )")
_LEAD = re.compile(r"^[a-z]+ (?=(?:in|of|on) )")  # "pain in both shoulders"
_SPECIMEN = re.compile(r"\b(?:biops(?:y|ies)|excision|shave|punch|resection|specimen|polypectomy)\b")
_STOP = re.compile(r"[.;:\n\t(]")


def site_by_words(case: Case) -> None:
    """A code that leaves the site open becomes the code of the site beside its words; further sites add codes."""
    for candidate in case.accepted(""):
        family = case.lexicon.sites(candidate.code)
        if family is None or candidate.printed:
            continue
        places = _places(case, candidate)
        codes = [(code, at) for name, side, at in places for code in both_sides(family, name, side)]
        if not codes:
            continue
        (code, at), *more = codes
        candidate.end, candidate.start = max(candidate.end, at[1]), min(candidate.start, at[0])
        case.replace(candidate, code, SITE, "The words beside it name the site")
        for code, at in more:
            why = "The words beside it name a further site"
            case.add(code, *at, SITE, why, finding=candidate.finding, confidence=candidate.confidence)


def _places(case: Case, candidate: Candidate) -> list[tuple[str, str, tuple[int, int]]]:
    end = candidate.end
    after = _STOP.split(case.text[end : end + REACH], maxsplit=1)[0]
    joined = _JOINED.match(after)  # "cellulitis and abscess of the thigh": both are there
    skipped = joined.end() if joined else 0
    found = [(name, side, (candidate.start, end + skipped + at)) for name, side, at in site_after(after[skipped:])]
    if found:
        if not found[0][1] and (side := _side_before(case.text, candidate.start)):
            found = [(name, own or side, at) for name, own, at in found]
        return found
    low = max(0, candidate.start - REACH)
    before = _STOP.split(case.text[low : candidate.start])[-1]
    one = site_before(before)
    if one is None and (specimen := _specimen(case.text, candidate.start)):
        return specimen
    if one is None:
        inside = site_after(_LEAD.sub("", case.text[candidate.start : end]))
        return [(name, side, (candidate.start, end)) for name, side, _ in inside[:1]]
    start = candidate.start - len(before) + one[2]
    side = one[1]
    if not side:
        side = next(
            (s for w, s in (("bilateral", "bilateral"), ("right", "right"), ("left", "left")) if w in after[:14]), ""
        )
    return [(one[0], side, (start, end))]


def _specimen(text: str, start: int) -> list[tuple[str, str, tuple[int, int]]]:
    """The site of the specimen that a finding of pathology stands under: "A. SKIN, LEFT NASAL ALA, SHAVE BIOPSY:"."""
    line = text.rfind("\n", 0, start) + 1
    same = text.rfind(":", line, start)
    lead = text[line:start].strip()
    if same < 0 and lead and lead[0] not in "-•*":
        return []
    high = same if same > 0 else text.rfind(":\n", max(0, start - 3 * REACH), start)
    low = text.rfind("\n", 0, max(high, 0)) + 1
    heading = text[low : max(high, 0)]
    if not _SPECIMEN.search(heading):
        return []
    for part in heading.split(","):
        found = site_before(part)
        if found:
            at = low + heading.index(part)
            return [(found[0], found[1], (at + found[2], at + len(part)))]
    return []


def _side_before(text: str, start: int) -> str:
    """The side that stands among the three words before a mention: "bilateral primary osteoarthritis of the hips"."""
    words = _STOP.split(text[max(0, start - 30) : start])[-1].replace(",", " ").split()[-3:]
    return next((SIDES[w] for w in reversed(words) if len(w) > 2 and w in SIDES), "")


RULES = (site_by_words,)
