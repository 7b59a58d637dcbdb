"""Which words are names of people or of places, as two linear models learned it from what stands around.

They know no name by itself: of a word they see the shape and which lists have it, of its neighbours the words. They
are learned by `python -m campaigns.deidentifying.learning`, lie in `data/context.tsv.xz`, and add to what rules find.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files

from extractors.deid.name_tokens import Token, name_words
from extractors.deid.vocabulary import Vocabulary, lists

SCALE = 100
"""Weights are kept as whole numbers of this part."""


@cache
def weights() -> Mapping[str, tuple[int, int]]:
    """The weights of each feature for a person and for a place, read once."""
    packed = files("extractors.deid").joinpath("data/context.tsv.xz").read_bytes()
    rows = (line.split("\t") for line in lzma.decompress(packed).decode().splitlines())
    return {feature: (int(person), int(place)) for feature, person, place in rows}


def beliefs(text: str, tokens: Sequence[Token], i: int, loud: bool, vocabulary: Vocabulary) -> tuple[float, float]:
    """The log odds that a token is part of a person's name, and that it is part of a place's."""
    known, person, place = weights(), 0, 0
    for feature in features(text, tokens, i, loud, vocabulary):
        if (weight := known.get(feature)) is not None:
            person += weight[0]
            place += weight[1]
    return person / SCALE, place / SCALE


def may_be(text: str, token: Token, vocabulary: Vocabulary) -> bool:
    """Whether a token is worth a question: written with a capital, or no word at all; not the B of `412B`."""
    if not token.is_word or (token.start and text[token.start - 1].isdigit()):
        return False
    return token.text[0].isupper() or not (len(token.text) < 3 or vocabulary.is_word(token.low))


def features(text: str, tokens: Sequence[Token], i: int, loud: bool, vocabulary: Vocabulary) -> Iterator[str]:
    """What is to be seen of a token and around it; none of them holds a name."""
    token = tokens[i]
    shape, kind = _shape(token, loud), _kind(token, vocabulary)
    around = {step: _seen(tokens, i + step, vocabulary) for step in (-3, -2, -1, 1, 2, 3)}
    one, two, after, then = around[-1], around[-2], around[1], around[2]
    yield "bias"
    yield f"own {shape} {kind}"
    yield f"is {_identity(token, vocabulary)}"
    yield f"long {min(len(token.text), 9)} {shape}"
    for step, seen in around.items():
        yield f"{step} {seen}"
        if abs(step) < 3:
            yield f"{step} {seen} {shape} {kind}"
    yield f"-2-1 {two} {one}"
    yield f"-1+1 {one} {after}"
    yield f"+1+2 {after} {then}"
    yield f"-2-1 {two} {one} {shape}"
    yield f"+1+2 {after} {then} {shape}"
    start = text.rfind("\n", 0, token.start) + 1
    lead = text[start : token.start]
    if not lead.strip():
        yield f"line {shape} {after}"
    label, colon, rest = lead.rpartition(":")
    if colon:
        last = label.split()[-1].lower() if label.split() else ""
        yield f"label {last if last in lists().words or last in name_words().labels else '#'} {min(rest.count(' '), 4)}"
    if text[token.end : token.end + 1] in ("", "\n"):
        yield f"ends {one} {shape}"
    if not vocabulary.is_word(token.low) and len(token.low) > 4:
        yield f"like {token.low[-3:]}"
        yield f"like {token.low[-2:]}"


def _shape(token: Token, loud: bool) -> str:
    word = token.text
    case = "a" if word[0].islower() else "A" if len(word) == 1 else "AA" if word.isupper() else "Aa"
    return case + ("!" if loud else "") + ("-" if "-" in word else "") + ("." if token.followed else "")


def _kind(token: Token, vocabulary: Vocabulary) -> str:
    """Which lists have the word."""
    known, low = lists(), token.low
    parts = [part for part in low.replace("-", " ").replace("'", " ").replace(".", " ").split() if len(part) > 1]
    flags = (
        ("g", any(part in known.given for part in parts)),
        ("f", any(part in known.family for part in parts)),
        ("w", low in known.words),
        ("c", low in vocabulary.clinical),
        ("p", low in known.proper),
        ("e", low in known.eponyms),
    )
    return "".join(letter for letter, holds in flags if holds) or "-"


def _identity(token: Token, vocabulary: Vocabulary) -> str:
    """The word itself where it is one of English or of medicine, else which lists have it."""
    words = name_words()
    low = token.low
    if low in words.titles or low in words.credentials or low in words.roles or low in words.labels:
        return low
    return low if low in lists().words or low in vocabulary.clinical else f"#{_kind(token, vocabulary)}"


def _seen(tokens: Sequence[Token], at: int, vocabulary: Vocabulary) -> str:
    if not 0 <= at < len(tokens):
        return "|"
    token = tokens[at]
    if token.text == "\n":
        return "\\n"
    if token.text[0].isdigit():
        return f"0{min(len(token.text), 5)}"
    if not token.is_word:
        return token.text
    case = "^" if token.text[0].isupper() else ""
    return case + _identity(token, vocabulary)
