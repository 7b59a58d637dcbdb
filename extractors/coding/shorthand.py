"""Letters that stand for a side, spelled out for what compares words."""

from __future__ import annotations

import re

_LETTER = re.compile(  # not litres, not "r/o", and no spine: that "l" is lumbar
    r"(?<![\w'./&+-])(?<!\d )(?<!type )(?<!grade )(r|l)(?=[,;:.)]|$| (?![a-z]/|spine|sp\b|nc\b|min\b|per\b))"
)
_SPELLED = {"r": "right", "l": "left"}


def spelled(text: str) -> str:
    """The text with "r shoulder" and "hip l" as right and left."""
    return _LETTER.sub(lambda m: _SPELLED[m[1]], text) if " r" in text or " l" in text or text[:2] in _INITIAL else text


_INITIAL = ("r ", "l ")
