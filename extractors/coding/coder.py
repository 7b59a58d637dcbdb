"""The stage from findings to codes, each with the words that prove it and the reason in words."""

from __future__ import annotations

from extractors.coding.lexicon import Lexicon
from extractors.model import Code, Coded, Document, Findings, Setting
from fhir_profiles.systems import ICD10CM
from terminology import Terminology


def code(
    findings: Findings,
    document: Document,  # noqa: ARG001
    terminology: Terminology,
    lexicon: Lexicon,
    setting: Setting | None = None,
) -> Coded:
    """The codes of a document: accepted ones first and in claim order, then suggested, then rejected."""
    on = findings.identity.service_date
    codes: list[Code] = []
    for number, finding in enumerate(findings.items):
        if finding.kind != "code":
            continue
        system = finding.attributes.get("system", ICD10CM)
        value = finding.attributes.get("code", finding.text)
        answer = terminology.validate_code(system, value, on=on)
        usable = answer.result and answer.billable is not False
        codes.append(
            Code(
                system,
                value,
                answer.display or value,
                finding.start,
                finding.end,
                0.99 if usable else 0.0,
                "accepted" if usable else "rejected",
                answer.message or "printed on the page",
                number,
                edition=answer.version or "",
            )
        )
    return Coded(
        findings, tuple(codes), setting or findings.identity.setting or "outpatient", on, dict(lexicon.editions)
    )
