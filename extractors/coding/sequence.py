"""Merge what names the same code, and put accepted diagnoses in claim order (guidelines II and IV)."""

from __future__ import annotations

from collections.abc import Sequence

from extractors.coding.case import Candidate, Case
from fhir_profiles.systems import ICD10CM

STATUS_ORDER = {"accepted": 0, "suggested": 1, "rejected": 2}
_SECTION_ORDER = {"diagnoses": 0, "assessment": 0, "assessment_plan": 0}


def merged(candidates: Sequence[Candidate]) -> list[Candidate]:
    """One candidate a code: the surest, with the evidence of all; an accepted code hides its lesser doubles."""
    best: dict[tuple[str, str, bool], Candidate] = {}
    for candidate in sorted(candidates, key=lambda c: (STATUS_ORDER[c.status], not c.printed, -c.confidence, c.start)):
        known = best.setdefault((candidate.system, candidate.code, "JW" in candidate.modifiers), candidate)
        if known is candidate or (candidate.status == "rejected" and known.status != "rejected"):
            continue
        for span in ((candidate.start, candidate.end), *candidate.evidence):
            if span != (known.start, known.end) and span not in known.evidence:
                known.evidence.append(span)
        known.rank = min(known.rank, candidate.rank) if candidate.rank < 0 else known.rank
    return list(best.values())


def in_order(case: Case, candidates: list[Candidate]) -> list[Candidate]:
    """Accepted first and in claim order, then suggested and rejected by confidence."""
    ordered = sorted(candidates, key=lambda c: (STATUS_ORDER[c.status], *_place(case, c)))
    return _by_notes(case, ordered)


def _by_notes(case: Case, ordered: list[Candidate]) -> list[Candidate]:
    """What a "code first" or "use additional" note of the tabular list puts before another comes before it (I.A.13)."""
    movable = [c for c in ordered if c.status == "accepted" and c.system == ICD10CM and not c.printed]
    codes = [c.code for c in movable]
    before: dict[str, set[str]] = {code: set() for code in codes}
    for code in codes:
        before[code].update(case.lexicon.noted("code-first", code, codes))
        for other in case.lexicon.noted("use-additional", code, codes):
            before[other].add(code)
    if not any(before.values()):
        return ordered
    left, placed = list(movable), []
    while left:
        waiting = {c.code for c in left}
        free = (c for c in left if not (before[c.code] - {c.code}) & waiting)
        following = next(free, left[0])
        left.remove(following)
        placed.append(following)
    at = iter(placed)
    return [next(at) if c in movable else c for c in ordered]


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
