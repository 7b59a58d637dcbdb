"""Allergies and intolerances: the allergy section and "allergic to …" in prose; never medications."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from extractors.findings.cues import FOLDED, cued
from extractors.findings.draft import Draft
from extractors.findings.lexicon import Hit, Lexicon
from extractors.findings.reading import Reading
from extractors.model import Span
from fhir_profiles.systems import RXNORM

_NONE = cued(
    r"\b(?:nkda|nka|nkma|no known (?:drug |medication |food |environmental |latex )?(?:allergies"
    r"|allergy)|no (?:drug |medication )?allergies"
    r"|denies (?:any )?(?:drug |medication )?allergies|(?:allergies:?\s*)(?:none|nil|negative|denies)(?: known)?)\b",
    FOLDED,
)
_TO = cued(
    r"\b(?:allerg(?:ic|y|ies)(?: reaction)?(?: to| include[sd]?|: to)|intoleran(?:t of|t to|ce to)"
    r"|adverse reaction to|anaphylaxis to|hypersensitivity to)\s+",
    FOLDED,
)
_ALLERGY = cued("allerg|nkda|nka", FOLDED)
_REACTS = cued("allerg|intoleran|anaphyl", FOLDED)
_MAKES = cued("allergy|make|made|gave|gives|caused|causes", FOLDED)
_HAS = re.compile(
    r"\s(?:allergy\b(?! (?:test|shot|clinic|season|list))"
    r"|(?:makes?|made|gives?|gave|caus(?:es|ed))\s(?:him|her|them|me|us|(?:the )?patient|pt)\s([^,;\n.]{3,40}))"
)  # said of the drug before it
_ITEM = re.compile(r"(?:\([^)\n]*\)|\.(?!\s|$)|[^,;\n•.])+")
_REACTION = re.compile(
    r"\s*(?:\(([^)\n]{2,60})\)?"
    r"|(?:\t|(?:-+>|→|-|–|:|=|causes|caused|gives|makes|reaction:?|with)\s+)([^,;\n\t.]{2,60}))"
)
_CUT = re.compile(r"\s*(?:\(|\s-\s|-+>|→|:|=|\t|\scauses?\b|\sreaction)")
_DENIED = re.compile(r"(?:(?:the )?(?:patient|pt|he|she) )?(?:denies|denied|(?:has |reports )?no)\b")
_TOLD = r"(?:the )?(?:patient|pt|he|she) (?:reports|states|has|endorses|notes)(?: an?)?(?: known)?(?: history of)?"
_EDGE = re.compile(
    rf"^{_TOLD}\s+|"
    r"^(?:and|or|the|any|also|to|drug|medication|allergy|allergies|include|includes|known|list|reviewed)\b[:\s]*|^[\d.)\s-]+"
)
_STOP = re.compile(
    r"[.;\n]|\b(?:but|who|which|and has|and had|with a|she|he|that|because|presents|causes|causing|in the past)\b"
)
_COMMON = re.compile(
    r"(?:latex|shellfish|sulfa|peanut|tree nut|egg|milk|bee|iodine|(?:iv )?contrast|adhesive|tape)s?\b"
)
_NOT = re.compile(
    r"(?:seasonal|environmental|food|drug|medication) allerg(?:y|ies)"
    r"|(?:none|nil|nkda|nka|unknown|n/a|reviewed|see|reaction|severity|seasonal|environmental|food|drug|medication)?"
    r"|(?:medication|drug|substance|allergen|agent|allergy|name)s?\t.*"  # the titles of columns
)


def find_allergies(reading: Reading, hits: Sequence[Hit], lexicon: Lexicon) -> list[Draft]:
    """A draft of kind `allergy` for each substance, and one, denied, where the text says there is none."""
    found: list[Draft] = []
    denied: list[Span] = []
    for match in reading.seen.each(_NONE) if reading.seen.may(_ALLERGY) else ():
        denied.append(match.span())
        found.append(Draft("allergy", *match.span(), match.span(), {"substance": None}, negated=True))
    drugs: dict[Span, Hit] | None = None
    for start, end in _stretches(reading):
        if drugs is None:
            drugs = {(h.start, h.end): h for h in hits if any(e.system == RXNORM for e in h.entries)}
        for a, b in _items(reading.folded, start, end):
            if any(a < d and c < b for c, d in denied):
                continue
            one = _allergy(reading, a, b, end, drugs, lexicon)
            later = ". " in reading.folded[start:a]  # another sentence of the line may speak of something else
            if not later or one.concepts or "reaction" in one.attributes or _COMMON.match(reading.folded, a):
                found.append(one)
    if reading.seen.may(_MAKES):
        found += _said_of_drugs(reading, hits, lexicon)
    seen: set[Span] = set()
    return [d for d in sorted(found, key=lambda d: d.start) if not (d.subject in seen or seen.add(d.subject))]  # type: ignore[func-returns-value]


def _stretches(reading: Reading) -> Iterator[Span]:
    """Where substances are listed: the blocks of an allergy section, and what follows "allergic to"."""
    for low, high in reading.sections.bodies("allergies", len(reading.text)):
        beside = reading.text[low : max(reading.text.find("\n", low), low)].strip() != ""
        for block in reading.blocks:
            start, end = max(block.start, low), min(block.end, high)
            if start < end and reading.folded[start:end].strip(" :.-\t"):
                if not _TO.pattern.search(reading.folded, start, end):
                    yield start, end
                if beside and "\n\n" in reading.text[end : end + 3]:
                    break  # what stands beside the header ends with its paragraph
    for match in reading.seen.each(_TO) if reading.seen.may(_REACTS) else ():
        stop = _STOP.search(reading.folded, match.end())
        end = stop.start() if stop else len(reading.folded)
        yield match.end(), min(end, match.end() + 160)


def _said_of_drugs(reading: Reading, hits: Sequence[Hit], lexicon: Lexicon) -> Iterator[Draft]:
    """Drugs before the word: "a penicillin allergy", "codeine makes him vomit"."""
    for hit in hits:
        said = _HAS.match(reading.folded, hit.end)
        if said and any(e.system == RXNORM for e in hit.entries):
            draft = _allergy(reading, hit.start, hit.end, hit.end, {(hit.start, hit.end): hit}, lexicon)
            if said[1]:
                draft.attributes["reaction"] = reading.text[slice(*said.span(1))].strip()  # type: ignore[index]
            yield Draft("allergy", hit.start, said.end(), draft.subject, draft.attributes, draft.concepts)


def _items(folded: str, start: int, end: int) -> Iterator[Span]:
    """Each substance of a list, without bullets and joining words."""
    for match in _ITEM.finditer(folded, start, end):
        for part in re.finditer(r"(?:(?!\sand\s|\sor\s).)+", match[0]):
            a, b = match.start() + part.start(), match.start() + part.end()
            while True:
                piece = folded[a:b]
                if _DENIED.match(piece.lstrip()):
                    b = a
                    break
                edge = _EDGE.match(piece.lstrip())
                a += len(piece) - len(piece.lstrip())
                if not edge:
                    break
                a += edge.end()
            b = a + len(folded[a:b].rstrip(" ."))
            if b - a < 3 or len(folded[a:b].split()) > 8 or _NOT.fullmatch(folded, a, b):
                continue
            if any(c.isalpha() for c in folded[a:b]):
                yield a, b


def _allergy(reading: Reading, start: int, end: int, limit: int, drugs: dict[Span, Hit], lexicon: Lexicon) -> Draft:
    hit = next((h for (a, b), h in drugs.items() if a < end and start < b), None)
    attributes: dict[str, Any] = {}
    concepts: tuple[tuple[str, str, float], ...] = ()
    name_end = end
    if hit:
        start, name_end = hit.start, hit.end
        entries = [e for e in hit.entries if e.system == RXNORM]
        attributes["rxnorm"] = entries[0].code
        if ingredient := lexicon.display(RXNORM, entries[0].code):
            attributes["ingredient"] = ingredient
        concepts = tuple((e.system, e.code, e.score) for e in entries)
    else:
        cut = _CUT.search(reading.folded[start:end])
        name_end = start + cut.start() if cut and cut.start() > 1 else end
    reaction = _REACTION.match(reading.text, name_end, limit)
    if reaction:
        attributes["reaction"] = (reaction[1] or reaction[2]).strip()
    attributes["substance"] = reading.text[start:name_end]
    return Draft(
        "allergy", start, max(name_end, reaction.end() if reaction else 0), (start, name_end), attributes, concepts
    )
