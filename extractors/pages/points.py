"""A number's reading held against its shape: lost points put back, mismatches told."""

from __future__ import annotations

import re
from collections.abc import Sequence

from extractors.pages.image.glyphs import DASH, GLYPH, POINT

NOT_THOUSANDS = re.compile(r"(?<=\d)(?:,(?=\d{1,2}(?!\d))|:(?=\d(?!\d)))")  # a comma or colon read for a point
POINTED = re.compile(r"[^.]*\d\.\d[^.]*?(?:[-–/][^.]*\d\.\d[^.]*)?")  # one point a number


def shape_of(text: str) -> str:
    """The pattern that `text` should have."""
    return "".join(POINT if char in ".,:" else DASH if char in "-–—" else GLYPH for char in text)


def with_points(text: str, patterns: Sequence[str]) -> str | None:
    """`text` as its shape says: points that are seen put in, points that are not seen left out at its end.

    None when the glyphs do not match in number. A missing point is put in when two thresholds agree on it.
    """
    core = text.rstrip("%")
    plain = NOT_THOUSANDS.sub(".", core)
    made = [found for pattern in patterns if (found := _fitted(plain, pattern, len(text) > len(core))) is not None]
    if plain in made:
        return plain + text[len(core) :]
    for found in made:
        if made.count(found) >= 2:
            return found + text[len(core) :]
    return None


def _fitted(core: str, pattern: str, percent: bool) -> str | None:
    seen = _without_percent(pattern, core) if percent else pattern
    shape = shape_of(core)
    if seen.replace(POINT, "") != shape.replace(POINT, ""):
        return None
    if shape == seen:
        return core
    if shape[:-1] == seen and shape[-1] == POINT:
        return core[:-1]
    if shape.count(POINT) >= seen.count(POINT):
        return core
    marks = iter(char for char in core if char not in ".,:")
    made = "".join("." if kind == POINT else next(marks) for kind in seen)
    return made if POINTED.fullmatch(made) else None


def _without_percent(seen: str, core: str) -> str:
    """The pattern's part that stands for the number before a per cent sign, itself of one to three parts."""
    need, at = len(shape_of(core).replace(POINT, "")), 0
    for end, kind in enumerate(seen):
        at += kind != POINT
        if at == need:
            return seen[: end + 1]
    return seen
