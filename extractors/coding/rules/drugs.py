"""Long-term drugs, adverse effects and underdosing (I.C.4.a.3, I.C.19.e, I.C.21.c.3)."""

from __future__ import annotations

import re

from extractors.coding.case import Case, Rule
from extractors.coding.drugs_named import drug_in, stem
from extractors.coding.tables import table
from extractors.findings.cues import Cues

LONG_TERM = Rule("long-term-drug", "I.C.4.a.3, I.C.21.c.3")
ADVERSE = Rule("adverse-effect", "I.C.19.e.5.a")
UNDER = Rule("underdosing", "I.C.19.e.5.c")
_EFFECT = re.compile(r"^[ ,(]*(?:likely |probably )?(?:from|due to|caused by|secondary to|after taking|induced by)\b")
_SKIPS = re.compile(
    r"\b(?:skip(?:s|ped|ping)?|miss(?:es|ed|ing)? (?:\w+ )?doses? of|stopped taking|ran out of|rations?|rationing"
    r"|underdos\w+|not taking|has not taken|taking less)\b"
)
_SKIPPING = Cues(
    ["skip", "miss", "stopped taking", "ran out of", "ration", "underdos", "not taking", "has not taken", "taking less"]
)
_MONEY = re.compile(
    r"\b(?:cannot|can't|could not|couldn't|unable to)\b[^.;\n]{0,12}\b(?:pay|afford)\b(?: for)?(?: it| them)?"
    r"|\bcosts?\b|financial"
)


def long_term(case: Case) -> None:
    """A drug that the patient takes for long, where the disease it treats is coded."""
    for number, finding in enumerate(case.findings.items):
        if finding.kind != "medication" or not finding.assertion.present:
            continue
        name = str(finding.attributes.get("ingredient") or finding.attributes.get("drug") or finding.text)
        group = case.lexicon.drug_class(str(finding.attributes.get("rxnorm") or ""), name)
        if group:
            _add_long_term(case, finding.start, finding.end, group, number)


def _add_long_term(case: Case, start: int, end: int, group: str, finding: int | None) -> None:
    rule = table("drug_classes")["long_term"].get(group)
    if rule is None or not case.has(*rule["with"]):
        return
    new = case.add(rule["code"], start, end, LONG_TERM, "A drug taken for long", finding=finding, confidence=0.8)
    if new is not None:
        new.rank = max(new.rank, 5)


def adverse_effect(case: Case) -> None:
    """A drug taken correctly that did harm: the harm first, then the drug."""
    for effect in case.accepted("L", "R", "K", "D", "T78", "G", "I", "N", "E"):
        link = _EFFECT.match(case.text[effect.end : effect.end + 40])
        if link is None:
            continue
        drug = drug_in(case, effect.end + link.end(), 40)
        if drug is None:
            continue
        start, end, group, name = drug
        base = stem(group, name)
        if base is None:
            continue
        new = case.add(f"{base}5A", start, end, ADVERSE, "A drug taken correctly did harm")
        if new is not None:
            new.rank = max(new.rank, effect.rank + 1)


def underdosing(case: Case) -> None:
    """Less of a drug than prescribed: the disease first, then the underdosing, then the reason for it."""
    for match in case.search(_SKIPS, _SKIPPING):
        drug = drug_in(case, match.end(), 40)
        if drug is None:
            continue
        start, end, group, name = drug
        base = stem(group, name)
        if base is None:
            continue
        new = case.add(f"{base}6A", match.start(), end, UNDER, "Less of a drug than prescribed")
        if new is not None:
            new.rank = max(new.rank, 2)
        _add_long_term(case, start, end, group, None)
        money = _MONEY.search(case.text, end, end + 80)
        if money:
            reason = case.add("Z91.120", money.start(), money.end(), UNDER, "The reason for it is money")
            if reason is not None:
                reason.rank = max(reason.rank, 3)


RULES = (adverse_effect, underdosing, long_term)
