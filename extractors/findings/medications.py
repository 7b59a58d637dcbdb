"""Medications: drugs of the lexicon with their sig and status, and unknown drugs of a medication list."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from extractors.findings.analytes import Analytes
from extractors.findings.claims import Claims
from extractors.findings.doses import BEGINS, DOSE, Sig, read_sig
from extractors.findings.draft import Draft
from extractors.findings.lexicon import Hit, Lexicon
from extractors.findings.reading import Reading
from extractors.findings.sig import VERBS, SigWord, find_sig_words
from fhir_profiles.systems import RXNORM

STOPPED = "stopped_medications"
LISTS = frozenset({"medications", "discharge_medications", STOPPED})
_BRACKET = re.compile(r"\s?\(\s?")
_UNKNOWN = re.compile(
    r"([A-Za-z][A-Za-z'/-]{2,}(?:[ -](?!po\b|iv\b|im\b|sc\b)[A-Za-z][A-Za-z'/-]*){0,3}?)[ ,:-]{1,3}(?=\d|\.\d)"
)
_NOT_DRUGS = re.compile(
    rf"(?i)^(?:{'|'.join(VERBS)}|takes|taking|patient|the|he|she|please|and|continue|start|stop|with|page|date|total|last"
    r"|sig|directions?|instructions?|refills?|disp|dispense|quantity|qty|blood|for|then|dose|increase|decrease|every|after"
    r"|before|about|over|at|on|in|of|to|from|one|two|three|half)\b"
)
_SUPPLIED = re.compile(r"\s*(?:#\s?\d|disp(?:ense)?\b|qty\b|quantity\b|refills?\b)")
_DOSED = re.compile(
    rf"{DOSE.pattern}|(?:\d+/\d+(?:\.\d+)?\s)?\d+(?:\s?-\s?\d+)?\s(?:drops?|gtts?|puffs?|sprays?|tabs?|tablets?|caps(?:ules?)?)\b"
)
_ENDED = re.compile(  # "naproxen 500 mg bid discontinued due to reflux"
    r"[\s,;:–-]{1,3}(?:(?:was|were|is|are|has been|have been|now|currently|recently)\s){0,2}"
    r"(?:(?P<stopped>discontinued|stopped|d/c'?e?d|dc'?e?d)|(?P<held>held|on hold))(?![\w'])"
    r"(?=\s*(?:[.;,)\n]|$|due\b|because\b|for\b|secondary\b|since\b|given\b|on\b|in\b|at\b|today\b|last\b|yesterday\b"
    r"|after\b|by\b|this\b|until\b|pre|prior\b|x\s?\d|\d))"
)
_NOT_TAKEN = re.compile(r"\s(?:suppression|stimulation|challenge)\s(?:test|study)\b|\s(?:causes|caused)\b")
_REACTED = re.compile(r"\b(?:reactions?|allergic|intoleran(?:t|ce)) (?:to|of) $")
_SPACE_OF_TIME = re.compile(
    r"a\s(?:week|month)\s(?:before|prior|after|ago|earlier|later)\b|a\sday\s(?:prior|ago|earlier|later)\b"
)
_DRUNK = frozenset({"caffeine"})
STATUSES = {"STOPPED": "stopped", "HELD": "on-hold", "STARTED": "started", "CHANGED": "changed", "CONTINUED": "active"}


def find_medications(
    reading: Reading, hits: Sequence[Hit], claimed: Claims, lexicon: Lexicon, known: Analytes
) -> list[Draft]:
    """A draft of kind `medication` for every drug outside the claimed spans and the allergy section."""
    drugs = [h for h in hits if RXNORM in [e.system for e in h.entries]]
    at = reading.sections.at
    lists = [b for b in reading.blocks if at(b.start) in LISTS] if reading.sections.holds(LISTS) else []
    lines = [] if lists else _dosed_lines(reading, claimed)
    if not drugs and not lists and not lines:
        return []
    block_starts = [b.start for b in reading.blocks]
    spans = [(b.start, b.end) for b in (*lists, *lines)]
    begins, stretched = [h.start for h in drugs], list[int]()
    for hit in drugs:
        number = max(bisect_right(block_starts, hit.start) - 1, 0)
        stretched.append(_stretch(reading, number, begins))
        spans.append((min(hit.start, reading.blocks[number].start), stretched[-1]))
    words = find_sig_words(reading.normal, sorted(spans))
    words = [w for w in words if not _SPACE_OF_TIME.match(reading.folded, w.start)]  # no "once a week"
    starts = [w.start for w in words]
    sentence_starts = [s.start for s in reading.sentences]
    drafts: list[Draft] = []
    same = _named_again(reading.folded, drugs)
    for i, hit in enumerate(drugs):
        section = reading.sections.at(hit.start)
        if section == "allergies" or claimed.taken(hit.start, hit.end) or i in same or _is_untaken(reading, hit):
            continue
        block = reading.blocks[max(bisect_right(block_starts, hit.start) - 1, 0)]
        after = i + 2 if i + 1 in same else i + 1
        limit = min(stretched[i], drugs[after].start if after < len(drugs) else stretched[i])
        sentence = reading.sentences[max(bisect_right(sentence_starts, hit.start) - 1, 0)]
        limit = _reach(reading, sentence.end, limit, section)
        floor = max(block.start, drafts[-1].end if drafts else 0)
        sig = read_sig(reading.folded, reading.text, (hit.start, hit.end), limit, words, starts, floor)
        name = reading.folded[hit.start : hit.end]
        if not sig.parts and ((name in known.by_name and section not in LISTS) or name in _DRUNK):
            continue  # "potassium" without a dose is no drug, nor is caffeine that is advised against
        drafts.append(_draft(reading, hit, sig, lexicon))
    drafts += _unlisted(reading, lists, drafts, words, starts)
    named = known.by_name
    drafts += [
        d
        for d in _unlisted(reading, lines, drafts, words, starts)
        if "timing" in d.attributes and reading.folded[slice(*d.subject)] not in named
    ]
    return sorted(drafts, key=lambda d: d.start)


def _is_untaken(reading: Reading, hit: Hit) -> bool:
    """A drug of a test, or one that did harm: "dexamethasone suppression test", "a reaction to codeine"."""
    before = reading.folded[max(0, hit.start - 20) : hit.start]
    return bool(_NOT_TAKEN.match(reading.folded, hit.end) or _REACTED.search(before))


def _named_again(folded: str, drugs: Sequence[Hit]) -> frozenset[int]:
    """The numbers of the names in brackets that name the drug before them again: "insulin glargine (Lantus)"."""
    return frozenset(
        i + 1
        for i, (first, second) in enumerate(pairwise(drugs))
        if _BRACKET.fullmatch(folded, first.end, second.start)
        and folded.startswith(")", second.end)
        and {e.code for e in first.entries} & {e.code for e in second.entries if e.code}
    )


def _dosed_lines(reading: Reading, claimed: Claims) -> list[Any]:
    """Lines outside a medication list that begin with a name and a dose."""
    return [
        b for b in reading.blocks
        if (m := _UNKNOWN.match(reading.text, b.start, b.end)) and _DOSED.match(reading.folded, m.end(), b.end)
        and not claimed.taken(*m.span(1))
    ]  # fmt: skip


def _reach(reading: Reading, sentence_end: int, limit: int, section: str) -> int:
    """A sig may go on in the next sentence when that one begins as a sig does ("Take 1 tablet …")."""
    if limit <= sentence_end:
        return limit
    goes_on = BEGINS.match(reading.folded, sentence_end, limit) or _SUPPLIED.match(reading.folded, sentence_end, limit)
    return limit if goes_on or section in LISTS else sentence_end


def _stretch(reading: Reading, number: int, starts: Sequence[int]) -> int:
    """The end of block `number` with the lines after it that go on as a sig does ("Sig: 1 tab daily", "Disp: 30").

    `starts` are the starts of all drugs, ascending.
    """
    end = reading.blocks[number].end
    for block in reading.blocks[number + 1 :]:
        if bisect_left(starts, block.start) < bisect_left(starts, block.end):
            break
        if not (BEGINS.match(reading.folded, block.start, block.end) or _SUPPLIED.match(reading.folded, block.start)):
            break
        end = block.end
    return end


def _draft(reading: Reading, hit: Hit, sig: Sig, lexicon: Lexicon) -> Draft:
    entries = [e for e in hit.entries if e.system == RXNORM]
    best = entries[0]
    attributes: dict[str, Any] = {"drug": reading.text[hit.start : hit.end], "rxnorm": best.code}
    if ingredient := lexicon.display(RXNORM, best.code):
        attributes["ingredient"] = ingredient
    attributes |= sig.parts
    if _is_listed_as_stopped(reading, hit.start):
        attributes["status"] = "stopped"
    elif ended := _ENDED.match(reading.folded, sig.end):
        attributes["status"] = "stopped" if ended["stopped"] else "on-hold"
    concepts = tuple((e.system, e.code, e.score) for e in entries)
    return Draft("medication", sig.start, sig.end, (hit.start, hit.end), attributes, concepts)


def _is_listed_as_stopped(reading: Reading, start: int) -> bool:
    """Whether a drug stands in a list of stopped ones: on the header's line, or first on a line right below."""
    section = reading.sections.of(start)
    if section.category != STOPPED:
        return False
    between = reading.text[section.end : start]
    return "\n" not in between or (
        "\n\n" not in between.lstrip() and not between[between.rfind("\n") :].strip(" \n\t-*•.0123456789")
    )


def _unlisted(
    reading: Reading, lists: Sequence[Any], known: Sequence[Draft], words: Sequence[SigWord], starts: Sequence[int]
) -> list[Draft]:
    """Lines of a medication list that begin with a name the lexicon does not hold, followed by a dose."""
    drafts = []
    taken = [(d.start, d.end) for d in known]
    for block in lists:
        if any(a < block.end and block.start < b for a, b in taken):
            continue
        match = _UNKNOWN.match(reading.text, block.start, block.end)
        if match is None or _NOT_DRUGS.match(match[1]) or not _DOSED.match(reading.folded, match.end(), block.end):
            continue
        drug = match.span(1)
        sig = read_sig(reading.folded, reading.text, drug, block.end, words, starts, block.start)
        if sig.parts:
            stopped = {"status": "stopped"} if _is_listed_as_stopped(reading, block.start) else {}
            drafts.append(Draft("medication", sig.start, sig.end, drug, {"drug": match[1], **sig.parts, **stopped}))
    return drafts
