"""A document taken apart once: what every finder works on."""

from __future__ import annotations

from dataclasses import dataclass

from extractors.findings.cues import FOLDED, Seen
from extractors.findings.lines import Block, Line, Sentence, split_blocks, split_lines, split_sentences
from extractors.findings.normalise import Normal, fold, normalise
from extractors.findings.sections import SectionMap, split_sections

LISTS = frozenset(
    {"medications", "discharge_medications", "stopped_medications", "diagnoses", "procedures", "allergies"}
)


@dataclass(frozen=True, slots=True)
class Reading:
    """Text, its folded twin of the same length, and its lines, blocks, sentences, sections, tokens and cues."""

    text: str
    folded: str
    lines: list[Line]
    blocks: list[Block]
    sentences: list[Sentence]
    sections: SectionMap
    normal: Normal
    seen: Seen  # of the vocabulary of all finders


def read_text(text: str) -> Reading:
    """Fold, split and normalise a text."""
    folded = fold(text)
    lines = split_lines(text)
    sections = SectionMap(split_sections(text, folded, lines))
    blocks = split_blocks(text, lines, lambda offset: sections.at(offset) in LISTS)
    sentences = split_sentences(text, folded, blocks, sections.starts)
    normal = normalise(folded, [s.start for s in sentences])
    return Reading(text, folded, lines, blocks, sentences, sections, normal, FOLDED.read(folded))
