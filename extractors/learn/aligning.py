"""Which word of a translation stands for which word of the original.

IBM model 1 with a prior of place, as fast_align (https://aclanthology.org/N13-1073/), begun from cognates, run in both
directions; the two posteriors are joined by their geometric mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from extractors.learn.cognates import cognate
from extractors.learn.corpus import Row
from extractors.learn.pairing import Pair, Pairing, sentences_of_original, sentences_of_translation
from extractors.model import Span

ROUNDS, SHARPNESS, NOWHERE = 6, 4.0, 0.08
COGNATE, ALIKE = 60.0, 0.4
LEAST_WORD, LEAST_ALL = 0.25, 0.4  # of posterior: for a word to belong, for the whole to count


def translated_evidence(corpus: Sequence[Row]) -> list[list[tuple[str, list[Span]]]]:
    """For each document (code, spans of the words of its text that the marked words of the original mean)."""
    sides = [(sentences_of_original(r.original), sentences_of_translation(r.text)) for r in corpus]
    pairing = Pairing(sides)
    pairs = [pairing(*side) for side in sides]
    flat = [pair for document in pairs for pair in document]
    means = iter(_both_ways(flat))
    found = []
    for row, document in zip(corpus, pairs, strict=True):
        own = [(pair, next(means)) for pair in document]
        found.append([(m.code, spans) for m in row.marked_in_original if (spans := _spans(m.spans, own))])
    return found


def _spans(marked: Sequence[Span], pairs: Sequence[tuple[Pair, Any]]) -> list[Span]:
    """The words of the one sentence that says most of the marked words; none where too little was found."""
    best: tuple[float, list[Span]] = (0.0, [])
    asked = 0
    for pair, means in pairs:
        columns = [i for i, (a, b) in enumerate(pair.original.spans) if any(a < y and x < b for x, y in marked)]
        if not columns:
            continue
        asked += len(columns)
        score = means[:, columns].sum(axis=1)
        words = np.flatnonzero(score >= LEAST_WORD)
        total = float(score[words].sum())
        if total > best[0]:
            best = (total, [pair.translation.spans[j] for j in words])
    return best[1] if asked and best[0] / asked >= LEAST_ALL else []


def _both_ways(pairs: Sequence[Pair]) -> list[Any]:
    """For each pair the joined posterior, translation × original."""
    one, ones = _numbered([p.original.words for p in pairs])
    two, twos = _numbered([p.translation.words for p in pairs])
    there = _posteriors(ones, twos, one, two)
    back = _posteriors(twos, ones, two, one)
    return [np.sqrt(a[:, 1:] * b[:, 1:].T) for a, b in zip(there, back, strict=True)]


def _numbered(sentences: Sequence[Sequence[str]]) -> tuple[list[str], list[Any]]:
    numbers: dict[str, int] = {}
    coded = [np.array([numbers.setdefault(w, len(numbers)) for w in s], dtype=np.int64) for s in sentences]
    return list(numbers), coded


def _posteriors(sources: Sequence[Any], targets: Sequence[Any], names: Sequence[str], others: Sequence[str]) -> Any:
    """For each sentence, target words × (nowhere, source words): how surely the one comes from the other."""
    nowhere = len(names)
    links, prior, group, at = [], [], [], 0
    for s, t in zip(sources, targets, strict=True):
        n, m = len(s), len(t)
        links.append((np.concatenate([[nowhere], s])[None, :] * len(others) + t[:, None]).ravel())
        apart = np.abs((np.arange(n) + 0.5)[None, :] / n - (np.arange(m) + 0.5)[:, None] / m)
        place = np.exp(-SHARPNESS * apart)
        place *= (1 - NOWHERE) / place.sum(1, keepdims=True)
        prior.append(np.concatenate([np.full((m, 1), NOWHERE), place], 1).ravel())
        group.append(np.repeat(np.arange(at, at + m), n + 1))
        at += m
    keys, inverse = np.unique(np.concatenate(links), return_inverse=True)
    places, groups = np.concatenate(prior), np.concatenate(group)
    source = keys // len(others)
    bonus = np.array([_bonus(names, others, int(k) // len(others), int(k) % len(others)) for k in keys])
    p = _shares(1 + bonus, source, nowhere)
    weight = np.zeros(0)
    for step in range(ROUNDS + 1):
        weight = p[inverse] * places
        weight /= np.maximum(np.bincount(groups, weight, at)[groups], 1e-300)
        if step < ROUNDS:
            p = _shares(np.bincount(inverse, weight, len(keys)) + 0.01 + 0.02 * bonus, source, nowhere)
    sizes = [len(t) * (len(s) + 1) for s, t in zip(sources, targets, strict=True)]
    cuts = np.split(weight, np.cumsum(sizes)[:-1])
    return [c.reshape(len(t), len(s) + 1) for c, s, t in zip(cuts, sources, targets, strict=True)]


def _shares(counts: Any, source: Any, nowhere: int) -> Any:
    return counts / np.bincount(source, counts, nowhere + 1)[source]


def _bonus(names: Sequence[str], others: Sequence[str], source: int, target: int) -> float:
    if source == len(names):
        return 0.0
    alike = cognate(names[source], others[target])
    return COGNATE * alike if alike >= ALIKE else 0.0
