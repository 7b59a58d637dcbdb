"""Learn more without starting anew: the counts of a model and those of new documents are one table of counts.

What a phrase means is a count of documents, so counts of two corpora add up. The forest weighs shares and not counts,
so it holds for the sum too; its calibration is fitted again to the new documents, each weighed by counts without it.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from extractors.coding.learned.forest import exported
from extractors.coding.learned.model import (
    MODEL,
    PHRASES,
    TABLES,
    WEAK,
    Meaning,
    Model,
    Phrase,
    read_phrases,
)
from extractors.coding.lexicon import Lexicon
from extractors.learn.corpus import Row
from extractors.learn.counting import Prepared, Terms, counted, modifiers
from extractors.learn.isotonic import GROUP, isotonic
from extractors.learn.measures import at_recall, best_threshold, f1, surest
from extractors.learn.training import FOLDS, SURE, Trained, grown, leaves, read, terms_of, weighed
from extractors.pipeline import Pipeline

PATIENTS = 3
"""Patients whose documents must have a phrase before it enters the model: names and rare words stay outside."""
CLEAR = 0.01
"""Of F1 that another threshold must gain to take the place of the one that stood."""
STEP = 0.1
"""How far a run may move it: the new documents are few beside all that will be coded."""
OFTEN = 10
"""Documents that must have phrase and code together where no coder marked the one for the other, and no table does."""
Files = Mapping[str, bytes]


def more(corpus: Sequence[Row], patients: Sequence[str], pipeline: Pipeline, base: Files, *, forest: bool) -> Trained:
    """A model of what `base` (the files of one) counted and of new documents; `patients` tells whose each is.

    With `forest` new trees are grown from the new documents, which needs LightGBM; else those of the base stay. The
    same documents in the same order give the same model.
    """
    fitted, phrases = json.loads(base[MODEL]), read_phrases(base[PHRASES].decode())
    documents, lexicon = read(corpus, pipeline), pipeline.lexicon
    terms = terms_of(lexicon, frozenset().union(*(d.prepared.phrases for d in documents)))
    bare = {**fitted, "calibration": [[0.0, 1.0], [0.0, 1.0]]}
    blocks = []
    for k in range(FOLDS):
        rest = [n for n in range(len(documents)) if n % FOLDS != k]
        part = [documents[n].prepared for n in rest]
        folded = _joined(phrases, part, [patients[n] for n in rest], terms)
        blocks.append(weighed(documents[k::FOLDS], Model(folded, _counts(bare, part, folded)), lexicon))
    y = np.concatenate([block[1] for block in blocks])
    if forest:
        raw = [grown(blocks[:k] + blocks[k + 1 :]).predict(blocks[k][0]) for k in range(FOLDS)]
        bare["trees"] = [exported(t["tree_structure"]) for t in grown(blocks).dump_model()["tree_info"]]
    else:
        known = Model((), bare)
        raw = [np.array(known.probability(block[0])) if len(block[0]) else np.zeros(0) for block in blocks]
    p = np.concatenate(raw)
    prepared = [document.prepared for document in documents]
    joined = _joined(phrases, prepared, patients, terms)
    told, report = _calibrated(fitted, lexicon, corpus, p, y)
    return Trained(joined, {**_counts(bare, prepared, joined), **told}, report)


def _calibrated(
    fitted: Mapping[str, Any], lexicon: Lexicon, corpus: Sequence[Row], p: Any, y: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Calibration and thresholds for unseen weights; those of the base where the new documents are too few."""
    if len(p) < 2 * GROUP or not 0 < y.sum() < len(y):
        return {"calibration": fitted["calibration"], "thresholds": fitted["thresholds"]}, {"cross_validated": {}}
    asked = sum(len(leaves(lexicon, row)) for row in corpus)
    known = [np.repeat(values, GROUP) for values in fitted["calibration"]]  # the curve that stood, as observations
    right = np.tile(np.arange(GROUP) / GROUP, len(fitted["calibration"][0])) < known[1]
    calibration = isotonic(np.concatenate([p, known[0]]), np.concatenate([y, right.astype(float)]))
    sure = np.interp(p, calibration[0], calibration[1])
    stood = fitted["thresholds"]["accept"]
    best, _ = best_threshold(sure, y, asked)
    threshold = round(min(max(best, stood - STEP), stood + STEP), 4)
    scores = _at(threshold, sure, y, asked)
    kept = _at(stood, sure, y, asked)
    if kept["f1"] >= scores["f1"] - CLEAR:
        threshold, scores = stood, kept
    thresholds = {
        **fitted["thresholds"],
        "accept": threshold,
        "sure": max(surest(sure, y, SURE), fitted["thresholds"]["sure"]),
    }
    return {"calibration": calibration, "thresholds": thresholds}, {
        "cross_validated": {**scores, **at_recall(p, y, asked)}
    }


def _at(threshold: float, sure: Any, y: Any, asked: int) -> dict[str, float]:
    said = sure >= threshold
    return f1(float(y[said].sum()), float(said.sum()), asked)


def _counts(fitted: Mapping[str, Any], corpus: Sequence[Prepared], phrases: Sequence[Phrase]) -> dict[str, Any]:
    """The rest of a model beside its phrases, with the new documents counted in."""
    seen = Counter(fitted["seen"])
    seen.update(code for row in corpus for code in row.codes)
    known = {word for phrase in phrases for word in phrase.text.split()}
    words = {word: shares for word, shares in modifiers(corpus).items() if word in known}
    return {
        **fitted,
        "documents": fitted["documents"] + len(corpus),
        "seen": dict(sorted(seen.items())),
        "modifiers": dict(sorted({**words, **fitted.get("modifiers", {})}.items())),
    }


def _joined(base: Sequence[Phrase], corpus: Sequence[Prepared], patients: Sequence[str], terms: Terms) -> list[Phrase]:
    """The phrases of both, each with the sum of its counts."""
    known = {phrase.text: phrase for phrase in base}
    new = {phrase.text: phrase for phrase in map(_told, counted(corpus, terms)[0]) if phrase.meanings}
    whose: defaultdict[str, set[str]] = defaultdict(set)
    for row, patient in zip(corpus, patients, strict=True):
        for phrase in row.phrases:
            if phrase in new or phrase in known:
                whose[phrase].add(patient)
    often = Counter(phrase for row in corpus for phrase in row.phrases & whose.keys())
    right = Counter(
        (phrase, meaning.code)
        for row in corpus
        for phrase in row.phrases & whose.keys()
        for meaning in {m.code: m for o in (known, new) if phrase in o for m in o[phrase].meanings}.values()
        if meaning.code in row.codes
    )
    found = []
    for text in sorted(known.keys() | new.keys()):
        one, other = known.get(text), new.get(text)
        if one is None and (other is None or not _common(other, len(whose[text]))):
            continue
        found.append(one if one is not None and not often[text] else _sum(text, one, other, often[text], right))
    return found


def _told(phrase: Phrase) -> Phrase:
    """A phrase with the meanings that more than chance gave it."""
    kept = (m for m in phrase.meanings if m.sources & ~WEAK or m.documents >= OFTEN)
    return phrase._replace(meanings=tuple(kept))


def _common(phrase: Phrase, patients: int) -> bool:
    """Whether a new phrase says nothing of one patient: it is of the tables, or several patients' documents have it."""
    return patients >= PATIENTS or any(meaning.sources & TABLES for meaning in phrase.meanings)


def _sum(text: str, one: Phrase | None, other: Phrase | None, often: int, right: Counter[tuple[str, str]]) -> Phrase:
    old = {m.code: m for m in (one.meanings if one else ())}
    new = {m.code: m for m in (other.meanings if other else ())}
    meanings = []
    for code in sorted(old.keys() | new.keys()):
        a, b = old.get(code) or Meaning(code, 0, 0, 0), new.get(code) or Meaning(code, 0, 0, 0)
        meanings.append(Meaning(code, a.documents + right[text, code], a.marked + b.marked, a.sources | b.sources))
    return Phrase(text, (one.documents if one else 0) + often, tuple(meanings))
