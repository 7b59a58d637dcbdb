"""LOINC codes of observations and RxNorm codes of medications, as the findings carry them."""

from __future__ import annotations

from extractors.coding.case import Candidate, Case
from fhir_profiles.systems import LOINC, RXNORM


def measured_codes(case: Case) -> None:
    """One candidate for each vital sign, laboratory value and medication that has a code."""
    for number, finding in enumerate(case.findings.items):
        if finding.kind in ("vital", "lab"):
            system, code = LOINC, finding.attributes.get("loinc")
        elif finding.kind == "medication":
            system, code = RXNORM, finding.attributes.get("rxnorm")
        else:
            continue
        if not code or not case.lexicon.has_code(system, str(code)):
            continue
        candidate = Candidate(system, str(code), finding.start, finding.end, number, 0.9)
        candidate.reasons.append(f'"{finding.text}" names it')
        if finding.assertion.negated or finding.assertion.family or finding.assertion.hypothetical:
            candidate.status = "rejected"
            candidate.reasons.append("The text denies or postpones it, or it is about a relative")
        elif finding.attributes.get("doubtful"):
            candidate.status, candidate.confidence = "suggested", 0.45
            candidate.reasons.append(str(finding.attributes.get("reason", "The reading is doubtful")))
        case.candidates.append(candidate)
