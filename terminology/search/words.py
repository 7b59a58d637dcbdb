"""The words of a text as the search compares them: folded, in American spelling, what a hyphen joins also as one."""

from __future__ import annotations

import re
from functools import lru_cache

from terminology.folding import WORD, bare, fold_word

_SPELLINGS = (
    ("aem", "em"), ("aesth", "esth"), ("oedem", "edem"), ("oesoph", "esoph"), ("oestr", "estr"), ("noea", "nea"),
    ("rrhoe", "rrhe"), ("paed", "ped"), ("gynaec", "gynec"), ("foet", "fet"), ("faec", "fec"), ("caec", "cec"),
    ("caesar", "cesar"), ("aetiol", "etiol"), ("tumour", "tumor"), ("behaviour", "behavior"), ("colour", "color"),
    ("labour", "labor"), ("odour", "odor"), ("fibre", "fiber"), ("coelia", "celia"), ("sulph", "sulf"),
    ("haemo", "hemo"), ("manoeuv", "maneuv"), ("ageing", "aging"), ("leuco", "leuko"),
    ("neurone", "neuron"), ("mould", "mold"), ("homoeo", "homeo"), ("centre", "center"), ("dyspnoe", "dyspne"),
)  # fmt: skip
_SPELLED = re.compile("|".join(old for old, _ in _SPELLINGS))
_AMERICAN = dict(_SPELLINGS)
_JOINED = re.compile(r"(?<![^\W_])([^\W_]+)-([^\W_]+)(?:-([^\W_]+))?(?![^\W_-])")
_DIGITS = re.compile(r"\d")
MOST_WORDS = 48
"""Words of a text that are looked at."""

SMALL = frozenset(
    re.findall(r"\w+", "of the and or in to with a an for by at on due as from is has had my her his nos nec")
)
"""Words that tell little: they are left out where others stand beside them."""


@lru_cache(maxsize=50_000)
def spelled(word: str) -> str:
    """One folded word in American spelling."""
    return _SPELLED.sub(lambda m: _AMERICAN[m[0]], word)


def words(text: str) -> list[str]:
    """The words of a text in their order."""
    return [_compared(word) for word in WORD.findall(bare(text))]


@lru_cache(maxsize=200_000)
def _compared(word: str) -> str:
    return spelled(fold_word(word))


def as_written(text: str) -> dict[str, str]:
    """Folded word → the word in lower case with its ending."""
    return {spelled(fold_word(word)): word.lower() for word in WORD.findall(text)}


def joined(text: str) -> list[str]:
    """What the hyphens of a name join, each as one word: under these it is found too."""
    if "-" not in text:
        return []
    found = ("".join(part for part in match.groups() if part) for match in _JOINED.finditer(text))
    return [spelled(fold_word(word)) for word in found if not _DIGITS.search(word)]


def telling(found: list[str]) -> list[str]:
    """The words without the small ones, unless there are no others; a last `a` is told apart (hepatitis A)."""
    last = len(found) - 1
    return [word for i, word in enumerate(found) if word not in SMALL or (word == "a" and i == last > 0)] or found


def bag(found: list[str]) -> int:
    """A number that says which words a phrase holds, whatever their order: signed, of 64 bits."""
    from hashlib import blake2b  # brings OpenSSL, for which whoever only looks up codes need not wait

    text = " ".join(sorted(telling(found)))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)
