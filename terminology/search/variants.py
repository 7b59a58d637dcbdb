"""The ways a term may be written, from the way a table writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TAIL = re.compile(
    r",? (?:unspecified(?: (?:organism|site|type|severity|side|cause|trimester))?"
    r"|without complications?|without mention of complications?|NOS|not otherwise specified"
    r"|not elsewhere classified|NEC|initial encounter|\[.*\])$",
    re.IGNORECASE,
)
_DANGLING = re.compile(r"(?:^| )(?:of|in|to|with|the|and|or|due to|by|for|at|on)$", re.IGNORECASE)
_BRACKETS = re.compile(r"\s*[\(\[][^()\[\]]*[\)\]]")
_LEAD = re.compile(r"^(?:unspecified|other specified|other) ", re.IGNORECASE)


def variants(text: str, kind: str) -> Iterator[tuple[str, float]]:
    """Yield (phrase, weight): the term itself, without brackets, without an "unspecified" tail, turned at a comma."""
    yield text, 1.0
    if kind not in ("title", "inclusion"):
        return
    plain = _BRACKETS.sub("", text).strip()
    if plain != text:
        yield plain, 0.97
    short = plain
    while (shorter := _TAIL.sub("", short)) != short and not _DANGLING.search(shorter):
        short = shorter
        yield short, 0.9
    if short.lower().startswith("unspecified "):
        yield short[12:], 0.88
    head, comma, tail = short.partition(", ")
    if comma and "," not in tail and len(tail.split()) <= 2 and " " not in tail.strip("s "):
        yield f"{tail} {head}", 0.85
