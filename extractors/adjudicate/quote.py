"""Where a quotation stands in a note: letter by letter, only white space may be laid out otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator

from extractors.deid.text import Clean
from extractors.model import Span

SHORTEST, LONGEST = 3, 300  # characters


def places(clean: Clean, quote: str) -> Iterator[Span]:
    """The spans of the original that a quotation of the cleaned text stands for, in their order."""
    words = [re.escape(word) for word in quote.split()]
    if words:
        for match in re.finditer(r"\s+".join(words), clean.text):
            yield clean.to_original(*match.span())
