"""Denials that follow what they deny, or stand before a whole list."""

from __future__ import annotations

import pytest

from extractors.findings.denials import LONGEST, find_denials
from extractors.findings.stage import assert_spans
from extractors.model import Document

CASES = [
    ("Fever (no), chills (yes).", "Fever", True),
    ("Orthopnea [-], edema present.", "Orthopnea", True),
    ("-fever, -chills, +cough", "chills", True),
    ("-fever, -chills, +cough", "cough", False),
    ("- fever\n- cough", "fever", False),
    ("-cough since Monday", "cough", False),
    ("Denies: chest pain; dyspnea; cough.", "cough", True),
    ("Denies: chest pain; endorses cough.", "cough", False),
    ("Panic attacks denied.", "Panic attacks", True),
    ("She has asthma, fever denied.", "asthma", False),
    ("She has asthma, fever denied.", "fever", True),
    ("Claim for migraine treatment denied.", "migraine", False),
    ("Chest pain, palpitations: Denied", "Chest pain", True),
    ("No known drug allergies.", "drug allergies", True),
    ("Mother denies seizures.", "seizures", True),
    ("Pt w/o c/o headache.", "headache", True),
]


@pytest.mark.parametrize(("text", "words", "negated"), CASES, ids=[f"{t[:18]}-{w}" for t, w, _ in CASES])
def test_a_denial_reaches_what_it_denies(text: str, words: str, negated: bool) -> None:
    """Brackets, signs, lists behind a colon and a denial at the end deny their own items and no other."""
    at = text.index(words)
    found = assert_spans(Document(text, "text/plain", "0" * 64), [(at, at + len(words))])[0]
    assert found.negated is negated


def test_a_long_text_without_a_break_is_not_denied_whole() -> None:
    """What a denial reaches back to has a limit."""
    text = "cough " * 100 + "denied."
    assert [match[1] - match[0] <= LONGEST for match in find_denials(text)] == [True]
