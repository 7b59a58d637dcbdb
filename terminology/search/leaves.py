"""The billable ICD-10-CM code that says no more than a header says (guideline I.A.9.b, "unspecified" codes)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

_UNSPECIFIED = re.compile(
    r"unspecified|NOS\b|not otherwise|without complication|without coma|not stated|unknown", re.IGNORECASE
)
_NARROWING = re.compile(r"\bwith\b|due to|bilateral|\bright\b|\bleft\b|other specified", re.IGNORECASE)
_WORDS = re.compile(r"[a-z]{3,}")
_VAGUE_WORDS = frozenset(
    _WORDS.findall(
        "unspecified not otherwise without complication complications stated unknown type site part the and with side "
        "nos initial encounter for closed fracture episode care mention severity stage trimester region joint limb eye"
    )
)
OUR_CHOICE = {  # where titles alone mislead
    "E10.1": "E10.10", "E11.1": "E11.10", "E13.1": "E13.10",
    "I48": "I48.91", "I48.9": "I48.91", "J01": "J01.90", "J01.9": "J01.90", "G43": "G43.909", "M54.5": "M54.50",
    "C50": "C50.919", "C34": "C34.90", "R51": "R51.9", "H66": "H66.90", "L97": "L97.909", "N18": "N18.9",
}  # fmt: skip


class Place(NamedTuple):
    """A code, where it stands, and whether it is a leaf with a 7th character."""

    code: str
    display: str
    parent: str | None
    billable: bool
    seventh: bool


def default_leaves(places: Iterable[Place]) -> dict[str, str]:
    """Header code → the leaf to use when the text says no more; headers without such a leaf are absent.

    `places` are the codes of ICD-10-CM in book order, without chapters and blocks.
    """
    children: defaultdict[str, list[Place]] = defaultdict(list)
    headers: list[Place] = []
    for place in places:
        if place.parent is not None:
            children[place.parent].append(place)
        if not place.billable:
            headers.append(place)
    leaves = dict(OUR_CHOICE)
    for header in reversed(headers):  # children come after their parents in book order
        best = max(children[header.code], key=lambda c: _vagueness(header, c), default=None)
        if best is None or _vagueness(header, best)[0] <= 0:
            continue
        leaf = best.code if best.billable else leaves.get(best.code)
        if leaf:
            leaves.setdefault(header.code, leaf)
    return leaves


def _vagueness(header: Place, child: Place) -> tuple[int, int, int]:
    """How well a child stands for its header when nothing more is known; 0 or less: it does not."""
    if child.seventh:
        return (1, 2, 0) if child.code[-1] in "A0" else (1, 1, 0) if child.code[-1] == "9" else (0, 0, 0)
    added = child.display.lower().replace(header.display.lower(), "")
    score = 3 * bool(_UNSPECIFIED.search(added)) + 2 * (not added.strip(" ,")) + (child.code[-1] == "9")
    score += added.startswith(", without ")  # a dementia of which no more is said has no disturbance
    known = set(_WORDS.findall(header.display.lower())) | _VAGUE_WORDS
    news = sum(w not in known for w in _WORDS.findall(added))
    return score - 2 * bool(_NARROWING.search(added)), -news, -len(child.display)
