"""The tokens of a text, and how much each looks like a name by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from extractors.deid.vocabulary import Vocabulary, lists

_TOKEN = re.compile(
    r"(?:St|ST)\.[ ](?!(?:LOUIS|[A-Z][a-z]+['’]s))[A-Z][^\W\d_]+(?:-[^\W\d_]+)*"
    r"|[^\W\d_]+(?:[’'\-‑][^\W\d_]+)*|\d+(?:[.,/]\d+)*|[^\w\s]|\n"
)
_LOUD = r"[^\W\d_a-z](?:[^\W\d_a-z]|['’-])+"
_LOUD_RUN = re.compile(rf"\b{_LOUD}(?:,?\s(?:[^\W\d_a-z]\.\s)?{_LOUD})+\b")
_VOWEL = re.compile(r"[aeiouyàáâäãåèéêëìíîïòóôöõøùúûüœæ]", re.I)
_POSSESSIVE = re.compile(r"[’']s?$", re.I)
CALENDAR = frozenset(
    [
        "january",
        "february",
        "april",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ]
)
_PEOPLES = ("ish", "ese", "ian", "day")
_PROPER = frozenset(
    [
        "meds",
        "labs",
        "vitals",
        "appt",
        "hx",
        "dx",
        "rx",
        "medicare",
        "medicaid",
        "christmas",
        "thanksgiving",
        "easter",
        "ramadan",
        "halloween",
        "covid",
        "america",
    ]
)
_ENDINGS = (
    "ed",
    "ing",
    "ly",
    "tion",
    "sion",
    "ment",
    "ous",
    "ive",
    "ity",
    "osis",
    "itis",
    "emia",
    "pathy",
    "logy",
    "tomy",
    "ism",
)


class Words(NamedTuple):
    """The lists of `data/names.json`."""

    threshold: float
    titles: frozenset[str]
    credentials: frozenset[str]
    labels: frozenset[str]
    roles: frozenset[str]
    leads: frozenset[str]
    verbs: frozenset[str]
    particles: frozenset[str]
    after_eponym: frozenset[str]
    services: frozenset[str]


@cache
def name_words() -> Words:
    """The lists, read once."""
    told = json.loads(files("extractors.deid").joinpath("data/names.json").read_text("utf-8"))
    return Words(told["threshold"], *(frozenset(told[field].split()) for field in Words._fields[1:]))


@dataclass(slots=True)
class Token:
    """A token; `lexical` is what it says by itself, `score` with what stands around it."""

    text: str
    start: int
    end: int
    low: str = ""
    lexical: float = 0.0
    score: float = -9.0
    cued: bool = False
    followed: bool = False  # by a point: an initial

    @property
    def is_word(self) -> bool:
        """Whether it begins with a letter."""
        return self.text[0].isalpha()


def tokens_of(text: str) -> list[Token]:
    """Words without their possessive, numbers, signs and line ends."""
    found = []
    for match in _TOKEN.finditer(text):
        word = _POSSESSIVE.sub("", match[0]) if len(match[0]) > 1 else match[0]
        if "-" in word and word.rpartition("-")[2].lower() in ("year", "old", "like", "positive", "negative", "based"):
            word = word.partition("-")[0]
        token = Token(word, match.start(), match.start() + len(word), word.lower().replace("’", "'"))
        token.followed = text[token.end : token.end + 1] == "."
        found.append(token)
    return found


def shouted_lines(text: str) -> list[tuple[int, int]]:
    """Lines, and runs of words, that are written in capitals, where a capital tells nothing."""
    lines, at = [], 0
    for line in text.splitlines(keepends=True):
        letters = [c for c in line if c.isalpha()]
        if len(letters) > 3 and sum(c.isupper() for c in letters) > 0.8 * len(letters):
            lines.append((at, at + len(line)))
        else:
            lines += [(at + run.start(), at + run.end()) for run in _LOUD_RUN.finditer(line)]
        at += len(line)
    return lines


def likeness(token: Token, shouted: Sequence[tuple[int, int]], vocabulary: Vocabulary) -> float:
    """How much a token looks like a name by itself, from -3 (a word) to 2.5 (a given name and no word)."""
    word, low, all_lists = token.text, token.low, lists()
    if not word[0].isupper():
        return -3.0
    if len(word) == 1:
        return -1.5
    parts = [part for part in re.split(r"['\-. ]+", low) if len(part) > 2] or [low]
    given = any(part in all_lists.given for part in parts)
    family = any(part in all_lists.family for part in parts)
    loud = word.isupper() and len(word) > 1
    in_loud = loud and any(a <= token.start < b for a, b in shouted)
    if vocabulary.is_word(low):
        return -2.0 if loud and not in_loud else -1.0 if given else -1.5 if family else -3.0
    if low in name_words().credentials or low in name_words().titles:
        return -3.0
    if low in all_lists.eponyms:
        return -1.0 if not given else 0.5
    if low in CALENDAR:
        return -1.5
    if low in _PROPER:
        return -2.0
    if low in all_lists.proper and not given:
        return -2.0 if low.endswith(_PEOPLES) else 1.0 if family else 0.4
    if loud and not in_loud:
        return 0.3 if (given or family) and len(word) > 3 else -2.5
    if given or family:
        return (2.5 if given else 1.8) - (1.2 if len(word) < 3 else 0.0)
    if len(word) < 4 or not _VOWEL.search(word):
        return -0.8
    if low.endswith(_ENDINGS):
        return -1.0
    return 0.5 if in_loud else 1.2
