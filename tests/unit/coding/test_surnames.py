"""People who are called as a disease is."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    "people",
    [
        "Seen by Dr. Parkinson.",
        "Discussed with Mr. John Crohn.",
        "Signed: J. Hodgkin, MD",
        "Mrs. E. Addison came alone.",
    ],
)
def test_a_surname_is_no_disease(accepted: Callable[..., list[str]], people: str) -> None:
    """A title before a word, or a degree after it, makes it a person."""
    assert accepted(f"Asthma is stable. {people}") == ["J45.909"]


@pytest.mark.parametrize("text", ["Follow up with Dr. Jones. Asthma is stable.", "Referred to Dr. Jones\nAsthma"])
def test_what_follows_a_person_is_still_read(accepted: Callable[..., list[str]], text: str) -> None:
    """The end of a sentence or of a line ends a name."""
    assert accepted(text) == ["J45.909"]


@pytest.mark.parametrize(
    "people",
    [
        "Mrs. Ben-Ami came alone.",
        "His wife Leah Ben-Ami called.",
        "RUTH BEN-AMI",
        "Seen by Robert Nash today.",
        "Signed by C. Nash",
        "cc: Nash, Robert",
        "Nash reports no change.",
        "Mr. Nash-Cooper was told.",
        "Referred by Peter Gout.",
    ],
)
def test_a_short_surname_is_no_abbreviation(accepted: Callable[..., list[str]], people: str) -> None:
    """Beside a given name, an initial or a hyphen, and before what people do, a capitalised word is a name."""
    assert accepted(f"Asthma is stable.\n{people}") == ["J45.909"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Assessment: NASH.", "K75.81"),
        ("PMH: nash", "K75.81"),
        ("Past history: Copd, Nash", "K75.81"),
        ("Admitted with post-AMI pain.", "I21.9"),
        ("Assessment:\nA. Gout\nB. Asthma", "M10.9"),
        ("Robert has gout, Copd.", "J44.9"),
    ],
)
def test_an_abbreviation_stays_one(accepted: Callable[..., list[str]], text: str, code: str) -> None:
    """In capitals, in small letters and in lists it is read as before."""
    assert code in accepted(text)
