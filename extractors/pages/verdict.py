"""Two readings of a word held against each other: agreement is surer, disagreement is told and never hidden."""

from __future__ import annotations

from collections.abc import Sequence

from extractors.pages.escalate import RULE
from extractors.pages.wire import Seen

AGREED = 97.0  # confidence in what two readers read alike
APART = 50.0  # and in what they did not
SURE, SURER = 90.0, 95.0  # a second reading of a number, of a word, that is taken instead of one that was less sure
UNSURE = 85.0  # a word that the first reader was surer of stays
EDGES = ".,;:()"
PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "—": "-", "–": "-"})
ALIKE = str.maketrans("OoQIil|!sScCxXuU", "0001111155ccxxuu")  # letters and figures that print alike


def prefer(words: Sequence[Seen]) -> list[Seen]:
    """Words with the surer of two readings as their text, the other kept; a code that was repaired stays."""
    return [_swapped(word) if word.other is not None and _is_better(word, word.other) else word for word in words]


def judge(words: Sequence[Seen]) -> list[Seen]:
    """Words with their confidence by how two readings agree.

    `other` stays only where the readings differ: those words are doubtful.
    """
    return [word if word.other is None else _judged(word, word.other) for word in words]


def _is_better(word: Seen, other: str) -> bool:
    text, said = _core(word.text), _core(other)
    if not said or word.repair == "code" or _same(text, said) or said in text:  # cut off is not better
        return False
    if any(char.isdigit() for char in text + said):
        return word.other_sure >= SURE and word.other_sure > word.confidence
    return word.other_sure >= SURER and word.confidence < UNSURE


def _swapped(word: Seen) -> Seen:
    first = word.raw or word.text
    return Seen(
        word.other or "", word.confidence, word.quad, word.line, word.gap, first, RULE, word.text, word.confidence
    )


def _judged(word: Seen, other: str) -> Seen:
    text, said = _core(word.text), _core(other)
    sure = word.confidence
    if text == said:
        sure = max(sure, min(word.other_sure, AGREED))
    elif not _alike(word, text, said):
        return Seen(
            word.text, min(sure, APART), word.quad, word.line, word.gap, word.raw, word.repair, other, word.other_sure
        )
    return Seen(word.text, sure, word.quad, word.line, word.gap, word.raw, word.repair)


def _alike(word: Seen, text: str, said: str) -> bool:
    """Whether the readings differ in nothing that a page could show: a repaired code, or letters that print alike."""
    if not any(char.isalnum() for char in text):
        return True
    code = word.repair == "code" or (text[0].isalpha() and text[1:] == said[1:])
    return (code or not _is_number(text)) and _same(text, said)


def _is_number(text: str) -> bool:
    return sum(char.isdigit() for char in text) * 2 >= len(text)


def _same(text: str, said: str) -> bool:
    """Whether readings differ only in what prints alike; letters are not the same as a number of several figures."""
    if len(text) > 1 and said.isdigit() and not any(char.isdigit() for char in text):
        return False
    return text.translate(ALIKE).lower() == said.translate(ALIKE).lower()


def _core(text: str) -> str:
    return text.translate(PLAIN).strip(EDGES)
