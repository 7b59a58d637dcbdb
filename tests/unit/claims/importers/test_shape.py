"""The counts of a fee schedule are told when it is loaded, and what is far from the shape of releases is a warning."""

from __future__ import annotations

from pathlib import Path

from claims.importers.shape import ROWS, USUAL, unlike
from tests.unit.claims.importers.official import loaded, written
from tests.unit.claims.importers.test_pprrvu import lines

COUNTS = {name: dict(usual) for name, usual in USUAL.items()}


def test_a_release_like_others_is_taken_silently() -> None:
    """Hundreds of rows more or less are no matter."""
    assert list(unlike(COUNTS, ROWS)) == []
    more = {**COUNTS, "status": {**COUNTS["status"], "A": 9900, "T": 0, "Q": 3}}
    assert list(unlike(more, ROWS + 900)) == []


def test_what_is_far_from_other_releases_is_told() -> None:
    """A value that is gone, that stands twice as often, or that nobody knows; half a file is told once."""
    changed = {**COUNTS, "multiple": {**COUNTS["multiple"], "3": 0, "4": 1_000}, "team": {**COUNTS["team"], "5": 60}}
    assert list(unlike(changed, ROWS)) == [
        "multiple 3 stands in 0 rows, where releases have about 370",
        "multiple 4 stands in 1000 rows, where releases have about 477",
        "team 5 stands in 60 rows, and in no release before",
    ]
    assert list(unlike(COUNTS, 9_000)) == [
        f"The fee schedule has 9000 rows, where its releases have about {ROWS}: is the file whole?"
    ]


def test_the_counts_are_told_at_the_load(tmp_path: Path) -> None:
    """By status, multiple, bilateral and the other indicators; a file of four rows is not whole."""
    rvu, factor = loaded(tmp_path, "pprrvu", written(tmp_path, "PPRRVU26_JAN.csv", lines()))
    assert set(rvu.counts) == set(USUAL)
    assert sum(rvu.counts["multiple"].values()) == rvu.rows
    assert "has 4 rows" in rvu.warnings[0]
    assert (factor.counts, factor.warnings) == ({}, ())
