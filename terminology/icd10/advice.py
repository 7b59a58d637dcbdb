"""What a person may have meant by a code of ICD-10 that does not exist, and how to complete one that does.

Official conventions: the placeholder X and the 7th character, ICD-10-CM guidelines I.A.4-5; letters I and O are left
out of ICD-10-PCS (https://www.cms.gov/medicare/coding-billing/icd-10-codes).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

from terminology.icd10.codes import dotted
from terminology.model import Concept

SHOWN = 8
"""Choices that a message names."""

_AS_DIGIT = str.maketrans("OIL", "011")
_AS_LETTER = str.maketrans("01", "OI")
_LONGEST = 12
"""Characters of a code that is worth repairing."""


def spellings(code: str) -> Iterator[str]:
    """Codes of ICD-10-CM that may be meant, likeliest first, whether they exist or not.

    Case, blanks and dot; O for 0 and I for 1; a placeholder X left out or too many; zeros added at the end.
    """
    bare = "".join(c for c in code.upper() if c.isalnum())
    if not 3 <= len(bare) <= _LONGEST:
        return
    misread = bare[0].translate(_AS_LETTER) + bare[1:].translate(_AS_DIGIT)
    for text in dict.fromkeys((bare, misread, f"I{misread[1:]}" if code.lstrip()[0] == "l" else bare)):
        yield dotted(text)
        if 4 <= len(text) < 7:
            yield from _padded(text)
        if "X" in text[3:]:
            yield dotted(text[:3] + text[3:].replace("X", ""))
            yield from _padded(text[:3] + text[3:].replace("X", ""))
        if text[-1] in "ADS" and len(text) == 7:
            yield dotted(text[:3] + text[3:-1].rstrip("X"))  # a 7th character where the code takes none
        if text.endswith("0") and len(text) > 3:
            yield dotted(text.rstrip("0").ljust(3, "0"))


def _padded(text: str) -> Iterator[str]:
    """The code with one to three placeholders put in, those in one place first."""
    for missing in dict.fromkeys((7 - len(text), 1)):
        places = range(3, len(text))
        for place in places:
            yield dotted(text[:place] + "X" * missing + text[place:])
        if missing == 2:
            for first, second in combinations(places, 2):
                yield dotted(f"{text[:first]}X{text[first:second]}X{text[second:]}")


def procedure_spellings(code: str) -> Iterator[str]:
    """Codes of ICD-10-PCS that may be meant: case, blanks, O for 0, I for 1."""
    yield "".join(c for c in code.upper() if c.isalnum()).translate(str.maketrans("OI", "01"))


def sevenths(header: Concept, below: Sequence[Concept]) -> str | None:
    """What a code lacks whose children differ in the 7th character alone; None for any other header."""
    if not below or any(len(c.code.replace(".", "")) != 7 or c.parent != header.code for c in below):
        return None
    shown = "; ".join(f"{c.code} {meaning(header, c)}" for c in below[:SHOWN])
    padded = len(header.code.replace(".", "")) < 6
    lacks = "a 7th character behind the placeholder X" if padded else "a 7th character"
    return f"it needs {lacks}: {shown}{'; …' if len(below) > SHOWN else ''}"


def meaning(header: Concept, extended: Concept) -> str:
    """What the 7th character adds to the title."""
    stated = extended.properties.get("seventh")
    if stated:
        return str(stated)
    return extended.display.removeprefix(header.display).lstrip(", ")


def next_characters(code: str, below: Callable[[str], Sequence[Concept]]) -> str:
    """How a code of ICD-10-PCS goes on after the part of it that exists; empty when nothing of it does."""
    table = [c.code for c in below(code[:3])]
    for length in range(min(len(code), 6), 2, -1):
        known = sorted({c[length] for c in table if c.startswith(code[:length])})
        if known:
            return f"; codes that begin with {code[:length]} go on with {', '.join(known)}"
    return ""
