"""What a form says without a sentence: "Asthma: No", "Orthopnea? No", ticked and empty check boxes.

An answer or an empty box decides on the words it belongs to as a trigger of ConText would.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from extractors.findings.denials import find_denials
from extractors.model import Span

_NO = re.compile(  # one set of characters in front: the engine skips all others without a try
    r"[:?\t-](?:(?<!-)|(?<=[ \t]-))[ \t]*((?:no|none|denies|denied|denied by patient|absent|negative|neg|never|nil"
    r"|not present|n/a)(?:[ \t]*\([^)\n]{0,20}\))?)[ \t]*(?=[.;,|\n]|$)"
)
_LETTER = re.compile(  # "Seizures? N   Asthma? Y"
    r"[:?][ \t]*((?:no?|none|never|denies)(?![\w/'-]))(?=[ \t]{2,}|[ \t]*(?:[.;,|\n]|$)|[ \t]+[a-z][a-z /'-]{1,40}[:?])"
)
_GRID = re.compile(
    r"^[ \t]*(?P<label>[a-z][a-z /'()-]{1,40}?)(?:[ \t]{2,}|[ \t]*\|[ \t]*)(?P<said>yes|no|y|n)[ \t|]*$", re.MULTILINE
)
_ROW_END = re.compile(r"[ \t|](?:no|n)[ \t|]*\n")
_ANSWERED = re.compile(r"[:?][ \t]*(?:yes|no|y|n|none|never)\b|[ \t]{2,}")
_BREAKS = ".;,|\n\t"
_BOX = re.compile(r"\[( ?|_|[xX✓✔√*])\]|\(( |_|[xX✓✔√])\)|([☐□❏❑⬜])|([☑☒✅✔✓🗹])")
_CUES = ("[", "( )", "(x)", "(X)", "☐", "□", "☑", "☒", "❏", "❑", "✅", "✓", "✔", "⬜")
_ASCII_CUES = tuple(cue for cue in _CUES if cue.isascii())
_ASKED_BEFORE = re.compile(r"(?<!\S)(\?{1,2})[ \t]?[a-z][^,;.?\n]{1,60}")
_ASKED_AFTER = re.compile(
    r"^[-*\d.) \t]*(?!(?:any|do|does|did|is|are|was|were|have|has|had|how|what|when|where|who|why|can|could|will|would"
    r"|should|if)\b)[a-z](?:[a-z'/-]| (?=[a-z])){1,48}(\?{1,2})[ \t]*$",
    re.MULTILINE,
)
_YES_NO = re.compile(r"[ \t]*(yes|no|y|n)\b", re.I)


class Said(NamedTuple):
    """`start`–`end` of the text that `trigger` decides on, with the category of what it says."""

    start: int
    end: int
    trigger: Span
    category: str


class _Box(NamedTuple):
    start: int
    end: int
    ticked: bool


def find_answers(text: str, folded: str) -> list[Said]:
    """What answers and check boxes say; `folded` is `normalise.fold(text)`."""
    said = list(_answers(folded))
    if "?" in folded:
        said += _asked(folded)
    said += [Said(start, end, trigger, "NEGATED_EXISTENCE") for start, end, trigger in find_denials(folded)]
    if any(cue in text for cue in (_ASCII_CUES if text.isascii() else _CUES)):
        said += _boxes(text)
    return said


def _asked(folded: str) -> Iterator[Said]:
    """What a writer asks himself: "? UTI", "?PE", and "Gout?" as a whole line."""
    for pattern in (_ASKED_BEFORE, _ASKED_AFTER):
        for match in pattern.finditer(folded):
            yield Said(*match.span(), match.span(1), "POSSIBLE_EXISTENCE")


def _answers(folded: str) -> Iterator[Said]:
    """The words before "no" as an answer, back to the end of the piece before."""
    for pattern in (_NO, _LETTER):
        for match in pattern.finditer(folded):
            end = match.start() - (folded[match.start()] == "-")  # the blank before a dash belongs to it
            low = max(0, end - 80)
            breaks = [folded.rfind(mark, low, end) + 1 for mark in _BREAKS]
            start = max(low, *breaks, *(m.end() for m in _ANSWERED.finditer(folded, low, end)))
            if start < end - 1:
                yield Said(start, end, match.span(1), "NEGATED_EXISTENCE")
    rows = list(_GRID.finditer(folded)) if _ROW_END.search(folded) else []
    for row in rows if len(rows) > 1 else ():
        if row["said"][0] == "n":
            yield Said(*row.span("label"), row.span("said"), "NEGATED_EXISTENCE")


def _boxes(text: str) -> Iterator[Said]:
    """Empty boxes, line by line. Where nothing at all is ticked it is a list of things to do, not of what is absent."""
    lines: dict[int, list[_Box]] = {}
    for match in _BOX.finditer(text):
        ticked = bool(match[4] or (match[1] or match[2] or "").strip(" _"))
        lines.setdefault(text.rfind("\n", 0, match.start()) + 1, []).append(_Box(*match.span(), ticked))
    used = any(box.ticked for boxes in lines.values() for box in boxes)
    category = "NEGATED_EXISTENCE" if used else "HYPOTHETICAL"
    for start, boxes in lines.items():
        end = text.find("\n", start)
        yield from _line(text, start, end if end >= 0 else len(text), boxes, category)


def _line(text: str, start: int, end: int, boxes: list[_Box], category: str) -> Iterator[Said]:
    """The labels of a line's empty boxes: after them, or before them where the line ends with a box."""
    words = {box: option[1][:1].lower() for box in boxes if (option := _YES_NO.match(text, box.end))}
    if len(words) == len(boxes) == 2 and set(words.values()) == {"y", "n"}:  # "Asthma: [ ] Yes [x] No"
        if any(box.ticked and words[box] == "n" for box in boxes):
            refused = next(box for box in boxes if words[box] == "n")
            yield Said(start, boxes[0].start, (refused.start, refused.end), "NEGATED_EXISTENCE")
        return
    after = not text[start : boxes[0].start].strip(" \t-*•") or bool(text[boxes[-1].end : end].strip(" .\t"))
    for i, box in enumerate(boxes):
        if box.ticked:
            continue
        label = (box.end, boxes[i + 1].start if i + 1 < len(boxes) else end)
        if not after:
            label = (boxes[i - 1].end if i else start, box.start)
        yield Said(*label, (box.start, box.end), category)
