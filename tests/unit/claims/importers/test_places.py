"""Files of places: practice cost indices, anaesthesia factors, ZIP codes and imaging caps; invented values."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from fhir_profiles.errors import FhirError
from tests.unit.claims.importers.official import asked, loaded, written

GPCI = (
    "ADDENDUM E. INVENTED INDICES,,,,,,",
    "Medicare Administrative Contractor (MAC),State,Locality Number,Locality Name,2026 PW GPCI (with 1.0 Floor),"
    "2026 PE GPCI,2026 MP GPCI",
    "10112,AL,00,ALABAMA,1.000,0.869,0.575",
    '01182,CA,5,"SAN FRANCISCO, MADE",1.068,1.385,0.4',
    "* An invented footnote that stands alone,,,,,,",
)
ANES = (
    "Contractor,Locality,Locality Name,Qualifying APM Anesthesia Conversion Factor,"
    "Non-Qualifying APM Anesthesia Conversion Factor",
    "10112,00,ALABAMA,20.6007,20.4976",
    "01182,05,SAN FRANCISCO,21.0000,20.90",
)
CAPS = (
    "HCPCS,MOD,PROCSTAT,CARRIER,LOCALITY,FACILITY PRICE,NON-FACILITY PRICE",
    "0001X,TC,A,10112,00,101.10,102.20",
    "0001X,TC,A,01112,17,9.99,9.98",
    "0001X,,A,01112,05,1,1.5",
)


def zip_line(code: str, state: str = "MA", place: str = "1421201", rural: str = " ", period: str = "20261") -> str:
    """A row of 80 columns."""
    return f"{state}{code}{place}{rural}".ljust(75) + period


ZIPS = (zip_line("01103"), zip_line("01104", rural="R"), zip_line("05501", "VT", "1451250", "B"))
FILES = {
    "gpci": ("GPCI2026.csv", GPCI),
    "anes": ("ANES2026.csv", ANES),
    "oppscap": ("OPPSCAP2026_JAN.csv", CAPS),
    "zip5": ("ZIP5_JAN2026.txt", ZIPS),
}
DAY = "2026-02-01"


def test_indices_are_thousandths(tmp_path: Path) -> None:
    """Localities get back the zeros that spreadsheets drop, and footnotes are no rows."""
    assert loaded(tmp_path, "gpci", written(tmp_path, "GPCI2026.csv", GPCI))[0].rows == 2
    found = [asked(tmp_path, "gpci", ["01182", "05"], DAY, n) for n in ("work", "pe", "mp")]
    assert found == [1068, 1385, 400]
    assert asked(tmp_path, "gpci", ["01182", "05"], "2027-01-01", "work") is None


def test_the_index_with_the_floor_is_taken(tmp_path: Path) -> None:
    """Where a file has both."""
    both = [
        GPCI[0],
        GPCI[1].replace("2026 PW GPCI (with", "2026 PW GPCI (without 1.0 Floor),2026 PW GPCI (with"),
        "10112,AL,00,ALABAMA,0.981,1.000,0.869,0.575",
    ]
    loaded(tmp_path, "gpci", written(tmp_path, "GPCI2026.csv", both))
    assert asked(tmp_path, "gpci", ["10112", "00"], DAY, "work") == 1000


def test_anaesthesia_factors_are_ten_thousandths(tmp_path: Path) -> None:
    """One for all, and from 2026 one for participants of advanced payment models; older files have the one."""
    loaded(tmp_path, "anes", written(tmp_path, "ANES2026.csv", ANES))
    assert [asked(tmp_path, "anaesthesia_factor", ["01182", "05"], DAY, n) for n in ("value", "apm")] == [
        209000,
        210000,
    ]
    old = ("Contractor,Locality,Locality Name,2025 Anesthesia CF", "10112,00,ALABAMA,19.5")
    loaded(tmp_path, "anes", written(tmp_path, "ANES2025.csv", old))
    found = [asked(tmp_path, "anaesthesia_factor", ["10112", "00"], "2025-06-01", n) for n in ("value", "apm")]
    assert found == [195000, None]


def test_caps_of_california_stand_where_its_indices_do(tmp_path: Path) -> None:
    """Six localities that the file lists under 01112 belong to 01182; the others stay."""
    loaded(tmp_path, "oppscap", written(tmp_path, "OPPSCAP2026_JAN.csv", CAPS))
    assert asked(tmp_path, "opps_cap", ["0001X", "TC", "01182", "17"], DAY, "facility") == 999
    assert asked(tmp_path, "opps_cap", ["0001X", "", "01112", "05"], DAY, "nonfacility") == 150
    assert asked(tmp_path, "opps_cap", ["0001X", "TC", "01112", "17"], DAY, "facility") is None


def test_the_year_of_caps_stands_in_the_archive(tmp_path: Path) -> None:
    """OPPSCAP_OCT.csv says its month only; RVU26D.zip says the year."""
    path = written(tmp_path, "OPPSCAP_OCT.csv", CAPS)
    archive = tmp_path / "RVU26D.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(path, path.name)
    assert loaded(tmp_path, "oppscap", archive)[0].version == "2026-10"
    with pytest.raises(FhirError, match="does not say its release"):
        loaded(tmp_path, "oppscap", path)
    assert loaded(tmp_path, "oppscap", path, version="2025-10")[0].version == "2025-10"


def test_zip_codes_have_state_and_locality(tmp_path: Path) -> None:
    """The quarter stands in the rows; counts by rural mark are told."""
    told = loaded(tmp_path, "zip5", written(tmp_path, "ZIP5_JAN2026.txt", ZIPS))
    assert (told[0].version, told[0].rows, told[0].totals) == ("2026-01", 3, {"B": 1, "R": 1})
    found = [asked(tmp_path, "zip", ["05501"], DAY, n) for n in ("state", "carrier", "locality", "rural")]
    assert found == ["VT", "14512", "50", "B"]


@pytest.mark.parametrize("name", FILES)
def test_releases_stand_side_by_side_and_load_once(name: str, tmp_path: Path) -> None:
    """A file of the next year answers from its first day; a file, folder or zip given again writes nothing."""
    file, lines = FILES[name]
    path = written(tmp_path / "in", file, lines)
    first = loaded(tmp_path / "data", name, path)
    later = written(tmp_path / "next", file.replace("2026", "2027"), [x.replace("20261", "20271") for x in lines])
    second = loaded(tmp_path / "data", name, later.parent)
    assert first[0].version.startswith("2026-01") and second[0].version.startswith("2027-01")
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(path, path.name)
    assert not any(t.written for t in loaded(tmp_path / "data", name, archive))


@pytest.mark.parametrize(
    ("name", "old", "new", "place"),
    [
        ("gpci", "10112,AL", "1011,AL,", "line 3"),
        ("gpci", "10112,AL", "X0112,AL", "line 3, column 1: a contractor"),
        ("gpci", ",00,", ",0A,", "line 3, column 10: a locality"),
        ("gpci", "0.869", "0.8691", "line 3, column 27: an amount of at most 3 decimals"),
        ("gpci", "0.869", "", "line 3, column 27: an index above nought"),
        ("gpci", "0.869", "10.869", "line 3, column 27: the amount is too large"),
        ("gpci", "2026 PE GPCI", "2026 GPCI", "line 2: the column of the practice expense index is missing"),
        ("gpci", "01182,CA,5", "10112,AL,0", "line 4, column 10: this stands in the file twice"),
        ("gpci", "Locality Number", "Number", "line 2: the column of the locality is missing"),
        ("anes", "20.4976", "20.49761", "line 2, column 26: an amount of at most 4 decimals"),
        ("anes", "20.4976", "0", "line 2, column 26: a factor above nought"),
        ("anes", "20.4976", "twenty", "line 2, column 26: an amount is expected"),
        ("anes", "10112,00", "10112,000", "line 2, column 7: a locality"),
        ("anes", "01182,05", "10112,00", "line 3, column 7: this stands in the file twice"),
        ("anes", ",20.4976", "", "line 2, column 18: 5 fields are expected"),
        ("anes", "Contractor", "Who", "the column of the contractor is missing"),
        ("anes", "10112,00", "1011200,00", "line 2, column 1: a contractor"),
        ("oppscap", "0001X,TC,A,10112", "001X,TC,A,10112", "line 2, column 1: a code"),
        ("oppscap", "TC,A,10112", "T,A,10112", "line 2, column 7: a modifier"),
        ("oppscap", ",A,10112", ",AA,10112", "line 2, column 10: a status"),
        ("oppscap", "10112,00", "1X112,00", "line 2, column 12: a contractor"),
        ("oppscap", "101.10", "101.101", "line 2, column 21: an amount of at most 2"),
        ("oppscap", "102.20", "-1", "line 2, column 28: an amount is expected"),
        ("oppscap", "01112,17", "10112,00", "line 3, column 1: this stands in the file twice"),
        ("oppscap", "PROCSTAT", "STAT", "line 1: the column PROCSTAT is missing"),
        ("zip5", "MA01103", "M101103", "line 1, column 1: a state"),
        ("zip5", "MA01103", "MA0110X", "line 1, column 3: a ZIP code"),
        ("zip5", "MA011031421201", "MA01103X421201", "line 1, column 8: a contractor"),
        ("zip5", "MA011031421201", "MA011031421X01", "line 1, column 8: a contractor"),
        ("zip5", "MA011031421201", "MA0110314212A1", "line 1, column 13: a locality"),
        ("zip5", "1201R", "1201Q", "line 2, column 15: R, B or a blank"),
        ("zip5", "MA01104", "MA01103", "line 2, column 3: this stands in the file twice"),
        ("zip5", "20261\nVT", "20262\nVT", "line 2, column 76: the quarter"),
        ("zip5", "20261\nVT", "2026\nVT", "line 2, column 80: the line ends here"),
        ("zip5", "20261\nVT", "202611\nVT", "line 2, column 81: the line has more"),
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


@pytest.mark.parametrize("name", FILES)
def test_a_file_without_rows_is_refused(name: str, tmp_path: Path) -> None:
    """A header alone is not a release."""
    file, lines = FILES[name]
    with pytest.raises(FhirError, match=r"no rows|header|does not say"):
        loaded(tmp_path / "data", name, written(tmp_path, file, lines[: {"gpci": 2, "zip5": 0}.get(name, 1)]))


@pytest.mark.parametrize("name", ["gpci", "anes"])
def test_another_file_is_told_by_its_missing_header(name: str, tmp_path: Path) -> None:
    """A table whose header has no fixed names is asked for in words, not as an empty list."""
    path = written(tmp_path, FILES[name][0], ["hello,world"])
    with pytest.raises(FhirError, match="the header of the table is missing"):
        loaded(tmp_path / "data", name, path)
