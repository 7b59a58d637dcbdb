"""What the patient takes, as the document says it (https://hl7.org/fhir/R4/medicationstatement.html)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from extractors.emit.concepts import concept, fixed, located, words
from extractors.emit.observations import quantity
from extractors.emit.source import Context, Source
from extractors.emit.status import doubt, tags
from extractors.model import Assertion, Code, Coded, Document, Finding
from fhir_profiles.systems import RXNORM, TIMING

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

Group = Sequence[tuple[Finding, Sequence[Code]]]


def same(finding: Finding) -> tuple[Any, ...]:
    """Findings with equal keys repeat one statement about one drug."""
    a = finding.attributes
    drug = a.get("rxnorm") or str(a.get("drug", finding.text)).casefold()
    return (
        drug,
        str(a.get("dose")),
        a.get("dose_unit"),
        a.get("route"),
        a.get("frequency"),
        _status(finding.assertion),
    )


def emit_medication(
    source: Source, document: Document, coded: Coded, context: Context, group: Group, id: str
) -> dict[str, Any]:
    """One MedicationStatement for a group of equal findings."""
    finding = group[0][0]
    a = finding.attributes
    codes = [code for _, found in group for code in found if code.system == RXNORM]
    by_code = {code.code: [c for c in codes if c.code == code.code] for code in codes}
    unsure = doubt(finding for finding, _ in group)
    drug = concept(source, document, by_code.values(), _name(a) or words(document, finding.start, finding.end))
    if not codes:
        drug["extension"] = located(source, document, finding)
    out: dict[str, Any] = {
        "resourceType": "MedicationStatement",
        "id": id,
        **tags(doubtful=bool(unsure)),
        "status": _status(finding.assertion),
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
    out["dosage"] = [_dosage(a, words(document, finding.start, finding.end))]
    return out


def _name(a: Mapping[str, Any]) -> str:
    """The drug with its strength, as one would ask for it."""
    return " ".join(str(a[key]) for key in ("drug", "strength") if a.get(key))


def _status(assertion: Assertion) -> str:
    """What the assertion makes of the statement (http://hl7.org/fhir/R4/valueset-medication-statement-status.html)."""
    if assertion.negated:
        return "not-taken"
    if assertion.hypothetical:
        return "intended"
    if assertion.historical:
        return "stopped"
    return "unknown" if assertion.possible else "active"


def _dosage(a: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The dosage, structured as far as it was understood, with the printed words."""
    out: dict[str, Any] = {"text": text}
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
        given = (
            {"doseRange": {"low": low, "high": quantity(high, unit, _spoken(unit))}} if high else {"doseQuantity": low}
        )
        out["doseAndRate"] = [given]
    return out


def _spoken(unit: str | None) -> str | None:
    """A UCUM unit as a person writes it: {puff} is a puff, [iU] a unit."""
    return {"ug": "mcg", "[iU]": "units"}.get(unit, unit.strip("{}")) if unit else None


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
