"""Merge what names the same code, and put accepted diagnoses in claim order (guidelines II and IV)."""

from __future__ import annotations

from collections.abc import Sequence

from extractors.coding.case import Candidate, Case
from fhir_profiles.systems import ICD10CM

STATUS_ORDER = {"accepted": 0, "suggested": 1, "rejected": 2}
_SECTION_ORDER = {"diagnoses": 0, "assessment": 0, "assessment_plan": 0}


def merged(candidates: Sequence[Candidate]) -> list[Candidate]:
    """One candidate a code: the surest, with the evidence of all; an accepted code hides its lesser doubles."""
    best: dict[tuple[str, str], Candidate] = {}
    for candidate in sorted(candidates, key=lambda c: (STATUS_ORDER[c.status], not c.printed, -c.confidence, c.start)):
        known = best.setdefault((candidate.system, candidate.code), candidate)
        if known is candidate or (candidate.status == "rejected" and known.status != "rejected"):
            continue
        for span in ((candidate.start, candidate.end), *candidate.evidence):
            if span != (known.start, known.end) and span not in known.evidence:
                known.evidence.append(span)
        known.rank = min(known.rank, candidate.rank) if candidate.rank < 0 else known.rank
    return list(best.values())


def in_order(case: Case, candidates: list[Candidate]) -> list[Candidate]:
    """Accepted first and in claim order, then suggested and rejected by confidence."""
    return sorted(candidates, key=lambda c: (STATUS_ORDER[c.status], *_place(case, c)))


def _place(case: Case, candidate: Candidate) -> tuple[int, int, int, float]:
    if candidate.status != "accepted":
        return 0, 0, 0, -candidate.confidence
    if candidate.system != ICD10CM:
        return 50, 0, candidate.start, 0.0
    finding = case.of(candidate)
    section = _SECTION_ORDER.get(finding.section, 1) if finding is not None else 1
    rank = candidate.rank
    if rank == 0 and "in diseases classified elsewhere" in case.lexicon.display_of(candidate.code):
        rank = 2
    if rank == 0 and candidate.code.startswith(("Z7", "Z8", "Z9", "Z6")):
        rank = 6
    return rank, section if rank == 0 else 0, candidate.start, 0.0
