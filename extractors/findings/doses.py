"""The sig after a drug: strength, dose, form, route, frequency, as needed, duration."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from extractors.findings.grammar import NUMBER, decimal
from extractors.findings.sig import NUMBERS, SigWord
from extractors.model import Span

UNITS = {
    "mg": "mg", "mgs": "mg", "milligram": "mg", "milligrams": "mg", "mcg": "ug", "mcgs": "ug", "ug": "ug",
    "microgram": "ug",
    "micrograms": "ug", "g": "g", "gm": "g", "gms": "g", "gram": "g", "grams": "g", "ml": "mL", "mls": "mL", "cc": "mL",
    "milliliter": "mL", "milliliters": "mL", "l": "L", "unit": "[iU]", "units": "[iU]", "u": "[iU]", "iu": "[iU]",
    "meq": "meq", "mmol": "mmol", "%": "%", "million units": "10*6.[iU]", "ng": "ng",
}  # fmt: skip
_UNIT = "|".join(sorted(map(re.escape, UNITS), key=len, reverse=True))
_PER = (
    r"(?:/|\sper\s)(?:\d+(?:\.\d+)?\s?)?(?:ml|l|hr|hour|h|actuation|act|dose|puff|kg|day"
    r"|24\s?h(?:ou)?rs?|spray|tab(?:let)?|min|inh)\b"
)
DOSE = re.compile(
    rf"(?<![\w.])(?P<v>{NUMBER})(?:\s?(?P<to>-|to|/)\s?(?P<w>{NUMBER}))?\s?-?\s?(?P<u>{_UNIT})(?![a-z])(?P<per>{_PER})?"
)
_WORDS = {
    "half": Decimal("0.5"),
    "one-half": Decimal("0.5"),
    "half a": Decimal("0.5"),
    "a": Decimal(1),
    "an": Decimal(1),
} | {word: Decimal(i + 1) for i, word in enumerate(NUMBERS)}
_COUNT = re.compile(
    rf"(?<![\w.])(?P<v>{NUMBER}|1/2|{'|'.join(sorted(_WORDS, key=len, reverse=True))})(?:\s?(?:-"
    rf"|to)\s?(?P<w>{NUMBER}|two|three|four))?"
    r"(?:\s?\(\w+\))?(?:\s(?:additional|more|full|extended release|er|oral|dose of))?[\s-]?$"
)
_DURATION = re.compile(
    r"(?:\bx|\bfor(?: the next| a total of| another)?|\btimes|×)\s?(?P<v>\d+|one|two|three|four"
    r"|five|six|seven|ten|fourteen)"
    r"(?:-\d+)?\s?(?:more\s|additional\s)?(?P<u>days?|d\b|weeks?|wks?|months?|mos?\b|hours?|hrs?|doses?|years?)"
)
_DIGIT = re.compile(r"\d")
_SUPPLY = re.compile(
    r"(?:#|disp(?:ense)?[:#\s]+|qty[:\s]+|quantity[:\s]+)\s?(\d+)|(\d+)\s(?:refills?)|refills?[:\s]+(\d+)"
)
_REASON = re.compile(
    r"\s?(?:\(?(?:for|if|when)\s)?(?!every|each|at|by|q\d|daily|take|then|to\b"
    r"|refill)([a-z][a-z' /-]{2,40}?)(?=[.,;()\n\t]|\s(?:and then|or)\s|\s\d|$)"
)
_BEFORE = re.compile(
    rf"(?<![\w.])(?P<v>{NUMBER})\s?-?(?P<u>{_UNIT}|puffs?|tablets?|tabs?|capsules?|drops?"
    rf"|sprays?)\s(?:of\s|iv\s|po\s|dose of\s)?(?:the\s|his\s|her\s)?$"
)
_TAKE = re.compile(r"\s*(?:sig:?\s*)?(?:take|use|inhale|inject|apply|give|instill|place|chew|dissolve|one|two|1|2)\b")
_STEP = re.compile(
    r"\b(?:then|followed by|taper(?:ing|ed)?(?: down)? to|down to|reduced? to|decreas(?:e|ing) to|after that)\b"
)
_NEXT = re.compile(r"[\s.]*(?:[,;]|\band\b)[\s,]*(?:and\s|take\s|by\s)*$")
_FROM = re.compile(r"\bfrom\s$")
_INSULIN = re.compile(r"insulin|log\b|lispro|aspart|glulisine|novolin|humulin|apidra")
FAR_APART = 4  # "5-10 mg" is a range, "5-325 mg" two ingredients
_DAY_NUMBER = re.compile(r"days?\s\d")
_GAP_WORDS, _GAP_WORDS_NEED = 3, 5
STEP = ("dose", "dose_high", "dose_unit", "frequency", "timing", "duration")
_DURATION_UNITS = {"d": "d", "w": "wk", "m": "mo", "h": "h", "y": "a"}


@dataclass(frozen=True, slots=True)
class Sig:
    """What is said of a drug: where it ends, where it begins when a dose stands before the drug, and its parts."""

    start: int
    end: int
    parts: dict[str, Any]


def read_sig(
    folded: str, text: str, drug: Span, limit: int, words: Sequence[SigWord], starts: Sequence[int], floor: int
) -> Sig:
    """The sig of the drug at `drug`, within `floor`–`limit`; `starts` are the starts of `words`."""
    parts: dict[str, Any] = {}
    begin, end = drug
    before = _BEFORE.search(folded, max(floor, drug[0] - 30), drug[0])
    pieces = _pieces(folded, drug[1], limit, words, starts)
    at, needed = drug[1], 0
    current, later = parts, list[dict[str, Any]]()
    for number, (start, stop, kind, value) in enumerate(pieces):
        if kind == "sliding_scale" and folded[start:stop] == "ssi" and not _INSULIN.search(folded[slice(*drug)]):
            continue
        if _begins_step(folded, at, pieces[number:], current):
            current = {}
            later.append(current)
        if kind == "frequency" and _DAY_NUMBER.match(folded, start, limit):
            continue
        far = _GAP_WORDS_NEED if kind == "prn" else _GAP_WORDS
        if len(re.findall(r"[a-z]{2,}", folded[at:start])) > far and not _TAKE.match(folded, at, limit):
            break
        if kind == "frequency" and kind in current and at < start - 25:
            break
        if kind == "form" and value == "dose" and not _COUNT.search(folded, max(drug[1], start - 24), start):
            continue
        _add(current, folded, text, start, stop, kind, value, drug[1])
        needed = stop if kind == "prn" else needed
        at = end = max(at, stop)
    if before and "dose" not in parts and "strength" not in parts:
        unit = before["u"]
        parts["dose"] = decimal(before["v"])
        parts["dose_unit"] = UNITS.get(unit) or "{" + unit.rstrip("s") + "}"
        begin = before.start()
    if needed and (reason := _REASON.match(folded, needed, limit) or _REASON.match(folded, end, limit)):
        parts["as_needed_for"] = text[slice(*reason.span(1))]
        end = max(end, reason.end(1))
    combined = "-" in folded[slice(*drug)] or "/" in folded[slice(*drug)]
    for step in (parts, *later):
        _settle(step, combined)
    steps = [{k: step[k] for k in STEP if k in step} for step in later if "dose" in step]
    if steps:
        parts["steps"] = tuple(steps)
    return Sig(begin, end, parts)


def _begins_step(folded: str, at: int, pieces: Sequence[tuple[int, int, str, Any]], current: dict[str, Any]) -> bool:
    """True where another dose begins: "… for 5 days, then 20 mg", "… qAM and 8 units qPM"."""
    start, _, kind, value = pieces[0]
    if kind == "form" and (count := _COUNT.search(folded, at, start)):
        start = count.start()
    elif kind != "amount" or value["per"] or value["u"] == "%":
        return False
    if not current.get("amounts") and "count" not in current:
        return False
    between = folded[at:start]
    if _STEP.search(between):
        return True
    told = "timing" in current or "duration" in current
    goes_on = any(p[2] in ("frequency", "duration") for p in pieces[1:3])
    return told and goes_on and _NEXT.match(between) is not None


def _pieces(
    folded: str, start: int, limit: int, words: Sequence[SigWord], starts: Sequence[int]
) -> list[tuple[int, int, str, Any]]:
    """Doses, durations and sig words after the drug, in order, none inside another."""
    found: list[tuple[int, int, str, Any]] = []
    i = bisect_left(starts, start)
    while i < len(words) and words[i].end <= limit:
        found.append((words[i].start, words[i].end, words[i].kind, words[i].value))
        i += 1
    said = folded[start:limit]
    if _DIGIT.search(said):
        found += [(m.start(), m.end(), "amount", m) for m in DOSE.finditer(folded, start, limit)]
    if "x" in said or "for" in said or "times" in said or "×" in said:
        found += [(m.start(), m.end(), "duration", m) for m in _DURATION.finditer(folded, start, limit)]
    if "#" in said or "disp" in said or "q" in said or "refill" in said:
        found += [(m.start(), m.end(), "supply", m) for m in _SUPPLY.finditer(folded, start, limit)]
    found.sort(key=lambda p: (p[0], -p[1]))
    kept: list[tuple[int, int, str, Any]] = []
    for piece in found:
        if not kept or piece[0] >= kept[-1][1]:
            kept.append(piece)
    return kept


def _add(
    parts: dict[str, Any], folded: str, text: str, start: int, stop: int, kind: str, value: Any, floor: int
) -> None:
    if kind == "amount":
        key = "amounts"
        amount = _amount(value, text[start:stop])
        if amount.get("joined") == "to" and _FROM.search(folded, max(0, start - 6), start):
            amount["value"] = amount.pop("second")  # "from 20 to 26 units": the dose is now 26
        parts.setdefault(key, []).append(amount)
    elif kind == "form":
        count = _COUNT.search(folded, max(floor, start - 24), start)
        if count and "count" not in parts:
            parts["count"] = _counted(count)
            parts["count_unit"] = value
        elif value != "dose":
            parts.setdefault("form", value)
    elif kind == "frequency":
        if "timing" not in parts:
            parts["frequency"], parts["timing"] = text[start:stop], dict(value)
        elif "when" in value and "when" not in parts["timing"]:
            parts["frequency"] += " " + text[start:stop]
            parts["timing"]["when"] = value["when"]
    elif kind == "prn":
        parts["as_needed"] = True
    elif kind == "duration":
        parts.setdefault("duration", _duration(value))
    elif kind == "supply":
        name = "quantity" if value[1] else "refills"
        parts.setdefault(name, int(value[1] or value[2] or value[3]))
    else:
        parts.setdefault(kind, value)


def _amount(match: re.Match[str], printed: str) -> dict[str, Any]:
    amount: dict[str, Any] = {"value": decimal(match["v"]), "unit": UNITS[match["u"]], "text": printed}
    if match["w"]:
        amount["second"], amount["joined"] = decimal(match["w"]), match["to"]
    if match["per"]:
        amount["per"] = match["per"].removeprefix("/").strip()
    return amount


def _counted(match: re.Match[str]) -> tuple[Decimal, Decimal | None]:
    def number(word: str) -> Decimal:
        return Decimal("0.5") if word == "1/2" else _WORDS.get(word) or decimal(word)

    return number(match["v"]), number(match["w"]) if match["w"] else None


def _duration(match: re.Match[str]) -> dict[str, Any]:
    word = match["v"]
    value = Decimal(word) if word.isdigit() else _WORDS[word]
    if match["u"].startswith("dose"):
        return {"count": value}
    return {"value": value, "unit": _DURATION_UNITS[match["u"][0]]}


def _settle(parts: dict[str, Any], combined: bool) -> None:
    """Turn amounts and counts into strength and dose: with "2 puffs" the milligrams are the strength, else the dose.

    `combined` is true of a drug of two ingredients, whose "5-325 mg" is no range.
    """
    amounts = parts.pop("amounts", [])
    if amounts and amounts[0]["unit"] == "%":
        parts["strength"] = amounts.pop(0)["text"]
    count = parts.pop("count", None)
    unit = parts.pop("count_unit", None)
    if count:
        parts["dose"], parts["dose_unit"] = count[0], "{" + unit + "}"
        if count[1]:
            parts["dose_high"] = count[1]
        parts.setdefault("form", unit)
        if amounts:
            parts["strength"] = amounts[0]["text"]
            parts["strength_value"], parts["strength_unit"] = amounts[0]["value"], amounts[0]["unit"]
        return
    if not amounts:
        return
    concentration = [a for a in amounts if "per" in a]
    plain = [a for a in amounts if "per" not in a] or concentration
    first = plain[0]
    parts.setdefault("dose", first["value"])
    parts.setdefault("dose_unit", first["unit"])
    if first.get("second") is not None:
        if first["joined"] == "to" or (
            first["joined"] == "-"
            and first["second"] > first["value"]
            and (first["unit"] != "mg" or (not combined and first["second"] < first["value"] * FAR_APART))
        ):
            parts["dose_high"] = first["second"]
        else:
            parts["strength"] = first["text"]
    if first.get("per"):
        parts["dose_per"] = first["per"]
    if concentration and concentration[0] is not first:
        parts["strength"] = concentration[0]["text"]
    elif len(plain) > 1 and "strength" not in parts:
        parts["strength"] = plain[0]["text"]
        parts["dose"], parts["dose_unit"] = plain[1]["value"], plain[1]["unit"]
