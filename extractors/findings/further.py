"""Values in words and values that follow another of the same name: "one twenty over eighty", "4.2 -> 2.1"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from extractors.findings.analytes import PAIN, PRESSURE, Analyte, units
from extractors.findings.grammar import COMPARATOR, FILLER, GAP, NUMBER, UNIT, WHEN, comparator
from extractors.findings.measured import Value, numeric, pressure, value_of
from extractors.findings.spoken import ANY, SPOKEN, spoken_number

NO_VALUE = (
    rf"{GAP}?(?:hours?|hrs|days?|weeks?|months?|years?|yrs?|minutes|mins|yo\b|y/o|x{GAP}|st\b|nd\b|rd\b|th\b|'\d)"
)
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\b"
UNIT_AFTER = re.compile(rf"{GAP}*({UNIT})")
_SAID = re.compile(rf"(?:{GAP}*{FILLER}){{0,7}}{GAP}*(?P<v>{SPOKEN})(?!{NO_VALUE}|{GAP}?times\b)")
_HOUR = rf"at{GAP}(?:[01]\d|2[0-3])[0-5]\d\b"
_PLACE = (
    rf"(?:{GAP}?\(?(?:{WHEN}|{_MONTH}|{_HOUR}|[hl]|high|low|on admission|on arrival|yesterday"
    r"|this morning|last night)\)?)"
)
_STATE = (
    rf"{GAP}(?:at{GAP}rest|resting|walking|ambulating|with{GAP}(?:exertion|activity|ambulation|walking)|standing|sitting"
    r"|lying|asleep|awake)\b"
)
_LATER = rf"(?:and{GAP}|but{GAP})?(?:now|today|then|most recently|currently|was)\b"
_TURN = (
    r"(?:recovered|improved|rose|fell|dropped|decreased|increased|recheck(?:ed)?|repeat(?:ed)?|nadir|resting|cleared)"
    r"(?:\s(?:to|at|of|was|is|value|level))*"
)
_FURTHER = re.compile(
    rf"(?P<place>{_PLACE}|{_STATE})?(?:{GAP}?\((?:hemoly[sz]ed|[hl]|fasting|random)\))?{GAP}?[,;(]?{GAP}?(?P<how>-{{0,2}}>|→|{_LATER}"
    rf"|(?:(?:with|on|after|during){GAP}[a-z]+(?:{GAP}[a-z]+)?,?{GAP})?(?:and{GAP}|but{GAP}|then{GAP})?{_TURN}|(?P<like>and\b|,))"
    rf"(?:{GAP}*{FILLER}){{0,3}}{GAP}*(?P<cmp>{COMPARATOR})?{GAP}*"
    rf"(?P<v>{NUMBER})(?P<vk>k\b)?(?![\d:/+-]|\.\d|{NO_VALUE})"
)
_BESIDE = re.compile(rf"{_STATE}|{GAP}(?:on|after|today|now|yesterday)\b")
_FURTHER_PRESSURE = re.compile(
    r"(?P<between>(?:(?!goal|target|below|less|under|usual|normal|baseline|pulse|visi|acuity)[a-z ,;()>@/-]){1,36}?)"
    r"(?P<s1>\d{2,3})/(?P<d1>\d{2,3})(?![\d/])(?P<s2>)(?P<d2>)(?P<cmp>)"
)
_SAID_PRESSURE = re.compile(rf"\b(?P<s>{SPOKEN}){GAP}over{GAP}(?P<d>{SPOKEN})")
_TOLD = re.compile(r"\b(?:is|was|were|of|at)\s$|[:=]\s*$")
FAR = 100  # characters between a name and its value, at most
LOW_SYSTOLIC = 60  # below it a later "n/n" is no pressure
LOW_SPOKEN = 10  # a lower number in words is a value only after "is", "of", a colon


def further(folded: str, text: str, value: Value, limit: int, analyte: Analyte) -> Iterator[Value]:
    """Later values of the same name: "6.9 % in May, now 7.4 %", "4.2 -> 2.1", "142/88 sitting, 128/80 standing"."""
    if "doubtful" in value.attributes or "target" in value.attributes:
        return
    at = value.end
    if analyte.loinc == PRESSURE:
        while match := _FURTHER_PRESSURE.match(folded, at, limit):
            again = pressure(value.start, match.end(), (match.start("s1"), match.end("d1")), match)
            if "doubtful" in again.attributes or int(match["s1"]) < LOW_SYSTOLIC:
                return
            yield again
            at = match.end()
        return
    while match := _FURTHER.match(folded, at, limit):
        unit = UNIT_AFTER.match(folded, match.end(), limit)
        if unit and unit[1] == "in" and analyte.unit != "cm":  # "9.4 in the spring"
            unit = None
        printed = text[slice(*unit.span(1))] if unit else None
        same = printed == value.attributes.get("unit_text") or not (printed or match["like"])
        if not same and not (match["how"].endswith((">", "→")) and "unit_text" not in value.attributes):
            return
        told = match["place"] or _BESIDE.match(folded, (unit or match).end(), limit)
        if match["like"] and (not printed or (match["like"] == "," and not told)):
            return
        at = unit.end() if unit else match.end()
        code = (value.attributes.get("unit") if same else units()[unit[1]]) if unit else None
        again = value_of(
            text,
            value.start,
            at,
            match.span("v"),
            analyte,
            numeric(match["v"], match["vk"], comparator(match["cmp"])),
            code,
            printed,
        )
        if "doubtful" in again.attributes:
            return
        yield again


def dictated(folded: str, text: str, start: int, end: int, limit: int, analyte: Analyte) -> Value | None:
    """A value in words, where it is possible: "temperature is ninety eight point six"."""
    if analyte.loinc == PAIN or ANY.search(folded, end, min(limit, end + FAR)) is None:
        return None
    match = _SAID.match(folded, end, limit)
    number = spoken_number(match["v"]) if match else None
    if match is None or number is None or (number < LOW_SPOKEN and not _TOLD.search(folded, end, match.start("v"))):
        return None
    value = value_of(text, start, match.end(), match.span("v"), analyte, {"value": number}, None, None)
    return None if "doubtful" in value.attributes else value


def dictated_pressure(folded: str, start: int, end: int, limit: int) -> Value | None:
    """A blood pressure in words: "one twenty over eighty"."""
    said = _SAID_PRESSURE.search(folded, end, limit)
    high, low = (spoken_number(said["s"]), spoken_number(said["d"])) if said else (None, None)
    if said is None or high is None or low is None:
        return None
    return pressure(
        start, said.end(), said.span(), {"s1": str(high), "s2": None, "d1": str(low), "d2": None, "cmp": None}
    )
