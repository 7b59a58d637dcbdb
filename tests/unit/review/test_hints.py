"""What would make a code more specific."""

from __future__ import annotations

from pathlib import Path

import pytest

import terminology
from fhir_profiles.systems import CPT, ICD10CM
from server.review.bands import BANDS, band
from server.review.hints import SHOWN, hints_of


@pytest.fixture(scope="module")
def books(built: Path) -> terminology.Terminology:
    """The terminology of the tests."""
    return terminology.open(built)


@pytest.mark.parametrize(
    ("code", "kind", "offers"),
    [
        ("E11", "header", "E11.00"),
        ("S52.501", "seventh", "S52.501A"),
        ("M25.569", "laterality", "M25.561"),
        ("S93.409A", "laterality", "S93.401A"),
        ("G47.30", "unspecified", "G47.33"),
        ("J45.909", "unspecified", "J45.20"),
    ],
)
def test_a_code_that_leaves_something_open_is_told(books, code: str, kind: str, offers: str) -> None:
    """A heading, a missing 7th character, no side, unspecified: with codes that say it."""
    (hint,) = hints_of(books, ICD10CM, code)
    assert hint.kind == kind
    assert offers in [offered for offered, _ in hint.codes]
    assert len(hint.codes) <= SHOWN


@pytest.mark.parametrize(
    ("system", "code"), [(ICD10CM, "I10"), (ICD10CM, "M25.561"), (ICD10CM, "no-code"), (CPT, "99214")]
)
def test_a_code_that_says_all_has_no_hint(books, system: str, code: str) -> None:
    """Nor has an unknown one or one of another system."""
    assert hints_of(books, system, code) == ()


def test_a_side_is_asked_for_with_the_same_encounter(books) -> None:
    """A subsequent encounter is offered subsequent encounters only."""
    (hint,) = hints_of(books, ICD10CM, "S93.409D")
    assert {code[-1] for code, _ in hint.codes} == {"D"}


def test_every_confidence_has_a_band_that_tells_its_source() -> None:
    """Sure from where 95 of 100 were right, likely from where codes are put on the claim; each source is a page."""
    assert [band(value).name for value in (1.0, 0.916, 0.915, 0.4, 0.39, 0.0)] == [
        "sure", "sure", "likely", "likely", "doubtful", "doubtful",
    ]  # fmt: skip
    root = Path(__file__).parents[3]
    assert all((root / one.source).is_file() for one in BANDS)
