"""Read the codes in a text: one without its dot or in lower case, the beginning of one, a range, one beside words."""

from __future__ import annotations

import re
from typing import NamedTuple

from terminology.search.index import Index

BESIDE_WORDS = 3
"""Characters that a code must have to be read as one where words stand beside it."""

_CODE = re.compile(r"(?=[A-Za-z.-]*\d)[0-9A-Za-z]+(?:[.-][0-9A-Za-z]+)*[.-]?")
_RANGE = re.compile(r"([A-Za-z]\w{2}(?:\.\w+)?)\s*(?:-|–|to|\.\.)\s*([A-Za-z]\w{2}(?:\.\w+)?)")
_SURE = re.compile(r"[A-Za-z]\d\w\.\w{1,4}")  # nothing but a code of ICD is written so
_DOT_AFTER = 3


class Coded(NamedTuple):
    """The concepts whose codes a text names, in the order of the book, and the words that stand beside the code.

    `unknown` is a code that does not exist: the concepts are those of the longest beginning of it that does.
    """

    ranks: list[int]
    rest: str | None = None
    unknown: str | None = None


def read_codes(index: Index, text: str) -> Coded | None:
    """What a text names by code; None when it has no code that anything begins with."""
    plain = text.strip()
    if span := _RANGE.fullmatch(plain):
        found = index.codes(span[1].upper(), span[2].upper())
        return Coded(found) if found else None
    pieces = plain.split()
    for i, piece in enumerate(pieces):
        if not _CODE.fullmatch(piece) or (len(pieces) > 1 and len(piece) < BESIDE_WORDS):
            continue
        if found := _beginning(index, piece):
            others = " ".join(pieces[:i] + pieces[i + 1 :])
            return Coded(found, others + text[len(text.rstrip()) :] if others else None)
    return _nearest(index, plain) if _SURE.fullmatch(plain) else None


def _nearest(index: Index, code: str) -> Coded | None:
    for length in range(len(code) - 1, BESIDE_WORDS - 1, -1):
        start = code[:length].upper().rstrip(".")
        if found := index.codes(start, start):
            return Coded([rank for rank in found if index.code(rank) == start] or found, unknown=code)
    return None


def _beginning(index: Index, piece: str) -> list[int]:
    bare = piece.rstrip(".-")
    upper = bare.upper()
    dotted = f"{upper[:_DOT_AFTER]}.{upper[_DOT_AFTER:]}" if len(upper) > _DOT_AFTER and "." not in upper else upper
    ways = (index.codes(code, code) for code in dict.fromkeys((bare, upper, dotted)))
    return next((found for found in ways if found), [])
