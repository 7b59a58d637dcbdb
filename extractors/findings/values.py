"""Vital signs and laboratory values in running text and in rows: "BP 120/80", "K 4.1", "WBC 13.2 H 4.0-11.0"."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from extractors.findings.analytes import (
    DIASTOLIC,
    HEIGHT,
    LETTERS,
    PAIN,
    PRESSURE,
    SATURATION,
    SYSTOLIC,
    TEMPERATURE,
    Analyte,
    Analytes,
    find_names,
    units,
)
from extractors.findings.claims import Claims
from extractors.findings.cues import Seen
from extractors.findings.grammar import COMPARATOR, DATE, FILLER, GAP, NUMBER, UNIT, comparator, decimal
from extractors.findings.plausible import doubts, in_unit
from extractors.findings.together import Unnamed, in_row, lone_heat, on_oxygen, paired
from extractors.model import Span

_RANGE = (
    rf"(?:{GAP}*(?:-|(?:up{GAP})?to|and|through){GAP}*(?:the{GAP}+)?(?:(?:mid|low|high|upper|lower){GAP}+)?"
    rf"(?P<w>{NUMBER})(?P<wk>k\b)?(?:'?s\b)?)?"
)
_AFTER = re.compile(
    rf"[)+*.]{{0,2}}(?:{GAP}?\([a-z/ .]{{1,16}}\))?(?:{GAP}*{FILLER}){{0,7}}{GAP}*(?P<cmp>{COMPARATOR})?"
    rf"{GAP}*(?:the{GAP}+)?"
    rf"(?P<v>{NUMBER})(?P<vk>k\b)?(?P<s>'?s\b)?{_RANGE}"
    rf"(?![\d:]|\.\d|{GAP}?(?:hours?|hrs|days?|weeks?|months?|years?|yrs?|minutes|mins|yo\b|y/o|x{GAP}|st\b|nd\b|rd\b|th\b))"
)
_UNIT = re.compile(rf"{GAP}*({UNIT})")
_FLAG = re.compile(
    rf"{GAP}*(?:(?P<star>\*)|\((?P<p>hh?|ll?|high|low|abnormal)\)|(?P<l>hh?|ll?|high|low|abn|crit"
    rf"|critical)(?=[ \t\n,;.)]|$))"
)
_LIMITS = re.compile(
    rf"{GAP}*(?P<open>[(\[])?{GAP}*(?:ref(?:erence)?\.?(?:{GAP}range)?|normal(?:{GAP}range)?|nl|range)?[:{GAP[1:-1]}]*"
    rf"(?:(?P<lo>{NUMBER}){GAP}?-{GAP}?(?P<hi>{NUMBER})|(?P<cmp><=?|>=?|≤|≥){GAP}?(?P<one>{NUMBER}))(?![\d/]|\.\d)"
)
_PRESSURE = rf"(?P<s{{0}}>\d{{{{2,3}}}})(?:'?s)?{GAP}?(?:/|over\b){GAP}?(?P<d{{0}}>\d{{{{2,3}}}})(?:'?s\b)?(?![\d/])"
_BP = re.compile(
    rf"(?P<cmp>{COMPARATOR})?{GAP}*(?<![\d/]){_PRESSURE.format(1)}"
    rf"(?:{GAP}*(?:-|to|and){GAP}*{_PRESSURE.format(2)})?"
)
_BP_SPREAD = re.compile(
    r"(?P<cmp>(?!))?(?<![\d/])(?P<s1>\d{2,3})s?\s?-\s?(?P<s2>\d{2,3})s?\s?/\s?(?P<d1>\d{2,3})s?\s?-\s?(?P<d2>\d{2,3})s?(?![\d/])"
)
_AIM = re.compile(r"\b(?:goals?|targets?|aim(?:ing)? for|titrate (?:to|for))(?:\s(?:of|for|is|to|an?|the))*[ :=]*$")
_DIGIT = re.compile(r"\d")
_AMOUNT_BEFORE = re.compile(r"\d\s?$")
FAR = 100  # characters between a name and its value, at most
_DATED = re.compile(rf"(?<!\d){DATE}(?![\d/])")
_NEXT_SENTENCE = re.compile(r"\.\s+[A-Z]")
_MMHG = re.compile(rf"{GAP}*mm{GAP}?hg")
_HEIGHT = re.compile(
    rf"[:= ]*(?:is|was|of)?{GAP}*(\d)\s?(?:'|ft\.?|feet|foot){GAP}?(\d{{1,2}}(?:\.\d+)?)?\s?(?:\"|''|in(?:ches)?\b\.?)?"
)
_LETTER = re.compile(r"([tpr])(?<![a-z0-9.'/][tpr])(?:(?<!-[tpr])|(?<=vs-[tpr]))[ \t]?[:=.-]?[ \t]?(?=\d)")
_REVERSE = re.compile(r"(?<![\d./])(\d{2,3})\s?%?\s?(?:o2|spo2)[- ]?sats?\b")
_OXYGEN = re.compile(
    r"\s?%?\s?(?:sat(?:uration)?s?\s)?[/,(]?\s?(?:on|with)?\s?((?:ra\b|room air|(?:\d+(?:\.\d+)?"
    r"|\d+-\d+)\s?(?:l|liters?)(?:/min)?"
    r"\s?/?\s?(?:nc\b|nasal cannula|o2|oxygen|via nc|by nasal cannula|nrb|face mask)?"
    r"|\d+%\s?(?:fio2|flowmask|face ?mask|o2|venti ?mask)"
    r"|nrb|non-?rebreather|bipap|cpap|face mask|high flow))"
)
_DOSES = frozenset({"mg", "g", "mL", "mEq", "{units}"})
_DOSED = re.compile(rf"{GAP}?(?:mcg|units?|iu|tabs?|tablets?|caps?|capsules?|puffs?|gtts?|drops?)\b(?!{GAP}?/)")
_VITAL_LINE = re.compile(r"\b(?:vs|v/s|vitals?|vital signs)\b")


@dataclass(frozen=True, slots=True)
class Value:
    """A measured value in the text: `start`–`end` from its name to its last word, `at` the number itself."""

    start: int
    end: int
    at: Span
    kind: str
    attributes: dict[str, Any]


def find_values(
    seen: Seen, text: str, bounds: Sequence[Span], analytes: Analytes, claimed: Sequence[Span] = ()
) -> list[Value]:
    """Values after names within `bounds` (lines or wrapped sentences, ascending), outside `claimed` spans."""
    folded = seen.text
    claims = Claims(len(folded), claimed)
    found: list[Value] = []
    starts = [b[0] for b in bounds]
    last = -1
    vital_bounds: set[int] = set()
    names = list(find_names(folded, analytes))
    for number, (start, end, analyte) in enumerate(names):
        i = bisect_right(starts, start) - 1
        if analyte.kind == "vital" and i >= 0:
            vital_bounds.add(i)
        if i < 0 or start < last or claims.taken(start, end):
            continue
        if two := paired(folded, names, number, bounds[i][1], analytes):
            for at, what in two:
                found.append(value_of(text, start, two[1][0][1], at, what, _numeric(folded[slice(*at)]), None, None))
            last = two[1][0][1]
            continue
        value = read_value(folded, text, start, end, bounds[i][1], analyte)
        if value is not None and not claims.taken(*value.at):
            if aim := _AIM.search(folded, max(bounds[i][0], start - 24), start):
                value.attributes["target"] = aim.span()
            found.append(value)
            last = value.end
    claims.add(v.at for v in found)
    if "vs" in folded or "v/s" in folded or "vital" in folded:
        vital_bounds |= {i for i, (a, b) in enumerate(bounds) if _VITAL_LINE.search(folded, a, min(b, a + 40))}
    for i in vital_bounds:
        row = [*_unnamed(text, folded, in_row(folded, *bounds[i]), analytes, claims)]
        claims.add(v.at for v in row)
        row += _letters(folded, text, bounds[i], analytes, claims)
        row += _unnamed(text, folded, on_oxygen(folded, *bounds[i]), analytes, claims)
        claims.add(v.at for v in row)
        found += row
    found += _unnamed(text, folded, lone_heat(seen), analytes, claims)
    return sorted(found, key=lambda v: v.start)


def _letters(folded: str, text: str, bound: Span, analytes: Analytes, claims: Claims) -> Iterator[Value]:
    """T, P and R among other vital signs, and saturations that stand before their name."""
    start, end = bound
    for match in _LETTER.finditer(folded, start, end):
        value = read_value(folded, text, match.start(), match.end(1), end, analytes.by_code[LETTERS[match[1]]])
        if value and not claims.taken(*value.at) and "doubtful" not in value.attributes:
            yield value
    for match in _REVERSE.finditer(folded, start, end) if folded.find("sat", start, end) >= 0 else ():
        if not claims.taken(*match.span(1)):
            analyte = analytes.by_code[SATURATION]
            yield value_of(text, match.start(), match.end(), match.span(1), analyte, _numeric(match[1]), "%", None)


def _unnamed(text: str, folded: str, seen: Iterable[Unnamed], analytes: Analytes, claims: Claims) -> Iterator[Value]:
    """The values of numbers whose place says what they measure, where they are possible."""
    for span, at, loinc, unit in seen:
        if claims.taken(*at):
            continue
        if loinc == PRESSURE and (match := _BP.match(folded, *at)):
            value = pressure(*span, at, match)
        else:
            value = value_of(text, *span, at, analytes.by_code[loinc], _numeric(folded[slice(*at)]), unit, None)
        if "doubtful" not in value.attributes:
            yield value


def read_value(folded: str, text: str, start: int, end: int, limit: int, analyte: Analyte) -> Value | None:
    """The value that follows the name at `start`–`end`, if one does before `limit`."""
    if analyte.loinc == PRESSURE:
        return _read_pressure(folded, text, start, end, limit)
    if analyte.loinc == HEIGHT and (feet := _HEIGHT.match(folded, end, limit)):
        inches = Decimal(feet[1]) * 12 + Decimal(feet[2] or 0)
        return value_of(
            text, start, feet.end(), (feet.start(1), feet.end()), analyte, {"value": inches}, "[in_i]", None
        )
    if analyte.unit is None or (
        folded[start:end].strip() in units()
        and _AMOUNT_BEFORE.search(folded, max(0, start - 12), start)
        and (folded[start:end] != "k" or folded[start - 1].isdigit())
    ):
        return None  # a test of presence has no number; "500 mg 3 times": not magnesium
    if _DIGIT.search(folded, end, min(limit, end + FAR)) is None:
        return None
    match = _AFTER.match(folded, end, limit)
    if match is None or _DOSED.match(folded, match.end()) or _bare_year(folded, match, end):
        return None
    if analyte.loinc == PAIN and "," in folded[end : match.start("v")]:
        return None
    at, numbers = match.span("v"), _numeric(match["v"], match["vk"], comparator(match["cmp"]))
    stop = match.end()
    if (
        folded[stop : stop + 1] == "/"
        and folded[stop + 1 : stop + 2].isdigit()
        and analyte.kind != "survey"
        and not folded.startswith("/10", stop)
    ):
        return None
    if match["w"]:
        numbers["value_high"] = decimal(match["w"], match["wk"])
    flag = _FLAG.match(folded, stop, limit)
    stop = flag.end() if flag else stop
    unit = _UNIT.match(folded, stop, limit)
    if unit and not _fits(unit[1], units()[unit[1]], analyte):
        unit = None
    if unit:
        stop = unit.end()
        if units()[unit[1]] in _DOSES and analyte.kind == "lab":
            return None
    if not flag and (flag := _FLAG.match(folded, stop, limit)):
        stop = flag.end()
    if flag:
        numbers["flag"] = (flag["star"] or flag["p"] or flag["l"]).upper()
    if analyte.kind == "lab" and (limits := _LIMITS.match(folded, stop, limit)) and (unit or flag or limits["open"]):
        numbers |= range_of(limits)
        stop = limits.end() + (folded[limits.end() : limits.end() + 1] in ")]" if limits["open"] else 0)
    if analyte.loinc == SATURATION and (oxygen := _OXYGEN.match(folded, stop, limit)):
        numbers["delivery"] = text[oxygen.start(1) : oxygen.end(1)]
        stop = oxygen.end()
    printed = text[unit.start(1) : unit.end(1)] if unit else None
    return value_of(
        text, start, stop, at, analyte, numbers, units()[unit[1]] if unit else None, printed, folded[start:end]
    )


def _fits(printed: str, unit: str, analyte: Analyte) -> bool:
    """A short unit is believed only where it can measure this: "3000 in July" is no length, "Na 134 K 4" no count."""
    return (
        ("/" in unit and printed != "k")
        or unit == "%"
        or unit in _DOSES
        or in_unit(Decimal(1), unit, analyte.unit) is not None
    )


def _bare_year(folded: str, match: re.Match[str], end: int) -> bool:
    """True for "in 2019": a year, not a value."""
    before = folded[end : match.start("v")].rstrip()
    return len(match["v"]) == 4 and match["v"][:2] in ("19", "20") and before.endswith(("in", "on", "since", "from"))


def _numeric(printed: str, thousands: str | None = None, sign: str | None = None) -> dict[str, Any]:
    numbers: dict[str, Any] = {"value": decimal(printed, thousands)}
    if sign:
        numbers["comparator"] = sign
    return numbers


def range_of(match: re.Match[str]) -> dict[str, Any]:
    """A printed reference range as `low` and `high`."""
    if match["lo"]:
        return {"low": decimal(match["lo"]), "high": decimal(match["hi"])}
    side = "high" if match["cmp"][0] in "<≤" else "low"
    return {side: decimal(match["one"])}


def _read_pressure(folded: str, text: str, start: int, end: int, limit: int) -> Value | None:
    reach = min(limit, end + 90)
    stretch = _DATED.sub(lambda m: m[0] if _looks_pressure(m[0]) else " " * len(m[0]), folded[end:reach])
    stop = _NEXT_SENTENCE.search(text, end, reach)
    within = stretch[: stop.start() - end] if stop else stretch
    match, spread = _BP.search(within), _BP_SPREAD.search(within)
    if match and spread and spread.start() < match.start():
        match = spread
    if match is None or int(match["d1"]) < 10:
        return None
    at = (end + match.start("s1"), end + match.end())
    unit = _MMHG.match(folded, at[1], limit)
    return pressure(start, unit.end() if unit else at[1], at, match)


def _looks_pressure(printed: str) -> bool:
    parts = printed.split("/")
    return len(parts) == 2 and all(p.isdigit() for p in parts) and int(parts[0]) > 31


def pressure(start: int, end: int, at: Span, match: re.Match[str]) -> Value:
    """A blood pressure with its two components."""
    components: list[dict[str, Any]] = []
    reason = None
    for name, loinc, group in (("systolic", SYSTOLIC, "s"), ("diastolic", DIASTOLIC, "d")):
        part: dict[str, Any] = {"name": name, "loinc": loinc, "value": Decimal(match[f"{group}1"]), "unit": "mm[Hg]"}
        if match[f"{group}2"]:
            part["value_high"] = Decimal(match[f"{group}2"])
        low, high = (30, 300) if group == "s" else (10, 200)
        if not low <= part["value"] <= high:
            reason = "outside what is possible for this measurement"
        components.append(part)
    if components[0]["value"] <= components[1]["value"]:
        reason = "systolic is not above diastolic"
    attributes: dict[str, Any] = {
        "name": "blood pressure",
        "loinc": PRESSURE,
        "unit": "mm[Hg]",
        "components": tuple(components),
    }
    if sign := comparator(match["cmp"]):
        attributes["comparator"] = sign
    if reason:
        attributes |= {"doubtful": True, "reason": reason}
    return Value(start, end, at, "vital", attributes)


def value_of(
    text: str, start: int, end: int, at: Span, analyte: Analyte, numbers: dict[str, Any],
    unit: str | None, printed: str | None, name: str = "",
) -> Value:  # fmt: skip
    """The finished value: unit settled, doubts noted."""
    attributes: dict[str, Any] = {"name": analyte.display, "loinc": analyte.loinc, **numbers}
    if analyte.loinc == TEMPERATURE and unit not in ("[degF]", "Cel"):
        hinted = "[degF]" if name.endswith((" f", "(f)")) else "Cel" if name.endswith((" c", "(c)")) else None
        unit = hinted or ("[degF]" if numbers["value"] >= 50 else "Cel")
    elif unit is None and name.endswith((" lb", " lbs", "(lb)", "(lbs)")):
        unit = "[lb_av]"
    elif unit is None and name.endswith((" in", "(in)")):
        unit = "[in_i]"
    unit = unit or analyte.unit
    if unit == "10*3/uL" and printed is None and numbers["value"] >= 1000:
        unit = "/uL"
    if unit:
        attributes["unit"] = unit
    if printed:
        attributes["unit_text"] = printed
    if analyte.kind == "survey":
        attributes["category"] = "survey"
    limits = (numbers.get("low"), numbers.get("high"))
    reason = doubts(analyte, numbers["value"], unit, limits, text[slice(*at)])
    if reason:
        attributes |= {"doubtful": True, "reason": reason}
    return Value(start, end, at, "vital" if analyte.kind == "vital" else "lab", attributes)
