"""What the words say of relatives (https://hl7.org/fhir/R4/familymemberhistory.html).

A relative's condition is no Condition of the patient and never reaches the Claim; it is told here, one resource for
each relative. What is said of a spouse, a friend or a donor is no family history, and what is denied is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from extractors.emit.concepts import coding, concept, located, words
from extractors.emit.conditions import FAMILY_CODES
from extractors.emit.evidence import evidence
from extractors.emit.source import Context, Source
from extractors.emit.status import doubt, tags
from extractors.emit.told import Told, together
from extractors.model import Code, Coded, Document, Finding
from fhir_profiles.systems import ICD10CM, ROLE_CODE, UCUM

UNNAMED = ("FAMMEMB", "family member")


def relatives(coded: Coded) -> list[list[Told]]:
    """The findings about relatives with the codes that name them, those of one relative together.

    Two brothers of whom nothing else is printed are one: the words do not tell them apart.
    """
    by_finding: dict[int, list[Code]] = {}
    for code in coded.codes:
        if code.system == ICD10CM and not code.code.startswith(FAMILY_CODES):
            by_finding.setdefault(code.finding, []).append(code)
    told = [
        (finding, by_finding.get(number, [])[:1])
        for number, finding in enumerate(coded.findings.items)
        if finding.kind == "problem" and _is_history(finding)
    ]
    return together(told, lambda finding: finding.attributes.get("relation", UNNAMED[0]))


def _is_history(finding: Finding) -> bool:
    said = finding.assertion
    return said.family and not (said.negated or said.hypothetical) and finding.attributes.get("relation_kin", True)


def emit_relative(
    source: Source, document: Document, coded: Coded, context: Context, told: Sequence[Told], id: str
) -> dict[str, Any]:
    """One FamilyMemberHistory: who, and every condition that the document tells of, with its evidence.

    Its status is `partial`, for a document never tells all. An age is in years, as printed.
    """
    unsure = doubt(finding for finding, _ in told)
    out: dict[str, Any] = {
        "resourceType": "FamilyMemberHistory",
        "id": id,
        **tags(doubtful=bool(unsure)),
        "status": "partial",
        "patient": dict(context.subject),
        "relationship": _relationship(source, document, [finding for finding, _ in told]),
        "condition": [_condition(source, document, group) for group in together(told, _name)],
    }
    if coded.service_date:
        out["date"] = coded.service_date.isoformat()
    out |= _death([finding.attributes for finding, _ in told])
    if unsure:
        out["note"] = [{"text": unsure}]
    return out


def _relationship(source: Source, document: Document, findings: Sequence[Finding]) -> dict[str, Any]:
    """The relative, with every place that names them."""
    first = findings[0].attributes
    code, display = first.get("relation", UNNAMED[0]), first.get("relation_display", UNNAMED[1])
    spans = dict.fromkeys(f.attributes["relation_span"] for f in findings if "relation_span" in f.attributes)
    proof = evidence(source, document, list(spans)) if spans else []
    out = {**({"extension": proof} if proof else {}), **coding(ROLE_CODE, code, display)}
    return {"coding": [out], "text": words(document, *next(iter(spans))) if spans else display}


def _name(finding: Finding) -> str:
    return " ".join(finding.text.casefold().split())


def _condition(source: Source, document: Document, group: Sequence[Told]) -> dict[str, Any]:
    """One condition of the relative; `contributedToDeath` only where the words say that they died of it."""
    finding, codes = group[0]
    same = [code for _, found in group for code in found if codes and code.code == codes[0].code]
    out: dict[str, Any] = {
        "code": concept(source, document, [same] if same else [], words(document, finding.start, finding.end))
    }
    if not same:
        out["code"]["extension"] = located(source, document, finding)
    a = finding.attributes
    if a.get("died"):
        out["contributedToDeath"] = True
    elif (age := a.get("age")) is not None:
        out["onsetAge"] = _years(age)
    if finding.assertion.possible:
        out["note"] = [{"text": "The words leave it open whether the relative has it."}]
    return out


def _death(told: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How old the relative was at death, or only that they died."""
    died = [a for a in told if a.get("died")]
    aged = next((a for a in died if a.get("age") is not None), None)
    return {"deceasedAge": _years(aged["age"])} if aged else {"deceasedBoolean": True} if died else {}


def _years(age: int) -> dict[str, Any]:
    return {"value": age, "unit": "years", "system": UCUM, "code": "a"}
