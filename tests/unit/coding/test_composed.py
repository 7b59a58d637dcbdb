"""Words that stand together: a term in other forms, a site with a kind of growth or lesion, and the side among them."""

from __future__ import annotations

import pytest

from extractors.coding.learned.composed import KINDS, places
from extractors.coding.learned.words import read_words
from extractors.coding.tables import table
from extractors.pipeline import Pipeline


def named(pipeline: Pipeline, text: str) -> dict[str, set[str]]:
    """Phrase → codes that a text names by composed words."""
    normal = read_words(text).text
    return {phrase: {m.code for m in meanings} for phrase, (meanings, _) in places(pipeline.lexicon, normal).items()}


@pytest.mark.parametrize(
    ("text", "phrase", "code"),
    [
        ("A caecal tumour was resected.", "cecal tumor", "D49.0"),
        ("He had metastases to the liver.", "metastase to the liver", "C78.7"),
        ("Carcinoma of the left ovary", "carcinoma of the left ovary", "C56.2"),
        ("a left renal tumor", "left renal tumor", "D49.512"),
        ("An esophageal mass was seen", "esophageal mass", "K22.9"),
        ("She had duodenal stenosis", "duodenal stenosis", "K31.5"),
        ("pterygium in the RE", "pterygium in the re", "H11.001"),
    ],
)
def test_kind_and_site_name_a_code_in_any_form(pipeline: Pipeline, text: str, phrase: str, code: str) -> None:
    """Adjective or noun, before or behind, with or without its side."""
    assert code in named(pipeline, text)[phrase]


def test_a_break_or_another_word_parts_them(pipeline: Pipeline) -> None:
    """What belongs to two clauses, or to another word, names nothing together."""
    assert named(pipeline, "There was a tumor. Renal function was normal.") == {}
    assert named(pipeline, "The tumor, which had displaced the kidney") == {}


def test_the_table_leads_to_codes_that_may_be_billed(pipeline: Pipeline) -> None:
    """Each site has a billable code of each kind, and no word has two forms."""
    data = table("composed")
    codes = [code for _, row in data["sites"] for code in row]
    assert [code for code in codes if not pipeline.lexicon.billable(code)] == []
    assert {len(row) for _, row in data["sites"]} == {len(KINDS)}
    assert set(data["kinds"]) == set(KINDS)
    words = [word for group in data["forms"].values() for word in group]
    assert len(words) == len(set(words))
    assert not set(words) & data["forms"].keys()
