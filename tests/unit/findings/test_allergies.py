"""Allergies as documents list them."""

from __future__ import annotations

import pytest

from extractors.findings import find
from extractors.model import Findings


def listed(found: Findings) -> list[tuple[str, str | None]]:
    """Substances that are said to be there, with the reaction."""
    every = [f for f in found.items if f.kind == "allergy" and f.assertion.present]
    return [(str(f.attributes["substance"]), f.attributes.get("reaction")) for f in every]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ALLERGIES: Sulfa (rash). Aspirin (hives as a child).", [("Sulfa", "rash"), ("Aspirin", "hives as a child")]),
        ("PMH: asthma. Allergies: latex - hives.", [("latex", "hives")]),
        ("Allergies: amoxil -> hives", [("amoxil", "hives")]),
        ("ALLERGIES   Shellfish - angioedema\n\nVITALS   BP 128/76", [("Shellfish", "angioedema")]),
        ("ALLERGY LIST\nMedication\tReaction\nKeflex\tHives", [("Keflex", "Hives")]),
        ("Aspirin makes him vomit.", [("Aspirin", "vomit")]),
        ("Allergies: latex\nPHQ-9 4, GAD-7 3.", [("latex", None)]),
        ("Allergies: aspirin,\nLatex, eggs", [("aspirin", None), ("Latex", None), ("eggs", None)]),
        ("Allergies: latex. Lives alone. Nonsmoker.", [("latex", None)]),
        ("PSA 3.8 ng/mL.  All: aspirin", [("aspirin", None)]),
        ("Meds: none.   Allergies: none known.", []),
        ("ALLERGIES\n\nThe patient denies history of food allergies.", []),
        ("ALLERGIES\n\nHe has a history of rash with codeine.", [("codeine", None)]),
    ],
)
def test_allergies_are_read_wherever_they_are_told(document, lexicon, text, expected) -> None:
    """Within a line, beside their reaction, in columns, by what a drug does; the list ends where it ends."""
    assert listed(find(document(text), lexicon)) == expected


def test_what_stands_beside_a_header_of_results_ends_with_its_paragraph(document, lexicon) -> None:
    """Prose after a line of results belongs to no section; text under a header of history stays in it."""
    text = "Results: Hb 11.6 g/dL.\n\nI saw her again.\n\nHPI: cough\n\nIt is worse at night."
    sections = find(document(text), lexicon).sections
    at = [next(name for start, name in reversed(sections) if start <= text.index(w)) for w in ("I saw", "It is")]
    assert at == ["", "hpi"]
