"""Codes printed on the page: validated, billable and in force on the date of service, or rejected with the reason."""

from __future__ import annotations

import re
from datetime import date

from extractors.coding.case import Candidate, Case
from extractors.coding.clauses import bounds
from extractors.findings.glued import agreement
from extractors.model import Finding
from fhir_profiles.systems import CPT, HCPCS, ICD10CM
from terminology import Terminology

AGREES, PRINTED, DISAGREES = 0.99, 0.96, 0.9  # with the words beside it, without any, against them
MISREAD = 0.93  # a letter was read as a digit, and the words beside it set it right
_NOT_BILLED = re.compile(
    r"\b(?:not|never|no longer) (?:(?:to be|being|separately) )?"
    r"(?:bill|charg|report|submit|claim|cod|appli|support|met\b|perform|done\b)"
    r"|\b(?:cannot|can't|don't|didn't|do not|did not) (?:bill|charge|report|submit|code|use|add)|\bvoid(?:ed)?\b"
    r"|\b(?:removed|deleted|struck|taken off) (?:from|off)?\b|\b(?:denied|rejected|cancel+ed) (?:by|per|as)\b"
)
UNCHECKED = 0.6  # of the right shape, but the loaded fragment does not know it


def printed_codes(case: Case, terminology: Terminology, on: date | None) -> None:
    """Add a candidate for each finding of kind `code`."""
    for number, finding in enumerate(case.findings.items):
        if finding.kind != "code":
            continue
        system = finding.attributes.get("system", ICD10CM)
        code = finding.attributes.get("code", finding.text)
        if system == ICD10CM and _means_hcpcs(case, finding.start, finding.text):
            system, code = HCPCS, finding.text
        candidate = Candidate(
            system, code, finding.start, finding.end, number, _sure(case, system, code, finding), printed=True
        )
        candidate.modifiers = tuple(finding.attributes.get("modifiers", ()))
        candidate.units = int(finding.attributes.get("units", 1))
        answer = terminology.validate_code(system, code, on=on)
        if not answer.result or answer.billable is False:
            candidate.status, candidate.confidence = "rejected", 0.0
            candidate.reasons.append(f"Printed on the page. {answer.message}")
        elif answer.issue == "code-invalid":
            candidate.status, candidate.confidence = "suggested", UNCHECKED
            candidate.reasons.append(f"Printed on the page. {answer.message}")
        elif (
            finding.assertion.negated
            or finding.assertion.family
            or finding.assertion.hypothetical
            or _unbilled(case, finding)
        ):
            candidate.status, candidate.confidence = "suggested", 0.3
            candidate.reasons.append("Printed on the page in words that deny or postpone it")
        else:
            what = "diagnosis" if system == ICD10CM else "procedure" if system in (CPT, HCPCS) else "code"
            candidate.reasons.append(f"Printed on the page as a {what} code")
            if finding.attributes.get("read_as", finding.text) != finding.text:
                candidate.reasons.append(f"Read as {finding.text}; the words beside it are those of {code}")
            if answer.message:
                candidate.reasons.append(answer.message)
        case.candidates.append(candidate)


def _unbilled(case: Case, finding: Finding) -> bool:
    """The words beside the only code of a clause say that it is not billed."""
    low, high = bounds(case.text, finding.start, finding.end, ".;,\n")
    others = (f for f in case.findings.items if f.kind == "code" and f is not finding)
    if any(low <= other.start < high for other in others):
        return False
    return bool(_NOT_BILLED.search(case.text, low, high))


def _sure(case: Case, system: str, code: str, finding: Finding) -> float:
    """How sure a printed code is: most when the words beside it are those of its display."""
    if finding.attributes.get("read_as") and finding.text.upper() != code:
        return MISREAD
    label, display = finding.attributes.get("label_span"), case.lexicon.display(system, code)
    if system != ICD10CM or label is None or display is None:
        return PRINTED
    return AGREES if agreement(display, case.text[slice(*label)]) >= 0.5 else DISAGREES


def _means_hcpcs(case: Case, start: int, text: str) -> bool:
    """A HCPCS code on a line of procedure codes, though an ICD-10-CM code without its dot looks the same."""
    if "." in text or not case.lexicon.has_code(HCPCS, text):
        return False
    line = case.text[case.text.rfind("\n", 0, start) + 1 : start]
    return "cpt" in line or "hcpcs" in line or "procedure" in line
