"""The words that belong to a mention: its clause, its own part of a list, the side beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from extractors.coding.case import Candidate, Case
from extractors.coding.shorthand import spelled

REACH = 140
_PARTS = re.compile(r",|&|(?<!\bw)/|\band\b|\bplus\b")
_ELSEWHERE = re.compile(r"[, ](?:(?<=,) and|(?<= )and) (?:of|on|over) (?:the |her |his )?")
_JOINED = re.compile(r"\b(?:with|due to|from|by|complicated|causing|episode|type)\b|\bw/(?!o\b)|\b(?:w|d/t|2/2)(?= )")
_WORDS = re.compile(r"\b(right|left|bilateral|both|bilaterally|rt|lt)\b")
_SAME = {"rt": "right", "lt": "left", "both": "bilateral", "bilaterally": "bilateral"}


def bounds(text: str, start: int, end: int, stops: str = ".;\n") -> tuple[int, int]:
    """Where the clause around start-end begins and ends; a point between figures ends nothing."""
    low, high = max(0, start - REACH), min(len(text), end + REACH)
    for stop in stops:  # by the string's own search: a loop over characters costs twenty times as much
        at = text.rfind(stop, low, start)
        while at >= 0 and stop == "." and _in_number(text, at):
            at = text.rfind(stop, low, at)
        low = max(low, at + 1)
        at = text.find(stop, end, high)
        while at >= 0 and stop == "." and _in_number(text, at):
            at = text.find(stop, at + 1, high)
        high = at if at >= 0 else high
    return low, high


def _in_number(text: str, at: int) -> bool:
    """A point between figures, or after the initial of a genus: "e. coli"."""
    if at + 1 >= len(text):
        return False
    return (text[at + 1].isdigit() and text[at - 1].isdigit()) or (
        text[at - 1] in "eskhp" and text[at - 2 : at - 1] in (" ", "") and text[at + 1] == " "
    )


def clause_of(
    case: Case, candidate: Candidate, *, listed: bool = True, among: Sequence[Candidate] | None = None
) -> tuple[int, int]:
    """The clause of a mention; of a list only its own item, unless the items are joined by "with" or "due to".

    `among` stands for the accepted diagnoses, where these are known already.
    """
    low, high = bounds(case.text, candidate.start, candidate.end)
    other_place = _ELSEWHERE.search(case.text, candidate.end, high)
    high = other_place.start() if other_place else high
    if not listed:
        return low, high
    for other in case.accepted("") if among is None else among:
        if other is candidate or other.code[0] == "R":
            continue
        if candidate.end <= other.start < high:
            between = case.text[candidate.end : other.start]
            cuts = list(_PARTS.finditer(between))
            if cuts and not _JOINED.search(between, cuts[-1].start()):
                high = candidate.end + cuts[-1].start()
        elif low < other.end <= candidate.start:
            between = case.text[other.end : candidate.start]
            cut = _PARTS.search(between)
            if cut and not _JOINED.search(between):
                low = other.end + cut.end()
    return low, high


def side_beside(case: Case, candidate: Candidate) -> str | None:
    """The one side that stands right before, in or right after a mention."""
    before = re.split(r"[.;:,\n]", case.text[max(0, candidate.start - 28) : candidate.start])[-1]
    inside = case.text[candidate.start : candidate.end]
    after = re.split(r"[.;:\n]", case.text[candidate.end : candidate.end + 48])[0]
    before, inside, after = spelled(before), spelled(inside), spelled(after)
    for text in (inside, before + inside, before + inside + after[:28], before + inside + after):
        sides = {_SAME.get(w, w) for w in _WORDS.findall(text)}
        if sides:
            return sides.pop() if len(sides) == 1 else None
    return None


_DOMINANCE = re.compile(r"\b(non-?)?dominant\b")
_HANDED = re.compile(r"\b(right|left)[- ]?hand(?:ed|er)\b|\bambidextrous\b")
_HALF = re.compile(r"\b(right|left)\b(?![- ]?hand)")


def dominant(clause: str, text: str, side: str | None = None) -> frozenset[str]:
    """Whether the side of a paralysis is dominant: as said, by the hand, else the right one is (I.C.6.a).

    `side` is that of the paralysis where it is known; else it is the first of the clause.
    """
    first = _HALF.search(clause)
    side = side or (first[1] if first else None)
    said = _DOMINANCE.search(clause)
    if said:
        return frozenset({"nondominant", "non", "dominant"}) if said[1] else frozenset({"dominant"})
    if side is None:
        return frozenset()
    hand = _HANDED.search(text)
    is_dominant = (hand[1] is None or hand[1] == side) if hand else side == "right"
    return frozenset({"dominant"}) if is_dominant else frozenset({"nondominant", "non", "dominant"})
