"""Codes printed on the page."""

from __future__ import annotations

import pytest

from extractors.findings import find


def codes(text: str, document, lexicon) -> list[str]:
    """The printed codes."""
    return [f.attributes["code"] for f in find(document(text), lexicon).items if f.kind == "code"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Dx: I10, E11.9", ["I10", "E11.9"]),
        ("DIAGNOSES\nI10  Essential hypertension\nE11.9  Type 2 diabetes\n", ["I10", "E11.9"]),
        ("Essential hypertension (I10)", ["I10"]),
        ("Type 2 diabetes E119", []),
        ("ICD-10: E119", ["E11.9"]),
        ("CPT/HCPCS: 99214  80053  J1885", ["99214", "80053", "J1885"]),
        ("CPT: 99213-25", ["99213"]),
        ("PROCEDURES\n99214 Office visit\n", ["99214"]),
        ("Call 555-99214 or ZIP 99214.", []),
        ("MRN: 99214", []),
        ("Springfield, IL 80053", []),
        ("heparin 99214 units", []),
        ("Lab paid $99213", []),
        ("Z99.99 is no code", []),
        ("Room I10 is free", []),
        ("CPT 12345", ["12345"]),
        ("Office visit with tests (99214, 80053)", ["99214", "80053"]),
        ("99213-25, 80053", ["99213", "80053"]),
        ("Codes: 99213-25, 80053", ["99213", "80053"]),
        ("ZIP code: 80053", []),
        ("MRN (99214 6)", []),
    ],
)
def test_codes(text: str, wanted: list[str], document, lexicon) -> None:
    """Codes where codes stand; never telephone numbers, ZIP codes, record numbers or doses."""
    assert codes(text, document, lexicon) == wanted


def test_modifiers_and_units(document, lexicon) -> None:
    """Modifiers and units beside a code are kept with it."""
    items = [f for f in find(document("CPT: 99213-25-59, J1885 x2"), lexicon).items if f.kind == "code"]
    assert items[0].attributes["modifiers"] == ("25", "59") and items[1].attributes["units"] == 2


def test_words_beside(document, lexicon) -> None:
    """The words that a list prints beside a code are named, after it or before its brackets."""
    for text in ("DIAGNOSES\nI10  Essential hypertension\n", "Essential hypertension (I10)"):
        (code,) = [f for f in find(document(text), lexicon).items if f.kind == "code"]
        a, b = code.attributes["label_span"]
        assert text[a:b].strip() == "Essential hypertension"


def test_unknown_service_code_says_so(document, lexicon) -> None:
    """A code in a CPT list that no table holds is found, marked unknown."""
    (code,) = [f for f in find(document("CPT: 12345"), lexicon).items if f.kind == "code"]
    assert code.attributes["unknown"] is True


def test_ruled_out_code(document, lexicon) -> None:
    """A code carries the assertion of its words."""
    (code,) = [f for f in find(document("No evidence of E11.9."), lexicon).items if f.kind == "code"]
    assert code.assertion.negated


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Colonoscopy was performed.", "performed"),
        ("We will order an echocardiogram.", "planned"),
        ("She underwent colonoscopy.", "performed"),
        ("Schedule colonoscopy.", "planned"),
    ],
)
def test_procedures_in_words(text: str, status: str, document, lexicon) -> None:
    """A procedure in words says whether it was done or is planned."""
    (finding,) = [f for f in find(document(text), lexicon).items if f.kind == "procedure"]
    assert finding.attributes["status"] == status
