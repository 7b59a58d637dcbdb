"""Long-term drugs, adverse effects and underdosing (I.C.4.a.3, I.C.19.e, I.C.21.c.3)."""

from __future__ import annotations

import re

from extractors.coding.case import Case, Rule
from extractors.coding.tables import table
from extractors.model import Finding
from fhir_profiles.systems import RXNORM

LONG_TERM = Rule("long-term-drug", "I.C.4.a.3, I.C.21.c.3")
ADVERSE = Rule("adverse-effect", "I.C.19.e.5.a")
UNDER = Rule("underdosing", "I.C.19.e.5.c")
_EFFECT = re.compile(r"\b(?:from|due to|caused by|secondary to|after taking|reaction to|induced by)\b[^.;\n]{0,24}$")
_SKIPS = re.compile(
    r"\b(?:skip(?:s|ped|ping)?|miss(?:es|ed|ing)? doses? of|stopped taking|ran out of|rations?|rationing|underdos\w+"
    r"|not taking|has not taken|taking less)\b[^.;\n]{0,40}$"
)
_MONEY = re.compile(
    r"\b(?:cannot|can't|could not|couldn't|unable to)\b[^.;\n]{0,12}\b(?:pay|afford)\b[^.;\n]{0,12}|\bcost\b|financial"
)


def _drugs(case: Case) -> list[tuple[int, Finding, str, str]]:
    """(finding number, finding, class, name) of each drug that the text names."""
    found = []
    for number, finding in enumerate(case.findings.items):
        name = finding.attributes.get("ingredient") or finding.attributes.get("drug") or finding.text
        code = finding.attributes.get("rxnorm") or next((c for s, c, _ in finding.concepts if s == RXNORM), None)
        if code is None and finding.kind != "medication":
            continue
        group = case.lexicon.drug_class(str(code or ""), str(name))
        if group:
            found.append((number, finding, group, str(name).lower()))
    return found


def drugs(case: Case) -> None:
    """Each drug once: what it treats for long, what it did, and where it was left out."""
    found = _drugs(case)
    if not found:
        return
    for number, finding, group, name in found:
        if finding.assertion.family or finding.assertion.hypothetical:
            continue
        if not _underdosed(case, number, finding, group, name):
            _adverse(case, number, finding, group, name)
        if not finding.assertion.negated:
            _long_term(case, number, finding, group)


def _long_term(case: Case, number: int, finding: Finding, group: str) -> None:
    rule = table("drug_classes")["long_term"].get(group)
    if rule is None or not (case.has(*rule["with"]) if rule["with"] else finding.section == "medications"):
        return
    new = case.add(
        rule["code"], finding.start, finding.end, LONG_TERM, "A drug taken for long", finding=number, confidence=0.8
    )
    if new is not None:
        new.rank = max(new.rank, 5)


def _stem(group: str, name: str) -> str | None:
    classes = table("drug_classes")
    for part, stem in classes["names"].items():
        if part in name:
            return str(stem)
    found = classes["effects"].get(group)
    return str(found) if found else None


def _adverse(case: Case, number: int, finding: Finding, group: str, name: str) -> None:
    before = case.text[max(0, finding.start - 60) : finding.start]
    if not _EFFECT.search(before):
        return
    effect = next((c for c in case.accepted("") if 0 <= finding.start - c.end <= 40), None)
    stem = _stem(group, name)
    if effect is None or stem is None or effect.code[0] in "ST":
        return
    why = "A drug taken correctly that did harm: the harm first, then the drug"
    new = case.add(f"{stem}5A", finding.start, finding.end, ADVERSE, why, finding=number)
    if new is not None:
        new.rank = max(new.rank, effect.rank + 1)


def _underdosed(case: Case, number: int, finding: Finding, group: str, name: str) -> bool:
    if not _SKIPS.search(case.text, max(0, finding.start - 60), finding.start):
        return False
    stem = _stem(group, name)
    if stem is None:
        return False
    new = case.add(f"{stem}6A", finding.start, finding.end, UNDER, "Less of a drug than prescribed", finding=number)
    if new is not None:
        new.rank = max(new.rank, 2)
    money = _MONEY.search(case.text, finding.end, finding.end + 80)
    if money:
        reason = case.add("Z91.120", money.start(), money.end(), UNDER, "The reason for it is money", finding=number)
        if reason is not None:
            reason.rank = max(reason.rank, 3)
    return True


RULES = (drugs,)
