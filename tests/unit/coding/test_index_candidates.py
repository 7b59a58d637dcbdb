"""Candidates from a loaded Alphabetic Index."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from extractors.coding.lexicon import Lexicon
from extractors.coding.lexicon_build import compile_terms
from extractors.pipeline import Pipeline
from fhir_profiles.systems import ICD10CM
from terminology import Terminology
from terminology.icd10.index import Entry, names_of
from terminology.model import Term

MAINS = [
    Entry("Grouchiness, grouchy", "Grouchiness, grouchy (habitual)", "R45.4"),
    Entry("Glorp", "Glorp", "N15.1", children=[
        Entry("bile duct", "bile duct", "K83.0"), Entry("nocturnal", "nocturnal", see="Grouchiness"),
        Entry("with", "with", children=[Entry("zeal", "zeal", "N15.9")]),
    ]),
    Entry("Pyelo", "Pyelo", "N12"), Entry("Pyelo", "Pyelo", "N10"),
    Entry("Cholera", "Cholera", "B99.9"), Entry("Gale", "Gale", "X37.9XXA"),
]  # fmt: skip


class Indexed:
    """A terminology with the names that an index gives beside its own."""

    def __init__(self, own: Terminology) -> None:
        self._own = own

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)

    def terms(self, system: str, version: str | None = None) -> Iterator[Term]:
        """The names of the edition, and those of the index."""
        yield from self._own.terms(system, version)
        if system == ICD10CM:
            for code, names in names_of(MAINS).items():
                yield from (Term(system, code, name.text, name.kind) for name in names)


@pytest.fixture(scope="module")
def indexed(pipeline: Pipeline) -> Pipeline:
    """The pipeline of an installation where an index was loaded."""
    return dataclasses.replace(pipeline, lexicon=Lexicon(compile_terms(Indexed(pipeline.terminology))))


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("grouchiness", "R45.4"),
        ("habitual grouchiness", "R45.4"),
        ("nocturnal glorp", "R45.4"),
        ("glorp with zeal", "N15.9"),
        ("glorps of the bile duct", "K83.09"),
    ],
)
def test_entries_name_billable_codes(indexed: Pipeline, said: str, code: str) -> None:
    """Main terms, subterms, `see`, `with`, modifiers; a category leads to the leaf that says no more."""
    assert indexed.lexicon.leaf(indexed.lexicon.entries(said)[0].code) == code


@pytest.mark.parametrize("said", ["pyelo", "gale"])
def test_what_is_not_certain_is_left_alone(indexed: Pipeline, said: str) -> None:
    """A phrase of two codes, and an external cause."""
    assert indexed.lexicon.entries(said) == ()


def test_an_index_takes_no_phrase_from_the_tables(indexed: Pipeline, pipeline: Pipeline) -> None:
    """What a title says keeps its meaning."""
    assert indexed.lexicon.entries("cholera") == pipeline.lexicon.entries("cholera") != ()


def test_one_word_that_the_title_lacks_is_trusted_less(indexed: Pipeline) -> None:
    """Two words, or a word of the title, count whole."""
    one, two = indexed.lexicon.entries("grouchiness")[0], indexed.lexicon.entries("habitual grouchiness")[0]
    assert (one.kind, two.kind) == ("index", "index") and one.score < two.score


def test_a_note_is_coded_by_the_index(indexed: Pipeline, pipeline: Pipeline) -> None:
    """With evidence, and refused where the text denies it; without the index nothing is found."""
    text = "Assessment: Glorp of the bile duct. No glorp with zeal."
    document, coded = indexed.run(text)
    found = {c.code: (c.status, document.text[c.start : c.end]) for c in coded.codes}
    assert found == {"K83.09": ("accepted", "Glorp of the bile duct"), "N15.9": ("rejected", "glorp with zeal")}
    assert pipeline.run(text)[1].codes == ()
