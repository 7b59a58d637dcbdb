"""Problems and procedures: what the lexicon names in the text, with the words that make it more specific."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from extractors.findings.draft import Draft
from extractors.findings.lexicon import Hit
from extractors.findings.reading import Reading
from extractors.model import Span
from fhir_profiles.systems import CPT, HCPCS, ICD10CM, RXNORM

_BEFORE = re.compile(
    r"\b(?:(?P<laterality>left|right|bilateral|lt|rt|l|r|both)|(?P<acuity>acute on chronic|acute|chronic|subacute|recurrent|exacerbation of)"
    r"|(?P<severity>mild|moderate|severe|mild to moderate|moderate to severe|uncontrolled|well[- ]controlled|poorly[- ]controlled))\b"
)
_AFTER = re.compile(
    r"(?P<laterality>\b(?:left|right|bilateral(?:ly)?)\b)|\bstage\s(?P<stage>\d[ab]?|i{1,3}v?|iv|v)\b|\bgrade\s(?P<grade>[1-4]|i{1,3}|iv)\b"
    r"|(?P<acuity>\b(?:acute exacerbation|exacerbation)\b)"
)
_SIDES = {"lt": "left", "rt": "right", "l": "left", "r": "right", "both": "bilateral", "bilaterally": "bilateral"}
WINDOW = 28
UNTOLD = frozenset({"allergies"})


def find_problems(reading: Reading, hits: Sequence[Hit], claimed: Iterable[Span], measured: Sequence[Span]) -> list[Draft]:
    """A draft of kind `problem` or `procedure` for each hit outside the claimed spans and the headers.

    The name of a value is no procedure: "ALT (SGPT) 56" is a result, not a test that was done.
    """
    taken = sorted(claimed)
    drafts: list[Draft] = []
    for hit in hits:
        systems = {e.system for e in hit.entries}
        if RXNORM in systems or not systems & {ICD10CM, CPT, HCPCS}:
            continue
        section, header = reading.sections.at(hit.start), reading.sections.span(hit.start)
        if section in UNTOLD or (header[0] <= hit.start and hit.end <= header[1]):
            continue
        if any(a < hit.end and hit.start < b for a, b in taken):
            continue
        if reading.text[hit.start : hit.end].islower() is False and _is_shouted_word(reading, hit):
            continue
        problem = ICD10CM in systems
        if not problem and any(a < hit.end and hit.start < b for a, b in measured):
            continue
        attributes = qualify(reading.folded, hit.start, hit.end) if problem else {}
        concepts = tuple((e.system, e.code, e.score) for e in hit.entries)
        drafts.append(Draft("problem" if problem else "procedure", hit.start, hit.end, (hit.start, hit.end), attributes, concepts))
    return drafts


def _is_shouted_word(reading: Reading, hit: Hit) -> bool:
    """A header that the table does not know ("PAIN MANAGEMENT:") names no problem of the patient."""
    stop = reading.text.find("\n", hit.end)
    rest = reading.text[hit.end : stop if stop >= 0 else len(reading.text)]
    start = reading.text.rfind("\n", 0, hit.start) + 1
    line = reading.text[start : hit.end] + rest
    return line.isupper() and line.rstrip().endswith(":") and len(line.split()) > len(reading.text[hit.start : hit.end].split())


def qualify(folded: str, start: int, end: int) -> dict[str, Any]:
    """Laterality, acuity, severity and stage that stand right before or after a mention, or in it."""
    found: dict[str, Any] = {}
    clause = max(folded.rfind(c, max(0, start - WINDOW), start) for c in ".;:\n")
    for match in _BEFORE.finditer(folded, max(clause + 1, start - WINDOW, 0), end):
        _keep(found, match)
    stop = min((p for c in ".;\n" if (p := folded.find(c, end, end + WINDOW)) >= 0), default=end + WINDOW)
    for match in _AFTER.finditer(folded, end, min(stop, len(folded))):
        _keep(found, match)
    return found


def _keep(found: dict[str, Any], match: re.Match[str]) -> None:
    for name, value in match.groupdict().items():
        if value:
            found.setdefault(name, _SIDES.get(value, value))
