"""The sig after a drug: strength, dose, form, route, frequency, as needed, duration."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from extractors.findings.changes import alternate, is_former, mark_former
from extractors.findings.counts import COUNT, ONE, SAID, WORDS, counted, number
from extractors.findings.grammar import NUMBER, decimal
from extractors.findings.sig import VERBS, SigWord
from extractors.model import Span

UNITS = {
    "mg": "mg", "mgs": "mg", "milligram": "mg", "milligrams": "mg", "mcg": "ug", "mcgs": "ug", "ug": "ug",
    "microgram": "ug",
    "micrograms": "ug", "g": "g", "gm": "g", "gms": "g", "gram": "g", "grams": "g", "ml": "mL", "mls": "mL", "cc": "mL",
    "milliliter": "mL", "milliliters": "mL", "l": "L", "unit": "[iU]", "units": "[iU]", "u": "[iU]", "iu": "[iU]",
    "meq": "meq", "mmol": "mmol", "%": "%", "million units": "10*6.[iU]", "ng": "ng",
}  # fmt: skip
_UNIT = "|".join(sorted(map(re.escape, UNITS), key=len, reverse=True))
_RATE = {"kg": "kg", "day": "d", "24": "d", "hr": "h", "hour": "h", "h": "h", "min": "min", "minute": "min"}
_RATES = re.compile(r"(?:/|per)\s?(kg|day|24|hr|hour|h|minute|min)")
_BY = r"(?:kg|day|24\s?h(?:ou)?rs?|24\s?h|hr|hour|h|minute|min)\b"
_PER = (
    rf"(?:(?:/|\sper\s){_BY}(?:(?:/|\sper\s){_BY})?|(?:/|\sper\s)(?:\d+(?:\.\d+)?\s?)?"
    r"(?:ml|l|actuation|act|dose|puff|spray|tab(?:let)?|inh)\b)"
)
DOSE = re.compile(
    rf"(?<![\w.])(?P<v>{NUMBER})(?:\s?(?P<to>-|to|/)\s?(?P<w>{NUMBER}))?\s?-?\s?(?P<u>{_UNIT})(?![a-z])(?P<per>{_PER})?"
)
_LONG = "|".join(sorted(WORDS, key=len, reverse=True))
_DURATION = re.compile(
    rf"(?:\bx|\bfor(?: up to(?! \d+ h))?(?: the next| a total of| another)?|\btimes|×)\s?(?P<v>\d+|{_LONG})"
    r"(?:\s?\(\w+\))?(?:\s?(?:-|to)\s?\d+)?[\s-]?(?:more\s|additional\s|full\s|consecutive\s)?"
    r"(?P<u>days?|d\b|nights?|mornings?|evenings?|weeks?|wks?|months?|mos?\b|hours?|hrs?|doses?|years?)"
    r"|\b(?:on\s)?days?\s(?P<first>\d{1,2})\s?(?:-|to|through|thru)\s?(?P<last>\d{1,2})\b(?!/)"
)
_WEEKDAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:days?|s)?\b\.?"
_WEEKDAYS = re.compile(
    rf"\b(?:(?:every|each|on)\s)?{_WEEKDAY}(?:(?P<to>\s?(?:-|to|through|thru)\s?){_WEEKDAY}"
    rf"|(?:\s?(?:,\s?and\b|,|/|&|\band\b)\s?(?:on\s)?{_WEEKDAY})+)"
)
_DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
_SIDE = re.compile(
    r"\b(?:gtts?|drops?(?:\(s\))?)\s(?:in(?:to)?\s|to\s)?(?:the\s)?(?P<side>(?P<eye>o)\.?[dsu]|a\.?[dsu])\b\.?"
)
_BARE = re.compile(
    rf"(?<![\w./]){SAID}\s(?=(?:(?:po|sl|pr|pv)\b|p\.o\.|by mouth|orally|q\s?\d|q[a-z]{{1,3}}\b|[btq]\.?i\.?d\b"
    r"|every|each"
    r"|at (?:noon|bed|night|lunch|breakfast|dinner|supper|once)|in (?:the )?(?:morning|evening|afternoon|am\b|pm\b)"
    r"|once|twice|daily|nightly|now\b|today|prn\b|as needed|with\s|before\s|after\s))"
)
_LEADS = re.compile(  # what may stand before a count without a form; "furosemide 40 po" has no count
    rf"(?:(?:\b|(?<=\d))(?:{'|'.join(VERBS)}|then|and|sig|plus|mg|mcg|ml|tab(?:let)?s?|cap(?:sule)?s?|films?|[exs]r|xl|ds|dr|la|odt)|[,;:.)+-])\s?$"
)
_MOST_BARE = 10
_DIGIT = re.compile(r"\d")
_SUPPLY = re.compile(
    r"(?:#|disp(?:ense)?[:#\s]+|qty[:\s]+|quantity[:\s]+)\s?(\d+)|(\d+)\s(?:refills?)|refills?[:\s]+(\d+)"
)
_REASON = re.compile(
    r"\s?(?:\(?(?:for|if|when)\s)?(?!every|each|at|by|q\d|daily|take|then|to\b"
    r"|refill)(?P<why>[a-z][a-z' /&-]{2,60}?(?:\s?(?:>|>=|≥|above|over|greater than)\s?\d[\d./]*)?"
    r"|cp|ha|[a-z]{1,2}\s?[>≥]=?\s?\d[\d./]*)"
    r"(?=\s?[.,;()\n\t]|\s(?:and then|or\s(?:as|every|take|if|q\d)|max(?:imum)?\b|not to\b|do not|no more|up to|may\b"
    r"|with\b|take\b|every\b|for\b|via\b|by mouth|x\s?\d|then\b|until\b|at bedtime|daily\b)|\s\d|\s?#|$)"
)
_WHY = re.compile(r"\bfor\s(?P<why>(?!\d)[a-z][a-z' /-]{2,40}?)[\s,(]+$")
_BEFORE = re.compile(
    rf"(?<![\w.])(?:(?P<n>{ONE})\s)?(?P<v>{ONE})\s?-?(?P<u>{_UNIT}|puffs?|tablets?|tabs?|capsules?|drops?|sprays?)"
    r"(?:\s(?P<f>tablet|tab|capsule|cap|pill)s?)?\s(?:of\s|iv\s|po\s|dose of\s)?(?:the\s|his\s|her\s)?$"
)
_COUNTED = (
    r"(?:tab|cap|puff|spray|drop|gtt|ml\b|cc\b|tsp|tbsp|teaspoon|tablespoon|patch|supp|unit|pill|packet|scoop|vial|neb"
    r"|lozenge|film|applic|po\b|p\.o\.|by mouth|tb\b|gram|inhal|ring|strip|drp|q\s?\d|[bt]id\b|qid\b|daily\b|every\b)"
)
BEGINS = re.compile(
    rf"\s*(?:(?:start|begin)\s(?:with\s)?(?=\d|one\b|two\b|half\b)|sig\b|directions?:|instructions?:|(?:{'|'.join(VERBS)})\b|(?:{SAID}|i{{1,3}})\s?{_COUNTED})"
)
_TAKE = re.compile(rf"[\s.,;:-]*(?:sig:?\s*)?(?:(?P<verb>{'|'.join(VERBS)})|one|two|1|2)\b")
_STEP = re.compile(
    r"\b(?:then|followed by|taper(?:ing|ed)?(?: down)? to|down to|reduced? to|decreas(?:e|ing) to|after that"
    r"|except(?: for)?|alt(?:ernat(?:e|es|ed|ing))? with)\b|→|->"
)
_ON_DAY = re.compile(
    r"\s*(?:\bpo\b|\bby mouth\b)?\s*(?:(?:on )?(?:the )?day \d{1,2}|on (?:the )?\w+ day|today)\b[\s,;]*"
    r"(?:and\s|then\s)*$"
)
_CLOCK = re.compile(r"\bat\s\d{1,2}(?::\d\d)?\s?[ap]\.?m\b\.?")
_NEXT = re.compile(r"[\s.]*(?:[,;]|\band\b)[\s,]*(?:and\s|take\s|by\s)*$")
_ALTERNATELY = re.compile(r"\balt(?:ernat(?:e|es|ed|ing))? with\b")
_INSULIN = re.compile(r"insulin|log\b|lispro|aspart|glulisine|novolin|humulin|apidra")
FAR_APART = 4  # "5-10 mg" is a range, "5-325 mg" two ingredients
_DAY_NUMBER = re.compile(r"days?\s\d")
_WORD = re.compile(r"[a-z]{2,}")
_DAY_NAME = re.compile(_WEEKDAY)
_COUNT_REACH, _NEAR = 40, 4
_GAP_WORDS, _GAP_WORDS_NEED = 3, 5
_LIMIT = re.compile(
    r"\b(?:max(?:imum)?\b(?=[a-z ]{0,16}[:. ]\s?\d)|(?:not|never) to exceed|do(?:es)? not exceed|don't exceed"
    r"|(?:no|not) more than|up to \d+ (?:\w+ )?(?:per|in|a)\b)"
    r"(?:(?!\bas needed|\bprn\b|\bfor\b)[^.;)\n])*"
)
_HEAD = re.compile(r"[\s.,;:()*-]*(?:sig:?\s*|then\s|and\s|to\s)?")
_LONG_FORMS = {"tab": "tablet", "cap": "capsule"}
_OPEN = 9  # words that may stand between two parts of a sentence that a verb of a sig begins
_INHALED = frozenset({"puff", "nebule", "inhaler", "inhalation"})
_DAILY = {"frequency": 1, "period": 1, "period_unit": "d"}
STEP = ("dose", "dose_high", "dose_unit", "frequency", "timing", "duration")
_DURATION_UNITS = {"d": "d", "n": "d", "e": "d", "w": "wk", "mor": "d", "m": "mo", "h": "h", "y": "a"}


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
    parts: dict[str, Any] = {"form": "patch"} if "patch" in folded[slice(*drug)] else {}
    begin, end = drug
    before = _BEFORE.search(folded, max(floor, drug[0] - 40), drug[0])
    if before and (counted_before := _counted_before(before)):
        parts |= counted_before
        begin, before = before.start(), None
    scaled = _INSULIN.search(folded, *drug)  # "ssi" is a scale of insulin only
    pieces = [p for p in _pieces(folded, drug[1], limit, words, starts) if scaled or folded[p[0] : p[1]] != "ssi"]
    pieces = mark_former(folded, pieces)
    at, led = drug[1], False
    needed: tuple[int, int, int] | None = None
    current, later = parts, list[dict[str, Any]]()
    for place, (start, stop, kind, value) in enumerate(pieces):
        if kind == "former" or ("sliding_scale" in parts and kind in ("amount", "count", "form")):
            at = stop  # a dose that was, or a step of the scale
            continue
        gap = folded[at:start]
        taken = _TAKE.match(folded, at, limit)
        led = bool(taken and taken["verb"]) or (led and ". " not in gap)
        if kind == "way":
            if led or _HEAD.fullmatch(gap):
                parts.setdefault("way", value)
                at, led = stop, True
            continue
        if _begins_step(folded, at, pieces[place:], current):
            current = {}
            later.append(current)
        if kind == "frequency" and _DAY_NUMBER.match(folded, start, limit):
            continue
        between = len(_WORD.findall(gap))
        if between > (_GAP_WORDS_NEED if kind == "prn" else _GAP_WORDS) and not taken and (not led or between > _OPEN):
            break
        if kind == "frequency" and kind in current and at < start - 25:
            break
        uncounted = value == "dose" and not COUNT.search(folded, max(drug[1], start - _COUNT_REACH), start)
        supplied = place and pieces[place - 1][2] == "supply" and start - at < _NEAR
        if kind == "form" and (uncounted or supplied):
            continue
        if kind == "prn" and not needed:
            needed = (at, start, stop)
        if kind == "count":
            last = next((p for p in (current, *reversed(later), parts) if "count_unit" in p), parts)
            value = (value, last.get("count_unit") or parts.get("form", "dose"))
        _add(current, folded, text, start, stop, kind, value, drug[1])
        at = end = max(at, stop)
    if before and "dose" not in parts and "strength" not in parts:
        parts["dose"], begin = number(before["v"]), before.start()
        parts["dose_unit"] = UNITS.get(before["u"]) or "{" + before["u"].rstrip("s") + "}"
    if needed and (reason := _reason(folded, needed, end, limit)):
        parts["as_needed_for"] = text[slice(*reason)]
        end = max(end, reason[1])
    if later and _ALTERNATELY.search(folded, drug[1], end):
        alternate(parts, later[0])
    _settle_all(parts, later, "-" in folded[slice(*drug)] or "/" in folded[slice(*drug)])
    return Sig(begin, end, parts)


def _counted_before(before: re.Match[str]) -> dict[str, Any]:
    """ "Two 500 mg tablets of metformin": count, form and strength; empty for another dose before a drug."""
    if not (before["n"] and before["f"] and before["u"] in UNITS):
        return {}
    form = _LONG_FORMS.get(before["f"], before["f"])
    count = (number(before["n"]), None)
    return {"count": count, "count_unit": form, "strength": f"{before['v']} {before['u']}", "amounts": []}


def _settle_all(parts: dict[str, Any], later: Sequence[dict[str, Any]], combined: bool) -> None:
    """Settle the first dose and each later one, which become the steps."""
    for step in (parts, *later):
        _settle(step, combined)
    steps = [{k: step[k] for k in STEP if k in step} for step in later if "dose" in step]
    if steps:
        parts["steps"] = tuple(steps)


def _reason(folded: str, needed: tuple[int, int, int], end: int, limit: int) -> Span | None:
    """What a drug is needed for: after the words of need, after the sig, or before them ("for pain as needed")."""
    since, start, stop = needed
    found = _REASON.match(folded, stop, limit) or _REASON.match(folded, end, limit) or _WHY.search(folded, since, start)
    return found.span("why") if found else None


def _begins_step(folded: str, at: int, pieces: Sequence[tuple[int, int, str, Any]], current: dict[str, Any]) -> bool:
    """True where another dose begins: "… for 5 days, then 20 mg", "… qAM and 8 units qPM"."""
    start, _, kind, value = pieces[0]
    if kind == "form" and (count := COUNT.search(folded, at, start)):
        start = count.start()
    elif kind != "count" and (kind != "amount" or _is_strength(value)):
        return False
    if not current.get("amounts") and "count" not in current:
        return False
    between = folded[at:start]
    if _STEP.search(between) or _ON_DAY.match(between):
        return True
    told = "timing" in current or "duration" in current
    goes_on = any(p[2] in ("frequency", "duration") for p in pieces[1:3])
    return told and goes_on and _NEXT.match(between) is not None


def _is_strength(amount: re.Match[str]) -> bool:
    """True of "5 %" and "250 mg/5 mL", not of "18 units/kg/hr"."""
    return amount["u"] == "%" or bool(amount["per"] and not _RATES.match(amount["per"].strip()))


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
    if "x" in said or "for" in said or "times" in said or "day" in said or "×" in said:
        found += [(m.start(), m.end(), "duration", m) for m in _DURATION.finditer(folded, start, limit)]
    if "#" in said or "disp" in said or "q" in said or "refill" in said:
        found += [(m.start(), m.end(), "supply", m) for m in _SUPPLY.finditer(folded, start, limit)]
    if "max" in said or "exceed" in said or "more than" in said or "up to" in said:
        found += [(m.start(), m.end(), "limit", m) for m in _LIMIT.finditer(folded, start, limit)]
    if _DAY_NAME.search(said):
        found += [(m.start(), m.end(), "frequency", _on(m)) for m in _WEEKDAYS.finditer(folded, start, limit)]
    found += [(m.start(), m.end(), "frequency", _DAILY) for m in _CLOCK.finditer(folded, start, limit)]
    found += [(*m.span("side"), "route", "OPH" if m["eye"] else "OT") for m in _SIDE.finditer(folded, start, limit)]
    found += [
        (m.start(), m.end() - 1, "count", m)
        for m in _BARE.finditer(folded, start, limit)
        if _LEADS.search(folded, max(0, start - 4), m.start()) and counted(m)[0] <= _MOST_BARE
    ]
    found.sort(key=lambda p: (p[0], -p[1], p[2] != "route"))
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
        amount["aside"] = folded[start - 1] == "("
        if amount.get("joined") == "to" and is_former(folded, start):
            amount["value"] = amount.pop("second")  # "from 20 to 26 units": the dose is now 26
        parts.setdefault(key, []).append(amount)
    elif kind == "count":
        if "count" not in parts:
            parts["count"], parts["count_unit"] = counted(value[0]), value[1]
    elif kind == "form":
        count = COUNT.search(folded, max(floor, start - _COUNT_REACH), start)
        if count and "count" not in parts:
            parts["count"] = counted(count)
            parts["count_unit"] = value
        elif value != "dose":
            parts.setdefault("form", value)
    elif kind == "frequency":
        if not parts.get("timing"):
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
    elif kind != "limit":
        parts.setdefault(kind, value)
        inhaled = kind == "route" and folded.startswith("inhalation", start) and "count" not in parts
        if inhaled and (count := COUNT.search(folded, max(floor, start - _COUNT_REACH), start)):
            parts["count"], parts["count_unit"] = counted(count), "inhalation"


def _amount(match: re.Match[str], printed: str) -> dict[str, Any]:
    amount: dict[str, Any] = {"value": decimal(match["v"]), "unit": UNITS[match["u"]], "text": printed}
    if match["w"]:
        amount["second"], amount["joined"] = decimal(match["w"]), match["to"]
    if match["per"]:
        amount["per"] = match["per"].removeprefix("/").strip()
        if rates := _RATES.findall(match["per"]):
            amount["unit"] = "/".join([amount["unit"], *(_RATE[rate] for rate in rates)])
            del amount["per"]
    return amount


def _on(match: re.Match[str]) -> dict[str, Any]:
    """The timing of named days of the week."""
    days = [_DAYS.index(d[:2]) for d in _DAY_NAME.findall(match[0])]
    count = (days[1] - days[0]) % len(_DAYS) + 1 if match["to"] else len({*days})
    return {"frequency": count, "period": 1, "period_unit": "wk"}


def _duration(match: re.Match[str]) -> dict[str, Any]:
    if match["last"]:
        return {"value": Decimal(match["last"]) - Decimal(match["first"]) + 1, "unit": "d"}
    word = match["v"]
    value = WORDS.get(word) or Decimal(word)
    if match["u"].startswith("dose"):
        return {"count": value}
    return {"value": value, "unit": _DURATION_UNITS.get(match["u"][:3]) or _DURATION_UNITS[match["u"][0]]}


def _way(parts: dict[str, Any], unit: str | None) -> None:
    """The route that a verb or the form says: "inhale 2 puffs by mouth", "place 1 patch on the skin"."""
    way, route, form = parts.pop("way", None), parts.get("route"), unit or parts.get("form")
    if form in _INHALED or way == "INH":
        way = "INH"
        route = None if route == "PO" else route
    elif form == "patch" and route in (None, "TOP"):
        way, route = "TD", None
    if way and not route:
        parts["route"] = way


def _settle(parts: dict[str, Any], combined: bool) -> None:
    """Turn amounts and counts into strength and dose: with "2 puffs" the milligrams are the strength, else the dose.

    `combined` is true of a drug of two ingredients, whose "5-325 mg" is no range.
    """
    amounts = parts.pop("amounts", [])
    amounts = [
        a for i, a in enumerate(amounts) if not (i and a["aside"] and "per" not in a and "per" not in amounts[i - 1])
    ]  # "7.5 mL (300 mg)": the same amount again
    for amount in amounts:
        if amount["unit"].endswith("/d") and "/kg" not in amount["unit"] and parts.get("form") != "patch":
            amount["unit"] = amount["unit"].removesuffix("/d")  # "20 mg/day" is taken once a day
            if not parts.get("timing"):
                parts["timing"], parts["frequency"] = dict(_DAILY), "daily"
    if amounts and amounts[0]["unit"] == "%":
        parts["strength"] = amounts.pop(0)["text"]
    count = parts.pop("count", None)
    unit = parts.pop("count_unit", None)
    _way(parts, unit)
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
    if concentration and concentration[0] is not first:
        parts["strength"] = concentration[0]["text"]
    elif len(plain) > 1 and "strength" not in parts:
        parts["strength"] = plain[0]["text"]
        parts["dose"], parts["dose_unit"] = plain[1]["value"], plain[1]["unit"]
