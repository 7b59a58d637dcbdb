"""Head injuries by how long consciousness was lost (S06.-, sixth character)."""

from __future__ import annotations

import re

from extractors.coding.case import Case, Rule, asked
from extractors.coding.clauses import bounds

LOST = Rule("consciousness-lost", "S06 6th character", "A head injury by how long consciousness was lost")
_LOST = asked(
    r"\b(?:loss of consciousness|loc|lost consciousness|unconscious(?:ness)?|knocked out|passed out|blacked out)\b"
)
_NONE = re.compile(r"\b(?:no|without|w/o|denies|denied|did not|didn't|never|negative for)\b[^.;\n]{0,20}$")
_UNKNOWN = re.compile(r"\b(?:unknown|uncertain|unclear|not known)\b[^.;\n]{0,24}$|\bpossible $")
_LONG = re.compile(
    r"\b(\d+|an?|one|two|three|few|several) ?(seconds?|sec|minutes?|mins?|hours?|hrs?)\b|\b(brief(?:ly)?|momentar\w+)\b"
)
_WORDS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "few": 3, "several": 5}
_STEPS = ((30, "1"), (59, "2"), (359, "3"), (1440, "4"))


def consciousness(case: Case) -> None:
    """The sixth character of S06 codes; loss of consciousness is no code beside them."""
    hurt = [c for c in case.accepted("S06") if len(c.code) >= 7]
    match = case.first(_LOST) if hurt else None
    if match is None:
        return
    digit = _digit(case.text, match)
    for candidate in hurt:
        choices = (digit, "9") if digit in "1234" else (digit,)
        for choice in choices:
            code = candidate.code[:6] + choice + candidate.code[7:]
            if case.lexicon.billable(code):
                case.replace(candidate, code, LOST, "The words say how long consciousness was lost")
                break
    for sign in case.accepted("R40.20", "R40.4", "R55"):
        if sign.start < match.end() and match.start() < sign.end:
            case.reject(sign, LOST, f"{hurt[0].code} says it")


def _digit(text: str, match: re.Match[str]) -> str:
    before = text[max(0, match.start() - 40) : match.start()]
    if _NONE.search(before):
        return "0"
    if _UNKNOWN.search(before):
        return "A"
    around = re.split(r"[.;\n]", before)[-1][-24:] + re.split(r"[.;\n]", text[match.start() : match.end() + 36])[0]
    said = _LONG.search(around)
    if said is None:
        return "9"
    if said[3]:
        return "1"
    count = int(said[1]) if said[1].isdigit() else _WORDS[said[1]]
    minutes = count / 60 if said[2].startswith("s") else count * 60 if said[2].startswith("h") else count
    return next((digit for most, digit in _STEPS if minutes <= most), "5")


COMA = Rule("coma-scale", "I.C.18.e", "The total of the coma scale beside a head injury, by where it was taken")
_SCALE = asked(
    r"\b(?:gcs|glasgow(?: coma)?(?: scale| score)?)(?: score)?(?: of| was| is|:)? ?(1[0-5]|[3-9])\b(?! ?[em]\d)"
)
_TAKEN = (
    (re.compile(r"\b(?:in the field|on scene|at (?:the )?scene|by ems|per ems|prehospital)\b"), "1"),
    (re.compile(r"\b(?:arrival|ed|emergency|triage)\b"), "2"),
    (re.compile(r"\b(?:admission|admitted)\b"), "3"),
    (re.compile(r"\b(?:24 hours|day 2|hospital day)\b"), "4"),
)


def coma_scale(case: Case) -> None:
    """R40.24- by the total and the time; only one of several, the first."""
    match = next(case.search(_SCALE), None) if case.has("S06", "S02.0", "S02.1") else None
    if match is None:
        return
    low, high = bounds(case.text, *match.span(), ".;,\n")
    total = int(match[1])
    step = "1" if total >= 13 else "2" if total >= 9 else "3"
    when = next((digit for words, digit in _TAKEN if words.search(case.text, low, high)), "0")
    new = case.add(f"R40.24{step}{when}", *match.span(), COMA, COMA.does)
    if new is not None:
        new.rank = max(new.rank, 2)


RULES = (consciousness, coma_scale)
