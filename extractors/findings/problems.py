"""Problems and procedures: what the lexicon names in the text, with the words that make it more specific."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from extractors.findings.claims import Claims
from extractors.findings.draft import Draft
from extractors.findings.lexicon import Hit
from extractors.findings.reading import Reading
from extractors.findings.surnames import is_surname
from extractors.model import Span
from fhir_profiles.systems import CPT, HCPCS, ICD10CM, RXNORM

_STAGE = re.compile(r"\b(stage|grade)\s(\d[ab]?|i{1,3}v?|iv|v)\b")
_TOLD = re.compile(
    r"\b(?:(first|second|third|1st|2nd|3rd) trimester|(initial|subsequent) encounter|(?:sequelae?|late effect))\b"
)
_ORDINALS = {"1st": "first", "2nd": "second", "3rd": "third"}
_CLAUSE = ".;:\n\t"
_KINDS = {
    "laterality": "left right bilateral bilaterally lt rt l r both",
    "acuity": "acute chronic subacute recurrent exacerbation",
    "severity": "mild moderate severe uncontrolled controlled",
}
_QUALIFIERS = {word: kind for kind, words in _KINDS.items() for word in words.split()}
_QUALIFIER = re.compile(rf"(?<![a-z])(?:{'|'.join(_QUALIFIERS)})(?![a-z])")
_SIDES = {"lt": "left", "rt": "right", "l": "left", "r": "right", "both": "bilateral", "bilaterally": "bilateral"}
_PHRASES = {("acute", "chronic"): "acute on chronic", ("chronic", "acute"): "acute on chronic"}
WINDOW = 28
UNTOLD = frozenset({"allergies"})


def find_problems(reading: Reading, hits: Sequence[Hit], claimed: Claims, measured: Claims) -> list[Draft]:
    """A draft of kind `problem` or `procedure` for each hit outside the claimed spans and the headers.

    The name of a value is no procedure: "ALT (SGPT) 56" is a result, not a test that was done.
    """
    drafts: list[Draft] = []
    for hit in hits:
        systems = [e.system for e in hit.entries]
        if RXNORM in systems or not (ICD10CM in systems or CPT in systems or HCPCS in systems):
            continue
        section = reading.sections.of(hit.start)
        if section.category in UNTOLD or (section.start <= hit.start and hit.end <= section.end):
            continue
        if claimed.taken(hit.start, hit.end):
            continue
        if reading.text[hit.start : hit.end].isupper() and _is_shouted_word(reading, hit):
            continue
        if is_surname(reading.text, hit):
            continue
        problem = ICD10CM in systems
        if not problem and measured.taken(hit.start, hit.end):
            continue
        attributes = qualify(reading.folded, hit.start, hit.end) if problem else {}
        concepts = tuple([(e.system, e.code, e.score) for e in hit.entries])
        drafts.append(
            Draft("problem" if problem else "procedure", hit.start, hit.end, (hit.start, hit.end), attributes, concepts)
        )
    return drafts


def _is_shouted_word(reading: Reading, hit: Hit) -> bool:
    """A header that the table does not know ("PAIN MANAGEMENT:") names no problem of the patient."""
    stop = reading.text.find("\n", hit.end)
    rest = reading.text[hit.end : stop if stop >= 0 else len(reading.text)]
    start = reading.text.rfind("\n", 0, hit.start) + 1
    line = reading.text[start : hit.end] + rest
    return (
        line.isupper()
        and line.rstrip().endswith(":")
        and len(line.split()) > len(reading.text[hit.start : hit.end].split())
    )


def qualify(folded: str, start: int, end: int) -> dict[str, Any]:
    """Laterality, acuity, severity, stage, trimester and kind of encounter that stand in a mention or right beside it.

    `spans` holds where each of them is said.
    """
    low = start - WINDOW if start > WINDOW else 0
    if low:
        low = folded.find(" ", low, start) + 1 or start  # not half a word
    high = min(len(folded), end + WINDOW)
    for mark in _CLAUSE:
        low = folded.rfind(mark, low, start) + 1 or low
        at = folded.find(mark, end, high)
        high = at if at >= 0 else high
    found: dict[str, Any] = {}
    spans: dict[str, Span] = {}
    for match in _QUALIFIER.finditer(folded, low, high):
        kind = _QUALIFIERS[match[0]]
        if kind == "severity" and match.start() >= end:
            continue
        value = _SIDES.get(match[0], match[0])
        known = found.setdefault(kind, value)
        spans.setdefault(kind, match.span())
        if known != value and kind == "acuity":
            found[kind] = _PHRASES.get((known, value), known)
        elif known != value and kind == "laterality" and {known, value} == {"left", "right"}:
            found[kind] = "bilateral"
        if found[kind] != known:
            spans[kind] = (spans[kind][0], match.end())
    around = folded[start : end + WINDOW]
    if ("stage" in around or "grade" in around) and (stage := _STAGE.search(around)):
        found[stage[1]] = stage[2]
        spans[stage[1]] = (start + stage.start(), start + stage.end())
    if ("trimester" in around or "encounter" in around or "sequela" in around) and (told := _TOLD.search(around)):
        kind = "trimester" if told[1] else "encounter"
        found[kind] = _ORDINALS.get(told[1], told[1]) if told[1] else told[2] or "sequela"
        spans[kind] = (start + told.start(), start + told.end())
    return {**found, "spans": spans} if found else found
