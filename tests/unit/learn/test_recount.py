"""Counts of new documents are added to those of a model, and rare words of one patient are not."""

from __future__ import annotations

from extractors.coding.learned.model import EVIDENCE, TITLE, Meaning, Phrase
from extractors.learn.counting import Prepared, phrases_of
from extractors.learn.recount import PATIENTS, _joined

BASE = [Phrase("fever", 10, (Meaning("R50.9", 6, 2, EVIDENCE),))]


def documents(text: str, code: str, marked: str, count: int) -> list[Prepared]:
    """Documents of one wording."""
    return [Prepared(frozenset({code}), phrases_of(text), ((marked, code),)) for _ in range(count)]


def test_counts_add_up() -> None:
    """Documents with the phrase, those with the code too and those marked are the sums of both."""
    new = [*documents("fever", "R50.9", "fever", 3), Prepared(frozenset({"A41.9"}), phrases_of("fever"), ())]
    (found,) = [p for p in _joined(BASE, new, ["a", "b", "c", "d"], {}) if p.text == "fever"]
    assert (found.documents, found.meanings) == (14, (Meaning("R50.9", 9, 5, EVIDENCE),))


def test_a_phrase_of_few_patients_stays_out() -> None:
    """New words enter only with documents of three patients, however many documents one patient has."""
    new = documents("brackwater lung", "J84.10", "brackwater lung", 6)
    few = {p.text for p in _joined(BASE, new, ["a", "a", "a", "b", "b", "b"], {})}
    enough = {p.text for p in _joined(BASE, new, ["a", "a", "b", "b", "c", "c"], {})}
    assert few == {"fever"}
    assert "brackwater lung" in enough and PATIENTS == 3


def test_a_phrase_of_the_tables_enters_with_one_patient() -> None:
    """What a table names tells nothing of anybody."""
    new = documents("asthma", "J45.909", "asthma", 1)
    assert "asthma" in {p.text for p in _joined(BASE, new, ["a"], {"asthma": [("J45.909", TITLE)]})}
