"""Vital signs and laboratory values in running text and in rows: "BP 120/80", "K 4.1", "WBC 13.2 H 4.0-11.0"."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from extractors.findings.analytes import (
    HEIGHT,
    LETTERS,
    PAIN,
    PRESSURE,
    SATURATION,
    WEIGHT,
    Analyte,
    Analytes,
    find_names,
    units,
)
from extractors.findings.claims import Claims
from extractors.findings.cues import Seen
from extractors.findings.further import FAR, NO_VALUE, UNIT_AFTER, dictated, dictated_pressure, further
from extractors.findings.grammar import COMPARATOR, DATE, FILLER, GAP, NUMBER, comparator, decimal
from extractors.findings.measured import Value, numeric, pressure, value_of
from extractors.findings.plausible import in_unit
from extractors.findings.thresholds import aim_before, is_reference, is_share
from extractors.findings.together import (
    FEET,
    Unnamed,
    in_feet,
    in_order,
    in_posture,
    in_row,
    in_urine,
    lone_heat,
    on_oxygen,
    paired,
)
from extractors.model import Span

_RANGE = (
    rf"(?:{GAP}*(?:%{GAP}*(?=-|to\b))?(?:-|(?:up{GAP})?to|and|through){GAP}*(?:the{GAP}+)?(?:(?:mid|low|high|upper|lower){GAP}+)?"
    rf"(?P<w>{NUMBER})(?P<wk>k\b)?(?:'?s\b)?)?"
)
_CLOCK = rf"(?:[a-z]{{1,8}}{GAP})?[0-2]\d:?[0-5]\d(?:{GAP}?h(?:rs)?)?"
_AFTER = re.compile(
    rf"[)+*.]{{0,2}}(?:{GAP}?\((?:[a-z/ .]{{1,16}}|{_CLOCK})\))?(?:{GAP}*{FILLER}){{0,7}}{GAP}*(?P<cmp>{COMPARATOR})?"
    rf"{GAP}*(?:the{GAP}+)?"
    rf"(?P<v>{NUMBER})(?P<vk>k\b)?(?P<s>'?s\b)?{_RANGE}"
    rf"(?![\d:]|\.\d|,\d{{3}}|{NO_VALUE})"
)
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
_BP_SPREAD = re.compile(  # "120s-130s/70s-80s"; one of the two ends may stand alone
    r"(?P<cmp>(?!))?(?<![\d/])(?P<s1>\d{2,3})(?:'?s)?(?:\s?-\s?(?P<s2>\d{2,3})(?:'?s)?)?\s?/\s?"
    r"(?P<d1>\d{2,3})(?:'?s)?(?:\s?-\s?(?P<d2>\d{2,3})(?:'?s)?)?(?![\d/])"
)
_POUNDS = re.compile(
    rf"[:= ]*(?:is|was|of|today)?{GAP}*(?P<lb>\d{{1,3}})\s?(?:lbs?|pounds?|#)\.?,?\s?(?:and\s)?"
    r"(?P<oz>\d{1,2}(?:\.\d+)?)\s?(?:oz|ounces?)\b\.?"
)
_CHANGED = re.compile(r"\b(?:up|down|gained|lost|increased|decreased|dropped)(?:\sby)?\s$")
_CHANGED_TO = re.compile(rf"{GAP}*(?:kgs?|lbs?|pounds?|kilos?|g|grams?|#)?{GAP}to{GAP}")
_PERCENT_BEFORE = re.compile(rf"(?<![\d.])(?P<v>{NUMBER})\s?%\s$")
_HOMONYMS = {  # where their number is impossible and the words before allow it
    "tc": ("2093-3", re.compile("")),  # "Tc 99.1" is a temperature, "TC 241" cholesterol
    "sat": ("2502-3", re.compile(r"\b(?:iron|tibc|ferritin)\b")),
}
_NEAR = 60
_ONLY_LIKELY = frozenset({"sg", "tc", "sat", "ag", "afebrile", "vit d", "vitamin d", "sugar", "sugars", "bg", "band"})
"""Names that mean something else where their number is impossible."""

_AND = frozenset({",", "and", ", and", ";", "&", "or"})
_DIGIT = re.compile(r"\d")
_AMOUNT_BEFORE = re.compile(r"\d\s?$")
_NUMBER_NEXT = re.compile(rf"{GAP}*[:=]?{GAP}*(?:of{GAP}|is{GAP}|was{GAP})?\d")
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


def find_values(
    seen: Seen, text: str, bounds: Sequence[Span], analytes: Analytes, claimed: Sequence[Span] = ()
) -> list[Value]:
    """Values after names within `bounds` (lines or wrapped sentences, ascending), outside `claimed` spans."""
    folded = seen.text
    claims = Claims(len(folded), claimed)
    found: list[Value] = []
    starts = [b[0] for b in bounds]
    last = -1
    aimed: Span | None = None
    vital_bounds: set[int] = set()
    names = list(find_names(folded, analytes))
    urine = "ua" in folded or "u/a" in folded or "urin" in folded
    for number, (start, end, analyte) in enumerate(names):
        i = bisect_right(starts, start) - 1
        if analyte.kind == "vital" and i >= 0:
            vital_bounds.add(i)
        if i < 0 or start < last or claims.taken(start, end):
            continue
        if two := paired(folded, names, number, bounds[i][1], analytes):
            for at, what in two:
                found.append(value_of(text, start, two[1][0][1], at, what, numeric(folded[slice(*at)]), None, None))
            last = two[1][0][1]
            continue
        if urine and (other := in_urine(folded, bounds[i][0], start, end, analytes)):
            analyte = other
        if share := _share_before(folded, text, max(bounds[i][0], last), start, end, analyte):
            found.append(share)
            last = end
            continue
        value = _likely(folded, text, start, end, bounds[i][1], analyte, analytes)
        if value is not None and not claims.taken(*value.at) and not is_reference(folded, bounds[i][0], start):
            goes_on = aimed and "comparator" in value.attributes and folded[last:start].strip() in _AND
            aimed = aim_before(folded, bounds[i][0], start, "comparator" in value.attributes) or (
                aimed if goes_on else None
            )
            if aimed:
                value.attributes["target"] = aimed
            nearest = names[number + 1][0] if number + 1 < len(names) else bounds[i][1]
            found += (
                several := [
                    *_ends(folded, value),
                    *further(folded, text, value, min(nearest, bounds[i][1]), analyte),
                ]
            )
            last = several[-1].end
    claims.add(v.at for v in found)
    found += _without_names(seen, text, bounds, vital_bounds | _lettered(folded, starts), analytes, claims)
    return sorted(found, key=lambda v: v.start)


def _without_names(
    seen: Seen, text: str, bounds: Sequence[Span], vital_bounds: set[int], analytes: Analytes, claims: Claims
) -> list[Value]:
    """Values that their place or a letter names: on lines of vital signs (`vital_bounds` by number), then anywhere."""
    folded, found = seen.text, list[Value]()
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
    found += _unnamed(text, folded, in_order(folded), analytes, claims)
    found += _unnamed(text, folded, in_feet(folded), analytes, claims)
    claims.add(v.at for v in found)
    found += _unnamed(text, folded, in_posture(seen), analytes, claims)
    return found


def _likely(
    folded: str, text: str, start: int, end: int, limit: int, analyte: Analyte, analytes: Analytes
) -> Value | None:
    """The value after a name, by what else the name means where its number is impossible."""
    name = folded[start:end]
    if name.endswith(" d") and folded[end : end + 1].isdigit():
        return None  # "vitamin D3" is what is taken
    value = read_value(folded, text, start, end, limit, analyte)
    if value is None or "doubtful" not in value.attributes or name not in _ONLY_LIKELY:
        return value
    code, before = _HOMONYMS.get(name, (None, None))
    fits = before is not None and before.search(folded, max(0, start - _NEAR), start)
    value = read_value(folded, text, start, end, limit, analytes.by_code[code]) if code and fits else None
    return value if value and "doubtful" not in value.attributes else None


def _share_before(folded: str, text: str, low: int, start: int, end: int, analyte: Analyte) -> Value | None:
    """ "88% neutrophils": the share of a kind of cell before its name."""
    if analyte.unit != "%" or analyte.kind != "lab" or folded[start - 2 : start - 1] != "%":
        return None
    match = _PERCENT_BEFORE.search(folded, max(low, start - 12), start)
    return (
        value_of(text, match.start(), end, match.span("v"), analyte, numeric(match["v"]), "%", None) if match else None
    )


def _ends(folded: str, value: Value) -> list[Value]:
    """Both ends of a fall, "from 38 to 29", which is no range; else the value itself, or the first of "121-02"."""
    high = value.attributes.get("value_high")
    if high is None or high >= value.attributes["value"]:
        return [value]
    shared = {k: v for k, v in value.attributes.items() if k != "value_high"}
    if " to " not in folded[value.at[0] : value.end]:
        return [Value(value.start, value.end, value.at, value.kind, shared)]
    numbers = (shared["value"], high)
    return [Value(value.start, value.end, value.at, value.kind, {**shared, "value": number}) for number in numbers]


def _lettered(folded: str, starts: Sequence[int]) -> set[int]:
    """The lines on which two of the letters T, P and R have a number: "R 18, unlabored. P 72"."""
    letters: dict[int, set[str]] = {}
    for match in _LETTER.finditer(folded):
        if folded[match.end() : match.end() + 2].isdigit():
            letters.setdefault(bisect_right(starts, match.start()) - 1, set()).add(match[1])
    return {i for i, seen in letters.items() if i >= 0 and len(seen) > 1}


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
            yield value_of(text, match.start(), match.end(), match.span(1), analyte, numeric(match[1]), "%", None)


def _unnamed(text: str, folded: str, seen: Iterable[Unnamed], analytes: Analytes, claims: Claims) -> Iterator[Value]:
    """The values of numbers whose place says what they measure, where they are possible."""
    for span, at, loinc, unit in seen:
        if claims.taken(*at):
            continue
        if loinc == PRESSURE and (match := _BP.match(folded, *at)):
            value = pressure(*span, at, match)
        elif loinc == HEIGHT and (feet := FEET.match(folded, *at)):
            inches = {"value": Decimal(feet[1]) * 12 + Decimal(feet[2])}
            value = value_of(text, *span, at, analytes.by_code[loinc], inches, unit, None)
        else:
            value = value_of(text, *span, at, analytes.by_code[loinc], numeric(folded[slice(*at)]), unit, None)
        if "doubtful" not in value.attributes:
            yield value


def read_value(folded: str, text: str, start: int, end: int, limit: int, analyte: Analyte) -> Value | None:
    """The value that follows the name at `start`–`end`, if one does before `limit`."""
    if analyte.loinc == PRESSURE:
        return _read_pressure(folded, text, start, end, limit)
    if analyte.loinc in (HEIGHT, WEIGHT) and (whole := _in_two_units(folded, text, start, end, limit, analyte)):
        return whole
    if analyte.unit is None or (
        folded[start:end].strip() in units()
        and _AMOUNT_BEFORE.search(folded, max(0, start - 12), start)
        and (folded[start:end] != "k" or folded[start - 1].isdigit())
        and folded[start:end] != "inr"
    ):
        return None  # a test of presence has no number; "500 mg 3 times": not magnesium
    if _DIGIT.search(folded, end, min(limit, end + FAR)) is None:
        return dictated(folded, text, start, end, limit, analyte)
    match = _AFTER.match(folded, end, limit)
    if match is None or _DOSED.match(folded, match.end()) or _bare_year(folded, match, end):
        return None
    if analyte.loinc == PAIN and "," in folded[end : match.start("v")]:
        return None
    if is_share(folded, match.end(), limit):
        return None
    if analyte.loinc == WEIGHT and _CHANGED.search(folded, end, match.start("v")):
        to = _CHANGED_TO.match(folded, match.end(), limit)
        return read_value(folded, text, start, to.end(), limit, analyte) if to else None
    at, numbers = match.span("v"), numeric(match["v"], match["vk"], comparator(match["cmp"]))
    stop = match.end()
    over = folded[stop : stop + 1] == "/" and folded[stop + 1 : stop + 2].isdigit()
    if over and analyte.kind != "survey" and not folded.startswith("/10", stop):
        return None
    if folded[stop : stop + 1] == "+" and analyte.kind == "lab":
        return None  # a grade: "protein 2+"
    if match["w"]:
        numbers["value_high"] = decimal(match["w"], match["wk"])
    flag = _FLAG.match(folded, stop, limit)
    stop = flag.end() if flag else stop
    unit = UNIT_AFTER.match(folded, stop, limit)
    if unit and (not _fits(unit[1], units()[unit[1]], analyte) or _names_next(folded, unit)):
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


def _in_two_units(folded: str, text: str, start: int, end: int, limit: int, analyte: Analyte) -> Value | None:
    """A height in feet and inches as inches, a weight in pounds and ounces as pounds."""
    if analyte.loinc == HEIGHT and (feet := _HEIGHT.match(folded, end, limit)):
        inches, at = Decimal(feet[1]) * 12 + Decimal(feet[2] or 0), (feet.start(1), feet.end())
        return value_of(text, start, feet.end(), at, analyte, {"value": inches}, "[in_i]", None)
    if analyte.loinc == WEIGHT and (pounds := _POUNDS.match(folded, end, limit)):
        whole = Decimal(pounds["lb"]) + Decimal(pounds["oz"]) / 16
        return value_of(text, start, pounds.end(), pounds.span("lb"), analyte, {"value": whole}, "[lb_av]", None)
    return None


def _names_next(folded: str, unit: re.Match[str]) -> bool:
    """True where the unit is the name of the next value: "PT 14.2 INR 1.2"."""
    return unit[1] == "inr" and _NUMBER_NEXT.match(folded, unit.end()) is not None


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
    if (
        match
        and spread
        and spread.start("s1") <= match.start("s1")
        and not match["s2"]
        and (spread["s2"] or spread["d2"])
    ):
        match = spread
    if match is None and (said := dictated_pressure(folded, start, end, reach)):
        return said
    if match is None or int(match["d1"]) < 10:
        return None
    at = (end + match.start("s1"), end + match.end())
    unit = _MMHG.match(folded, at[1], limit)
    return pressure(start, unit.end() if unit else at[1], at, match)


def _looks_pressure(printed: str) -> bool:
    parts = printed.split("/")
    return len(parts) == 2 and all(p.isdigit() for p in parts) and int(parts[0]) > 31
