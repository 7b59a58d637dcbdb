"""Narratives: what the model weighs, and what assertion and guidelines leave of it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from extractors.coding.learned import Weighed, model, weigh
from extractors.coding.learned.candidates import sure_categories
from extractors.coding.learned.forest import Forest, exported
from extractors.coding.learned.model import Model, read_phrases, write_phrases
from extractors.coding.learned.words import content, read_words
from extractors.pages import from_text
from extractors.pipeline import Pipeline
from fhir_profiles.systems import ICD10CM

STORY = (
    "We present the case of a 58-year-old woman who came to the emergency department because of high fever and "
    "abdominal pain of three days. She had a history of hypothyroidism and took one tablet each morning. She was "
    "pale and sweating when she arrived, and told us that a neighbour had found her on the floor of the kitchen. "
    "There was no jaundice. The abdomen was soft, and a mass was felt on the right. Blood was taken and an image of "
    "the abdomen was made the same night. It showed a liver abscess of six centimetres near the diaphragm. It was "
    "drained through the skin and antibiotics were given by vein for two weeks. The fever went away on the third day "
    "and she went home well. A second image after two months showed that nothing was left of it, and she has come "
    "to the clinic each year since then."
)
SPLIT = {
    "split_feature": 0, "threshold": 1.5, "left_child": {"leaf_value": -1.0},
    "right_child": {"split_feature": 1, "threshold": 0.0, "left_child": {"leaf_value": 0.25},
                    "right_child": {"leaf_value": 2.0}},
}  # fmt: skip


def accepted(pipeline: Pipeline, text: str) -> set[str]:
    """The accepted diagnoses of a text."""
    return {c.code for c in pipeline.run(text)[1].codes if c.system == ICD10CM and c.status == "accepted"}


def test_a_forest_answers_as_its_trees_do() -> None:
    """Bit masks lead each row to the leaf that walking the tree would reach."""
    forest = Forest([exported(SPLIT), exported({"leaf_value": 0.5})])
    rows = np.array([[1.0, 9.0], [1.5, 9.0], [2.0, -1.0], [2.0, 0.5]], dtype=np.float32)
    assert forest(rows).tolist() == [-0.5, -0.5, 0.75, 2.5]
    assert forest(np.tile(rows, (100, 1))).tolist() == [-0.5, -0.5, 0.75, 2.5] * 100


def test_a_tree_with_too_many_leaves_is_refused() -> None:
    """More leaves than a mask has bits cannot be exported."""
    deep: dict[str, object] = {"leaf_value": 0.0}
    for n in range(16):
        deep = {"split_feature": 0, "threshold": float(n), "left_child": {"leaf_value": 1.0}, "right_child": deep}
    with pytest.raises(ValueError, match="leaves"):
        exported(deep)


def test_a_title_is_known_by_the_words_that_say_something() -> None:
    """Words that many titles share say nothing of one."""
    assert content("Other specified disorders of kidney") == content("Kidney disorder") == frozenset({"kidney"})


def test_words_lead_back_to_the_document() -> None:
    """The span of words is theirs in the document, whatever stands between them."""
    text = "Fever,  and  Abdominal\nPains. Nothing else"
    words = read_words(text)
    at = words.text.index(" abdominal ")
    end = words.text.index(" pain ") + len(" pain ")
    assert text[slice(*words.span(at, end))] == "Abdominal\nPains"
    assert (words.before(at), words.behind(end)) == ("and", "|")


def test_phrases_survive_being_written() -> None:
    """The table of phrases reads back as it was."""
    phrases = model().phrases
    assert read_phrases(write_phrases(phrases[:50])) == list(phrases[:50])


def test_calibration_rises() -> None:
    """What the forest finds surer is never called less sure."""
    sure = [model().calibrated(p / 200) for p in range(201)]
    assert sure == sorted(sure)
    assert 0 < sure[0] < sure[-1] < 1


def test_every_code_of_a_narrative_has_words_and_can_be_billed(pipeline: Pipeline) -> None:
    """Evidence is verbatim, codes are billable, confidence is a probability."""
    document, coded = pipeline.run(STORY)
    codes = [c for c in coded.codes if c.system == ICD10CM]
    assert {"R10.9", "R50.9", "E03.9"} <= {c.code for c in codes if c.status == "accepted"}
    for code in codes:
        assert pipeline.lexicon.billable(code.code)
        assert document.text[code.start : code.end].strip()
        assert f'"{document.text[code.start : code.end]}"' in code.reason or code.rule
        assert 0 <= code.confidence <= 0.99


def test_a_denied_condition_of_a_narrative_is_coded_only_by_mention(pipeline: Pipeline) -> None:
    """Guidelines refuse what the text denies; the convention of research corpora codes it."""
    by_mention = dataclasses.replace(pipeline, convention="mentions")
    assert "R17" not in accepted(pipeline, STORY)
    assert "R17" in accepted(by_mention, STORY)


def test_a_note_with_headers_keeps_to_the_dictionary(pipeline: Pipeline) -> None:
    """Another model in its place changes nothing of a clinical note: that is no narrative."""
    note = f"ASSESSMENT:\nLiver abscess.\n\nPLAN:\nAntibiotics.\n\nHISTORY OF PRESENT ILLNESS:\n{STORY}"
    silent = dataclasses.replace(pipeline, learned=Model((), {"documents": 1, "seen": {}, "thresholds": {"accept": 1}}))
    assert accepted(silent, note) == accepted(pipeline, note)


def test_the_likeliest_code_comes_first(pipeline: Pipeline) -> None:
    """Candidates are in the order of their probability, each once."""
    document = from_text(STORY)
    found = weigh(model(), STORY, pipeline.find(document).items, pipeline.lexicon)
    assert [w.probability for w in found] == sorted((w.probability for w in found), reverse=True)
    assert len({w.code for w in found}) == len(found)


def test_the_model_knows_only_codes_that_can_be_billed(pipeline: Pipeline) -> None:
    """Every meaning of every phrase, and every code that was counted."""
    codes = {m.code for phrase in model().phrases for m in phrase.meanings} | model().seen.keys()
    assert codes and [code for code in codes if not pipeline.lexicon.billable(code)] == []


def test_of_a_category_that_is_sure_the_likeliest_code_is_chosen() -> None:
    """Only where no code of it is sure enough by itself, several are there, and together they are."""

    def said(code: str, probability: float) -> Weighed:
        return Weighed(code, probability, [], [])

    likely = [said("I10", 0.9), said("E11.9", 0.3), said("E11.65", 0.3), said("N15.1", 0.39), said("K29.00", 0.2)]
    likely += [said("I10.1", 0.3), said("K29.70", 0.2)]
    fitted = {"documents": 1, "seen": {}, "thresholds": {"accept": 0.4, "category": 0.6}}
    assert sure_categories(likely, Model([], fitted)) == {"E11.9"}
    assert sure_categories(likely, Model([], {**fitted, "thresholds": {"accept": 0.4}})) == frozenset()
