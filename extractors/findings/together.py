"""Values that share a name or have none: "BUN/Cr 28/1.6", "VS 97.8 128/73 88 20 96% RA", "95% RA", "T 38.2C"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from extractors.findings.analytes import (
    HEIGHT,
    HEMATOCRIT,
    PRESSURE,
    PULSE,
    RESPIRATION,
    SATURATION,
    TEMPERATURE,
    Analyte,
    Analytes,
)
from extractors.findings.cues import FOLDED, Seen, cued
from extractors.findings.grammar import NUMBER
from extractors.model import Span

_SEPARATOR = r"[ \t]*[,;]?[ \t]+"
_TWO = re.compile(rf"[ \t]*(?:is|was|were|of|at|:|=|-)?[ \t]*(?P<a>{NUMBER})\s?(?:/|and\b)\s?(?P<b>{NUMBER})(?![\d/])")
_BOTH = dict.fromkeys(("h/h", "h&h", "h & h", "h / h", "h and h"), (None, HEMATOCRIT)) | {
    "pt/inr": ("5902-2", "6301-6")
}
_JOINED = frozenset({"/", " and ", " & ", " / "})
_URINE = re.compile(
    r"\b(?:ua|u/a|urinalysis|urine(?: dip(?:stick)?)?)\b(?:(?!serum|\bcbc\b|\bbmp\b|\bcmp\b|blood )[^.\n]|\.\d)*$"
)
_CHEMISTRY = re.compile(
    r"\b(?:chem(?:istry)?[- ]?7|bmp|lytes|electrolytes|sma[- ]?7)\b[^\d\n]{0,20}(\d{3})/(\d\.?\d?)/(\d{2,3})/(\d{2})"
    r"/(\d{1,3})/(\d{1,2}\.\d)/(\d{2,3})(?![\d/])"
)
_GASES = re.compile(
    r"\b[av]bg\b[^\d\n]{0,24}(?P<p>[67]\.\d{1,2})\s?/\s?(?P<c>\d{2,3})\s?/\s?(?P<o>\d{2,3})(?:\s?/\s?(?P<b>\d{1,2})(?!\d))?"
)
_SEVEN = ("2951-2", "2823-3", "2075-0", "2028-9", "3094-0", "2160-0", "2345-7")  # the order of the fishbone
_HEAT = r"(?P<t>3[4-9]\.\d|4[01]\.\d|9[3-9](?:\.\d)?|10[0-6](?:\.\d)?)[ \t]?°?(?:[fc]\b)?"
_ROW = re.compile(
    r"\b(?:vs|v/s|vitals?(?:[ ]signs?)?)\b(?:[ ](?:on|at|in|the|arrival|admission|triage|discharge"
    r"|ed|were|are|was|as|follows|initially))*"
    rf"[ \t]*[:=-]?[ \t]*(?:(?:afebrile|af){_SEPARATOR}|{_HEAT}{_SEPARATOR})?"
    rf"(?:(?P<p1>\d{{2,3}}){_SEPARATOR})?(?P<bp>\d{{2,3}}/\d{{2,3}})(?P<p2>{_SEPARATOR}\d{{2,3}})?(?![\d/.%])"
    rf"(?:{_SEPARATOR}(?P<r>[1-6]\d|\d))?(?![\d/.%])(?:{_SEPARATOR}(?P<o>\d{{2,3}})[ \t]?%)?"
)
_ON_OXYGEN = re.compile(
    r"(?<![\d./-])(\d{2,3})[ \t]?%[ \t]?(?:on|with)?[ \t]?(?:ra\b|room air|\d+(?:\.\d+)?[ \t]?(?:l|liters?)\b)"
)
_LONE_HEAT = re.compile(r"t(?<![a-z0-9.'/-]t)[ \t:=]{0,2}(\d{2,3}(?:\.\d)?)[ \t]?°?[ \t]?(?P<unit>[cf])(?![a-z0-9])")
FEET = re.compile(r"(?<![\d./])([4-7])\s?(?:'|ft\.?|feet|foot)\s?(\d{1,2}(?:\.5)?)\s?(?:\"|''|in(?:ches)?\b)")
_METRES = re.compile(r"\b(?:c?m|in)\s?[(/]\s?$")
_POSTURE = cued(
    r"\b(?:lying|laying|supine|sitting|seated|standing|upright|re-?check(?:ed)?|repeat(?:ed)?"
    r"|vitals?(?:\ssigns?)?(?:\s(?:on|in|at|the|arrival|admission|ed|triage|today)\b)*:)"
    r"(?:\s(?:bp|blood pressure|manual|manually|was|is|of|at|to|now)\b)*[ :=-]{0,3}"
    r"(?P<bp>(?:[6-9]\d|1\d\d|2[0-5]\d)/(?:[3-9]\d|1[0-5]\d))(?![\d/]|\s?(?:mg|tab))",
    FOLDED,
    begins=(
        "lying", "laying", "supine", "sitting", "seated", "standing", "upright", "recheck", "re-check",
        "repeat", "vital",
    ),
)  # fmt: skip
_SITED_HEAT = re.compile(
    r"t(?<![a-z0-9.'/-]t)[ \t:=]{0,2}(?P<v>\d{2,3}(?:\.\d)?)[ \t]?(?:°[ \t]?)?[,(]?[ \t]?"
    r"(?:axillary|axill|rectal|oral|po\b|tympanic|temporal|ax\b)"
)
_LONE_PULSE = re.compile(
    r"p(?<![a-z0-9.'/-]p)[ \t:=]{1,2}(?P<v>\d{2,3})(?=\s?(?:,\s?)?(?:irreg|reg\b|regular|bpm|/min|beats))"
)
_GAPS = ("", " ", "\t", "  ", " \t", "\t ", "\t\t")
_DEGREES = tuple(f"{figure}{gap}{unit}" for figure in range(10) for gap in _GAPS for unit in "cf")
_PARTS = (("t", TEMPERATURE), ("p1", PULSE), ("bp", PRESSURE), ("p2", PULSE), ("r", RESPIRATION), ("o", SATURATION))


class Unnamed(NamedTuple):
    """A number whose meaning follows from its place: the evidence, the number itself and the LOINC code."""

    span: Span
    at: Span
    loinc: str
    unit: str | None = None


def paired(
    folded: str, names: Sequence[tuple[int, int, Analyte]], number: int, limit: int, analytes: Analytes
) -> tuple[tuple[Span, Analyte], tuple[Span, Analyte]] | None:
    """The two numbers of "Hgb/Hct 9.8/29.4", "AST and ALT were 21 and 30", "H/H 9.8/29.4" with what each measures."""
    start, end, first = names[number]
    if folded[start:end] in _BOTH:
        code, other = _BOTH[folded[start:end]]
        first, second = analytes.by_code[code] if code else first, analytes.by_code[other]
    elif number + 1 < len(names) and folded[end : names[number + 1][0]] in _JOINED:
        _, end, second = names[number + 1]
    else:
        return None
    match = _TWO.match(folded, end, limit)
    return ((match.span("a"), first), (match.span("b"), second)) if match else None


def in_row(folded: str, start: int, end: int) -> Iterator[Unnamed]:
    """Temperature, pressure, pulse, breathing and saturation of a line of vital signs without names."""
    row = _ROW.search(folded, start, end)
    if row is None or not (row["p1"] or row["p2"]):
        return
    for name, loinc in _PARTS:
        if row[name] is None or (name == "p2" and row["p1"]):
            continue
        a, b = row.span(name)
        a = b - len(row[name].lstrip(" ,;\t"))
        yield Unnamed((a, b), (a, b), loinc)
    if row["p1"] and row["p2"] and row["r"] is None:
        a, b = row.span("p2")
        a = b - len(row["p2"].lstrip(" ,;\t"))
        yield Unnamed((a, b), (a, b), RESPIRATION)


def in_feet(folded: str) -> Iterator[Unnamed]:
    """ "5'6\"" anywhere: the marks say what it is."""
    for match in FEET.finditer(folded) if "'" in folded or "ft" in folded or "feet" in folded else ():
        if not _METRES.search(folded, max(0, match.start() - 6), match.start()):  # the same height in other units
            yield Unnamed(match.span(), match.span(), HEIGHT, "[in_i]")


def in_posture(seen: Seen) -> Iterator[Unnamed]:
    """ "standing 104/60", "recheck 134/82": a pressure that a posture or a repetition announces."""
    for match in seen.each(_POSTURE):
        yield Unnamed(match.span(), match.span("bp"), PRESSURE)


def in_urine(folded: str, line: int, start: int, end: int, analytes: Analytes) -> Analyte | None:
    """What the name at `start`–`end` measures where its line tells of urine: "UA: pH 6, WBC 10"."""
    other = analytes.by_name.get(f"urine {folded[start:end]}")
    return other if other and tells_of_urine(folded, line, start) else None


def tells_of_urine(folded: str, line: int, start: int) -> bool:
    """True where the words of the line before `start` tell of urine, and of no blood since."""
    return _URINE.search(folded, line, start) is not None


def in_order(folded: str) -> Iterator[Unnamed]:
    """Electrolytes and blood gases by their order: "Chem 7 140/4.0/104/26/14/0.9/101", "ABG 7.31/55/68"."""
    if "chem" in folded or "bmp" in folded or "lytes" in folded or "sma" in folded:
        for match in _CHEMISTRY.finditer(folded):
            yield from (Unnamed(match.span(i), match.span(i), code) for i, code in enumerate(_SEVEN, 1))
    if "bg" in folded:
        for match in _GASES.finditer(folded):
            for name, loinc in zip("pcob", ("2744-1", "2019-8", "2703-7", "1960-4"), strict=True):
                if match[name]:
                    yield Unnamed(match.span(name), match.span(name), loinc)


def on_oxygen(folded: str, start: int, end: int) -> Iterator[Unnamed]:
    """A percentage on room air or on litres of oxygen, among vital signs."""
    if "%" in folded[start:end]:
        for match in _ON_OXYGEN.finditer(folded, start, end):
            yield Unnamed(match.span(), match.span(1), SATURATION, "%")


def lone_heat(seen: Seen) -> Iterator[Unnamed]:
    """ "T 38.2C" anywhere: the unit says what T is."""
    degrees = not seen.text.isascii() or FOLDED.says(seen, _DEGREES)
    text = seen.text
    if any(site in text for site in ("axil", "rectal", "oral", "tympanic", "temporal")):
        for match in _SITED_HEAT.finditer(text):
            yield Unnamed(match.span(), match.span("v"), TEMPERATURE)
    for match in _LONE_PULSE.finditer(text) if "p " in text or "p:" in text else ():
        yield Unnamed(match.span(), match.span("v"), PULSE)
    for match in _LONE_HEAT.finditer(seen.text) if degrees else ():
        yield Unnamed(match.span(), match.span(1), TEMPERATURE, "Cel" if match["unit"] == "c" else "[degF]")
