"""Ulcers of the skin by what made them, site, side, and depth or stage (I.C.12.a, I.C.4.a)."""

from __future__ import annotations

import re

from extractors.coding.case import Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.shorthand import spelled
from extractors.coding.titles import best, meant
from extractors.model import Span

ULCER = Rule("ulcer-depth", "I.C.4.a, E11.621 note", "A skin ulcer that no pressure made, by site, side and depth")
PRESSED = Rule(
    "further-pressure-ulcer", "I.C.12.a", "Each pressure ulcer that a sentence names is coded by place and stage"
)
_TOE = r"(?:great |big |second |third |fourth |fifth |little |plantar |lateral |medial )?"
_AT = r"heel|midfoot|foot|toe|ankle|malleolus|calf|plantar|thigh|shin"
_SIDE = r"(?:(right|left|r|l) )?"
_ULCER = asked(
    rf"\b{_SIDE}{_TOE}({_AT})(?: diabetic| venous| stasis| chronic| neuropathic| ischemic){{0,2}} ulcer"
    rf"|\bulcers?(?: (?:of|on|at|over|in|to)|,|) (?:the |his |her |plantar )?{_SIDE}{_TOE}({_AT})\b"
)
_ULCER_AT = re.compile(rf"^s?(?: (?:of|on|at|over)|,|) (?:the |his |her |plantar )?(right|left|r|l) {_TOE}({_AT})\b")
_PRESSED = re.compile(r"(?<!non-)(?<!non )\b(?:pressure|decubitus|bed ?sore)\b")
_SITE = {
    "heel": "4", "midfoot": "4", "plantar": "4", "foot": "5", "toe": "5", "ankle": "3", "malleolus": "3", "calf": "2",
    "thigh": "1", "shin": "8",
}  # fmt: skip
_DEPTH = (
    (re.compile(r"necrosis of (?:the )?bone|bone necrosis"), "4"),
    (re.compile(r"necrosis of (?:the )?muscle|muscle necrosis"), "3"),
    (re.compile(r"exposed bone|bone (?:is )?(?:exposed|visible)|bone involvement"), "6"),
    (re.compile(r"exposed muscle|muscle (?:is )?exposed|muscle involvement"), "5"),
    (re.compile(r"fat layer|exposed fat|fat (?:is )?exposed|subcutaneous (?:fat|tissue)"), "2"),
    (re.compile(r"skin breakdown|limited to (?:the )?(?:breakdown of (?:the )?)?skin|breakdown of (?:the )?skin"
                r"|superficial"), "1"),
)  # fmt: skip
_SIDES = {"right": "1", "left": "2", "r": "1", "l": "2"}
_SAID_SIDE = re.compile(r"\b(right|left)\b")
_STAGED = re.compile(r"\b(?:stage|st\.?) (?:[1-4]|i{1,3}|iv)\b|\bunstageable\b|\bdeep tissue\b|\bdti\b")
_STAGE = re.compile(r"\bst\.? (?=\d)")
_PLACED = re.compile(
    r"sacr|coccy|buttock|heel|\bhip\b|ischi|trochant|ankle|malleol|elbow|\bback\b|scapul|occip|\bhead\b|knee|\bfoot\b|\btoe"
)
_LISTED = re.compile(r",|;|:|\band\b|&|\+|\bplus\b|\bas well as\b|$")


def ulcer_depth(case: Case) -> None:
    """An ulcer of the leg or foot by site, side and depth (L97.-)."""
    if not case.says("ulcer"):
        return
    for match in case.search(_ULCER):
        low, high = bounds(case.text, *match.span(), ".\n")
        clause = case.text[match.start() : min(high, match.end() + 80)]
        if _PRESSED.search(case.text, max(0, match.start() - 24), match.end()):
            continue  # L89 by its stage
        depth = next((d for pattern, d in _DEPTH if pattern.search(clause)), "9")
        further = _ULCER_AT.match(case.text[match.end() : match.end() + 40])
        named = further[1] if further else match[1] or match[3] or _only_side(case.text[low:high])
        where = further[2] if further else match[2] or match[4]
        code = f"L97.{_SITE[where]}{_SIDES.get(named, '0')}{depth}"
        new = case.add(
            code, match.start(), match.start() + len(clause.rstrip()), ULCER, "Site, side and depth of the ulcer"
        )
        if new is None:
            continue
        for candidate in case.accepted("L97", "L98.4", "M87", "I96"):
            if candidate is not new and candidate.start < match.start() + len(clause) and match.start() < candidate.end:
                case.reject(candidate, ULCER, f"{code} says more")


def _only_side(clause: str) -> str:
    """The side that a clause names, if it names one only."""
    sides = set(_SAID_SIDE.findall(spelled(clause)))
    return sides.pop() if len(sides) == 1 else ""


def further_pressure_ulcer(case: Case) -> None:
    """Pressure ulcers of several places: "sacrum stage 4, left heel unstageable"."""
    for ulcer in case.accepted("L89"):
        low, high = bounds(case.text, ulcer.start, ulcer.end, ".\n")
        found = [(code, span) for span in _places(case.text, low, high) if (code := _pressed(case, span))]
        codes = {code for code, _ in found}
        if len(codes) < 2:
            continue
        for code, span in found:
            if code != ulcer.code:
                case.add(code, *span, PRESSED, "Each place has its own stage", finding=ulcer.finding)
        if ulcer.code not in codes:
            case.reject(ulcer, PRESSED, "Each place has its own stage")


def _places(text: str, low: int, high: int) -> list[Span]:
    """Of a list the stretches that have both a place and a stage."""
    found, start = [], low
    for cut in _LISTED.finditer(text, low, high):
        if _STAGED.search(text, start, cut.start()) and _PLACED.search(text, start, cut.start()):
            found.append((start, cut.start()))
            start = cut.end()
    return found


def _pressed(case: Case, span: Span) -> str | None:
    said = _STAGE.sub("stage ", case.text[span[0] : span[1]])
    words = meant(spelled(f"pressure ulcer {said}"))
    title = best(case.lexicon.titles("L89").fitting(words), words, frozenset())
    return title.code if title is not None and len(words & title.words) > 2 else None


RULES = (ulcer_depth,)
LAST = (further_pressure_ulcer,)  # after the first one has its place and stage
