"""Problems and diagnoses (https://hl7.org/fhir/R4/condition.html).

What the words deny, wish or say of a relative is not the patient's condition: it is left out, unless the source asks
for refuted Conditions. A family-history code (Z80 to Z84) is the patient's own and stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from extractors.emit.basis import grounded
from extractors.emit.concepts import fixed
from extractors.emit.source import Context, Source
from extractors.emit.status import doubt, tags
from extractors.model import Assertion, Code, Coded, Document
from fhir_profiles.systems import CONDITION_CATEGORY, CONDITION_CLINICAL, CONDITION_VERIFICATION, ICD10CM

FAMILY_CODES = ("Z80", "Z81", "Z82", "Z83", "Z84")
VERIFICATION = {
    "confirmed": "Confirmed",
    "provisional": "Provisional",
    "unconfirmed": "Unconfirmed",
    "refuted": "Refuted",
}


def stands(code: Code, coded: Coded) -> bool:
    """True when the words say that the patient has or had what the code means: what may reach a Claim."""
    assertion = coded.findings.items[code.finding].assertion
    if assertion.negated or assertion.hypothetical:
        return False
    return not assertion.family or code.code.startswith(FAMILY_CODES)


def diagnoses(source: Source, coded: Coded) -> Mapping[str, Sequence[Code]]:
    """The codes that become Conditions, equal ones together, in claim order: accepted, then suggested, then refuted."""
    groups: dict[str, list[Code]] = {}
    standing = [code for code in coded.codes if _is_wanted(code, source) and stands(code, coded)]
    for code in sorted(standing, key=lambda code: code.status != "accepted"):
        groups.setdefault(code.code, []).append(code)
    if source.refuted:
        for code in coded.codes:
            negated = coded.findings.items[code.finding].assertion.negated
            if negated and code.system == ICD10CM and all(c.status == "rejected" for c in groups.get(code.code, ())):
                groups.setdefault(code.code, []).append(code)
    return groups


def _is_wanted(code: Code, source: Source) -> bool:
    """Accepted, or suggested and sure enough to be looked at in a chart."""
    sure = code.status == "accepted" or (code.status == "suggested" and code.confidence >= source.suggested)
    return sure and code.system == ICD10CM


def emit_condition(
    source: Source, document: Document, coded: Coded, context: Context, codes: Sequence[Code], id: str
) -> dict[str, Any]:
    """One Condition for a group of equal codes; its best mention decides the statuses, all are evidence."""
    best = codes[0]
    findings = [coded.findings.items[code.finding] for code in codes]
    assertion = findings[0].assertion
    unsure = doubt(findings)
    verification = _verification(best, assertion, bool(unsure))
    out: dict[str, Any] = {
        "resourceType": "Condition",
        "id": id,
        **tags(doubtful=bool(unsure), suggested=best.status == "suggested"),
        "clinicalStatus": fixed(CONDITION_CLINICAL, *_clinical(best, assertion)),
        "verificationStatus": fixed(CONDITION_VERIFICATION, verification, VERIFICATION[verification]),
        "category": [fixed(CONDITION_CATEGORY, "encounter-diagnosis", "Encounter Diagnosis")],
        "code": grounded(source, document, coded, codes),
        "subject": dict(context.subject),
    }
    if context.encounter:
        out["encounter"] = dict(context.encounter)
    if coded.service_date:
        out["recordedDate"] = coded.service_date.isoformat()
    if context.performer and "reference" in context.performer:
        out["asserter"] = dict(context.performer)
    notes = [note for note in (unsure, best.reason) if note]
    if notes:
        out["note"] = [{"text": note} for note in notes]
    return out


def _clinical(code: Code, assertion: Assertion) -> tuple[str, str]:
    """A past problem is inactive; a history code (chapter Z) states something that holds today."""
    past = assertion.historical and not code.code.startswith("Z")
    return ("inactive", "Inactive") if past or assertion.negated else ("active", "Active")


def _verification(code: Code, assertion: Assertion, doubtful: bool) -> str:
    """How sure the words and the reading are."""
    if assertion.negated:
        return "refuted"
    if assertion.possible:
        return "provisional"
    return "unconfirmed" if doubtful or code.status == "suggested" else "confirmed"
