"""What the patient takes, as the document says it (https://hl7.org/fhir/R4/medicationstatement.html)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from extractors.emit.concepts import concept, located, words
from extractors.emit.observations import quantity
from extractors.emit.source import Context, Source
from extractors.emit.status import doubt, tags
from extractors.model import Assertion, Code, Coded, Document, Finding
from fhir_profiles.systems import RXNORM

DOSE_UNITS = {
    "mg": "mg",
    "mcg": "ug",
    "ug": "ug",
    "µg": "ug",
    "g": "g",
    "ml": "mL",
    "meq": "meq",
    "mmol": "mmol",
    "%": "%",
}
REPEAT = {
    "frequency", "frequencyMax", "period", "periodMax", "periodUnit", "when", "timeOfDay", "dayOfWeek", "count",
    "duration", "durationUnit", "offset",
}  # fmt: skip

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
    drug = concept(
        source, document, by_code.values(), str(a.get("drug") or words(document, finding.start, finding.end))
    )
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
    if timing := _timing(a.get("timing"), a.get("frequency")):
        out["timing"] = timing
    if (needed := a.get("as_needed")) is not None:
        out["asNeededBoolean"] = bool(needed)
    if route := a.get("route"):
        out["route"] = {"text": str(route)}
    if (dose := _number(a.get("dose"))) is not None:
        unit = str(a.get("dose_unit") or "")
        out["doseAndRate"] = [{"doseQuantity": quantity(dose, DOSE_UNITS.get(unit.casefold()), unit or None)}]
    return out


def _number(value: Any) -> Decimal | None:
    """A dose as a number; a range such as 1-2 stays in the words."""
    return Decimal(value) if isinstance(value, Decimal | int) and not isinstance(value, bool) else None


def _timing(timing: Any, frequency: Any) -> dict[str, Any]:
    """A Timing from its `repeat` parts and the printed frequency."""
    out: dict[str, Any] = {}
    if isinstance(timing, Mapping):
        parts = timing.get("repeat", timing)
        repeat = {key: _plain(value) for key, value in parts.items() if key in REPEAT and value is not None}
        if repeat:
            out["repeat"] = repeat
    if frequency:
        out["code"] = {"text": str(frequency)}
    return out


def _plain(value: Any) -> Any:
    """A tuple of the frozen records as a JSON list."""
    return list(value) if isinstance(value, tuple) else value
