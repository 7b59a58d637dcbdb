"""The word that somebody meant who wrote one that nobody has (Damerau 1964, https://doi.org/10.1145/363958.363994)."""

from __future__ import annotations

from collections.abc import Iterator

from terminology.search.index import Index
from terminology.search.layout import letters

SHORTEST = 4
"""Letters that a word must have to be corrected."""

LONG = 7
"""Letters from which on two edits are allowed."""


def corrections(index: Index, word: str, *, unfinished: bool) -> list[str]:
    """The words nearest to one that nobody has, best first; an unfinished one may begin one."""
    if len(word) < SHORTEST or not word.isalpha() or not word.isascii():
        return []
    most = 2 if len(word) >= LONG else 1
    found = sorted(_whole(index, word, most))
    if not found and unfinished:
        found = sorted(_beginnings(index, word, most))
    if not found and most == 1 and len(word) > SHORTEST:
        found = sorted(_whole(index, word, 2))
    least = found[0][0] if found else 0
    return [near for far, _, near in found if far == least][:8]


def _whole(index: Index, word: str, most: int) -> Iterator[tuple[float, int, str]]:
    mask = letters(word)
    for length in range(len(word) - most, len(word) + most + 1):
        known, masks = index.vocabulary(length)
        for i, other in enumerate(masks):
            if (mask ^ other).bit_count() <= 2 * most and known[i] != word:
                far = distance(word, known[i], most)
                if far <= most:
                    yield far + _sound(word, known[i]), abs(len(known[i]) - len(word)), known[i]


def _beginnings(index: Index, word: str, most: int) -> Iterator[tuple[float, int, str]]:
    mask = letters(word)
    for length in range(len(word), 31):
        known, masks = index.vocabulary(length)
        for i, other in enumerate(masks):
            if (mask & ~other).bit_count() <= most and known[i][0] == word[0]:
                far = distance(word, known[i][: len(word) + most], most, begins=True)
                if far <= most:
                    yield float(far), length, known[i]


def _sound(word: str, other: str) -> float:
    """Between words equally far: other vowels or doubled letters are likelier, another first letter is not."""
    alike = _bones(word) == _bones(other)
    return (0.0 if alike else 0.25) + (0.5 if word[0] != other[0] else 0.0)


def _bones(word: str) -> str:
    found = ""
    for letter in word:
        if letter not in "aeiouyh" and not found.endswith(letter):
            found += letter
    return found


def distance(a: str, b: str, most: int, *, begins: bool = False) -> int:
    """Letters to insert, leave out, replace or swap with a neighbour; anything above `most` is `most + 1`.

    With `begins` it is the distance to the nearest beginning of `b`.
    """
    if len(a) - len(b) > most or (len(b) - len(a) > most and not begins):
        return most + 1
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
        before, last = last, row
    return min(last) if begins else last[-1]
