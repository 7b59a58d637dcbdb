"""Learning from coded documents: pairs of sentences, evidence across languages, counts, curves and figures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from extractors.coding.learned.model import EVIDENCE, PART, TITLE, Model
from extractors.learn import Row, evaluate, rows
from extractors.learn.aligning import translated_evidence
from extractors.learn.cognates import cognate
from extractors.learn.corpus import Marked
from extractors.learn.counting import Prepared, counted, marked_phrase, modifiers, parts, phrases_of
from extractors.learn.isotonic import isotonic
from extractors.learn.measures import at_recall, best_threshold, calibration_error, f1, surest
from extractors.pipeline import Pipeline

TOLD = (
    ("Paciente con hipertensión arterial. Acude con fiebre alta. Presenta anemia ferropénica.",
     "Patient with arterial hypertension.\nHe came with high fever.\nHe had iron deficiency anemia.\n"),
    ("Mujer con fiebre. Tiene anemia y tos seca.", "Woman with fever.\nShe had anemia and dry cough.\n"),
    ("Refiere tos seca. No tiene hipertensión.", "He tells of dry cough.\nHe has no hypertension.\n"),
)  # fmt: skip


def row(number: int, marked: str = "") -> Row:
    """A translated document, with its original's words marked for a code."""
    original, text = TOLD[number]
    at = original.index(marked)
    return Row(str(number), "train", text, frozenset({"R50.9"}), (), original,
               (Marked("R50.9", ((at, at + len(marked)),)),))  # fmt: skip


def test_a_corpus_is_read_with_its_evidence(tmp_path: Path) -> None:
    """Codes, offsets of the original in two pieces, and the split are taken; procedures are not."""
    gold = {
        "icd10cm": ["r50.9"],
        "evidence_es": [{"type": "CM", "code": "R50.9", "offsets_es": "3 5;8 9"},
                        {"type": "PCS", "code": "BW03ZZZ", "offsets_es": "0 1"}],
    }  # fmt: skip
    line = {"id": "1", "split": "dev", "text": "Fever", "text_es": "Fiebre alta", "gold": gold}
    path = tmp_path / "corpus.jsonl"
    path.write_text(json.dumps(line) + "\n\n", "utf-8")
    (found,) = rows(path, "dev")
    assert (found.codes, found.marked_in_original) == (frozenset({"R50.9"}), (Marked("R50.9", ((3, 5), (8, 9))),))
    assert rows(path, "train") == []


def test_evidence_is_found_in_the_translation() -> None:
    """Words marked in the original lead to the words that translate them, and to few others."""
    corpus = [row(0, "fiebre"), row(1, "anemia"), row(2, "hipertensión")]
    found = zip(corpus, translated_evidence(corpus), ("fever", "anemia", "hypertension"), strict=True)
    for told, ((_, spans),), word in found:
        said = [told.text[a:b] for a, b in spans]
        assert word in said
        assert len(said) <= 2


def test_cousins_are_alike_and_strangers_are_not() -> None:
    """Spelling brings cognates together."""
    assert cognate("nefropatia", "nephropathy") > 0.5 > cognate("fiebre", "hypertension")


def test_a_marked_phrase_loses_its_empty_words() -> None:
    """Articles and numbers fall from the ends; words too far apart are no phrase."""
    text = "He had the acute pancreatitis in 1999. Later on, many years after, a fall."
    assert marked_phrase(text, [(7, 37)]) == "acute pancreatitis"
    assert marked_phrase(text, [(11, 16), (70, 74)]) is None
    assert parts(text, [(11, 16), (17, 29)]) == {"acute", "pancreatitis", "acute pancreatitis"}


def test_phrases_are_counted_by_documents() -> None:
    """A phrase has the documents that hold it, those with the code too, and where each meaning comes from."""
    texts = ["Mild fever. Cough", "Fever", "Fever and cough"]
    codes = [{"R50.9"}, {"R50.9"}, {"R05.9"}]
    corpus = [
        Prepared(
            frozenset(c),
            phrases_of(t),
            (("fever", "R50.9"),) if "R50.9" in c else (),
            (("mild", "R50.9"),) * ("R50.9" in c),
        )
        for t, c in zip(texts, codes, strict=True)
    ]
    phrases, seen = counted(corpus, {"cough": [("R05.9", TITLE)]})
    told = {p.text: p for p in phrases}
    assert (told["fever"].documents, told["fever"].meanings[0][:3]) == (3, ("R50.9", 2, 2))
    assert told["fever"].meanings[0].sources & EVIDENCE
    assert told["cough"].meanings[0].sources == TITLE
    assert told["mild"].meanings[0].sources == PART
    assert seen == {"R50.9": 2, "R05.9": 1}


def test_words_that_belong_to_what_is_marked_are_known() -> None:
    """A word that stands before marked words is a modifier, a word that never does is none."""
    corpus = [Prepared(frozenset(), phrases_of("Severe fever seen"), (("severe fever", "R50.9"),)) for _ in range(4)]
    found = modifiers(corpus)
    assert found["severe"][0] == 0.8
    assert "seen" not in found


def test_the_curve_rises_and_keeps_order() -> None:
    """Isotonic points never fall, and the ends keep surer predictions apart."""
    p = np.linspace(0.01, 0.97, 600)
    xs, ys = isotonic(p, (np.arange(600) % 7 < 6 * p).astype(float))
    assert xs == sorted(xs)
    assert ys == sorted(ys)
    assert ys[-1] > ys[-2]


def test_figures_are_those_of_a_count_by_hand() -> None:
    """F1, threshold, precision at a recall, the sure band and the calibration error on four candidates."""
    p, y = np.array([0.9, 0.8, 0.6, 0.1]), np.array([1.0, 1.0, 0.0, 1.0])
    assert f1(2, 3, 4) == {"p": 0.6667, "r": 0.5, "f1": 0.5714}
    assert best_threshold(p, y, 4)[0] == 0.1
    assert surest(p, y, 0.95) == 0.8
    assert at_recall(p, y, 4, (0.5,)) == {"p_at_r0.5": 1.0}
    assert calibration_error(np.array([0.95, 0.95]), np.array([1.0, 0.0])) == pytest.approx(0.45)


def test_a_silent_model_is_measured(pipeline: Pipeline) -> None:
    """A model that knows no phrase accepts nothing, and its report tells why each code was missed."""
    silent = Model((), {"documents": 1, "seen": {}, "thresholds": {"accept": 0.99, "sure": 0.99}})
    report = evaluate(silent, [row(0, "fiebre")], pipeline)
    assert report["mentions"]["exact"]["r"] == 0
    assert sum(report["mentions"]["missed_because"].values()) == 1
    assert report["documents"] == 1
