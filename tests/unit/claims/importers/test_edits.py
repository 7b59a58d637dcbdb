"""Medically unlikely edits and add-on codes, with invented codes and values."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_profiles.errors import FhirError
from tests.unit.claims.importers.official import asked, loaded, written

MUE = (
    '"An invented notice',
    'of several lines, with ""quotes""",,,',
    '"HCPCS/',
    'CPT Code",Practitioner Services MUE Values,MUE Adjudication Indicator,MUE Rationale',
    "Q1001,2,3 Date of Service Edit: Clinical,Made",
    '0001X,1,2 Date of Service Edit: Policy,"Made, too"',
    "0002X,10,1 Line Edit,Made",
)
AOC = (
    "Add-on Code Edit Type\tAdd-on Code\tPrimary Code\tAdd-on Effective Date\tAdd-on Deletion Date\t"
    "Primary Effective Date\tPrimary Deletion Date",
    "1\t0001X\t0010X\t20200101\t\t20200101\t20221231",
    "1\t0001X\t0011X\t20200101\t\t20230101\t",
    "2\t0002X\t\t20200101\t20241231\t\t",
    "Type 3\t0003X\t0010X\t20200101\t\t\t",
)
FILES = {
    "mue": ("MCR_MUE_PractitionerServices_Eff_01-01-2026.csv", MUE),
    "addon": ("AOC_V2026Q1-MCR.txt", AOC),
}


def test_units_and_kind_of_edit_by_setting(tmp_path: Path) -> None:
    """The notice above the header is left out; the file name says the setting and the first day."""
    settings = ("PractitionerServices", "OutpatientHospitalServices", "DMESupplierServices")
    for number, setting in enumerate(settings, 1):
        lines = [x.replace("Q1001,2", f"Q1001,{number}") for x in MUE]
        written(tmp_path / "in", f"MCR_MUE_{setting}_Eff_01-01-2026.csv", lines)
    told = loaded(tmp_path, "mue", tmp_path / "in")
    assert {t.version for t in told} == {"2026-01-practitioner", "2026-01-outpatient", "2026-01-dme"}
    assert told[0].totals == {"1": 1, "2": 1, "3": 1}
    found = [asked(tmp_path, "mue", ["Q1001", s], "2026-02-01", "units") for s in ("practitioner", "outpatient", "dme")]
    assert found == [1, 2, 3]
    assert asked(tmp_path, "mue", ["0001X", "dme"], "2026-02-01", "mai") == "2"


def test_a_quarter_takes_the_place_of_that_of_its_setting(tmp_path: Path) -> None:
    """Each release answers for its days, and settings do not touch each other."""
    loaded(tmp_path, "mue", written(tmp_path, *FILES["mue"]))
    loaded(tmp_path, "mue", written(tmp_path, "MCR_MUE_DMESupplierServices_Eff_01-01-2026.csv", MUE))
    april = [x.replace("Q1001,2", "Q1001,5") for x in MUE]
    path = written(tmp_path, "MCR_MUE_PractitionerServices_Eff_04-01-2026.csv", april)
    loaded(tmp_path, "mue", path)
    assert not any(t.written for t in loaded(tmp_path, "mue", path))
    days = ("2026-03-31", "2026-04-01")
    assert [asked(tmp_path, "mue", ["Q1001", "practitioner"], d, "units") for d in days] == [2, 5]
    assert [asked(tmp_path, "mue", ["Q1001", "dme"], d, "units") for d in days] == [2, 2]


def test_add_on_codes_have_types_and_primary_codes(tmp_path: Path) -> None:
    """Each pair holds in its own days; a code of type 2 has no primary codes of its own."""
    told = loaded(tmp_path, "addon", written(tmp_path, *FILES["addon"]))
    assert [(t.name, t.rows) for t in told] == [("addon", 3), ("addon_primary", 3)]
    assert told[0].totals == {"1": 1, "2": 1, "3": 1}
    assert asked(tmp_path, "addon", ["0003X"], "2026-01-01", "type") == "3"
    found = [asked(tmp_path, "addon_primary", ["0001X", "0010X"], d, "type") for d in ("2022-12-31", "2023-01-01")]
    assert found == ["1", None]
    assert asked(tmp_path, "addon", ["0002X"], "2025-01-01", "type") is None


def test_a_list_without_days_governs_its_year(tmp_path: Path) -> None:
    """A file with three columns is a release like the others; the next one ends it."""
    lines = [AOC[0].rpartition("\tAdd-on Effective")[0], "1\t0001X\t0010X", "2\t0002X\tContractor"]
    loaded(tmp_path, "addon", written(tmp_path, "AOC_V2026Q1-MCR.txt", lines))
    loaded(tmp_path, "addon", written(tmp_path, "AOC_V2026Q2-MCR.txt", lines[:2]))
    found = [asked(tmp_path, "addon", ["0002X"], d, "type") for d in ("2025-12-31", "2026-03-31", "2026-04-01")]
    assert found == [None, "2", None]


@pytest.mark.parametrize(
    ("name", "old", "new", "place"),
    [
        ("mue", "Q1001,2", "Q101,2", "line 5, column 1: a code"),
        ("mue", "Q1001,2", "Q1001,x", "line 5, column 7: a number of units"),
        ("mue", "Q1001,2", "Q1001,", "line 5, column 7: a number of units"),
        ("mue", "1 Line Edit", "4 Line Edit", "line 7, column 10: an adjudication indicator"),
        ("mue", "0002X,10,1 Line Edit,Made", "0002X,10", "line 7, column 7: 4 fields"),
        ("mue", "0002X,10", "Q1001,10", "line 7, column 1: this stands in the file twice"),
        (
            "mue",
            'CPT Code"',
            'CPT Code""',
            "line 3, column 1: the record is damaged|does not close|do not close|header",
        ),
        ("mue", "MUE Adjudication Indicator", "Kind", "the column of the kind is missing"),
        ("mue", '"HCPCS/', '"CODES/', "the header"),
        ("addon", "1\t0001X\t0010X", "4\t0001X\t0010X", "line 2, column 1: an add-on type"),
        ("addon", "1\t0001X\t0010X", "1\t001X\t0010X", "line 2, column 3: a code"),
        ("addon", "1\t0001X\t0010X", "1\t0001X\t", "line 2, column 9: a code"),
        ("addon", "20221231", "20221331", "line 2, column 34: a day as YYYYMMDD"),
        ("addon", "0010X\t20200101", "0010X\t2020", "line 2, column 15: a day as YYYYMMDD"),
        ("addon", "20230101\t", "20220101\t", None),
        ("addon", "0011X", "0010X", None),
        (
            "addon",
            "0001X\t0011X\t20200101\t\t20230101",
            "0001X\t0010X\t20200101\t\t20210101",
            "line 3, column 3: the pair",
        ),
        ("addon", "2\t0002X\t\t20200101\t20241231\t\t", "2\t0002X\t\t20200101", "line 4, column 10: 7 fields"),
        ("addon", "Edit Type", "Edit", "the header"),
        ("addon", "\tAdd-on Code\t", "\tCode\t", "the column of the add-on code is missing"),
    ],
)
def test_damage_is_refused_where_it_is(name: str, old: str, new: str, place: str | None, tmp_path: Path) -> None:
    """Line and column are told, and nothing is written; what is only unusual is read."""
    file, lines = FILES[name]
    text = "\n".join(lines)
    assert old in text
    path = written(tmp_path, file, text.replace(old, new, 1).split("\n"))
    if place is None:
        assert loaded(tmp_path / "data", name, path)
        return
    with pytest.raises(FhirError, match=place):
        loaded(tmp_path / "data", name, path)
    assert not (tmp_path / "data").exists()


def test_a_damaged_setting_keeps_the_others_out(tmp_path: Path) -> None:
    """All files are read before the first of them is written."""
    written(tmp_path / "in", "MCR_MUE_DMESupplierServices_Eff_01-01-2026.csv", MUE)
    written(tmp_path / "in", "MCR_MUE_PractitionerServices_Eff_01-01-2026.csv", [*MUE, "Q1002,x,1,y"])
    with pytest.raises(FhirError, match="line 8, column 7"):
        loaded(tmp_path / "data", "mue", tmp_path / "in")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("file", "said"), [("MUE_2026.csv", "its setting"), ("MUE_DME.csv", "does not say its release")]
)
def test_names_that_say_too_little_are_refused(file: str, said: str, tmp_path: Path) -> None:
    """Setting and release must be known."""
    with pytest.raises(FhirError, match=said):
        loaded(tmp_path / "data", "mue", written(tmp_path, file, MUE))
