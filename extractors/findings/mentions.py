"""Mentions of one problem: "the fracture" further down is the left one above; "It resolved" ends what stood before."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

from extractors.findings.assertion import Trigger
from extractors.findings.cues import FOLDED, cued
from extractors.findings.draft import Draft
from extractors.findings.reading import Reading
from extractors.model import Span

_OVER = cued(
    r"\b(it|this|that|these|they|symptoms?|all of which|both) (?:(?:has|have|had|was|were|is|are) )?"
    r"(?:since |now |completely |subsequently |spontaneously |been |then |all )*"
    r"(resolved|subsided|disappeared|went away|gone away|cleared(?: up)?|ruled out|excluded)\b",
    FOLDED,
)
_OPENS = 14  # characters from the start of the sentence in which the pronoun must stand
_DEFINITE = re.compile(r"\b(?:the|this|that|his|her|their|said|these)\s(?:[a-z]+\s)?$")
_TOKEN = re.compile(r"[a-z]+")
_ENDED = ("resolved", "subsided", "disappeared", "away", "cleared", "ruled out", "excluded")
INHERITED = ("laterality", "stage", "grade")
_INHERITED = frozenset(INHERITED)


def resolved_later(reading: Reading, problems: Sequence[Span]) -> dict[Span, Trigger]:
    """The problems (spans, ascending) that the sentence after theirs says are over, with the words that say so.

    "It" is the last problem of the sentence before, "they" every one of it. A list item or another section says nothing
    of what stands before it.
    """
    found: dict[Span, Trigger] = {}
    if not problems or not reading.seen.may(_OVER):
        return found
    starts = [sentence.start for sentence in reading.sentences]
    for match in reading.seen.each(_OVER):
        i = bisect_right(starts, match.start()) - 1
        if i < 1 or match.start() - starts[i] > _OPENS or reading.sentences[i].bullet:
            continue
        before = reading.sentences[i - 1]
        if reading.sections.span(before.start) != reading.sections.span(starts[i]):
            continue
        low, high = bisect_left(problems, (before.start, 0)), bisect_left(problems, (before.end, 0))
        meant = problems[low:high]
        if match[1] in ("it", "this", "that"):
            meant = meant[-1:]
        for span in meant:
            found[span] = (*match.span(), "NEGATED_EXISTENCE")
    return found


def inherit(reading: Reading, drafts: Sequence[Draft]) -> dict[int, dict[str, Any]]:
    """Index of a draft → what it takes from the problem that it takes up again, with `same` (that problem's span).

    "The fracture" takes up the nearest problem before it whose name holds all of its words and whose side, stage or
    grade was told; it must itself tell none.
    """
    found: dict[int, dict[str, Any]] = {}
    known: list[tuple[frozenset[str], Draft]] = []
    problems = [(n, draft) for n, draft in enumerate(drafts) if draft.kind == "problem"]
    for number, draft in sorted(problems, key=lambda pair: pair[1].start):
        if not _INHERITED.isdisjoint(draft.attributes):
            known.append((_words(reading, draft), draft))
            continue
        if not known or not _DEFINITE.search(reading.folded, max(0, draft.start - 24), draft.start):
            continue
        words = _words(reading, draft)
        earlier = next((one for others, one in reversed(known) if words and words <= others), None)
        if earlier is not None:
            taken = {key: earlier.attributes[key] for key in INHERITED if key in earlier.attributes}
            spans = {key: earlier.attributes["spans"][key] for key in taken}
            found[number] = {**taken, "same": (earlier.start, earlier.end), "spans": spans}
    return found


def _words(reading: Reading, draft: Draft) -> frozenset[str]:
    return frozenset(_TOKEN.findall(reading.folded[draft.start : draft.end]))
