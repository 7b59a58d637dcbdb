"""By which convention a text is coded when nobody says: what an encounter's guidelines ask, or all that is named.

The ICD-10-CM Official Guidelines (https://www.cms.gov/medicare/coding-billing/icd-10-codes) speak of encounters. A case
report or a study has none: what its readers count is every condition that it names, as corpora such as CodiEsp do.
"""

from __future__ import annotations

import re

from extractors.model import Convention, Document, Findings, Setting

SHORTEST = 400  # characters: below, a text is a line of a note and not a story
_OF_NOTES = frozenset(
    {"assessment", "assessment_plan", "chief_complaint", "diagnoses", "hpi", "plan", "reasoning", "ros"}
)
_OF_VISITS = frozenset({"chief_complaint", "hpi", "ros", "assessment_plan"})

_VISIT = re.compile(
    r"\b(?:today|(?<!capillary )refills?|is here|presents (?:today|for)|rtc|"
    r"(?:follow[- ]up|return|recheck|come back) in (?:an?|the next|\d+|one|two|three|four|six) |"
    r"(?:continue|start|stop|increase|decrease|prescribe) (?:his |her |the )?[a-z]+ (?:to )?\d+ ?m?c?g)\b",
    re.IGNORECASE,
)  # a visit is written down as it goes on; a report tells what has been
_DENIES = re.compile(r"\bdenies\b", re.IGNORECASE)
_REPORT = re.compile(r"\b(?:we (?:report|present|describe)|the case of|case report)\b", re.IGNORECASE)


def fitting(document: Document, findings: Findings, setting: Setting | None = None) -> Convention:
    """`mentions` for a long running text without setting, letterhead, sections or words of a visit.

    A text that calls itself a report may have a header, and may say "denies".
    """
    who = findings.identity
    sections = {item.section for item in findings.items if item.section}
    of_encounter = setting is not None or who.mrn is not None or who.npi is not None or who.family is not None
    if of_encounter or len(document.text) < SHORTEST or len(document.pages) > 1 or _VISIT.search(document.text):
        return "guidelines"
    if _REPORT.search(document.text):
        return "guidelines" if sections & _OF_VISITS else "mentions"
    if len(sections) > 1 or sections & _OF_NOTES or _DENIES.search(document.text):
        return "guidelines"
    return "mentions"
