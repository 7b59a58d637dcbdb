"""What the patient takes, as the document says it (https://hl7.org/fhir/R4/medicationstatement.html)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from extractors.emit.concepts import concept, fixed, located, words
from extractors.emit.observations import quantity
from extractors.emit.source import Context, Source
from extractors.emit.status import doubt, tags
from extractors.emit.told import Group, Told, together
from extractors.model import Coded, Document, Finding
from fhir_profiles.systems import RXNORM, TIMING

PER_TIME = ("/h", "/min", "/d")
"""What the unit of a rate ends with, beside that of a dose."""

REPEAT = {
    "frequency": "frequency",
    "period": "period",
    "period_max": "periodMax",
    "period_unit": "periodUnit",
    "when": "when",
}
# The codes that FHIR prefers for Timing.code
TIMINGS = frozenset(
    ("BID", "TID", "QID", "AM", "PM", "QD", "QOD", "Q1H", "Q2H", "Q3H", "Q4H", "Q6H", "Q8H", "BED", "WK", "MO")
)

DETAILS = ("dose", "dose_high", "dose_unit", "strength", "route", "frequency")


def gather(told: Iterable[Told]) -> list[list[Told]]:
    """The statements; a mention without any detail is further evidence of a fuller statement about the same drug."""
    groups = together(told, _detailed)
    fuller: dict[Hashable, list[Told]] = {}
    for group in groups:
        if _has_details(group[0][0]):
            fuller.setdefault(_plain(group[0][0]), group)
    kept = []
    for group in groups:
        finding = group[0][0]
        whole = fuller.get(_plain(finding))
        if whole is not None and not _has_details(finding):
            whole.extend(group)
        else:
            kept.append(group)
    return kept


def _plain(finding: Finding) -> Hashable:
    """Which drug, and whether it is taken."""
    a = finding.attributes
    return (a.get("rxnorm") or str(a.get("drug", finding.text)).casefold(), _status(finding))


def _detailed(finding: Finding) -> Hashable:
    """The drug with all that is said of taking it."""
    return (_plain(finding), *(str(finding.attributes.get(key)) for key in DETAILS))


def _has_details(finding: Finding) -> bool:
    return any(finding.attributes.get(key) is not None for key in DETAILS)


def emit_medication(
    source: Source, document: Document, coded: Coded, context: Context, group: Group, id: str
) -> dict[str, Any]:
    """One MedicationStatement for a group of equal findings."""
    finding = group[0][0]
    a = finding.attributes
    codes = [code for _, found in group for code in found if code.system == RXNORM]
    by_code = {code.code: [c for c in codes if c.code == code.code] for code in codes}
    unsure = doubt(f for f, _ in group if _has_details(f) == _has_details(finding))  # a bare name proves no dose
    drug = concept(source, document, by_code.values(), _name(a) or words(document, finding.start, finding.end))
    if not codes:
        drug["extension"] = located(source, document, finding)
    out: dict[str, Any] = {
        "resourceType": "MedicationStatement",
        "id": id,
        **tags(doubtful=bool(unsure)),
        "status": _status(finding),
        "medicationCodeableConcept": drug,
        "subject": dict(context.subject),
    }
    if context.encounter:
        out["context"] = dict(context.encounter)
    if coded.service_date:
        out["effectiveDateTime"] = coded.service_date.isoformat()
        out["dateAsserted"] = coded.service_date.isoformat()
    out["derivedFrom"] = [source.reference]
    if unsure:
        out["note"] = [{"text": unsure}]
    if dosage := _dosage(a, words(document, finding.start, finding.end)):
        steps = [{"sequence": n, **_dosage(step, "")} for n, step in enumerate(a.get("steps", ()), 2)]
        out["dosage"] = [{"sequence": 1, **dosage}, *steps] if steps else [dosage]
    return out


def _name(a: Mapping[str, Any]) -> str:
    """The drug with its strength, as one would ask for it."""
    return " ".join(str(a[key]) for key in ("drug", "strength") if a.get(key))


def _status(finding: Finding) -> str:
    """What the text makes of the statement (http://hl7.org/fhir/R4/valueset-medication-statement-status.html)."""
    assertion = finding.assertion
    if assertion.negated:
        return "not-taken"
    if (said := finding.attributes.get("status")) in ("stopped", "on-hold"):
        return str(said)
    if assertion.hypothetical:
        return "intended"
    if assertion.historical:
        return "stopped"
    return "unknown" if assertion.possible else "active"


def _dosage(a: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The dosage, structured as far as it was understood, with the printed words."""
    out: dict[str, Any] = {"text": text} if text else {}
    if a.get("sliding_scale"):
        out["additionalInstruction"] = [{"text": "sliding scale"}]
    if timing := _timing(a):
        out["timing"] = timing
    if reason := a.get("as_needed_for"):
        out["asNeededCodeableConcept"] = {"text": str(reason)}
    elif (needed := a.get("as_needed")) is not None:
        out["asNeededBoolean"] = bool(needed)
    if route := a.get("route"):
        out["route"] = {"text": str(route)}
    dose, high, unit = a.get("dose"), a.get("dose_high"), a.get("dose_unit")
    if dose is not None:
        low = quantity(dose, unit, _spoken(unit))
        kind = "rate" if unit and unit.endswith(PER_TIME) else "dose"
        given = {f"{kind}Range": {"low": low, "high": quantity(high, unit, _spoken(unit))}} if high else None
        out["doseAndRate"] = [given or {f"{kind}Quantity": low}]
    return out


def _spoken(unit: str | None) -> str | None:
    """A UCUM unit as a person writes it: {puff} is a puff, [iU] a unit."""
    if not unit:
        return None
    first, *rest = unit.strip("{}").split("/")
    return "/".join([{"ug": "mcg", "[iU]": "units"}.get(first, first), *rest])


def _timing(a: Mapping[str, Any]) -> dict[str, Any]:
    """A Timing from its parts and the printed frequency; how long comes from the duration."""
    parts: Mapping[str, Any] = a.get("timing") or {}
    duration: Mapping[str, Any] = a.get("duration") or {}
    repeat = {REPEAT[key]: value for key, value in parts.items() if key in REPEAT and value is not None}
    if isinstance(repeat.get("when"), str):
        repeat["when"] = [repeat["when"]]
    if "count" in duration:
        repeat["count"] = int(duration["count"])
    elif duration:
        repeat["boundsDuration"] = quantity(duration["value"], duration["unit"])
    out: dict[str, Any] = {"repeat": repeat} if repeat else {}
    if parts.get("code") in TIMINGS:
        out["code"] = fixed(TIMING, parts["code"])
    if frequency := a.get("frequency"):
        out["code"] = {**out.get("code", {}), "text": str(frequency)}
    return out
