"""Prices of drugs and of laboratory tests, with invented codes and values."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_profiles.errors import FhirError
from tests.unit.claims.importers.official import asked, loaded, written

ASP = (
    "Payment Allowance Limits for Invented Drugs,,,,,",
    "HCPCS Code,Short Description,HCPCS Code Dosage,Payment Limit,Vaccine AWP%,Notes",
    "J0001,Made drug,10 MG,12.345,,",
    'J0002,Made drug,"1 UNIT","1,234.5",95,note',
)
CLFS = (
    "An invented notice,,,,,,",
    "YEAR,HCPCS,MOD,EFF_DATE,INDICATOR,RATE,SHORTDESC",
    "2026,0001U,,01/01/2026,N,102.50,Made test",
    "2026,0001U,QW,01/01/2026,N,99.9,Made test",
)
FILES = {"asp": ("January 2026 ASP Pricing File.csv", ASP), "clfs": ("CLFS 2026 Q1.csv", CLFS)}


def test_drugs_are_thousandths_for_a_unit_and_govern_a_quarter(tmp_path: Path) -> None:
    """The price of a quarter says nothing of the next one."""
    loaded(tmp_path, "asp", written(tmp_path, *FILES["asp"]))
    found = [asked(tmp_path, "drug_price", ["J0002"], "2026-03-31", n) for n in ("price", "dose")]
    assert found == [1_234_500, "1 UNIT"]
    assert asked(tmp_path, "drug_price", ["J0001"], "2026-04-01", "price") is None


def test_tests_are_cents(tmp_path: Path) -> None:
    """Rows of a modifier stand by themselves; a later quarter takes over on its first day."""
    loaded(tmp_path, "clfs", written(tmp_path, *FILES["clfs"]))
    later = written(tmp_path, "CLFS 2026 Q3.csv", [line.replace("102.50", "110") for line in CLFS])
    loaded(tmp_path, "clfs", later)
    assert not any(t.written for t in loaded(tmp_path, "clfs", later))
    days = ("2026-06-30", "2026-07-01")
    assert [asked(tmp_path, "lab_price", ["0001U", ""], d, "price") for d in days] == [10250, 11000]
    assert asked(tmp_path, "lab_price", ["0001U", "QW"], "2026-02-01", "price") == 9990
    assert b"Made test" not in next((tmp_path / "claims").glob("lab_price@2026-01/rows.arrow")).read_bytes()


@pytest.mark.parametrize(
    ("name", "old", "new", "place"),
    [
        ("asp", "J0001", "J001", "line 3, column 1: a code"),
        ("asp", "12.345", "12.3456", "line 3, column 23: an amount of at most 3"),
        ("asp", "12.345", "", "line 3, column 23: an amount above nought"),
        ("asp", "12.345", "free", "line 3, column 23: an amount is expected"),
        ("asp", "J0002", "J0001", "line 4, column 1: this stands in the file twice"),
        ("asp", "Payment Limit,V", "Limit,V", "the column of the payment limit is missing"),
        ("asp", "12.345,,", "12.345", "line 3, column 23: 6 fields"),
        ("asp", "HCPCS Code,S", "Code,S", "the header"),
        ("clfs", "2026,0001U,,", "2025,0001U,,", "line 3, column 1: the year 2026"),
        ("clfs", "0001U,,", "001U,,", "line 3, column 6: a code"),
        ("clfs", "QW", "Q", "line 4, column 12: a modifier"),
        ("clfs", "QW", "", "line 4, column 6: this stands in the file twice"),
        ("clfs", "102.50", "102.505", "line 3, column 26: an amount of at most 2"),
        ("clfs", "102.50", "1O2", "line 3, column 26: an amount is expected"),
        ("clfs", "RATE", "PRICE", "line 2: the column RATE is missing"),
        ("clfs", "YEAR", "ANNO", "the header"),
    ],
)
def test_damage_is_refused_where_it_is(name: str, old: str, new: str, place: str, tmp_path: Path) -> None:
    """Line and column are told, and nothing is written."""
    file, lines = FILES[name]
    text = "\n".join(lines)
    assert old in text
    path = written(tmp_path, file, text.replace(old, new, 1).split("\n"))
    with pytest.raises(FhirError, match=place):
        loaded(tmp_path / "data", name, path)
    assert not (tmp_path / "data").exists()
