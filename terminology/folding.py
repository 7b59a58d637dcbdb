"""One way to fold text so that a phrase in a note and a term in a table meet.

Words are runs of letters and digits in lower case; a possessive and a plural ending fall away; everything else parts
words. Offsets survive: `words` yields each folded word with the place it came from.
"""

from __future__ import annotations

import re
from functools import lru_cache

WORD = re.compile(r"[^\W_]+")
_ACCENTS = str.maketrans("áàâäãåéèêëíìîïóòôöõúùûüçñ", "aaaaaaeeeeiiiiooooouuuucn")
_KEEP = frozenset(
    re.findall(
        r"\w+",
        "diabetes ascites herpes rabies scabies caries pubes measles always series species abscess biceps triceps "
        "forceps",
    )
)


@lru_cache(maxsize=200_000)
def fold_word(word: str) -> str:
    """The folded form of one word: lower case, no accents, no plural ending."""
    word = word.lower().translate(_ACCENTS)
    if len(word) > 4 and word[-1] == "s" and word not in _KEEP and word[-2] not in "suia":
        return word[:-3] + "y" if word.endswith("ies") and len(word) > 5 else word[:-1]
    return word


def fold(text: str) -> str:
    """The folded words of `text`, parted by one space."""
    return " ".join([fold_word(word) for word in WORD.findall(bare(text))])


def bare(text: str) -> str:
    """The text without possessives."""
    return _POSSESSIVE.sub("", text) if "'" in text or "’" in text else text


_POSSESSIVE = re.compile(r"(?<=\w)['’][sS]\b")
