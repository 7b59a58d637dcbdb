"""What is likelier meant comes first when nothing else tells."""

import pytest

from terminology.search.rank import cost, use
from terminology.search.words import words

PAIRS = [
    ("Asthma", "Asthma with status asthmaticus"),
    ("Fracture of femur, initial encounter for closed fracture", "Fracture of femur, sequela"),
    ("Pneumonia, unspecified organism", "Pneumonia in diseases classified elsewhere"),
    ("Heart failure", "Other heart failure"),
]


def _cost(display: str, **kept: bool | None) -> float:
    facts: dict[str, bool | None] = {"billable": True, "active": True, "ours": False, **kept}
    return cost(words(display), **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(("plain", "special"), PAIRS)
def test_the_plain_comes_before_the_special(plain: str, special: str) -> None:
    """Short before long, initial before later encounters, a disease before what it does elsewhere."""
    assert _cost(plain) < _cost(special)


def test_use_counts() -> None:
    """Billable before headers, active before retired, what we name before the rest."""
    assert (
        _cost("Asthma", ours=True) < _cost("Asthma") < _cost("Asthma", billable=False) < _cost("Asthma", active=False)
    )


def test_the_sources_word_counts() -> None:
    """LOINC's common tests and RxNorm's ingredients and brands come first."""
    assert use({"COMMON_TEST_RANK": 1}) < use({"COMMON_TEST_RANK": 900}) < 0 == use({"COMMON_TEST_RANK": 0}) == use({})
    assert use({"TTY": ["SCD", "PSN"]}) == 0 > use({"TTY": "BN"}) > use({"TTY": ["IN", "TMSY"]})
