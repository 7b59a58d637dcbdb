"""Debridement of wounds by the deepest tissue that was taken and by area (CPT 11042-11047, 97597-97598)."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from extractors.coding.case import Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.done import add_service, done_here
from extractors.coding.tables import table
from extractors.coding.weigh import ALONE

DEBRIDED = Rule(
    "debridement-depth",
    "CPT 11042-11047, 97597-97598",
    "Debridement by the deepest tissue taken, areas of one depth added, each further 20 sq cm by itself",
)
ASK_AREA = Rule("debridement-area", "CPT 11042-11047, 97597-97598", "Asks how large the debrided area was")
_DEBRIDED = asked(r"\bdebrid(?:ement|ed|ing)\b")
_OTHER = re.compile(
    r"\b(?:nails?|burns?|open fracture|eczema\w*|infected skin|arthroscop\w*|joint|dental|periodont\w*|enzymatic)\b"
)
_AREA = re.compile(
    r"\b(\d+(?:\.\d+)?) ?(?:x|by) ?(\d+(?:\.\d+)?)(?: ?(?:x|by) ?\d+(?:\.\d+)?)? ?cm\b"
    r"|\b(\d+(?:\.\d+)?) ?(?:sq(?:uare)?\.? ?(?:cm|centimet(?:er|re)s?)|cm ?2\b|cm\^2|cm²)"
)
FIRST = 20  # square centimeters that the first service covers, and each further one


def debridements(case: Case) -> None:
    """Wounds of one depth are added; of several depths each has its own first service."""
    areas: dict[int, Decimal] = {}
    spans: dict[int, tuple[int, int]] = {}
    for match in case.search(_DEBRIDED):
        low, high = bounds(case.text, *match.span())
        clause = case.text[low:high]
        if _OTHER.search(clause) or not done_here(case, *match.span(), said=True):
            continue
        said = clause if len(case.text) > ALONE else case.text[match.start() :]  # a wound's own depth stands before
        depth = next(
            (n for n, (words, *_) in enumerate(table("services")["debridements"]) if re.search(words, said)), None
        )
        if depth is None:
            continue
        measured = [_size(m) for m in _AREA.finditer(clause)]
        if not measured and len(case.text) <= ALONE and not areas:
            measured = [_size(m) for m in _AREA.finditer(case.text)]
        areas[depth] = areas.get(depth, Decimal(0)) + sum(measured, Decimal(0))
        spans.setdefault(depth, match.span())
        if not measured:
            case.ask(ASK_AREA, "How many square centimeters were debrided?", *match.span())
    for depth, area in sorted(areas.items()):
        _, first, further = table("services")["debridements"][depth]
        add_service(case, first, spans[depth], DEBRIDED, f"{area} sq cm" if area else "The depth is named")
        if area > FIRST:
            add_service(case, further, spans[depth], DEBRIDED, f"{area} sq cm", units=math.ceil((area - FIRST) / FIRST))


def _size(match: re.Match[str]) -> Decimal:
    return Decimal(match[3]) if match[3] else Decimal(match[1]) * Decimal(match[2])


RULES = (debridements,)
