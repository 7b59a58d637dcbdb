"""Train the model of `extractors.coding.learned`: each document is weighed by phrases of the other folds only."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from extractors.coding.learned.candidates import SUGGEST
from extractors.coding.learned.composed import places
from extractors.coding.learned.forest import exported
from extractors.coding.learned.mentions import mentioned
from extractors.coding.learned.model import EXACT, MODEL, PHRASES, SOURCES, Model, Phrase, write_phrases
from extractors.coding.learned.weighing import FEATURES, features, supported
from extractors.coding.learned.words import read_words
from extractors.coding.lexicon import Lexicon
from extractors.coding.lexicon_build import compile_terms
from extractors.learn.aligning import translated_evidence
from extractors.learn.corpus import Row
from extractors.learn.counting import Prepared, Terms, counted, marked_phrase, modifiers, parts, phrases_of
from extractors.learn.isotonic import isotonic
from extractors.learn.measures import at_recall, best_threshold, best_together, surest
from extractors.model import Finding
from extractors.pages import from_text
from extractors.pipeline import Pipeline
from fhir_profiles.systems import ICD10CM

FOLDS = 10
PARTITIONS = 3
"""Ways of dividing the documents into folds: the trees see each candidate weighed by as many different counts."""
TREES = 250
PARAMETERS = {
    "objective": "binary", "learning_rate": 0.04, "num_leaves": 12, "min_data_in_leaf": 40, "feature_fraction": 0.6,
    "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 5.0, "verbose": -1, "num_threads": 1, "seed": 1,
    "deterministic": True,
}  # fmt: skip
Block = tuple[Any, Any, list[str]]  # features, right or wrong, `number code`
SURE = 0.95  # the precision of codes that need no second look


@dataclass(frozen=True)
class Trained:
    """A trained model, ready to be used or written, and what cross-validation said of it."""

    phrases: list[Phrase]
    fitted: dict[str, Any]
    report: dict[str, Any]

    def model(self) -> Model:
        """The model in use."""
        return Model(self.phrases, self.fitted)

    def files(self, source: str) -> dict[str, bytes]:
        """Both files by their names; `source` is the attribution of the data."""
        head = f"# {source}\n# phrase, documents, for each code: code, documents with both, marked in, sources\n"
        return {
            PHRASES: (head + write_phrases(self.phrases)).encode(),
            MODEL: (json.dumps({**self.fitted, "source": source}) + "\n").encode(),
        }

    def write(self, folder: Path, source: str) -> None:
        """Write both files."""
        for name, data in self.files(source).items():
            (folder / name).write_bytes(data)


@dataclass(frozen=True)
class Read:
    """A training document as the coder will meet it."""

    row: Row
    prepared: Prepared
    items: tuple[Finding, ...]


def train(corpus: Sequence[Row], pipeline: Pipeline) -> Trained:
    """A model from documents with codes and evidence. Needs LightGBM; deterministic for the same rows in order."""
    bare = Pipeline(pipeline.terminology, Lexicon(compile_terms(pipeline.terminology, ())), pipeline.limits)
    return fit(read(corpus, bare), bare.lexicon)


def read(corpus: Sequence[Row], pipeline: Pipeline) -> list[Read]:
    """Documents with their phrases, their evidence and their findings."""
    translated = [row for row in corpus if row.marked_in_original]
    evidence = (
        {id(r): e for r, e in zip(translated, translated_evidence(translated), strict=True)} if translated else {}
    )
    found = []
    for row in corpus:
        marks = [*evidence.get(id(row), ()), *((m.code, m.spans) for m in row.evidence)]
        phrases = phrases_of(row.text)
        marked = ((marked_phrase(row.text, spans), leaf_of(pipeline.lexicon, code)) for code, spans in marks)
        pieces = {
            (part, leaf_of(pipeline.lexicon, code))
            for code, spans in marks
            if pipeline.lexicon.billable(leaf_of(pipeline.lexicon, code))
            for part in parts(row.text, spans) & phrases
        }
        prepared = Prepared(
            frozenset(code for code in leaves(pipeline.lexicon, row) if pipeline.lexicon.billable(code)),
            phrases,
            tuple((p, c) for p, c in marked if p and p in phrases and pipeline.lexicon.billable(c)),
            tuple(sorted(pieces)),
        )
        found.append(Read(row, prepared, pipeline.find(from_text(row.text)).items))
    return found


def leaf_of(lexicon: Lexicon, code: str) -> str:
    """The billable code of today that says what a code of another year said, or the code itself."""
    return lexicon.leaf(code) or lexicon.leaf(f"{code}A") or code  # corpora leave out that the encounter is the first


def leaves(lexicon: Lexicon, row: Row) -> frozenset[str]:
    """The codes of a row as leaves of today."""
    return frozenset(leaf_of(lexicon, code) for code in row.codes)


def terms_of(lexicon: Lexicon, wanted: Container[str] | None = None) -> dict[str, list[tuple[str, int]]]:
    """Every term of the tables, or those that are wanted, with its leaves and where each comes from."""
    found: dict[str, dict[str, int]] = {}
    for number, term in enumerate(lexicon.terms()):
        if wanted is not None and " ".join(term.split()) not in wanted:
            continue
        meanings: dict[str, int] = {}
        for entry in lexicon.meanings(number)[:6]:
            source = SOURCES.get(entry.kind, 0) if entry.system == ICD10CM else 0
            leaf = lexicon.leaf(entry.code) if source else None
            if leaf:
                meanings[leaf] = meanings.get(leaf, 0) | source | (EXACT if leaf == entry.code else 0)
        if meanings and len(term) >= 6:
            known = found.setdefault(" ".join(term.split()), {})
            for code, sources in meanings.items():
                known[code] = known.get(code, 0) | sources
    return {term: list(meanings.items()) for term, meanings in found.items()}


def with_composed(terms: Terms, documents: Sequence[Read], lexicon: Lexicon) -> Terms:
    """The terms, and what documents name by composed words, so that both are counted alike."""
    found = {term: dict(meanings) for term, meanings in terms.items()}
    for document in documents:
        for phrase, (meanings, _) in places(lexicon, read_words(document.row.text).text).items():
            known = found.setdefault(phrase, {})
            for meaning in meanings:
                known[meaning.code] = known.get(meaning.code, 0) | meaning.sources
    return {term: list(meanings.items()) for term, meanings in found.items()}


def weighed(documents: Sequence[Read], model: Model, lexicon: Lexicon) -> Block:
    """(features, right or wrong, `number code`) of every candidate of some documents."""
    x: list[list[float]] = []
    y: list[bool] = []
    names: list[str] = []
    for number, document in enumerate(documents):
        supports = supported(mentioned(model, document.row.text, document.items, lexicon))
        x += features(model, document.row.text, document.items, supports, lexicon)
        y += [code in document.prepared.codes for code in supports]
        names += [f"{number} {code}" for code in supports]
    return np.array(x, dtype=np.float32).reshape(-1, len(FEATURES)), np.array(y, dtype=float), names


def fit(documents: Sequence[Read], lexicon: Lexicon) -> Trained:
    """Fit to documents that were read."""
    terms = with_composed(terms_of(lexicon), documents, lexicon)
    partitions = [_folds(documents, order, terms, lexicon) for order in _orders(len(documents))]
    blocks = partitions[0]
    unseen = [grown(_without(partitions, k, len(documents))).predict(blocks[k][0]) for k in range(FOLDS)]
    p, y = np.concatenate(unseen), np.concatenate([b[1] for b in blocks])
    asked = sum(len(leaves(lexicon, d.row)) for d in documents)
    phrases, seen = counted([d.prepared for d in documents], terms)
    calibration = isotonic(p, y)
    sure = np.interp(p, calibration[0], calibration[1])
    threshold, scores = best_threshold(sure, y, asked)
    told = np.flatnonzero(sure >= SUGGEST)
    names = [name for block in blocks for name in block[2]]
    gold = [document.prepared.codes for document in documents]
    together = best_together(sure[told], y[told], [names[i] for i in told], gold, threshold)
    forest = grown([block for blocks in partitions for block in blocks]).dump_model()["tree_info"]
    fitted = {
        **_counts([d.prepared for d in documents], seen),
        "features": FEATURES,
        "calibration": calibration,
        "thresholds": {"accept": threshold, "sure": surest(sure, y, SURE), "category": together},
        "trees": [exported(tree["tree_structure"]) for tree in forest],
    }
    return Trained(phrases, fitted, {"cross_validated": {**scores, **at_recall(p, y, asked)}})


def _orders(size: int) -> list[list[int]]:
    """The documents in order, and in others that are always the same."""
    mixed = (np.random.RandomState(seed).permutation(size).tolist() for seed in range(1, PARTITIONS))
    return [list(range(size)), *mixed]


def _folds(documents: Sequence[Read], order: Sequence[int], terms: Terms, lexicon: Lexicon) -> list[Block]:
    """The candidates of each fold, weighed by phrases of the other folds."""
    blocks = []
    for k in range(FOLDS):
        held = order[k::FOLDS]
        inside = frozenset(held)
        rest = [d.prepared for i, d in enumerate(documents) if i not in inside]
        phrases, seen = counted(rest, terms)
        x, y, names = weighed([documents[i] for i in held], Model(phrases, _counts(rest, seen)), lexicon)
        own = (name.split() for name in names)
        blocks.append((x, y, [f"{held[int(number)]} {code}" for number, code in own]))
    return blocks


def _without(partitions: Sequence[Sequence[Block]], k: int, size: int) -> list[Block]:
    """All candidates but those of the documents of fold k of the first partition."""
    held = {str(i) for i in range(size)[k::FOLDS]}
    found = []
    for blocks in partitions:
        for x, y, names in blocks:
            keep = np.array([name.split()[0] not in held for name in names], dtype=bool)
            found.append((x[keep], y[keep], [n for n, kept in zip(names, keep, strict=True) if kept]))
    return found


def _counts(documents: Sequence[Prepared], seen: Mapping[str, int]) -> dict[str, Any]:
    return {"documents": len(documents), "seen": dict(sorted(seen.items())), "modifiers": modifiers(documents)}


def grown(blocks: Sequence[Block]) -> Any:
    """LightGBM's trees over (features, right or wrong, names)."""
    import lightgbm

    data = lightgbm.Dataset(np.vstack([b[0] for b in blocks]), np.concatenate([b[1] for b in blocks]))
    return lightgbm.train(PARAMETERS, data, TREES)
