"""How much the words beside a code say what the code means."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

IDLE = frozenset(
    (
        *(
            "unspecified",
            "with",
            "without",
            "and",
            "the",
            "for",
            "not",
            "other",
            "specified",
            "due",
            "type",
            "stage",
            "site",
        ),
        *("elsewhere", "classified", "of", "in", "to", "w", "o", "wo", "nos"),
    )
)
WORD = re.compile(r"[A-Za-z0-9]+")


def likeness(display: str, beside: Sequence[str]) -> float:
    """The share, 0–1, of telling words beside the code that its display has, in full, cut short or as initials.

    Initials count when they are printed in capitals; a word of five letters or initials of three must be among them.
    """
    means = [word for word in WORD.findall(display.lower()) if len(word) > 1 or word.isdigit()]
    initials = "".join(word[0] for word in means if word not in IDLE)
    printed = [word for word in WORD.findall(" ".join(beside)) if word.lower() not in IDLE and len(word) > 1][:6]
    if not printed or not means:
        return 0.0
    short = {word for word in printed if word.isupper() and word.isalpha() and word.lower() in initials}
    found = [word for word in printed if word in short or _among(word.lower(), means)]
    if not any(len(word) >= (3 if word in short else 5) for word in found):
        return 0.0
    telling = len({word for word in means if word not in IDLE})
    return len(found) / max(1, min(len(printed), telling))


def _among(word: str, means: Sequence[str]) -> bool:
    if word in means:
        return True
    return len(word) >= 5 and any(
        len(other) >= 5 and (other[:5] == word[:5] or Levenshtein.distance(word, other, score_cutoff=1) <= 1)
        for other in means
    )
