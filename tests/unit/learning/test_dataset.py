"""Decisions are frozen, parted and named without telling whose they are."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from server.learning.dataset import Frozen, age_of, counts_of, freeze, split, unpacked
from server.learning.decisions import Verdict, Whole

PEOPLE = {
    f"Patient/{n}": {"gender": "female" if n % 2 else "male", "birthDate": f"{1930 + n}-01-01"} for n in range(40)
}


def whole(number: int, person: int, day: int) -> Whole:
    """A document with an accepted and a rejected code."""
    at = f"2026-01-{day:02d}T10:00:00Z"
    items = (("I10", ((0, 5),), Verdict("accept", at, None, f"Provenance/a{number}")),
             ("E11.9", ((6, 9),), Verdict("reject", at, None, f"Provenance/b{number}")))  # fmt: skip
    return Whole(f"DocumentReference/{number}", f"Patient/{person}", items)


def frozen(secret: bytes = b"x" * 32) -> Frozen:
    """Sixty documents of forty people over twenty days."""
    wholes = [whole(n, n % 40, 1 + n // 3) for n in range(60)]
    return freeze(wholes, 2, lambda name: f"text of {name}", PEOPLE.get, secret)


def test_the_same_decisions_give_the_same_hash() -> None:
    """A dataset is named by its content, and reads back as it was."""
    one = frozen()
    assert one.hash == frozen().hash == unpacked(one.packed()).hash
    assert one.hash != frozen(b"y" * 32).hash


def test_nobody_is_on_both_sides_and_measuring_is_later() -> None:
    """Training lies before measuring, and no patient is in both."""
    parts = split(frozen())
    assert parts.train and parts.held
    assert not {case.patient for case in parts.train} & {case.patient for case in parts.held}
    assert max(case.at for case in parts.train) <= parts.day <= min(case.at for case in parts.held)
    assert len(parts.train) + len(parts.held) + parts.left == 60


def test_the_dataset_names_nobody_and_holds_no_text() -> None:
    """Patients and Provenances stand as keyed hashes, texts as theirs."""
    told = frozen().packed().decode()
    assert "Patient/" not in told and "Provenance/" not in told and "text of" not in told
    counts: dict[str, Any] = counts_of(frozen())
    assert counts["decisions"] == {"accept": 60, "reject": 60} and counts["patients"] == 40
    assert "DocumentReference" not in msgspec.json.encode(counts).decode()


@pytest.mark.parametrize(
    ("born", "band"), [("2010-01-01", "0–17"), ("1980-05-05", "45–64"), ("1930", "unknown"), ("2030-01-01", "unknown")]
)
def test_ages_are_bands(born: str, band: str) -> None:
    """An age is a band on the day of the decision; a year alone or a birth after it is none."""
    assert age_of({"birthDate": born}, "2026-06-01T00:00:00Z") == band
