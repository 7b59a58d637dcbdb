"""Diagnoses, procedures and the codes of hospital bills out of segments HI."""

from __future__ import annotations

from collections import defaultdict

from claims.x12.building import Json, coded, number
from claims.x12.loops import Loop
from claims.x12.segments import Segment
from fhir_profiles.systems import (
    CLAIM_INFORMATION,
    DIAGNOSIS_ON_ADMISSION,
    DIAGNOSIS_TYPE,
    ICD10CM,
    ICD10PCS,
)

Parts = tuple[Segment, int, list[str]]
_TYPES = {
    "ABK": "principal",
    "ABN": "externalcauseofinjury",
    "ABF": "",
    "ABJ": "admitting",
    "APR": "patientreasonforvisit",
}
"""Kind of code → what the diagnosis is, in the order of the diagnoses."""

_LISTS = {"BE": "value", "BG": "condition", "BH": "occurrence", "BI": "span"}


def listed(loop: Loop) -> dict[str, list[Parts]]:
    """Every code of HI by its kind."""
    found: defaultdict[str, list[Parts]] = defaultdict(list)
    for segment in loop.all("HI"):
        for place in range(1, len(segment.elements)):
            parts = segment.split(place)
            if len(parts) < 2 or not parts[1]:
                segment.damaged(f"element {place} holds no code")
            if parts[0] in ("BK", "BF", "BJ", "BN", "PR", "BR", "BQ"):
                segment.damaged("codes of ICD-9 are not taken in")
            found[parts[0]].append((segment, place, parts))
    return found


def diagnoses(codes: dict[str, list[Parts]]) -> list[Json]:
    """Claim.diagnosis, the principal first."""
    found: list[Json] = []
    for kind, name in _TYPES.items():
        for _, _, parts in codes.get(kind, ()):
            code = parts[1] if len(parts[1]) < 4 else f"{parts[1][:3]}.{parts[1][3:]}"
            one: Json = {"sequence": len(found) + 1, "diagnosisCodeableConcept": coded(code, ICD10CM)}
            if name:
                one["type"] = [coded(name, DIAGNOSIS_TYPE)]
            if len(parts) > 8 and parts[8]:
                one["onAdmission"] = coded(parts[8].lower(), DIAGNOSIS_ON_ADMISSION)
            found.append(one)
    return found


def procedures(codes: dict[str, list[Parts]]) -> list[Json]:
    """Claim.procedure, the principal first."""
    found: list[Json] = []
    for segment, place, parts in [*codes.get("BBR", ()), *codes.get("BBQ", ())]:
        one: Json = {"sequence": len(found) + 1}
        if len(parts) > 3:
            one["date"] = segment.day(parts[3], place)
        one["procedureCodeableConcept"] = coded(parts[1], ICD10PCS)
        found.append(one)
    return found


def infos(codes: dict[str, list[Parts]]) -> list[Json]:
    """Occurrences, spans, values, conditions and the DRG as supporting information, still without numbers."""
    found: list[Json] = []
    for kind, category in _LISTS.items():
        for segment, place, parts in codes.get(kind, ()):
            one: Json = {"category": coded(category, CLAIM_INFORMATION), "code": coded(parts[1])}
            if kind == "BE":
                amount = segment.exact(parts[4] if len(parts) > 4 else "", place)
                one["valueQuantity"] = {"value": number(amount)}
            elif kind == "BH":
                one["timingDate"] = segment.day(parts[3] if len(parts) > 3 else "", place)
            elif kind == "BI":
                first, _, last = (parts[3] if len(parts) > 3 else "").partition("-")
                one["timingPeriod"] = {"start": segment.day(first, place), "end": segment.day(last, place)}
            found.append(one)
    for _, _, parts in codes.get("DR", ()):
        found.append({"category": coded("drg", CLAIM_INFORMATION), "code": coded(parts[1])})
    return found
