"""Allergies and intolerances (https://hl7.org/fhir/R4/allergyintolerance.html)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from extractors.emit.concepts import concept, fixed, located, words
from extractors.emit.source import Context, Source
from extractors.emit.status import doubt, tags
from extractors.model import Code, Coded, Document, Finding
from fhir_profiles.systems import ALLERGY_CLINICAL, ALLERGY_VERIFICATION, ICD10CM


def emit_allergy(
    source: Source,
    document: Document,
    coded: Coded,
    context: Context,
    found: tuple[Finding, Sequence[Code]],
    id: str,
) -> dict[str, Any]:
    """One AllergyIntolerance, unconfirmed: a document reports it, nobody tested it here."""
    finding, codes = found
    substances = [code for code in codes if code.system != ICD10CM]
    unsure = doubt([finding])
    text = str(finding.attributes.get("substance") or words(document, finding.start, finding.end))
    code = concept(source, document, [[c] for c in substances], text)
    if not substances:
        code["extension"] = located(source, document, finding)
    out: dict[str, Any] = {
        "resourceType": "AllergyIntolerance",
        "id": id,
        **tags(doubtful=bool(unsure)),
        "clinicalStatus": fixed(ALLERGY_CLINICAL, "active", "Active"),
        "verificationStatus": fixed(ALLERGY_VERIFICATION, "unconfirmed", "Unconfirmed"),
        "code": code,
        "patient": dict(context.subject),
    }
    if context.encounter:
        out["encounter"] = dict(context.encounter)
    if coded.service_date:
        out["recordedDate"] = coded.service_date.isoformat()
    if unsure:
        out["note"] = [{"text": unsure}]
    if reaction := finding.attributes.get("reaction"):
        out["reaction"] = [{"manifestation": [{"text": str(reaction)}]}]
    return out
