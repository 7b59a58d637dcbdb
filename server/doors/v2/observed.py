"""OBX-2 and OBX-5: the value of an Observation, its range and its flags (http://hl7.org/fhir/uv/v2mappings)."""

from __future__ import annotations

import re
from collections.abc import Callable

from fhir_profiles import json
from fhir_profiles.systems import DATA_ABSENT_REASON, OBSERVATION_INTERPRETATION, UCUM, V2
from terminology import ucum

from .parse import Field, Segment
from .values import Context, Json, to_clock

NUMBER = re.compile(r"([<>]=?)?\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?)")
_RANGE = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*-\s*([+-]?\d+(?:\.\d+)?)")
_ONE_SIDE = re.compile(r"([<>])=?\s*([+-]?\d+(?:\.\d+)?)")
FLAGS = frozenset({"L", "H", "LL", "HH", "<", ">", "N", "A", "AA", "U", "D", "B", "W", "S", "R", "I", "POS", "NEG"})
"""Codes of table 0078 that FHIR's value set has."""

_WRONG_UNITS = {"mmHg": "mm[Hg]", "mm Hg": "mm[Hg]", "bpm": "/min", "K/uL": "10*3/uL", "M/uL": "10*6/uL"}
_WRONG_UNITS |= {"10^3/uL": "10*3/uL", "10^6/uL": "10*6/uL", "x10E3/uL": "10*3/uL", "x10E6/uL": "10*6/uL"}
_WRONG_UNITS |= {"degF": "[degF]", "lb": "[lb_av]", "lbs": "[lb_av]", "IU/L": "[IU]/L", "pg": "pg", "secs": "s"}
"""Units that laboratories write → UCUM, as far as nothing else can be meant."""


def value_of(context: Context, segment: Segment) -> Json:
    """`value[x]` of an OBX; nothing where there is none. What is not of its type becomes text, which is told."""
    kind, one = segment.text(2).upper(), segment.first(5)
    if not one or segment.is_null(5):
        return {}
    made = _KINDS[kind](context, segment, one) if kind in _KINDS else None
    if made is None and kind not in ("ED", "RP"):
        if kind not in ("", *_TEXTS):
            known = kind if kind in _KINDS else "of another type"
            context.note(f"OBX-5: A value {known} could not be read as such and is kept as text.")
        text = segment.whole(5)
        return {"valueString": text} if text else {}
    return made or {}


_TEXTS = ("ST", "TX", "FT", "IS", "ID", "CX", "EI")


def _number(context: Context, segment: Segment, one: Field) -> Json | None:
    found = NUMBER.fullmatch(one.whole)
    if found is None:
        return None
    return {"valueQuantity": quantity(context, found[2], segment, found[1])}


def quantity(context: Context, number: str, segment: Segment, comparator: str | None = None) -> Json:
    """A number with the unit of OBX-6: coded where UCUM has it."""
    found: Json = {"value": _decimal(number)}
    if comparator:
        found["comparator"] = comparator
    return found | unit_of(context, segment)


def unit_of(context: Context, segment: Segment) -> Json:
    """OBX-6."""
    one = segment.first(6)
    written = one.part(1)
    if not written:
        return {}
    code = _WRONG_UNITS.get(written, written)
    shown = one.part(2) or written
    if ucum.is_valid(code):
        return {"unit": shown, "system": UCUM, "code": code}
    context.note("OBX-6: A unit is not of UCUM and is kept as text.")
    return {"unit": shown}


def _decimal(text: str) -> object:
    """A JSON number with the digits as they were written."""
    body = text.lstrip("+")
    sign, digits = ("-", body[1:]) if body.startswith("-") else ("", body)
    mantissa, mark, exponent = digits.lower().partition("e")
    whole, _, part = mantissa.partition(".")
    plain = f"{sign}{whole.lstrip('0') or '0'}{f'.{part}' if part else ''}{mark}{exponent}"
    return json.decode(f'{{"n":{plain}}}'.encode())["n"]


def _structured(context: Context, segment: Segment, one: Field) -> Json | None:
    """SN: a comparator, a number, a sign, a number."""
    sign, low, middle, high = one.part(1), one.part(2), one.part(3), one.part(4)
    if not NUMBER.fullmatch(low or high or "x"):
        return None
    if not high:
        if middle or sign not in ("", "=", "<", ">", "<=", ">="):
            return None
        return {"valueQuantity": quantity(context, low, segment, sign.strip("=") and sign)}
    if not NUMBER.fullmatch(high) or not low:
        return None
    parts = quantity(context, low, segment), quantity(context, high, segment)
    if middle == "-" and float(low) <= float(high):
        return {"valueRange": {"low": parts[0], "high": parts[1]}}
    if middle in (":", "/"):
        return {"valueRatio": {"numerator": parts[0], "denominator": parts[1]}}
    return None


def _coded(context: Context, _: Segment, one: Field) -> Json | None:
    concept = context.concept(one)
    return {"valueCodeableConcept": concept} if concept else None


def _time(context: Context, _: Segment, one: Field) -> Json | None:
    when = context.time(one.part(1), "OBX-5")
    return {"valueDateTime": when} if when else None


def _clock(_: Context, __: Segment, one: Field) -> Json | None:
    when = to_clock(one.whole)
    return {"valueTime": when} if when else None


_KINDS: dict[str, Callable[[Context, Segment, Field], Json | None]] = {
    "NM": _number,
    "SN": _structured,
    "CE": _coded,
    "CWE": _coded,
    "CNE": _coded,
    "CF": _coded,
    "DT": _time,
    "TS": _time,
    "DTM": _time,
    "TM": _clock,
}


def reference_range(context: Context, segment: Segment) -> list[Json]:
    """OBX-7: low and high where it is numbers, and as it is written."""
    text = segment.whole(7)
    if not text:
        return []
    found: Json = {"text": text}
    unit = unit_of(context, segment)
    if two := _RANGE.fullmatch(text):
        if float(two[1]) <= float(two[2]):
            found |= {"low": {"value": _decimal(two[1]), **unit}, "high": {"value": _decimal(two[2]), **unit}}
    elif one := _ONE_SIDE.fullmatch(text):
        found["high" if one[1] == "<" else "low"] = {"value": _decimal(one[2]), **unit}
    return [found]


def interpretation(segment: Segment) -> list[Json]:
    """OBX-8."""
    return [
        {"coding": [{"system": OBSERVATION_INTERPRETATION, "code": code}]} if code in FLAGS
        else {"coding": [{"system": f"{V2}0078", "code": code}]}
        for one in segment.each(8)
        if (code := one.part(1))
    ]  # fmt: skip


def no_value() -> Json:
    """Why an Observation has no value: nobody said."""
    return {"coding": [{"system": DATA_ABSENT_REASON, "code": "unknown"}]}
