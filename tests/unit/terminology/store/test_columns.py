"""A column of codes gets the answers that each code gets by itself."""

import random
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.systems import CPT, HCPCS, ICD10CM
from terminology import Terminology, open_terminology
from terminology.build import install
from terminology.columns import COLUMNS, MOST_DISTINCT
from terminology.source import SourceConcept
from tests.unit.terminology.store.invented import SYSTEM, plants


@pytest.mark.parametrize("dated", [False, True])
@pytest.mark.parametrize("system", [ICD10CM, HCPCS, CPT])
def test_columns_agree_with_single_answers(terminology: Terminology, system: str, dated: bool) -> None:
    """Existing, invented, misspelled and missing codes, on any day: the same edition and the same judgement."""
    chance = random.Random(7)
    known = [concept.code for concept in terminology.concepts(system)]
    codes = [*chance.choices(known, k=150), *(f"Z{n}.X" for n in range(20)), "99999", "zz", "chapter-4", "E11"]
    days = [date(2022, 6, 1) + timedelta(chance.randrange(1_900)) if chance.random() < 0.9 else None for _ in codes]
    found = terminology.validate_many(system, codes, days if dated else None, display=True)
    assert found.columns == [*COLUMNS, "display"]
    for row, code, day in zip(found.iter_rows(named=True), codes, days, strict=True):
        one = terminology.validate_code(system, code, on=day if dated else None)
        unsure = one.result and one.issue == "code-invalid"
        assert row["code"] == code and row["version"] == one.version
        assert row["valid"] is (None if unsure else one.result), code
        assert row["billable"] is one.billable and row["display"] == one.display
        assert (row["reason"] == "not-checked") is unsure
        assert (row["reason"] == "unknown") is (not one.result and one.display is None)


@pytest.fixture
def plant_book(tmp_path: Path) -> Terminology:
    """Plants in two editions, an insensitive one first, then a part."""
    install(tmp_path, "plants@1", [plants(sensitive=False, end=date(2024, 12, 31))])
    return open_terminology(tmp_path)


def test_reasons_are_told(plant_book: Terminology) -> None:
    """Unknown, retired, not yet in force, a heading, a day that no edition governs, nothing."""
    codes = ["T2", "T", "x", "A", "A", "book-1", None, "T2"]
    days = ["2024-05-01", "2024-05-01", "2024-05-01", "2025-01-01", "2019-01-01", None, None, "2030-01-01"]
    found = plant_book.validate_many("plants", codes, days)
    assert found["reason"].to_list() == [
        None, "heading", "unknown", "retired", "not-yet", "unknown", None, "other-edition",
    ]  # fmt: skip
    assert found["valid"].to_list() == [True, True, False, False, False, False, None, True]
    assert found["active"].to_list() == [True, True, None, False, False, None, None, True]


def test_case_does_not_count_where_it_does_not(plant_book: Terminology) -> None:
    """An insensitive system finds codes in any case; the column shows them as they came."""
    found = plant_book.validate_many(SYSTEM, ["t2", "T2"])
    assert found["valid"].to_list() == [True, True] and found["code"].to_list() == ["t2", "T2"]


def test_any_column_may_come(plant_book: Terminology) -> None:
    """Series, categories, Arrow by its protocols, tuples, generators; one day for all as date or text."""

    class Arrow:
        """What pyarrow's arrays and chunked arrays offer."""

        def __arrow_c_stream__(self, requested: object = None) -> object:
            return pl.Series(["T2", "x"]).__arrow_c_stream__(requested)

    wanted = [True, False]
    columns = [pl.Series(["T2", "x"]), pl.Series(["T2", "x"], dtype=pl.Categorical), Arrow(), ("T2", "x")]
    for column in (*columns, (code for code in ("T2", "x"))):
        assert plant_book.validate_many("plants", column)["valid"].to_list() == wanted
    for day in (date(2024, 5, 1), "2024-05-01", pl.Series([date(2024, 5, 1)] * 2)):
        assert plant_book.validate_many("plants", ["T2", "x"], day)["valid"].to_list() == wanted
    assert plant_book.validate("plants", "T2", datetime(2024, 5, 1, 12)).result
    assert plant_book.validate_many("plants", []).shape == (0, len(COLUMNS))


def test_systems_without_a_file_are_asked_about_once_for_each_code(plant_book: Terminology) -> None:
    """Published systems and those by rules answer too; too many different codes are refused, as is the unknown."""
    found = plant_book.validate_many("administrative-gender", ["male", "Male", None])
    assert found["valid"].to_list() == [True, False, None] and found["reason"].to_list() == [None, "unknown", None]
    assert plant_book.validate_many("ucum", ["mg/dL", "mmHg"])["valid"].to_list() == [True, False]
    parts = plant_book.validate_many("urn:iso:std:iso:3166:-2", ["US-CA", "California"])
    assert parts["valid"].to_list() == [None, False] and parts["reason"].to_list() == ["not-checked", "unknown"]
    assert plant_book.validate_many("currency", ["HRK", "USD"])["active"].to_list() == [False, True]
    with pytest.raises(FhirError, match="not loaded"):
        plant_book.validate_many("administrative-gender", ["male"], version="99")
    with pytest.raises(FhirError, match="different codes"):
        plant_book.validate_many("ucum", [str(n) for n in range(MOST_DISTINCT + 1)])
    with pytest.raises(FhirError, match="not loaded"):
        plant_book.validate_many("http://example.org/nothing", ["x"])


def test_versions_are_named(plant_book: Terminology, tmp_path: Path) -> None:
    """An edition asked for by version answers whatever the days; one that is not loaded is refused."""
    newer = plants((SourceConcept("N", "New"),), version="2", start=date(2025, 1, 1), subsets=tuple, fingerprint="2")
    install(tmp_path, "plants@2", [newer])
    both = open_terminology(tmp_path)
    assert both.validate_many("plants", ["N", "T2"])["valid"].to_list() == [True, False]
    assert both.validate_many("plants", ["N", "T2"], version="1")["valid"].to_list() == [False, True]
    days = ["2025-05-01", "2024-05-01"]
    found = both.validate_many("plants", ["N", "N"], days)
    assert found["version"].to_list() == ["2", "1"] and found["valid"].to_list() == [True, False]
    with pytest.raises(FhirError, match="loaded: 1, 2"):
        both.validate_many("plants", ["N"], version="9")


def test_what_cannot_be_a_column_is_said(plant_book: Terminology) -> None:
    """One text is no column, and as many days are needed as codes."""
    with pytest.raises(TypeError, match="validate"):
        plant_book.validate_many("plants", "T2")
    for day in ("05/01/2024", "2024-02-30", "2024"):
        with pytest.raises(ValueError, match="YYYY-MM-DD"):
            plant_book.validate_many("plants", ["T2"], [day])
    with pytest.raises(ValueError, match="2 codes and 1 dates"):
        plant_book.validate_many("plants", ["T2", "x"], ["2024-05-01"])
