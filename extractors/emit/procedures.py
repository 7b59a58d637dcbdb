"""What was done (https://hl7.org/fhir/R4/procedure.html)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from extractors.emit.basis import grounded
from extractors.emit.conditions import stands
from extractors.emit.source import Context, Source
from extractors.emit.status import doubt, tags
from extractors.model import Code, Coded, Document
from fhir_profiles.systems import CPT, HCPCS, ICD10PCS

SYSTEMS = (CPT, HCPCS, ICD10PCS)


def services(coded: Coded) -> Mapping[tuple[str, str, tuple[str, ...]], Sequence[Code]]:
    """The accepted procedure codes of things that were done, equal ones together, in claim order."""
    groups: dict[tuple[str, str, tuple[str, ...]], list[Code]] = {}
    for code in coded.codes:
        if code.system in SYSTEMS and code.status == "accepted" and stands(code, coded):
            groups.setdefault((code.system, code.code, code.modifiers), []).append(code)
    return groups


def emit_procedure(
    source: Source, document: Document, coded: Coded, context: Context, codes: Sequence[Code], id: str
) -> dict[str, Any]:
    """One Procedure for a group of equal codes."""
    findings = [coded.findings.items[code.finding] for code in codes]
    unsure = doubt(findings)
    out: dict[str, Any] = {
        "resourceType": "Procedure",
        "id": id,
        **tags(doubtful=bool(unsure)),
        "status": "unknown" if unsure else "completed",
        "code": grounded(source, document, coded, codes),
        "subject": dict(context.subject),
    }
    if context.encounter:
        out["encounter"] = dict(context.encounter)
    when = findings[0].attributes.get("date") or (None if findings[0].assertion.historical else coded.service_date)
    if when:
        out["performedDateTime"] = when.isoformat()
    if context.performer:
        out["performer"] = [{"actor": dict(context.performer)}]
    if unsure:
        out["note"] = [{"text": unsure}]
    return out
