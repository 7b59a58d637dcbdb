"""The stage from codes to FHIR resources (https://hl7.org/fhir/R4/resourcelist.html)."""

from __future__ import annotations

from typing import Any

from extractors.emit import medications, observations
from extractors.emit.allergies import emit_allergy
from extractors.emit.claim import DraftClaim, emit_claim
from extractors.emit.clean import readable
from extractors.emit.conditions import diagnoses, emit_condition
from extractors.emit.considered import considered, gaps
from extractors.emit.ids import Ids
from extractors.emit.immunizations import emit_immunization, given
from extractors.emit.people import emit_people
from extractors.emit.procedures import emit_procedure, services
from extractors.emit.provenance import emit_provenance
from extractors.emit.relatives import emit_relative, relatives
from extractors.emit.source import Source
from extractors.emit.told import Told
from extractors.model import Code, Coded, Document


def emit(source: Source, document: Document, coded: Coded, *, draft_claim: DraftClaim | None = None) -> list[Any]:
    """The resources that `document` yields, as `fhir.resources.R4B` models; `bundle` makes one transaction of them.

    The same arguments give the same resources with the same ids. With `draft_claim` (`claims.draft.draft_claim`) there
    is a draft Claim of the accepted codes among them. Raises ValidationError of pydantic when a resource cannot be
    built; that is a defect here, not of the document.
    """
    ids, coded = Ids(source.document), readable(coded)
    context = emit_people(source, coded, ids)
    every: list[dict[str, Any]] = list(context.people)
    for name, kinds, gather, build in (
        ("Observation", ("vital", "lab"), observations.gather, observations.emit_observation),
        ("MedicationStatement", ("medication",), medications.gather, medications.emit_medication),
    ):
        groups = gather(_coded(coded, kinds))
        every.extend(build(source, document, coded, context, group, ids.next(name)) for group in groups)
    for finding, codes in _coded(coded, ("allergy",)):
        if finding.assertion.present:
            every.append(
                emit_allergy(source, document, coded, context, (finding, codes), ids.next("AllergyIntolerance"))
            )
    emitted: set[tuple[str, str]] = set()
    for name, equal, build_coded in (
        ("Condition", diagnoses(source, coded).values(), emit_condition),
        ("Procedure", services(coded).values(), emit_procedure),
    ):
        for codes in equal:
            best = codes[0]
            id = ids.coded(name, best.system, best.code, *best.modifiers)
            every.append(build_coded(source, document, coded, context, codes, id))
            emitted.add((best.system, best.code))
    for codes in given(coded):
        id = ids.coded("Immunization", codes[0].system, codes[0].code)
        every.append(emit_immunization(source, document, coded, context, codes, id))
    every.extend(
        emit_relative(source, document, coded, context, told, ids.next("FamilyMemberHistory"))
        for told in relatives(coded)
    )
    if draft_claim:
        claim = emit_claim(draft_claim, source, document, coded, context, ids)
        every.extend([claim] if claim else [])
    told = [*considered(coded, emitted), *gaps(coded)]
    every.append(emit_provenance(source, coded, every, ids.next("Provenance"), told))
    return [as_model(resource) for resource in every]


def as_model(resource: dict[str, Any]) -> Any:
    """A resource dict as its `fhir.resources.R4B` model; the library is loaded on first use, it is heavy."""
    from fhir.resources.R4B import get_fhir_model_class

    return get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def _coded(coded: Coded, kinds: tuple[str, ...]) -> list[Told]:
    """The findings of some kinds that are about the patient, each with the codes that were not rejected."""
    by_finding: dict[int, list[Code]] = {}
    for code in coded.codes:
        if code.status != "rejected":
            by_finding.setdefault(code.finding, []).append(code)
    return [
        (finding, by_finding.get(n, ()))
        for n, finding in enumerate(coded.findings.items)
        if finding.kind in kinds and not finding.assertion.family
    ]
