"""The table of phrases: what coders marked, what goes with a code, and the terms of the tables, each counted."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from extractors.coding.learned.model import EVIDENCE, EXACT, PART, TYPICAL, Meaning, Phrase
from extractors.findings.normalise import BREAK, fold, normalise
from extractors.model import Span

LONGEST = 6  # words
LEAST_MODIFIER = 0.1
LEAST_LETTERS = 3  # that a part must exceed
JOINED = 4  # letters between marked words of one run
PART_SHARE = 0.25  # of the documents with a part that have the code
GAP = 3  # words between the marked ones that a phrase may have
TYPICAL_F1, TYPICAL_MOST = 0.45, 8  # a phrase against a code's documents; phrases of each code
OFTEN, LIFT = 0.25, 2.0  # share of a marked phrase's documents that have another code, and against that code's own
EMPTY = frozenset(
    re.findall(
        r"\w+", "of the a an in with and or to by for at on from s his her no as wa is was were had be which that"
    )
)
Terms = Mapping[str, Sequence[tuple[str, int]]]  # phrase → (code, sources)


@dataclass(frozen=True)
class Prepared:
    """A training document: its codes (leaves of today), its phrases, and the phrases that coders marked."""

    codes: frozenset[str]
    phrases: frozenset[str]
    marked: tuple[tuple[str, str], ...]  # phrase, code
    parts: tuple[tuple[str, str], ...] = ()  # of the marked phrases


def phrases_of(text: str) -> frozenset[str]:
    """All runs of up to six words of a text in normal form that do not cross a break."""
    found: set[str] = set()
    for part in normalise(fold(text)).text.split(BREAK):
        words = part.split()
        for size in range(1, LONGEST + 1):
            found.update(" ".join(words[i : i + size]) for i in range(len(words) - size + 1))
    return frozenset(found)


def marked_phrase(text: str, spans: Sequence[Span]) -> str | None:
    """The run of words that marked spans make, without empty words at its ends; None when it is too loose."""
    words = normalise(fold(text[min(a for a, _ in spans) : max(b for _, b in spans)])).text.split()
    count = sum(len(normalise(fold(text[a:b])).text.split()) for a, b in spans)
    while words and _is_empty(words[0]):
        words = words[1:]
    while words and _is_empty(words[-1]):
        words = words[:-1]
    if not words or len(words) > min(LONGEST, count + GAP) or BREAK in words:
        return None
    return " ".join(words)


def parts(text: str, spans: Sequence[Span]) -> set[str]:
    """The shorter runs of words within what was marked, and the runs of what is too loose for one phrase."""
    found = set()
    for start, end in _runs(spans):
        words = normalise(fold(text[start:end])).text.split()
        for i in range(len(words)):
            for j in range(i + 1, min(len(words), i + LONGEST) + 1):
                if not (_is_empty(words[i]) or _is_empty(words[j - 1]) or BREAK in words[i:j]):
                    found.add(" ".join(words[i:j]))
    return {p for p in found if len(p) > LEAST_LETTERS}


def _runs(spans: Sequence[Span]) -> list[Span]:
    """Spans joined where only a few letters part them."""
    runs: list[Span] = []
    for start, end in sorted(spans):
        if runs and start - runs[-1][1] <= JOINED:
            runs[-1] = (runs[-1][0], max(end, runs[-1][1]))
        else:
            runs.append((start, end))
    return runs


def modifiers(corpus: Sequence[Prepared]) -> dict[str, list[float]]:
    """Word → how surely it belongs to the marked phrase that it stands before, and to the one it stands behind.

    A word is counted in the documents where it begins (ends) a marked phrase, of all that have it.
    """
    often = Counter(p for row in corpus for p in row.phrases if " " not in p)
    counts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for row in corpus:
        phrases = [p.split() for p, _ in row.marked]
        counts[0].update({w for words in phrases for w in words[:-1]} - EMPTY)
        counts[1].update({w for words in phrases for w in words[1:]} - EMPTY)
    found = {}
    for word in sorted({*counts[0], *counts[1]}):
        values = [round(min(counts[side][word] / (often[word] + 1), 1.0), 3) for side in (0, 1)]
        if max(values) >= LEAST_MODIFIER:
            found[word] = values
    return found


def _is_empty(word: str) -> bool:
    return word in EMPTY or any(c.isdigit() for c in word)


def counted(corpus: Sequence[Prepared], terms: Terms) -> tuple[list[Phrase], Counter[str]]:
    """The phrases with their counts, and in how many documents each code is."""
    seen = Counter(code for row in corpus for code in row.codes)
    often = Counter(phrase for row in corpus for phrase in row.phrases)
    meanings: defaultdict[str, dict[str, int]] = defaultdict(dict)
    marked: Counter[tuple[str, str]] = Counter()
    for row in corpus:
        for phrase, code in set(row.marked):
            meanings[phrase][code] = EVIDENCE
            marked[phrase, code] += 1
    given = frozenset(meanings)
    for phrase, code in _typical(corpus, seen, often, given):
        meanings[phrase].setdefault(code, TYPICAL)
    for phrase in often.keys() & terms.keys():
        for code, sources in terms[phrase]:
            meanings[phrase][code] = meanings[phrase].get(code, 0) | sources
    for row in corpus:
        for phrase, code in row.parts:
            meanings[phrase].setdefault(code, PART)
    right = Counter(
        (phrase, code)
        for row in corpus
        for phrase in row.phrases & meanings.keys()
        for code in meanings[phrase].keys() & row.codes
    )
    found = []
    for phrase, codes in sorted(meanings.items()):
        least = PART_SHARE * often[phrase]
        kept = (
            Meaning(c, right[phrase, c], marked[phrase, c], s)
            for c, s in sorted(codes.items())
            if s != PART or right[phrase, c] >= least
        )
        if often[phrase] and (told := tuple(kept)):
            found.append(Phrase(phrase, often[phrase], told))
    return found, seen


def _typical(
    corpus: Sequence[Prepared], seen: Counter[str], often: Counter[str], given: frozenset[str]
) -> Iterable[tuple[str, str]]:
    """Phrases of which a code's documents have many and other documents few, and what else marked phrases go with."""
    together: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in corpus:
        repeated = [p for p in row.phrases if often[p] >= 2]
        for code in row.codes:
            if seen[code] >= 2:
                together[code].update(repeated)
    for code, counts in together.items():
        scored = [
            (2 * n / (often[p] + seen[code]), n, p)
            for p, n in counts.items()
            if n >= 2 and 2 * n >= TYPICAL_F1 * (often[p] + seen[code]) and _is_phrase(p)
        ]
        scored.sort(key=lambda s: (-s[0], -s[1], len(s[2]), s[2]))
        yield from ((p, code) for _, _, p in scored[:TYPICAL_MOST])
        yield from (
            (p, code)
            for p, n in counts.items()
            if n >= 2 and p in given and n >= OFTEN * often[p] and n * len(corpus) > LIFT * seen[code] * often[p]
        )


def _is_phrase(phrase: str) -> bool:
    words = phrase.split()
    return not (words[0] in EMPTY or words[-1] in EMPTY or any(c.isdigit() for c in phrase))


def exactly(code: str, leaf: str) -> int:
    """The bit that says a term names a billable code itself."""
    return EXACT if code == leaf else 0
