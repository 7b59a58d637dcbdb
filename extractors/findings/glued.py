"""Diagnosis codes that ran into their list number, or whose letter was read as a digit: "1.E11.65", "2.110".

Such a reading is taken only where the words beside it agree with the display of the code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from extractors.findings.draft import Draft
from extractors.findings.lexicon import Lexicon
from extractors.findings.reading import Reading
from fhir_profiles.systems import ICD10CM
from terminology.folding import fold

_GLUED = re.compile(
    r"^[ \t]*\d{1,2}[.)] ?([A-Za-z0-9|!\]\[][0-9OolI]{1,2}[0-9A-Za-z]?(?:\.[0-9A-Za-z]{1,4})?)[ \t]+([^\n]{4,90})",
    re.MULTILINE,
)
_LETTERS = {"1": "I", "l": "I", "|": "I", "!": "I", "0": "O", "2": "Z", "5": "S", "8": "B", "6": "G", "7": "T"}
_DIGITS = str.maketrans("OolI", "0011")
_EMPTY = frozenset(
    {"with", "without", "unspecified", "other", "disease", "disorder", "left", "right", "type", "acute", "chronic"}
)
AGREES = 0.5  # of the display's words that must stand beside the code


def glued_codes(reading: Reading, lexicon: Lexicon) -> Iterator[Draft]:
    """A draft of kind `code` for each list line whose glued or misread code the words beside it confirm."""
    numbered = any(reading.text[line.start].isdigit() for line in reading.lines)
    for match in _GLUED.finditer(reading.text) if numbered else ():
        raw, label = match[1], match[2]
        for code in _readings(raw):
            display = lexicon.display(ICD10CM, code)
            if display is not None and agreement(display, label) >= AGREES:
                attributes = {"system": ICD10CM, "code": code, "label_span": match.span(2), "read_as": code}
                yield Draft("code", *match.span(1), match.span(1), attributes, ((ICD10CM, code, 1.0),))
                break


def _readings(raw: str) -> Iterator[str]:
    """The codes that a misread one may have been, the plainest first."""
    head, tail = raw[:1], raw[1:].translate(_DIGITS) if "." not in raw else raw[1:]
    if head.isalpha():
        yield head.upper() + tail.upper()
    if head in _LETTERS:
        yield _LETTERS[head] + tail.upper()


def agreement(display: str, label: str) -> float:
    """The share of the display's words that stand in the label."""
    words = {w for w in fold(display).split() if len(w) > 2 and w not in _EMPTY}
    beside = set(fold(label).split())
    return len(words & beside) / len(words) if words else 0.0
