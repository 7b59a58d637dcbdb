"""What a document asks to be paid for, handed to whoever drafts Claims (https://hl7.org/fhir/R4/claim.html)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from extractors.emit.concepts import fixed, proved
from extractors.emit.conditions import stands
from extractors.emit.ids import Ids
from extractors.emit.place import place_of
from extractors.emit.pointers import pointers
from extractors.emit.procedures import services
from extractors.emit.source import Context, Source
from extractors.model import Code, Coded, Document
from fhir_profiles.systems import CPT, HCPCS, ICD10CM

DraftClaim = Callable[..., dict[str, Any]]
"""`claims.draft.draft_claim`, passed in because the extractors do not know the claims."""

BILLED = (CPT, HCPCS)


def emit_claim(
    draft: DraftClaim, source: Source, document: Document, coded: Coded, context: Context, ids: Ids
) -> dict[str, Any] | None:
    """The draft Claim of the accepted codes; None when there is nothing to claim.

    Each line points to the diagnoses that its service was done for (`pointers`). The element id of a diagnosis or line
    is the id of the Condition or Procedure that it claims.
    """
    diagnoses = accepted_diagnoses(coded)
    lines = [codes for codes in services(coded).values() if codes[0].system in BILLED]
    if not diagnoses and not lines:
        return None
    place = place_of(source, document, coded, [codes[0] for codes in lines])
    claim = draft(
        id=ids.next("Claim"),
        kind="institutional" if coded.setting == "inpatient" else "professional",
        patient=context.subject,
        created=source.recorded,
        provider=context.performer,
        encounter=context.encounter,
        document=source.reference,
        start=coded.service_date,
        end=coded.findings.identity.service_end,
        diagnoses=[{"coding": [proved(source, document, codes)]} for codes in diagnoses.values()],
        lines=[
            {
                "concept": {"coding": [proved(source, document, codes)]},
                "modifiers": [fixed(CPT, modifier) for modifier in codes[0].modifiers],
                "units": max(code.units for code in codes),
                "serviced": coded.service_date,
                "place": place,
                "diagnoses": pointers(document.text, codes, [*diagnoses.values()]),
            }
            for codes in lines
        ],
    )
    _name(claim.get("diagnosis", ()), "Condition", diagnoses.values(), ids)
    _name(claim.get("item", ()), "Procedure", lines, ids)
    return claim


def _name(elements: Iterable[dict[str, Any]], kind: str, coded: Iterable[Sequence[Code]], ids: Ids) -> None:
    """Give each element of the Claim the id of the resource that it claims."""
    for element, (best, *_) in zip(elements, coded, strict=False):  # a claim takes only the first diagnoses
        element["id"] = ids.coded(kind, best.system, best.code, *best.modifiers)


def accepted_diagnoses(coded: Coded) -> Mapping[str, Sequence[Code]]:
    """The accepted diagnoses that the patient has, equal ones together, in claim order."""
    groups: dict[str, list[Code]] = {}
    for code in coded.codes:
        if code.system == ICD10CM and code.status == "accepted" and stands(code, coded):
            groups.setdefault(code.code, []).append(code)
    return groups
