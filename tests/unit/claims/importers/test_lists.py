"""Localities by county, base units of anaesthesia and edits of the outpatient code editor; invented values."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_profiles.errors import FhirError
from tests.unit.claims.importers.official import asked, loaded, written

LOCCO = (
    "An invented title,,,,",
    "Medicare Administrative Contractor,Locality Number,State,Fee Schedule Area,Counties",
    "10112,0,ALABAMA,STATEWIDE,ALL COUNTIES",
    '01182,5,CALIFORNIA,"SAN FRANCISCO, MADE",SAN FRANCISCO',
    "01182,6,,SAN MATEO,SAN MATEO",
    ",,* An invented footnote that stands alone,,",
)
BASE = ("An invented notice,", "CPT Code,2026 Base Units", "00001,5", "00002,15", "01999,IC")
EDITS = (
    "EDIT\tLO_VERSION\tHI_VERSION\tDISPOSITION_ID\tBUFFER\tNAME\tDESCRIPTION",
    "1\t1\t99\t4\tA\tMade diagnosis\tMade text",
    "002\t1\t10\t4\tA\tMade age\tMade text",
    "2\t11\t99\t3\tA\tMade age\tMade text",
)
FILES = {
    "locco": ("26LOCCO.csv", LOCCO), "anesbase": ("Anesthesia-Base-Units-2026.csv", BASE),
    "ioce": ("IOCE_January_2026_DSC_Edit.txt", EDITS),
}  # fmt: skip
DAY = "2026-02-01"


def test_localities_have_their_state_and_counties(tmp_path: Path) -> None:
    """The state stands in the first row of its localities; zeros come back; a second load writes nothing."""
    path = written(tmp_path, *FILES["locco"])
    assert [(t.version, t.rows) for t in loaded(tmp_path, "locco", path)] == [("2026-01", 3)]
    assert not loaded(tmp_path, "locco", path)[0].written
    found = [asked(tmp_path, "locality", ["01182", "06"], DAY, name) for name in ("state", "area", "counties")]
    assert found == ["California", "SAN MATEO", "SAN MATEO"]
    assert asked(tmp_path, "locality", ["10112", "00"], "2027-01-01", "area") is None


def test_base_units_are_whole_and_govern_their_year(tmp_path: Path) -> None:
    """A code whose units the carrier decides has none."""
    assert loaded(tmp_path, "anesbase", written(tmp_path, *FILES["anesbase"]))[0].rows == 2
    assert asked(tmp_path, "anaesthesia", ["00002"], DAY, "units") == 15
    later = written(tmp_path, "Anesthesia-Base-Units-2027.csv", [line.replace("00002,15", "00002,16") for line in BASE])
    loaded(tmp_path, "anesbase", later)
    found = [asked(tmp_path, "anaesthesia", ["00002"], day, "units") for day in ("2026-12-31", "2027-01-01")]
    assert found == [15, 16]


@pytest.mark.parametrize("delimiter", ["\t", "|", ","])
def test_edits_have_a_disposition_by_version(delimiter: str, tmp_path: Path) -> None:
    """Whatever parts the fields; descriptions are not kept."""
    name, lines = FILES["ioce"]
    loaded(tmp_path, "ioce", written(tmp_path, name, [line.replace("\t", delimiter) for line in lines]))
    assert [asked(tmp_path, "ioce_edit", ["2", first], DAY, "disposition") for first in ("1", "11")] == ["4", "3"]
    assert b"Made text" not in next((tmp_path / "claims").glob("ioce_edit@2026-01/rows.arrow")).read_bytes()


@pytest.mark.parametrize(
    ("name", "old", "new", "place"),
    [
        ("locco", "10112", "1O112", "line 3, column 1: a contractor"),
        ("locco", "10112,0,", "10112,A,", "line 3, column 7: a locality"),
        ("locco", "ALABAMA", "", "line 3, column 9: a state"),
        ("locco", "STATEWIDE", "", "line 3, column 17: an area"),
        ("locco", "01182,6", "01182,5", "line 5, column 7: this stands in the file twice"),
        ("locco", ",ALL COUNTIES", "", "line 3, column 17: 5 fields"),
        ("locco", "Counties", "Places", "the header"),
        ("locco", "Fee Schedule Area", "Region", "the column of the area is missing"),
        ("anesbase", "00001", "0001", "line 3, column 1: a code"),
        ("anesbase", "00001,5", "00001,5.5", "line 3, column 7: a number of base units"),
        ("anesbase", "00002,15", "00001,15", "line 4, column 1: this stands in the file twice"),
        ("anesbase", "Base Units", "Points", "the header"),
        ("ioce", "1\t1\t99", "X\t1\t99", "line 2, column 1: the number of an edit"),
        ("ioce", "1\t1\t99", "1\tv1\t99", "line 2, column 3: a version"),
        ("ioce", "1\t1\t99", "1\t100\t99", "line 2, column 7: the last version"),
        ("ioce", "99\t4\tA\tMade diagnosis", "99\tRTP\tA\tMade diagnosis", "line 2, column 8: the number of a disp"),
        ("ioce", "2\t11\t99", "2\t1\t99", "line 4, column 1: this stands in the file twice"),
        ("ioce", "DISPOSITION_ID", "DISPOSAL", "line 1: the column DISPOSITION_ID is missing"),
        ("ioce", "Made diagnosis\tMade text", "Made diagnosis", "line 2, column 12: 7 fields"),
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
