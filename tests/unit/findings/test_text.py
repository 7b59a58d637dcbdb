"""Normal form, lines, sentences and sections."""

from __future__ import annotations

import random

import pytest

from extractors.findings.normalise import fold, normalise, term
from extractors.findings.reading import read_text
from extractors.findings.sections import headers


@pytest.mark.parametrize(
    ("written", "term_text"),
    [
        ("Crohn’s disease", "crohn disease"),
        ("ulcers", "ulcer"),
        ("Type 2 diabetes w/o complications", "type 2 diabetes without complications"),
        ("congestive heart\nfailure", "congestive heart failure"),
        ("Non‑small cell", "non-small cell"),
        ("signiﬁcant", "significant"),
        ("Ménière disease", "meniere disease"),
        ("Essential (primary) hypertension", "essential primary hypertension"),
        ("MRSA & COPD", "mrsa and copd"),
    ],
)
def test_written_forms_meet_terms(written: str, term_text: str) -> None:
    """Case, plural, possessive, accents, dashes, ligatures and line ends do not part a phrase from its term."""
    normal = normalise(fold(written))
    assert term(term_text) in normal.text
    at = normal.text.index(term(term_text))
    assert normal.span(at, at + len(term(term_text))) == (0, len(written))


@pytest.mark.parametrize(
    "text", ["heart. Failure", "heart; failure", "heart\n\nfailure", "heart: failure", "heart\tfailure"]
)
def test_terms_do_not_run_across_ends(text: str) -> None:
    """A sentence, clause, cell or paragraph end parts words."""
    assert term("heart failure") not in normalise(fold(text)).text


def test_no_part_of_a_word() -> None:
    """A term is whole words."""
    assert term("pain") not in normalise(fold("painful spain")).text


def test_fold_keeps_length() -> None:
    """Folding never moves an offset, whatever the characters."""
    rnd = random.Random(4)
    for _ in range(300):
        text = "".join(
            chr(rnd.choice([rnd.randrange(32, 127), rnd.randrange(160, 0x2FF), rnd.randrange(0x2000, 0x2200)]))
            for _ in range(60)
        )
        assert len(fold(text)) == len(text)


def sentences(text: str) -> list[str]:
    """The sentences of a text as they stand."""
    return [text[s.start : s.end] for s in read_text(text).sentences]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("No fever. Has cough.", ["No fever.", "Has cough."]),
        ("Seen by Dr. Okafor today. Doing well.", ["Seen by Dr. Okafor today.", "Doing well."]),
        ("Take 2.5 mg q.d. with food. Stop if sick.", ["Take 2.5 mg q.d. with food.", "Stop if sick."]),
        ("- fever\n- cough\n", ["fever", "cough"]),
        ("1. Hypertension\n2. Diabetes\n", ["Hypertension", "Diabetes"]),
        ("Name: A\tMRN: 1", ["Name: A", "MRN: 1"]),
        ("Fever? No!  Cough.", ["Fever?", "No!", "Cough."]),
        ('He said "no." Then left.', ['He said "no.', "Then left."]),
        ("Smith J. examined her. Fine.", ["Smith J. examined her.", "Fine."]),
        ("Hypertension\n\nDiabetes", ["Hypertension", "Diabetes"]),
    ],
)
def test_sentences(text: str, wanted: list[str]) -> None:
    """Sentences end where they end, not at abbreviations, initials or decimals."""
    assert sentences(text) == wanted


def test_wrapped_lines_are_one_sentence() -> None:
    """A line broken for want of room goes on in the next; a list line does not."""
    prose = (
        "The patient denies chest pain, shortness of breath, orthopnea, and any\nswelling of the legs at this time.\n"
    )
    assert len(sentences(prose)) == 1
    assert len(sentences("MEDICATIONS\nlisinopril 10 mg daily\nmetformin 500 mg BID\n")) == 3


@pytest.mark.parametrize(
    ("text", "word", "category"),
    [
        ("HISTORY OF PRESENT ILLNESS\nCough.", "Cough", "hpi"),
        ("PMH: asthma", "asthma", "pmh"),
        ("Family History:\nAsthma", "Asthma", "family_history"),
        ("A/P:\nAsthma", "Asthma", "assessment_plan"),
        ("ALLERGIES\nPenicillin", "Penicillin", "allergies"),
        ("Vital Signs: T 98", "T 98", "vitals"),
        ("Discharge Medications:\nAspirin", "Aspirin", "discharge_medications"),
        ("Review of Systems\nCough", "Cough", "ros"),
        ("PHYSICAL EXAMINATION:\nClear", "Clear", "exam"),
        ("Physical exam shows rash", "rash", ""),
        ("Final Diagnosis: asthma", "asthma", "diagnoses"),
        ("SOCIAL HISTORY: smoker", "smoker", "social_history"),
        ("LABS\nK 4", "K 4", "labs"),
        ("Past Surgical History: CABG", "CABG", "psh"),
        ("PLAN\nRest", "Rest", "plan"),
        ("CC: cough", "cough", "chief_complaint"),
        ("Impression:\nAsthma", "Asthma", "assessment"),
        ("Note text. PAST MEDICAL HISTORY: asthma", "asthma", "pmh"),
        ("Procedures performed:\nCABG", "CABG", "procedures"),
        ("Cough.", "Cough", ""),
    ],
)
def test_sections(text: str, word: str, category: str) -> None:
    """Headers in capitals, title case, with a colon or in line; prose is no header."""
    assert read_text(text).sections.at(text.index(word)) == category


def test_bullet_header_ends_with_its_bullets() -> None:
    """After "• Plan: …" the next plain line is in the outer section again."""
    text = "ASSESSMENT AND PLAN\nDepression.\n• Medical Treatment: Continue therapy.\nHypertension.\n"
    assert read_text(text).sections.at(text.index("Hypertension")) == "assessment_plan"


def test_section_rules_have_the_sectionizer_format() -> None:
    """Every rule has a literal and a category, and no literal stands twice."""
    table = headers()
    assert len(table) > 250 and all(k == k.lower() and v for k, v in table.items())


@pytest.mark.parametrize(
    "text", ["", "\n\n\f\n", "....", "\t\t", "•", "1.", "a" * 5000, "BP /", "q" * 3 + "\x00", "¿ñ؟"]
)
def test_odd_texts_do_no_harm(text: str) -> None:
    """Nothing that a page may hold makes the reader raise."""
    read_text(text)
