"""Large tables that are kept as they lie in memory answer as those that are built."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from campaigns.claiming.loading import load
from claims.tables import kept, store
from claims.tables.store import open_tables


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory in which pairs of codes are many enough to be kept."""
    monkeypatch.setattr(store, "LARGE", 1_000)
    load(tmp_path, 5_000)
    return tmp_path


def test_what_is_kept_answers_as_what_is_built(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rows for the same keys and days, the same values, and nothing is built again."""
    built = store._joined(room, "ptp", [one for one in store.releases(room) if one.table == "ptp"])
    open_tables(room, ["ptp"])
    monkeypatch.setattr(store, "_joined", None)
    found = open_tables(room, ["ptp"])["ptp"]
    assert isinstance(found._places, np.memmap)
    assert (found.release, found._ids) == (built.release, built._ids)
    assert found._places.tolist() == built._places.tolist() and found._ends.tolist() == built._ends.tolist()
    assert found.values.equals(built.values)
    days = pl.Series([20_000])
    asked = [pl.Series([key]) for key in ("99213", "36415", "practitioner")]
    assert found.find_many(asked, days).tolist() == built.find_many(asked, days).tolist()


def test_another_release_takes_the_place_of_what_was_kept(room: Path) -> None:
    """What is kept is that of the releases that are loaded, and there is one of each table."""
    open_tables(room, ["ptp"])
    load(room, 6_000)
    rows = len(open_tables(room, ["ptp"])["ptp"].values)
    assert rows > 5_900
    assert len(list((room / "claims" / "kept").iterdir())) == 1


def test_a_folder_that_cannot_be_written_keeps_nothing(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be kept, or what was kept is torn, the table is built."""
    open_tables(room, ["ptp"])
    for file in (room / "claims" / "kept").glob("*/values.arrow"):
        file.write_bytes(b"torn")

    def full(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(kept, "_write", full)
    assert len(open_tables(room, ["ptp"])["ptp"].values) > 4_900
