"""Which relative a finding is about, and what is said of them."""

from __future__ import annotations

import pytest

from extractors.findings import find


@pytest.mark.parametrize(
    ("text", "word", "relation", "words"),
    [
        ("Mother had colon cancer.", "colon cancer", "MTH", "Mother"),
        ("Father with hypertension and diabetes.", "diabetes", "FTH", "Father"),
        ("FH: diabetes in father, hypertension in mother", "diabetes", "FTH", "father"),
        ("FH: diabetes in father, hypertension in mother", "hypertension", "MTH", "mother"),
        ("Family history of colon cancer in a maternal aunt.", "colon cancer", "MAUNT", "maternal aunt"),
        ("Paternal grandfather: hypertension", "hypertension", "PGRFTH", "Paternal grandfather"),
        ("FAMILY HISTORY\nMother: hypertension\nFather: diabetes\n", "diabetes", "FTH", "Father"),
        ("FAMILY HISTORY\nMother: hypertension\nFather: diabetes\n", "hypertension", "MTH", "Mother"),
        ("FAMILY HISTORY\nDiabetes and hypertension.\n", "Diabetes", "FAMMEMB", None),
        ("Two sisters with diabetes.", "diabetes", "SIS", "sisters"),
        ("Mother has hypertension and brother has diabetes.", "diabetes", "BRO", "brother"),
        ("Her husband has pneumonia.", "pneumonia", "HUSB", "husband"),
    ],
)
def test_relation(text: str, word: str, relation: str, words: str | None, document, lexicon) -> None:
    """The relative is the one that the words name, with the span that names them."""
    finding = next(f for f in find(document(text), lexicon).items if f.text == word)
    span = finding.attributes.get("relation_span")
    assert finding.assertion.family and finding.attributes["relation"] == relation
    assert (text[slice(*span)] if span else None) == words


@pytest.mark.parametrize(
    ("text", "age", "died"),
    [
        ("Mother had colon cancer at age 45.", 45, None),
        ("Mother: colon cancer, died at 52.", 52, True),
        ("Father died of myocardial infarction at the age of 60.", 60, True),
        ("Father died of myocardial infarction.", None, True),
        ("Mother had colon cancer.", None, None),
        ("Mother had colon cancer in her 50s.", None, None),
    ],
)
def test_ages(text: str, age: int | None, died: bool | None, document, lexicon) -> None:
    """Ages and deaths are those that are printed; a decade is no age."""
    attributes = find(document(text), lexicon).items[0].attributes
    assert (attributes.get("age"), attributes.get("died")) == (age, died)


def test_who_is_no_kin(document, lexicon) -> None:
    """A spouse or a donor is no relative by blood."""
    for text in ("Her husband has pneumonia.", "The donor had pneumonia."):
        assert find(document(text), lexicon).items[0].attributes["relation_kin"] is False


def test_the_patient_has_no_relation(document, lexicon) -> None:
    """What the patient has carries no relation, whoever reports it."""
    for finding in find(
        document("Mother reports that he has had fever. Lives with father; has pneumonia."), lexicon
    ).items:
        assert "relation" not in finding.attributes
