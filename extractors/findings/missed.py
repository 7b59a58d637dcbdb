"""What the dictionary misses where problems are listed: misspelled names, and phrases that no table has.

Only short items without any hit are looked up, in sections that list what the patient has, and only the first few of a
note: every other phrase is either found already or names nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from extractors.findings.lexicon import Hit, Lexicon
from extractors.findings.reading import Reading
from extractors.findings.short import Meant
from extractors.model import Span

LISTED = frozenset({"diagnoses", "pmh", "assessment", "assessment_plan", "chief_complaint"})
MOST = 6  # items of a note that are looked up
NEAR = 6  # characters that no item has
BLOCK = 160  # characters: longer ones are prose
_ITEM = re.compile(r"[^,;:.\n\t()]+")
_LEAD = re.compile(
    r"\s*(?:(?:and|with|known|has|no|denies|without|possible|probable|likely|(?:personal )?history of|hx of|h/o)\s+)*",
    re.IGNORECASE,
)
_PHRASE = re.compile(r"(?=.{6,60}$)[A-Za-z'’-]+(?: [A-Za-z'’-]+){0,5}")


def read_missed(reading: Reading, hits: Sequence[Hit], lexicon: Lexicon) -> list[Hit]:
    """Hits for listed items without one, by the terms that are spelled most like them."""
    if not reading.sections.holds(LISTED):
        return []
    asked = islice(_items(reading, hits), MOST)
    met = ((span, lexicon.alike(reading.text[slice(*span)])) for span in asked)
    return [Meant(*span, tuple(entries)) for span, entries in met if entries]


def _items(reading: Reading, hits: Sequence[Hit]) -> Iterator[Span]:
    """The spans of short items that no hit touches."""
    at = 0
    for block in reading.blocks:
        if block.end - block.start > BLOCK or reading.sections.at(block.start) not in LISTED:
            continue
        start = max(block.start, reading.sections.span(block.start)[1])
        while at < len(hits) and hits[at].end <= start:
            at += 1
        if at < len(hits) and hits[at].start <= start + NEAR and hits[at].end >= block.end - NEAR:
            continue  # it is all known
        for item in _ITEM.finditer(reading.text, start, block.end) if start < block.end else ():
            lead = _LEAD.match(item[0])
            low = item.start() + (lead.end() if lead else 0)
            high = item.start() + len(item[0].rstrip())
            while at < len(hits) and hits[at].end <= low:
                at += 1
            if (at == len(hits) or hits[at].start >= high) and _PHRASE.fullmatch(reading.text, low, high):
                yield low, high
