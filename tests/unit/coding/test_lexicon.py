"""The matcher data: what phrases mean, and that all of it is usable."""

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

from extractors.coding import Lexicon, lexicon_build
from extractors.pipeline import Pipeline
from fhir_profiles.systems import CPT, HCPCS, ICD10CM, LOINC, RXNORM

DATA = files("extractors.coding") / "data"
DATA_DIRECTORY = Path(__file__).parents[3] / "var" / "test-terminology"


@pytest.fixture(scope="session")
def lexicon(pipeline: Pipeline) -> Lexicon:
    """The lexicon of the test terminology."""
    return pipeline.lexicon


def test_every_curated_phrase_leads_to_a_billable_code(lexicon: Lexicon) -> None:
    """At least 400 phrases, none twice, every code billable."""
    pairs = lexicon_build.curated()
    assert len(pairs) >= 400
    assert [code for _, code in pairs if not lexicon.billable(code)] == []
    phrases = [phrase for phrase, _ in pairs]
    assert sorted({p for p in phrases if phrases.count(p) > 1}) == []


def test_every_learned_row_leads_to_a_billable_code(lexicon: Lexicon) -> None:
    """The learned table holds only codes that may be billed."""
    rows = lexicon_build.learned()
    assert rows and [row for row in rows if not lexicon.billable(row[1])] == []


def test_every_code_in_the_rule_tables_exists(lexicon: Lexicon) -> None:
    """Codes and prefixes in the JSON tables are those of loaded systems."""
    known = set(lexicon.codes(ICD10CM)) | set(lexicon.codes(CPT)) | set(lexicon.codes(HCPCS))
    shape = re.compile(r"[A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?|\d{5}|[A-V]\d{4}")
    for file in DATA.iterdir():
        if not file.name.endswith(".json"):
            continue
        for value in re.findall(r'"([^"]*)"', json.dumps(json.loads(file.read_text("utf-8")))):
            if shape.fullmatch(value) and not value.startswith(("T3", "T4", "T5")):
                assert value in known or any(code.startswith(value) for code in known), (file.name, value)


def test_drug_effect_stems_make_billable_codes(lexicon: Lexicon) -> None:
    """Each stem with 5A (adverse effect) and 6A (underdosing) is a billable code."""
    table = json.loads((DATA / "drug_classes.json").read_text("utf-8"))
    for stem in {*table["effects"].values(), *table["names"].values()}:
        assert lexicon.billable(f"{stem}5A") and lexicon.billable(f"{stem}6A"), stem


@pytest.mark.parametrize(
    ("phrase", "system", "code"),
    [
        ("HTN", ICD10CM, "I10"), ("T2DM", ICD10CM, "E11.9"), ("CKD 3a", ICD10CM, "N18.31"), ("AFib", ICD10CM, "I48.91"),
        ("Crohn's disease", ICD10CM, "K50.90"), ("lisinopril", RXNORM, "29046"),
        ("Glucophage", RXNORM, "6809"), ("ALT (SGPT)", LOINC, "1742-6"), ("HbA1c", LOINC, "4548-4"),
        ("chest x-ray", CPT, "71046"), ("annual wellness visit", HCPCS, "G0439"),
    ],
)  # fmt: skip
def test_usual_phrases_mean_the_usual_codes(lexicon: Lexicon, phrase: str, system: str, code: str) -> None:
    """What clinicians write is known."""
    assert (system, code) in {(e.system, e.code) for e in lexicon.entries(phrase)}


@pytest.mark.parametrize(
    ("header", "leaf"),
    [
        ("E11", "E11.9"),
        ("J18", "J18.9"),
        ("N18.3", "N18.30"),
        ("I50", "I50.9"),
        ("I48", "I48.91"),
        ("S72.321", "S72.321A"),
    ],
)
def test_headers_fall_to_the_leaf_that_says_no_more(lexicon: Lexicon, header: str, leaf: str) -> None:
    """Never a non-billable code, never more than was said."""
    assert lexicon.leaf(header) == leaf and lexicon.billable(leaf)


def test_all_leaves_are_billable(lexicon: Lexicon) -> None:
    """Whatever header a phrase names, what is emitted may be billed."""
    for code in lexicon.codes(ICD10CM):
        leaf = lexicon.leaf(code)
        assert leaf is None or lexicon.billable(leaf)


def test_matching_keeps_offsets_and_whole_words(lexicon: Lexicon) -> None:
    """A hit's offsets cover its words; a word inside another is no hit; a sentence end is a wall."""
    text = "Has HTN, Crohn's  disease.\nHypertensively odd. Renal. Failure."
    found = {text[h.start : h.end] for h in lexicon.find(text)}
    assert "HTN" in found and "Crohn's  disease" in found
    assert not any("ively" in f or "Renal" in f for f in found)


def test_the_second_opening_builds_nothing(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads one file that the first has written."""
    monkeypatch.setattr(lexicon_build, "compile_terms", lambda _: pytest.fail("it was compiled again"))
    Lexicon.open(pipeline.terminology, DATA_DIRECTORY)
