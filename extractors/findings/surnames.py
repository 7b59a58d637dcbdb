"""Names of people that read like diseases: "Dr. Parkinson", "Ruth Ben-Ami", "Nash, Robert".

A short word with a capital is a surname where names stand: beside a title, a degree or a given name, beside a hyphen
that joins two capitalised words, before what only people do. "NASH" and "nash" anywhere else stay the abbreviation.
"""

from __future__ import annotations

import re

from extractors.findings.lexicon import Hit

LONGEST = 5  # letters: longer words are no abbreviations
REACH = 24  # characters before a word
_TITLED = re.compile(
    r"\b(?:Dr|Doctor|Mr|Mrs|Ms|Miss|Prof|Professor|Nurse)\b\.?[ \t]+(?:[A-Z]\.[ \t]+|[A-Z][A-Za-z'’-]+[ \t]+){0,2}"
    r"(?:[A-Z][A-Za-z'’]+-)?$"
)
_DEGREE = re.compile(
    r"(?:-[A-Z][A-Za-z'’]+)?,?[ \t]+(?:M\.?D|D\.?O|N\.?P|Ph\.?D|D\.?P\.?M|PA-C)\b\.?[ \t]*(?:[,;)\n]|$)"
)
_BEFORE = re.compile(r"(?<![\w-])([A-Z][A-Za-z'’]+)[ \t]$")
_INITIAL = re.compile(r"[a-z,][ \t](?:[A-Z]\.[ \t]?){1,2}$")  # not the letter of a list
_BEHIND = re.compile(r",[ \t]([A-Z][A-Za-z]+)\b")
_BEFORE_HYPHEN, _BEHIND_HYPHEN = re.compile(r"(?<![\w-])([A-Z][A-Za-z]+)-$"), re.compile(r"-([A-Z][A-Za-z]+)\b")
_PERSON = re.compile(
    r"[ \t](?:reports|states|denies|says|tells|told|complains|asks|agrees|lives|works|called|phoned|wrote"
    r"|was (?:seen|admitted|discharged)|is an? (?:\d|(?:\w+ )?(?:man|woman|male|female|boy|girl|lady|gentleman)\b))"
)
_PREFIXES = frozenset(("pre", "post", "non", "anti", "peri", "sub", "semi", "ex", "co", "inter", "intra", "multi"))
_ALSO_WORDS = frozenset(
    ("will", "may", "mark", "hope", "grace", "art", "faith", "joy", "chase", "drew", "rose", "dawn", "an", "so", "my",
     "no", "in", "long", "see")
)  # fmt: skip


def is_surname(text: str, hit: Hit) -> bool:
    """True for a one-word hit with a capital that stands where the name of a person does."""
    start, end = hit.start, hit.end
    if not text[start].isupper() or not text[start:end].isalpha():
        return False
    if _TITLED.search(text, max(0, start - 40), start) or _DEGREE.match(text, end):
        return True
    return end - start <= LONGEST and _is_named(text, start, end)


def _is_named(text: str, start: int, end: int) -> bool:
    """Whether a short word is part of a name by what stands directly beside it."""
    shouted = text[start:end].isupper()

    def alike(word: str) -> bool:
        """In capitals as the word itself is, or not."""
        return word.isupper() == shouted

    joined = _BEFORE_HYPHEN.search(text, max(0, start - REACH), start) or _BEHIND_HYPHEN.match(text, end)
    if joined and alike(joined[1]) and joined[1].lower() not in _PREFIXES:
        return not shouted or _is_given(joined[1])
    before, behind = _BEFORE.search(text, max(0, start - REACH), start), _BEHIND.match(text, end)
    for word in (before and before[1], behind and behind[1]):
        if word and alike(word) and _is_given(word):
            return True
    if not shouted and _INITIAL.search(text, max(0, start - REACH), start):
        return True
    return not shouted and bool(_PERSON.match(text, end))


def _is_given(word: str) -> bool:
    """Whether people are called so, and nothing else is."""
    from extractors.deid.vocabulary import given_names  # only here: few notes ask for it

    return word.lower() not in _ALSO_WORDS and word.lower() in given_names()
