"""Vital signs and laboratory results (https://hl7.org/fhir/R4/observation.html)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from extractors.emit.concepts import coding, concept, fixed, located, words
from extractors.emit.evidence import confidence, evidence
from extractors.emit.source import Context, Source
from extractors.emit.status import doubt, tags
from extractors.emit.told import Group, Told, together
from extractors.model import Code, Coded, Document, Finding
from fhir_profiles.systems import LOINC, OBSERVATION_CATEGORY, OBSERVATION_INTERPRETATION, UCUM

CATEGORIES = {
    "vital": ("vital-signs", "Vital Signs"),
    "lab": ("laboratory", "Laboratory"),
    "survey": ("survey", "Survey"),
}
COMPARATORS = {"<": "<", ">": ">", "<=": "<=", ">=": ">=", "≤": "<=", "≥": ">="}
FLAGS = {
    **dict.fromkeys(("H", "HIGH"), ("H", "High")),
    **dict.fromkeys(("L", "LOW"), ("L", "Low")),
    **dict.fromkeys(("HH", "CRITICAL HIGH"), ("HH", "Critical high")),
    **dict.fromkeys(("LL", "CRITICAL LOW"), ("LL", "Critical low")),
    **dict.fromkeys(("A", "ABN", "ABNORMAL"), ("A", "Abnormal")),
    **dict.fromkeys(("AA", "CRITICAL"), ("AA", "Critical abnormal")),
    **dict.fromkeys(("N", "NORMAL", "WNL"), ("N", "Normal")),
}

VALUE = ("value", "value_high", "value_text", "comparator", "unit")


def gather(told: Iterable[Told]) -> list[list[Told]]:
    """The measurements, repetitions together; a goal, a limit or a denial is not a measurement."""
    measured = (one for one in told if not (one[0].assertion.negated or one[0].assertion.hypothetical))
    return together(measured, same)


def same(finding: Finding) -> tuple[Any, ...]:
    """Findings with equal keys repeat one measurement; a printed 72.5 and 72.50 are two readings of precision."""
    a = finding.attributes
    parts = tuple((c.get("loinc"), *(str(c.get(key)) for key in VALUE)) for c in a.get("components", ()))
    name = a.get("loinc") or str(a.get("name", finding.text)).casefold()
    return (name, *(str(a.get(key)) for key in VALUE), parts, a.get("date"), finding.assertion.present)


def emit_observation(
    source: Source, document: Document, coded: Coded, context: Context, group: Group, id: str
) -> dict[str, Any]:
    """One Observation for a group of equal findings; the first one gives the value, all of them the evidence."""
    finding = group[0][0]
    a = finding.attributes
    codes = [code for _, found in group for code in found if code.system == LOINC]
    main = [code for code in codes if code.code == (a.get("loinc") or code.code)]
    unsure = doubt(finding for finding, _ in group)
    out: dict[str, Any] = {
        "resourceType": "Observation",
        "id": id,
        **tags(doubtful=bool(unsure)),
        "status": "preliminary" if unsure else "final",
        "category": [fixed(OBSERVATION_CATEGORY, *CATEGORIES[a.get("category", finding.kind)])],
        "code": concept(
            source,
            document,
            [main] if main else [],
            a.get("name") or words(document, finding.start, finding.end),
        ),
        "subject": dict(context.subject),
    }
    if not main:
        out["code"]["extension"] = located(source, document, finding)
    if context.encounter:
        out["encounter"] = dict(context.encounter)
    when = a.get("date") or (None if finding.assertion.historical else coded.service_date)
    if when:
        out["effectiveDateTime"] = when.isoformat()
    if context.performer:
        out["performer"] = [dict(context.performer)]
    out |= _value(a)
    if flag := a.get("flag"):
        out["interpretation"] = [_interpretation(str(flag))]
    notes = [note for note in (unsure, a.get("delivery")) if note]
    if notes:
        out["note"] = [{"text": note} for note in notes]
    if (bounds := _range(a)) is not None:
        out["referenceRange"] = [bounds]
    if components := a.get("components"):
        out["component"] = [_component(source, document, finding, main, part) for part in components]
    return out


def _value(a: Mapping[str, Any]) -> dict[str, Any]:
    """`value[x]`: a number, a range of numbers or words; nothing when the components hold the values."""
    value, high = a.get("value"), a.get("value_high")
    unit = (a.get("unit"), a.get("unit_text"))
    if isinstance(value, Decimal | int):
        if high is not None:
            return {"valueRange": {"low": quantity(value, *unit), "high": quantity(high, *unit)}}
        return {"valueQuantity": quantity(value, *unit, a.get("comparator"))}
    words = value if value is not None else a.get("value_text")
    return {} if words is None else {"valueString": str(words)}


def quantity(
    value: Decimal | int, unit: str | None = None, printed: str | None = None, comparator: str | None = None
) -> dict[str, Any]:
    """A Quantity: the decimal as printed, the printed unit, and its UCUM code when there is one."""
    out: dict[str, Any] = {"value": Decimal(value)}
    if comparator in COMPARATORS:
        out["comparator"] = COMPARATORS[comparator]
    if printed or unit:
        out["unit"] = printed or unit
    if unit:
        out |= {"system": UCUM, "code": unit}
    return out


def _range(a: Mapping[str, Any]) -> dict[str, Any] | None:
    """The reference range as printed."""
    ends = {
        end: quantity(a[end], a.get("unit"), a.get("unit_text")) for end in ("low", "high") if a.get(end) is not None
    }
    if text := a.get("range_text"):
        return {**ends, "text": str(text)}
    return ends or None


def _interpretation(flag: str) -> dict[str, Any]:
    """The printed flag, coded when it is one of the usual letters."""
    known = FLAGS.get(flag.strip("()[]*! ").upper())
    out: dict[str, Any] = {"coding": [coding(OBSERVATION_INTERPRETATION, *known)]} if known else {}
    return {**out, "text": flag}


def _component(
    source: Source, document: Document, finding: Finding, panel: Sequence[Code], part: Mapping[str, Any]
) -> dict[str, Any]:
    """One half of a panel, such as the systolic pressure; it is as sure as the panel's code."""
    name = str(part.get("name") or part.get("loinc") or "part")
    code: dict[str, Any] = {"text": name}
    if loinc := part.get("loinc"):
        span = (part.get("start", finding.start), part.get("end", finding.end))
        proof = [*evidence(source, document, [span]), *(confidence(c.confidence) for c in panel[:1])]
        code = {"coding": [{"extension": proof, **coding(LOINC, loinc, part.get("display") or name)}], "text": name}
    return {"code": code, **_value(part)}
