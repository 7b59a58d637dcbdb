"""The draft Claim of a review: which element claims which suggestion, and the Claim after a change.

https://hl7.org/fhir/R4/claim.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from claims.draft import MAX_DIAGNOSES, MAX_POINTERS
from fhir_profiles.systems import CODING_BASIS, CPT, DIAGNOSIS_TYPE, HCPCS
from server.review.model import Json
from server.review.read import coding_of, reference_of

BILLED = (CPT, HCPCS)
PRINCIPAL = {"system": DIAGNOSIS_TYPE, "code": "principal", "display": "Principal Diagnosis"}


@dataclass
class Draft:
    """A Claim taken apart: diagnoses and lines by the reference of what they claim, in claim order.

    `pointers` are the diagnoses of each line by reference. Elements that claim nothing of the review have the
    reference "" with a number.
    """

    claim: Json
    diagnoses: dict[str, Json] = field(default_factory=dict)
    lines: dict[str, Json] = field(default_factory=dict)
    pointers: dict[str, list[str]] = field(default_factory=dict)


def taken_apart(claim: Mapping[str, Any], resources: Iterable[Json]) -> Draft:
    """The parts of a Claim; an element is found by its id, else by the code that it claims."""
    by_id: dict[str, str] = {}
    by_code: dict[tuple[str, str], list[str]] = {}
    for resource in resources:
        if resource["resourceType"] in ("Condition", "Procedure") and (coding := coding_of(resource)):
            reference = reference_of(resource)
            by_id[resource["id"]] = reference
            by_code.setdefault((coding["system"], coding["code"]), []).append(reference)
    draft = Draft(dict(claim))
    sequences: dict[int, str] = {}
    for n, element in enumerate(claim.get("diagnosis") or ()):
        concept = element.get("diagnosisCodeableConcept")
        reference = _claimed(element, concept, by_id, by_code, draft.diagnoses) or f"#diagnosis-{n}"
        draft.diagnoses[reference] = element
        sequences[element.get("sequence", n + 1)] = reference
    for n, element in enumerate(claim.get("item") or ()):
        reference = _claimed(element, element.get("productOrService"), by_id, by_code, draft.lines) or f"#item-{n}"
        draft.lines[reference] = element
        draft.pointers[reference] = [sequences[p] for p in element.get("diagnosisSequence") or () if p in sequences]
    return draft


def _claimed(
    element: Mapping[str, Any],
    concept: Mapping[str, Any] | None,
    by_id: Mapping[str, str],
    by_code: Mapping[tuple[str, str], Sequence[str]],
    taken: Mapping[str, Json],
) -> str | None:
    if named := by_id.get(element.get("id", "")):
        return named
    for coding in (concept or {}).get("coding") or ():
        for reference in by_code.get((coding.get("system"), coding.get("code")), ()):
            if reference not in taken:
                return reference
    return None


def put_together(draft: Draft) -> Json:
    """The Claim of the parts: renumbered, the first diagnosis principal, pointers to what stands.

    A line that lost its last diagnosis points to the first ones, as in a new draft. At most 12 diagnoses.
    """
    kept = dict(list(draft.diagnoses.items())[:MAX_DIAGNOSES])
    numbers = {reference: n for n, reference in enumerate(kept, 1)}
    claim = {name: value for name, value in draft.claim.items() if name not in ("diagnosis", "item")}
    if kept:
        claim["diagnosis"] = [_diagnosis(one, numbers[reference]) for reference, one in kept.items()]
    if draft.lines:
        claim["item"] = [
            _line(one, n, [numbers[r] for r in draft.pointers.get(reference, ()) if r in numbers], len(kept))
            for n, (reference, one) in enumerate(draft.lines.items(), 1)
        ]
    return claim


def _diagnosis(element: Mapping[str, Any], sequence: int) -> Json:
    types = [one for one in element.get("type") or () if not _is_principal(one)]
    if sequence == 1:
        types.insert(0, {"coding": [PRINCIPAL]})
    made = {name: value for name, value in element.items() if name != "type"} | {"sequence": sequence}
    return made | {"type": types} if types else made


def _is_principal(concept: Mapping[str, Any]) -> bool:
    return any((c.get("system"), c.get("code")) == (DIAGNOSIS_TYPE, "principal") for c in concept.get("coding") or ())


def _line(element: Mapping[str, Any], sequence: int, pointers: Sequence[int], diagnoses: int) -> Json:
    made = {name: value for name, value in element.items() if name != "diagnosisSequence"} | {"sequence": sequence}
    pointers = list(dict.fromkeys(pointers)) or range(1, diagnoses + 1)
    return made | {"diagnosisSequence": [*pointers[:MAX_POINTERS]]} if pointers else made


def claimed_concept(resource: Mapping[str, Any]) -> Json:
    """The code of a Condition or Procedure as the Claim says it: with its evidence, without what it rests on beside."""
    coding = coding_of(resource) or {}
    kept = [one for one in coding.get("extension") or () if one.get("url") != CODING_BASIS]
    plain = {name: value for name, value in coding.items() if name != "extension"}
    return {"coding": [{"extension": kept, **plain} if kept else plain]}
