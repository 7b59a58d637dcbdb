"""Problems and procedures: what the lexicon names in the text, with the words that make it more specific."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from extractors.findings.claims import Claims
from extractors.findings.draft import Draft
from extractors.findings.lexicon import Hit
from extractors.findings.reading import Reading
from fhir_profiles.systems import CPT, HCPCS, ICD10CM, RXNORM

_STAGE = re.compile(r"\b(stage|grade)\s(\d[ab]?|i{1,3}v?|iv|v)\b")
_WORD = re.compile(r"[a-z]+")
_KINDS = {
    "laterality": "left right bilateral bilaterally lt rt l r both",
    "acuity": "acute chronic subacute recurrent exacerbation",
    "severity": "mild moderate severe uncontrolled controlled",
}
_QUALIFIERS = {word: kind for kind, words in _KINDS.items() for word in words.split()}
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
        systems = {e.system for e in hit.entries}
        if RXNORM in systems or not systems & {ICD10CM, CPT, HCPCS}:
            continue
        section, header = reading.sections.at(hit.start), reading.sections.span(hit.start)
        if section in UNTOLD or (header[0] <= hit.start and hit.end <= header[1]):
            continue
        if claimed.taken(hit.start, hit.end):
            continue
        if reading.text[hit.start : hit.end].isupper() and _is_shouted_word(reading, hit):
            continue
        problem = ICD10CM in systems
        if not problem and measured.taken(hit.start, hit.end):
            continue
        attributes = qualify(reading.folded, hit.start, hit.end) if problem else {}
        concepts = tuple((e.system, e.code, e.score) for e in hit.entries)
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
    """Laterality, acuity, severity and stage that stand right before or after a mention, or in it."""
    low = start - WINDOW if start > WINDOW else 0
    before = _clause(folded[low:start].partition(" ")[2] if low else folded[:start])[-1]  # not half a word
    after = _clause(folded[end : end + WINDOW])[0]
    words = _WORD.findall(f"{before}{folded[start:end]}") + [
        w for w in _WORD.findall(after) if _QUALIFIERS.get(w) != "severity"
    ]
    found: dict[str, Any] = {}
    for word in words:
        kind = _QUALIFIERS.get(word)
        if kind is None:
            continue
        value = _SIDES.get(word, word)
        known = found.setdefault(kind, value)
        if known != value and kind == "acuity":
            found[kind] = _PHRASES.get((known, value), known)
        elif known != value and kind == "laterality" and {known, value} == {"left", "right"}:
            found[kind] = "bilateral"
    around = folded[start : end + WINDOW]
    if ("stage" in around or "grade" in around) and (stage := _STAGE.search(around)):
        found[stage[1]] = stage[2]
    return found


def _clause(text: str) -> list[str]:
    """The pieces of a text between the ends of sentences and lines."""
    for mark in ".;:\n\t":
        if mark in text:
            text = text.replace(mark, "|")
    return text.split("|")
