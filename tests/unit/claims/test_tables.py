"""Tables answer for each day what the release of that day says, whole or not at all."""

import random
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from claims.sheet.values import day
from claims.tables.schema import TABLES
from claims.tables.store import Release, TableSource, open_tables, releases, save
from claims.tables.table import Table
from fhir_profiles.errors import FhirError


def source(name: str, start: str, rows: list[dict], fingerprint: str = "a", *, whole: bool = False) -> TableSource:
    """A release of the MUE table."""
    release = Release("mue", name, date.fromisoformat(start), None, "a file", "none", fingerprint, whole)
    return TableSource(release, lambda: pl.DataFrame([{"setting": "", **row} for row in rows]))


def test_each_day_is_answered_by_its_release(tmp_path: Path) -> None:
    """A later release takes over on its first day; a code that it no longer has is no longer there."""
    assert save(tmp_path, source("2026q1", "2026-01-01", [{"code": "A1", "units": 1}, {"code": "B1", "units": 5}]))
    assert save(tmp_path, source("2026q2", "2026-04-01", [{"code": "A1", "units": 2}]))
    table = open_tables(tmp_path)["mue"]
    asked = (
        ("A1", "2026-03-31"),
        ("A1", "2026-04-01"),
        ("B1", "2026-03-31"),
        ("B1", "2026-04-01"),
        ("A1", "2025-12-31"),
    )
    said = [table.value(table.find([code, ""], day(on)), "units") for code, on in asked]
    assert said == [1, 2, 5, None, None]
    assert [r.name for r in releases(tmp_path)] == ["2026q1", "2026q2"]


def test_a_whole_table_counts_alone(tmp_path: Path) -> None:
    """Of a table that keeps its own history the newest release is asked, for every day."""
    rows = [{"code": "A1", "units": 1, "start": 0, "end": 100}, {"code": "A1", "units": 2, "start": 101}]
    save(tmp_path, source("old", "1970-01-01", [{"code": "A1", "units": 9}], whole=True))
    save(tmp_path, source("new", "1970-01-02", rows, whole=True))
    table = open_tables(tmp_path)["mue"]
    assert [table.value(table.find(["A1", ""], on), "units") for on in (100, 101, 30_000)] == [1, 2, 2]


def test_saving_again_changes_nothing(tmp_path: Path) -> None:
    """The same content is not written twice; another content under the same name replaces it whole."""
    first = source("q1", "2026-01-01", [{"code": "A1", "units": 1}])
    assert save(tmp_path, first)
    assert not save(tmp_path, first)
    assert save(tmp_path, source("q1", "2026-01-01", [{"code": "A1", "units": 3}], "b"))
    table = open_tables(tmp_path)["mue"]
    assert table.value(table.find(["A1", ""], day("2026-02-01")), "units") == 3
    assert [p.name for p in (tmp_path / "claims").iterdir()] == ["mue@q1"]


def test_contradicting_rows_are_refused(tmp_path: Path) -> None:
    """Two rows of one code for the same day leave nothing behind."""
    with pytest.raises(FhirError, match="same day"):
        save(tmp_path, source("q1", "2026-01-01", [{"code": "A1", "units": 1}, {"code": "A1", "units": 2}]))
    assert not (tmp_path / "claims").exists()


@pytest.mark.parametrize("seed", range(5))
def test_one_by_one_and_by_the_column_agree_with_a_plain_search(seed: int) -> None:
    """Random keys, periods and days, nulls and unknown codes among them."""
    dice = random.Random(seed)
    codes = [f"{n:03}" for n in range(20)]
    rows = []
    for left in codes:
        for right in dice.sample(codes, 3):
            at = dice.randrange(100)
            for _ in range(dice.randrange(1, 4)):
                end = at + dice.randrange(5)
                rows.append(
                    {
                        "column1": left,
                        "column2": right,
                        "setting": "",
                        "indicator": str(len(rows)),
                        "start": at,
                        "end": end,
                    }
                )
                at = end + dice.randrange(1, 4)
    definition = TABLES["ptp"]
    table = Table.of(definition, pl.DataFrame(rows), "test")
    asked = [
        (dice.choice([*codes, None, "x"]), dice.choice(codes), dice.choice([None, *range(130)])) for _ in range(3000)
    ]

    def plain(left, right, on):
        hits = [r for r in rows if (r["column1"], r["column2"]) == (left, right) and on is not None
                and r["start"] <= on <= r["end"]]  # fmt: skip
        return hits[0]["indicator"] if hits else None

    expected = [plain(*one) for one in asked]
    assert [table.value(table.find((*one[:2], ""), one[2]), "indicator") for one in asked] == expected
    columns = [pl.Series([one[n] for one in asked], dtype=pl.String) for n in (0, 1)]
    columns.append(pl.Series([""] * len(asked)))
    many = table.find_many(columns, pl.Series([one[2] for one in asked], dtype=pl.Int64))
    assert [table.value(int(row), "indicator") for row in many] == expected
    indicators = table.laid["indicator"].at(many)
    assert [indicators.values[n] if n >= 0 else None for n in indicators.numbers] == expected
