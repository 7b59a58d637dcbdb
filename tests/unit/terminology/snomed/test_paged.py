"""Pages of a list are pieces of the list, without headings, and without what is not in use where that is asked."""

from __future__ import annotations

import random
from collections.abc import Iterable

import numpy as np
import pytest

from terminology import Terminology
from terminology.ecl.selection import select
from terminology.ecl.substrate import Substrate
from terminology.store.file import EditionFile
from terminology.value_sets.paged import Paged, Stretch
from tests.unit.terminology.snomed.naive import Naive


def in_pages(listed: Paged, size: int) -> list[str]:
    """All pages together."""
    return [code for offset in range(0, len(listed) + size, size) for code in listed.page(offset, size)]


def slowly(file: EditionFile, intervals: Iterable[tuple[int, int]], *, active: bool) -> list[str]:
    """The same from the table, row by row."""
    rows = list(file.db.execute("SELECT id, code, heading, active FROM concept ORDER BY id"))
    return [
        code
        for first, last in intervals
        for number, code, heading, in_use in rows
        if first <= number <= last and not heading and (in_use or not active)
    ]


@pytest.mark.parametrize("active", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_stretches(substrate: Substrate, seed: int, active: bool) -> None:
    """Any intervals of an edition with inactive concepts, in pages of any size."""
    chance = random.Random(seed)
    bounds = sorted(chance.sample(range(1, substrate.size), 2 * chance.randint(1, 6)))
    intervals = list(zip(bounds[::2], bounds[1::2], strict=True))
    listed = Stretch(substrate.file, intervals, active=active)
    right = slowly(substrate.file, intervals, active=active)
    assert list(listed) == right
    assert len(listed) == len(right)
    assert in_pages(listed, chance.randint(1, 40)) == right
    for _ in range(20):
        offset, count = chance.randint(0, len(right) + 3), chance.randint(0, 30)
        assert listed.page(offset, count) == right[offset : offset + count]


def test_headings_do_not_count(terminology: Terminology) -> None:
    """Chapters and blocks of ICD-10-CM are no codes."""
    file = terminology.file("http://hl7.org/fhir/sid/icd-10-cm")
    assert file is not None
    listed = Stretch(file, [(1, 3000)])
    right = slowly(file, [(1, 3000)], active=False)
    assert len(right) < 3000
    assert len(listed) == len(right)
    for offset in (0, 1, 7, 250, 1999, len(right) - 1, len(right)):
        assert listed.page(offset, 20) == right[offset : offset + 20]


def test_selections(substrate: Substrate, naive: Naive) -> None:
    """What an expression selects, likewise; the same again is not evaluated again."""
    everything = select(substrate.file, "*")
    assert set(everything) == naive.all
    assert in_pages(everything, 50) == list(everything)
    active = everything.active()
    assert set(active) == naive.active
    assert in_pages(active, 33) == list(active)
    assert select(substrate.file, "*") is everything
    assert all((code in active) is (code in naive.active) for code in naive.all)
    assert "nothing" not in everything
    assert isinstance(active, Paged)


def test_selections_are_kept_within_bounds(substrate: Substrate, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go when there are too many."""
    monkeypatch.setattr("terminology.ecl.selection.KEPT", 200)
    codes = substrate.file.codes_of(np.arange(1, 30).tolist())
    first = select(substrate.file, f"<< {codes[0]}")
    for code in codes:
        select(substrate.file, f"> {code}")
    assert select(substrate.file, f"<< {codes[0]}") is not first
