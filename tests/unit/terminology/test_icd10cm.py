"""The official ICD-10-CM set, whole."""

import importlib.util
from pathlib import Path

import pytest

from fhir_profiles.systems import ICD10CM
from terminology import Terminology

PACKAGE = Path(importlib.util.find_spec("simple_icd_10_cm").submodule_search_locations[0]) / "data"


def test_the_april_2026_edition_has_exactly_its_billable_codes(terminology: Terminology) -> None:
    """74,719 billable codes, and every code of the official list, no more and no less."""
    concepts = [c for c in terminology.concepts(ICD10CM) if not c.group]
    assert sum(bool(c.billable) for c in concepts) == 74_719
    listed = (PACKAGE / "code-list-April-2026.txt").read_text("ascii").split()
    official = {code for code in listed if not code.isdigit() and "-" not in code}
    assert {c.code.replace(".", "") for c in concepts} == official


@pytest.mark.parametrize("code", ["S06.1X7A", "S06.2X8A"])
def test_a_death_takes_only_the_initial_encounter(terminology: Terminology, code: str) -> None:
    """The S06 codes that end in death have no subsequent encounter and no sequela."""
    assert terminology.lookup(ICD10CM, code).billable
    assert terminology.lookup(ICD10CM, code[:-1] + "D") is None
    assert terminology.lookup(ICD10CM, code[:-1] + "S") is None


def test_short_stems_are_padded_and_not_billable_themselves(terminology: Terminology) -> None:
    """T36.0X is padded to six characters, and only its 7-character codes may be billed."""
    assert terminology.lookup(ICD10CM, "T36.0X5A").billable
    assert terminology.lookup(ICD10CM, "T36.0X5").billable is False
    assert terminology.lookup(ICD10CM, "W11.XXXA").parent == "W11"


def test_the_tree_answers_ancestors_children_and_subsumption(terminology: Terminology) -> None:
    """The pre-order intervals agree with the parents."""
    assert [c.code for c in terminology.ancestors(ICD10CM, "E11.22")] == ["E11.2", "E11", "E08-E13", "chapter-4"]
    assert terminology.subsumes(ICD10CM, "E11", "E11.22")
    assert terminology.subsumes(ICD10CM, "E11", "E11")
    assert not terminology.subsumes(ICD10CM, "E11.22", "E11")
    assert not terminology.subsumes(ICD10CM, "E10", "E11.22")
    assert {c.code for c in terminology.children(ICD10CM, "N18.3")} == {"N18.30", "N18.31", "N18.32"}


def test_notes_stand_at_their_codes(terminology: Terminology) -> None:
    """Excludes, code first, use additional and inclusion terms are kept."""
    kinds = {kind for kind, _ in terminology.notes(ICD10CM, "I12")}
    assert {"includes", "excludes1", "excludes2"} <= kinds
    assert "code-first" in {kind for kind, _ in terminology.notes(ICD10CM, "R65.2")}
    assert "Asthma NOS" in terminology.terms_of(ICD10CM, "J45.909")


def test_search_finds_words_in_any_order_and_unfinished(terminology: Terminology) -> None:
    """What a person types finds the concept: a code, words in any order, the beginning of the last one."""
    assert terminology.search(ICD10CM, "e11.9").concepts[0].code == "E11.9"
    assert "J01.00" in {c.code for c in terminology.search(ICD10CM, "sinusitis acute maxil").concepts}
    assert all(c.billable for c in terminology.search(ICD10CM, "diabetes", billable=True).concepts)
