"""Numbers beside a name that are no measurement: thresholds of an order, reference ranges, shares of a prediction."""

from __future__ import annotations

import re

from extractors.findings.grammar import GAP
from extractors.model import Span

_REACH = 110
_AIM = re.compile(r"\b(?:goals?|targets?|aim(?:ing)? for|titrate (?:to|for))(?:\s(?:of|for|is|to|an?|the))*[ :=]*$")
_ORDER = re.compile(
    r"\b(?:(?:hold|call|notify|page|transfuse|give|stop|titrate|wean|adjust|return|contact|treat|alert|prn|repeat)\b[^.;\n]{0,70}?"
    r"\b(?:for|if|when|until|unless|to keep|to maintain|to)\b|keep\b|maintain\b)[^.;\n]{0,50}$"
)
_NORMAL = re.compile(
    r"\b(?:normal|reference|therapeutic|desired|expected)\s(?:range|values?|intervals?|levels?|limits?)(?:\s(?:for|of|is)|:)*\s*$"
)
_SHARE = re.compile(
    rf"{GAP}?%{GAP}?(?:of{GAP})?(?:(?:the{GAP}|his{GAP}|her{GAP})?(?:predicted|pred|personal best|best))\b"
)


def aim_before(folded: str, low: int, start: int, compared: bool) -> Span | None:
    """The words before a name that make its number a goal; an order needs a comparator: "hold for HR < 55"."""
    low = max(low, start - _REACH)
    found = _AIM.search(folded, max(low, start - 24), start) or (
        _ORDER.search(folded, low, start) if compared else None
    )
    return found.span() if found else None


def is_reference(folded: str, low: int, start: int) -> bool:
    """Whether the name at `start` is that of a reference range: "normal range for potassium is 3.5 to 5.0"."""
    return _NORMAL.search(folded, max(low, start - 40), start) is not None


def is_share(folded: str, end: int, limit: int) -> bool:
    """Whether the number that ends at `end` is a share of what is predicted or best, no measurement of its own."""
    return _SHARE.match(folded, end, limit) is not None
