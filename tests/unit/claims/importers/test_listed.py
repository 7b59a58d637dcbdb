"""Lists of the user's own: every table by its columns, dated by the name, refused where they are wrong."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from claims.importers.listed import columns_of
from claims.importers.page import EXAMPLES, page
from claims.importers.registry import IMPORTERS, LISTS
from claims.rules.rule import own_rules
from claims.tables.own import own_tables
from claims.tables.schema import TABLES
from claims.tables.store import open_tables
from claims.tables.terms import PARTS
from fhir_profiles.errors import FhirError
from tests.unit.claims.importers.official import asked, loaded, written

DOCS = Path(__file__).parents[4] / "docs" / "claims-lists.md"
VALUES = {
    "text": "made", "flag": "yes", "whole": "1", "number": "0.5", "cents": "12.50", "day": "2026-01-31",
}  # fmt: skip
FIELDS = {
    "code": "J0001", "npi": "1234567893", "sex": "male", "tax": "123456789", "revenue": "0450", "list": "value",
    "ages": "adult", "diagnosis": "E11.9", "once": "day", "ndc": "00000000001", "number": "22D1234567",
    "family": "S0", "panel": "J0002", "member": "A99",
}  # fmt: skip
ODD = {
    ("revenue", "code"): "0450", ("bill_type", "code"): "0131", ("nubc", "code"): "80",
    ("diagnosis_edit", "code"): "E11.9", ("procedure_edit", "code"): "0W9B3ZZ", ("policy", "name"): "confidence",
    ("authorised", "number"): "AU1",
}  # fmt: skip


def example(name: str) -> list[str]:
    """A list of one row with every column."""
    keys, others = columns_of(name)
    definition = TABLES[name]
    kinds = {**definition.keys, **definition.values, "start": "day", "end": "day"}
    columns = [*keys, *others]
    fields = [
        ODD.get((name, c)) or (FIELDS.get(c) if kinds[c] == "text" else None) or VALUES[kinds[c]] for c in columns
    ]
    return [",".join(columns), ",".join(fields)]


@pytest.mark.parametrize("name", LISTS)
def test_every_list_can_be_loaded(name: str, tmp_path: Path) -> None:
    """Every column of the table is read; a second load writes nothing."""
    path = written(tmp_path, f"{name}-2026-01-01.csv", example(name))
    told = loaded(tmp_path, name, path)
    assert {t.version for t in told} == {"2026-01-01"}
    assert all(t.rows for t in told)
    assert not any(t.written for t in loaded(tmp_path, name, path))


def test_every_table_that_rules_ask_can_be_loaded() -> None:
    """From official files, lists of the user's own, code systems, or it ships: no rule is there that never runs."""
    asked_for = {name for rule in own_rules() for name in rule.tables}
    official = {
        "rvu", "factor", "gpci", "zip", "anaesthesia_factor", "anaesthesia", "opps_cap", "price_list", "mue", "ptp",
        "drug_price", "lab_price", "addon", "addon_primary",
    }  # fmt: skip
    derived = {"covered", "panel_part"}
    assert asked_for - official - derived - set(LISTS) - set(PARTS) - set(own_tables()) == set()
    assert len({i.name for i in IMPORTERS}) == len(IMPORTERS)


def test_the_page_is_up_to_date() -> None:
    """`python -m claims.importers.page > docs/claims-lists.md` was run after the last change of a list."""
    same = DOCS.read_text("utf-8") == page()
    assert same


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_the_page_load(name: str, tmp_path: Path) -> None:
    """As they stand there."""
    assert loaded(tmp_path, name, written(tmp_path, f"{name}-2026-01-01.csv", EXAMPLES[name]))[0].written


def test_a_list_answers_from_its_day_until_the_next(tmp_path: Path) -> None:
    """Amounts are dollars, flags yes and no; a row may have days of its own; --from says another first day."""
    first = ["id,filing_days,review,referral,start,end", "P1,90,20000.50,yes,,", "P2,90,,no,2026-02-01,2026-02-28"]
    loaded(tmp_path, "payer", written(tmp_path, "payer-2026-01-01.csv", first))
    loaded(tmp_path, "payer", written(tmp_path, "payer_2026-07.csv", ["id,filing_days", "P1,180"]))
    days = ("2025-12-31", "2026-01-01", "2026-06-30", "2026-07-01", "2030-01-01")
    assert [asked(tmp_path, "payer", ["P1"], d, "filing_days") for d in days] == [None, 90, 90, 180, 180]
    assert asked(tmp_path, "payer", ["P1"], "2026-02-01", "review") == 2_000_050
    assert asked(tmp_path, "payer", ["P1"], "2026-02-01", "referral") is True
    found = [asked(tmp_path, "payer", ["P2"], d, "filing_days") for d in ("2026-01-31", "2026-02-28", "2026-03-01")]
    assert found == [None, 90, None]
    loaded(
        tmp_path, "payer", written(tmp_path / "new", "payer.csv", ["id,filing_days", "P1,7"]), start=date(2020, 1, 1)
    )
    assert asked(tmp_path, "payer", ["P1"], "2025-12-31", "filing_days") == 7


def test_a_policy_tells_of_its_codes_once_for_each_payer(tmp_path: Path) -> None:
    """Of Medicare, or of one payer by its identifier; the codes become a table of their own."""
    lines = ["payer,code,diagnosis,policy", "medicare,J0001,E11.9,L1", "medicare,J0001,E11.8,L1", "P1,J0001,I10,mine"]
    told = loaded(tmp_path, "coverage", written(tmp_path, "coverage-2026-01-01.csv", lines))
    assert [(t.name, t.rows) for t in told] == [("coverage", 3), ("covered", 2)]
    assert asked(tmp_path, "covered", ["P1", "J0001"], "2026-02-01", "policy") == "mine"


def test_what_is_derived_of_panels_and_revenue_codes(tmp_path: Path) -> None:
    """How many tests a panel has, which panel a test is part of, and which revenue codes a list tells of."""
    panels = ["panel,code", "J0009,J0001", "J0009,J0002", "J0008,J0001"]
    loaded(tmp_path, "panel", written(tmp_path, "panel-2026-01-01.csv", panels))
    day = "2026-02-01"
    assert asked(tmp_path, "panel", ["J0009", "J0002"], day, "parts") == 2
    assert asked(tmp_path, "panel_part", ["J0001"], day, "panel") == "J0008"
    loaded(tmp_path, "revenue_hcpcs", written(tmp_path, "revenue_hcpcs-2026-01-01.csv", ["revenue,code", "0636,J0001"]))
    table = open_tables(tmp_path)["revenue_hcpcs"]
    assert table.find(["0636", ""], 20_500) >= 0 > table.find(["0450", ""], 20_500)


@pytest.mark.parametrize(
    ("name", "old", "new", "place"),
    [
        ("payer", "id,", "name,", "the column id is missing"),
        ("payer", ",filing_days", ",days", "line 1: a column is not known; there are"),
        ("payer", "made,1", "made,one", "line 2, column 6: a whole number"),
        ("payer", "made,1", "made,0", "line 2, column 6: a number from 1 to 10000"),
        ("payer", "made,1", ",1", "line 2, column 1: a value is expected"),
        ("payer", "12.50", "12.505", "an amount of at most 2"),
        ("payer", "A99", "a99", "a shape of"),
        ("payer", "yes", "maybe", "yes, no or nothing"),
        ("payer", "2026-01-31,2026-01-31", "2026-01-31,2026-01-30", "the row ends before it starts"),
        ("payer", "2026-01-31,2026-01-31", "31.1.2026,", "a day as YYYY-MM-DD"),
        ("policy", "confidence", "doubt", "line 2, column 1: one of confidence"),
        ("policy", "0.5", "5", "line 2, column 12: a number from 0 to 1"),
        ("diagnosis_edit", "E11.9", "E119", "line 2, column 1: a code of ICD-10-CM"),
        ("diagnosis_edit", "adult", "old", "one of newborn"),
        ("procedure_edit", "0W9B3ZZ", "0W9B3ZO", "line 2, column 1: a code of ICD-10-PCS"),
        ("nubc", "value", "values", "line 2, column 1: one of admission"),
        ("nubc", "80", "800", "line 2, column 7: a code of one or two"),
        ("bill_type", "0131", "131", "line 2, column 1: a type of bill"),
        ("revenue", "0450", "450", "line 2, column 1: a revenue code"),
        ("coverage", "E11.9", "E11.", "a code of ICD-10-CM"),
        ("coverage", "J0001", "J01", "a code of five"),
        ("nppes", "1234567893", "123", "line 2, column 1: an NPI"),
        ("drug_ndc", "00000000001", "0000-0000-01", "a National Drug Code"),
    ],
)
def test_damage_is_refused_where_it_is(name: str, old: str, new: str, place: str, tmp_path: Path) -> None:
    """Line and column are told, and nothing is written."""
    text = "\n".join(example(name))
    assert old in text
    path = written(tmp_path, f"{name}-2026-01-01.csv", text.replace(old, new, 1).split("\n"))
    with pytest.raises(FhirError, match=place):
        loaded(tmp_path / "data", name, path)
    assert not (tmp_path / "data").exists()


def test_a_key_twice_and_a_file_without_a_day_are_refused(tmp_path: Path) -> None:
    """Periods of one key may follow each other, not overlap; the day is in the name or said."""
    twice = ["code,start,end", "J0001,,2026-01-31", "J0001,2026-02-01,", "J0001,2026-03-01,"]
    with pytest.raises(FhirError, match="line 4, column 1: this stands in the file twice"):
        loaded(tmp_path / "data", "asc", written(tmp_path, "asc-2026-01-01.csv", twice))
    with pytest.raises(FhirError, match="does not say its day"):
        loaded(tmp_path / "data", "asc", written(tmp_path, "asc.csv", twice[:2]))
    with pytest.raises(FhirError, match="the file has no rows"):
        loaded(tmp_path / "data", "asc", written(tmp_path, "asc-2026-01-01.csv", twice[:1]))
    assert not (tmp_path / "data").exists()
