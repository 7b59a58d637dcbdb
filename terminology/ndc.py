"""One form for the many spellings of a National Drug Code (https://www.fda.gov/drugs/drug-approvals-and-databases/national-drug-code-directory).

A code of ten digits has three segments (labeler, product, package) of 4-4-2, 5-3-2 or 5-4-1 digits. Claims want eleven
digits, 5-4-2: the short segment gets a zero in front.
"""

from __future__ import annotations

import re

WIDTHS = (5, 4, 2)
_PACKAGES = frozenset(((4, 4, 2), (5, 3, 2), (5, 4, 1), (5, 4, 2)))
_PRODUCTS = frozenset(((4, 4), (5, 3), (5, 4)))
_DIGITS = re.compile(r"[0-9]+")


def normalise(text: str) -> str | None:
    """The eleven digits of a package code: 0002-1433-80 and 00002143380 are one.

    None for what is no package code, and for ten digits without hyphens, which can mean three packages.
    """
    return _joined(text, _PACKAGES) or (text if len(text) == 11 and _DIGITS.fullmatch(text) else None)


def normalise_product(text: str) -> str | None:
    """The nine digits (5-4) of a product code, which has no package segment; None for what is none."""
    return _joined(text, _PRODUCTS)


def spellings(text: str) -> tuple[str, ...]:
    """The three codes of eleven digits that ten digits without hyphens can mean; else the one, or none."""
    found = normalise(text)
    if found:
        return (found,)
    if len(text) != 10 or not _DIGITS.fullmatch(text):
        return ()
    return tuple(
        dict.fromkeys(f"{text[:a]:0>5}{text[a : a + b]:0>4}{text[a + b :]:0>2}" for a, b in ((4, 4), (5, 3), (5, 4)))
    )


def _joined(text: str, shapes: frozenset[tuple[int, ...]]) -> str | None:
    parts = text.strip().split("-")
    if tuple(map(len, parts)) not in shapes or not all(_DIGITS.fullmatch(part) for part in parts):
        return None
    return "".join(part.zfill(width) for part, width in zip(parts, WIDTHS, strict=False))
