"""Short forms of given names, and how a family name sounds."""

from __future__ import annotations

from functools import lru_cache

from extractors.deid.nicknames import groups


def is_nickname(one: str, other: str) -> bool:
    """Whether both can stand for one full name."""
    forms = groups()
    return not forms.get(one, frozenset()).isdisjoint(forms.get(other, frozenset()))


_CODES = {c: str(n) for n, letters in enumerate(("bfpv", "cgjkqsxz", "dt", "l", "mn", "r"), 1) for c in letters}


@lru_cache(maxsize=8192)
def sound(name: str) -> str:
    """The American Soundex of a name (https://www.archives.gov/research/census/soundex)."""
    letters = [c for c in name if c.isascii() and c.isalpha()]
    if not letters:
        return name
    code, last = letters[0], _CODES.get(letters[0], "")
    for letter in letters[1:]:
        this = _CODES.get(letter, "")
        if this and this != last:
            code += this
        if letter not in "hw":
            last = this
    return f"{code:0<4}"[:4]
