"""What happened, where, doing what and at work or not: codes of chapter 20 beside an injury (I.C.20)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from extractors.coding.case import Candidate, Case, Rule, around
from extractors.coding.clauses import bounds
from extractors.coding.tables import table
from extractors.findings.cues import Cued

HAPPENED = Rule("what-happened", "I.C.20.a", "What happened follows the injury")
PLACE = Rule("place-of-occurrence", "I.C.20.b", "Where it happened, once, at the first encounter")
ACTIVITY = Rule("activity", "I.C.20.c", "What the patient was doing, once, at the first encounter")
STATUS = Rule("external-cause-status", "I.C.20.k", "That it happened at paid work, once, at the first encounter")
EXTERNAL = Rule(
    "external-cause",
    "I.C.20",
    "What happened follows an injury, takes its kind of encounter, and is nothing without one",
)
RANK = 8
_INJURED = ("S", "T0", "T1", "T2", "T3")
_HARMED = (*_INJURED, "T5", "T6", "T7", "M80")
_EXPLAINED = (*_INJURED, "T67", "T68", "T69", "M80", "M84")
_VAGUE = ("W19", "V89", "R29.6")
_AT = (
    r"\b(?:in|at|on|inside|outside|from|of|near|by|crossing|across) (?:(?:the|an?|her|his|their|our|my|its) )?"
    r"(?:[\w'-]+ ){0,2}?"
)


class Cause(NamedTuple):
    """A row of the table of causes, ready to run."""

    pattern: Cued
    unless: re.Pattern[str] | None
    data: dict[str, Any]


@cache
def causes() -> tuple[Cause, ...]:
    """The causes in order: what is vague stands after what is exact."""
    data = table("causes")
    found = []
    for row in data["causes"]:
        pattern = row["pattern"]
        for name, words in data["words"].items():
            pattern = pattern.replace(f"{{{name}}}", words)
        unless = re.compile(row["unless"]) if "unless" in row else None
        found.append(Cause(around(pattern, row["cues"]), unless, row))
    return tuple(found)


def what_happened(case: Case) -> None:
    """The cause that the words tell, beside an injury that it explains; a fall of which no more is said falls."""
    if not case.has(*_EXPLAINED):
        return
    for cause in causes():
        if case.seen.may(cause.pattern):
            _try(case, cause)


def _try(case: Case, cause: Cause) -> None:
    data = cause.data
    if not case.has(*data.get("needs", _INJURED)) or ("lacks" in data and case.has(*data["lacks"])):
        return
    for match in case.near(cause.pattern):
        low, high = bounds(case.text, *match.span())
        if cause.unless and cause.unless.search(case.text, low, high):
            continue
        code = data.get("code") or data["codes"].get(_what(match))
        new = case.add(code, *match.span(), HAPPENED, HAPPENED.does) if code else None
        if new is None:
            continue
        new.rank = max(new.rank, RANK)
        for vague in case.accepted(*_VAGUE):
            if vague is not new:
                case.reject(vague, HAPPENED, f"{new.code} says more")
        return


def _what(match: re.Match[str]) -> str:
    return next((said for name, said in match.groupdict().items() if name.startswith("what") and said), "")


class Kinds(NamedTuple):
    """One pattern for many kinds of a thing, each a group of it, and their codes in the order of the groups."""

    pattern: re.Pattern[str]
    codes: tuple[str, ...]

    def first(self, text: str, low: int, high: int) -> tuple[re.Match[str], str] | None:
        """The first that stands there, with its code."""
        match = self.pattern.search(text, low, high)
        return (match, self.codes[int(match.lastindex or 1) - 1]) if match else None


@cache
def _kinds(name: str) -> Kinds:
    """The kinds of a list of the table, after the words that lead to them."""
    rows = table("causes")[name]
    lead, end = _LEADS[name]
    groups = "|".join(f"({said})" for said, _ in rows)
    return Kinds(re.compile(rf"{lead}(?:{groups})\b{end}"), tuple(code for _, code in rows))


@cache
def _room() -> re.Pattern[str]:
    rooms = {room for family in table("causes")["rooms"].values() for room in family if room}
    return re.compile(rf"{_AT}({'|'.join(sorted(rooms, key=len, reverse=True))})\b")


_DOING = r"\b(?:while|when|was|were|is|out|been|during|on) (?:an? |the |her |his )?(?:[\w'-]+ ){0,2}?"
_LEADS = {
    "residences": (_AT, ""),
    "places": (_AT, ""),
    "sports": (r"(?<!\bby )(?<!\bby a )(?<!\bby the )\b", r"(?! (?:ball|bat|field|court|rink)\b)"),
    "activities": (_DOING, ""),
    "work": ("", ""),
}


def circumstances(case: Case) -> None:
    """Place, activity and work, from the sentence that tells of the event, and only while it is treated at first."""
    if not any(c.code[-1] in "ABC" and len(c.code) == 8 for c in case.accepted(*_HARMED)):
        return
    for low, high in _told(case):
        here = (case.text, low, high)
        for rule, found in (
            (PLACE, _place(*here)),
            (ACTIVITY, _kinds("sports").first(*here) or _kinds("activities").first(*here)),
            (STATUS, _kinds("work").first(*here)),
        ):
            if found is not None and not case.has(found[1][:3]):
                new = case.add(found[1], *found[0].span(), rule, rule.does)
                if new is not None:
                    new.rank = RANK + 1


def _told(case: Case) -> Iterator[tuple[int, int]]:
    """The sentences that tell of the event: those of the cause, else those of the harm."""
    spots: list[Candidate] = case.accepted("V", "W", "X", "Y0")
    for spot in spots or case.accepted(*_HARMED):
        low, high = bounds(case.text, spot.start, spot.end, ".\n")
        yield low, high
        if not spots and low > 1:  # what led to the harm stands before it
            yield bounds(case.text, low - 1, low - 1, ".\n")


def _place(text: str, low: int, high: int) -> tuple[re.Match[str], str] | None:
    """A home by its kind and room, else another place, else a room of a home of which no more is said."""
    rooms = table("causes")["rooms"]
    home = _kinds("residences").first(text, low, high)
    room = _room().search(text, low, high)
    if home is not None:
        within = rooms[home[1]]
        return home[0], home[1] + (within[""] if room is None else within.get(room[1], "8"))
    place = _kinds("places").first(text, low, high)
    if place is not None or room is None:
        return place
    last = rooms["Y92.00"].get(room[1]) if room[1] not in _ANYWHERE else None
    return (room, f"Y92.00{last}") if last else None


_ANYWHERE = (
    "bathtub",
    "shower",
    "tub",
    "driveway",
    "garage",
    "garden",
    "hallway",
    "pool",
    "porch",
    "room",
)  # not of homes alone


def external_cause(case: Case) -> None:
    """What happened follows the injury, and is nothing without one."""
    injured = case.has("S", "T", "M80", "M84")
    late = all(c.code[-1] in "DEFGHJKMNPQR" for c in case.accepted(*_INJURED)) and case.has(*_INJURED)
    for candidate in case.accepted("V", "W", "X", "Y"):
        if candidate.code.startswith("Y90"):
            continue  # the alcohol in the blood
        candidate.rank = max(candidate.rank, RANK)
        if not injured:
            case.reject(candidate, EXTERNAL, "There is no injury that it explains", "suggested")
            continue
        case.note(candidate, EXTERNAL, HAPPENED.does)
        later = f"{candidate.code[:-1]}D"
        if late and candidate.code.endswith("A") and case.lexicon.billable(later):
            case.replace(candidate, later, EXTERNAL, "The cause takes the injury's kind of encounter")


RULES = (what_happened, circumstances)
LAST = (external_cause,)
