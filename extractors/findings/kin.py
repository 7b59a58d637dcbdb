"""Which relative, or which other person, a finding is about (http://terminology.hl7.org/CodeSystem/v3-RoleCode)."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from extractors.findings.lines import Sentence
from extractors.model import Span

BLOODLESS = frozenset(
    {"", "WIFE", "HUSB", "SPS", "SIGOTHR", "ROOM", "FRND", "NBOR", "STPMTH", "STPFTH", "STPBRO", "STPSIS"}
)
FAMILY = ("FAMMEMB", "family member")
_SIDE = re.compile(r"\b(maternal|paternal|mother's|father's|mom's|dad's)(?: (?:side|family))?\b")
_END = re.compile(
    r"[;.\n,]|\band(?= (?:his |her |a |the |two |one )?(?:mother|father|mom|dad|brother|sister|aunt|uncle|grand))"
)
_AGE = re.compile(
    r"(?:\b(diagnosed|dx'?d?|onset|died|deceased|passed away)\b)?[ ,(]{0,3}"
    r"\b(?:at(?: the)?(?: age)?(?: of)?|age[d]?) (\d{1,3})(?![\ds/%]|\.\d)"
)
_DEATH = re.compile(r"\b(?:died (?:of|from)|deceased from|passed away (?:of|from|due to)|death (?:of|from)|died)\b")


@cache
def table() -> dict[str, tuple[str, str]]:
    """Word → code of the role ("" where the code system has none) and its display."""
    read = json.loads(files("extractors.findings").joinpath("kin.json").read_text("utf-8"))
    return {word: (code, display) for word, (code, display) in read.items()}


@cache
def _words() -> re.Pattern[str]:
    names = "|".join(re.escape(word) for word in sorted(table(), key=len, reverse=True))
    return re.compile(rf"\b(?:{names})\b")


def relation(folded: str, sentences: Sequence[Sentence], starts: Sequence[int], span: Span) -> dict[str, Any]:
    """`relation`, `relation_display` and `relation_span` of a finding about somebody else, with ages where printed.

    `relation_kin` is False for a spouse, a friend or a donor. The clause of the mention decides, then what stands
    before it in its sentence, then what stands after it; where nobody is named it is a family member.
    """
    i = bisect_right(starts, span[0]) - 1
    low, high = (sentences[i].start, sentences[i].end) if i >= 0 else span
    stops = [m.start() for m in _END.finditer(folded, low, high)]
    left = max((s for s in stops if s < span[0]), default=low)
    right = min((s for s in stops if s >= span[1]), default=high)
    people = [m for m in _words().finditer(folded, low, high) if m.end() <= span[0] or m.start() >= span[1]]
    near = [m for m in people if left <= m.start() < right]
    before = [m for m in people if m.end() <= span[0]]
    ranked = sorted(near, key=lambda m: _distance(m, span)) or before[::-1] or people
    person = ranked[0] if ranked else None
    if person is None:
        return {"relation": FAMILY[0], "relation_display": FAMILY[1], "relation_kin": True}
    word, start = person[0], person.start()
    if side := _SIDE.search(folded, max(low, start - 10), min(high, person.end() + 24)):
        parent = "maternal" if side[1].startswith(("mat", "mo")) else "paternal"
        word = f"{parent} {word.rstrip('s')}" if f"{parent} {word.rstrip('s')}" in table() else word
        if side.start() < start:
            start = side.start()
    code, display = table()[word]
    found: dict[str, Any] = {
        "relation": code, "relation_display": display, "relation_span": (start, person.end()),
        "relation_kin": code not in BLOODLESS,
    }  # fmt: skip
    until = next((m.start() for m in people if m.start() >= span[1] and m is not person), high)
    return found | _ages(folded, start, span, until)


def _distance(match: re.Match[str], span: Span) -> int:
    """Characters between; what stands before counts as nearer."""
    return span[0] - match.end() if match.end() <= span[0] else 2 * (match.start() - span[1])


def _ages(folded: str, start: int, span: Span, until: int) -> dict[str, Any]:
    """`died` when the words say that the relative did of it; `age` (years) at onset or death, as printed."""
    found: dict[str, Any] = {}
    if start < span[0] and _DEATH.search(folded, start, span[0]):
        found["died"] = True
    age = _AGE.search(folded, span[1], until)
    if age and int(age[2]) <= 120:
        found["age"] = int(age[2])
        if age[1] in ("died", "deceased", "passed away"):
            found["died"] = True
    return found
