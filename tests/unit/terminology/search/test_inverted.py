"""What notes write for the entries of an alphabetic index."""

from __future__ import annotations

import pytest

from terminology.search.inverted import MODIFIERS, WORDS, inverted


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("Sunstroke", {"Sunstroke"}),
        ("Abscess, kidney", {"kidney Abscess", "Abscess kidney", "Abscess of kidney", "Abscess of the kidney"}),
        ("Abscess, kidney, tuberculous", {"tuberculous kidney Abscess", "tuberculous Abscess of the kidney"}),
        ("Fever, with, rash", {"Fever with rash"}),
        ("Ulcer, leg, due to, varices", {"leg Ulcer due to varices", "Ulcer of the leg due to varices"}),
        ("Diabetes, diabetic, gangrene", {"gangrene Diabetes", "diabetic gangrene"}),
        ("Disease, Addison's", {"Addison's Disease"}),
        ("Fever (of the bog) (malignant)", {"malignant Fever", "Fever of the bog"}),
        ("Anemia NEC, specified NEC", {"Anemia"}),
        ("Neoplasm, neoplastic, bladder, malignant primary", {"malignant neoplasm of the bladder", "bladder cancer"}),
        ("Neoplasm, liver, malignant secondary", {"metastasis to the liver", "liver metastasis"}),
    ],
)
def test_an_entry_is_said_in_these_ways(entry: str, said: set[str]) -> None:
    """Subterms before the main term or after `of`; joiners keep their place; modifiers change nothing."""
    assert said <= set(inverted(entry))


@pytest.mark.parametrize(
    "entry",
    [
        "Aspirin, poisoning accidental (unintentional)",
        "Aspirin, adverse effect",
        "Neoplasm, malignant primary",
        "Disease, with, heart failure, kidney",
        "Failure, one, two, three, four",
        f"Disease, {'very ' * WORDS}long",
        "",
    ],
)
def test_what_no_note_says_is_not_made(entry: str) -> None:
    """Cells of the table of drugs, whole tables, terms whose order cannot be told, long ones."""
    assert list(inverted(entry)) == []


def test_modifiers_are_bounded() -> None:
    """However many stand in parentheses, only the first are tried."""
    assert len(list(inverted(f"Fever {' '.join(f'(m{i})' for i in range(1000))}"))) == MODIFIERS
