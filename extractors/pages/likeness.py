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
WORD = re.compile(r"[a-z0-9]+")


def likeness(display: str, beside: Sequence[str]) -> float:
    """The share, 0–1, of telling words beside the code that its display has, in full, cut short or as initials."""
    means = [word for word in WORD.findall(display.lower()) if len(word) > 1 or word.isdigit()]
    initials = "".join(word[0] for word in means if word not in IDLE)
    said = [word for word in WORD.findall(" ".join(beside).lower()) if word not in IDLE and len(word) > 1][:6]
    if not said or not means:
        return 0.0
    found = [word for word in said if _among(word, means, initials)]
    if not any(len(word) >= 5 or (len(word) >= 2 and word in initials) for word in found):
        return 0.0
    telling = len({word for word in means if word not in IDLE})
    return len(found) / max(1, min(len(said), telling))


def _among(word: str, means: Sequence[str], initials: str) -> bool:
    if word in means or (2 <= len(word) <= 5 and word.isalpha() and word in initials):
        return True
    if len(word) < 5:
        return False
    return any(
        len(other) >= 5 and (other[:5] == word[:5] or Levenshtein.distance(word, other, score_cutoff=1) <= 1)
        for other in means
    )
