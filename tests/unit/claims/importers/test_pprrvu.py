"""Relative values and the conversion factor, as CSV and as text, with invented codes and values."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path

import pytest

from claims.importers.pprrvu_rows import TEXT
from fhir_profiles.errors import FhirError
from tests.unit.claims.importers.official import asked, loaded, written

TITLES = ("", "", "{}", "STATUS CODE", "NOT USED FOR MEDICARE PAYMENT", "WORK RVU", "NON-FAC PE RVU", "NON-FAC NA IND",
          "FACILITY PE RVU", "FAC NA IND", "MP RVU", "NON-FAC TOTAL", "FACILITY TOTAL", "PCTC IND", "GLOB DAYS",
          "PRE OP", "INTRA OP", "POST OP", "MULT PROC", "BILAT SURG", "ASST SURG", "CO- SURG", "TEAM SURG", "ENDO BASE",
          "CONV FACTOR", "PHYSICIAN SUPERVISION OF DIAGNOSTIC PROCEDURES", "CALCULATION FLAG",
          "DIAGNOSTIC IMAGING FAMILY INDICATOR", "NON-FACILITY PE USED FOR OPPS PAYMENT AMOUNT",
          "FACILITY PE USED FOR OPPS PAYMENT AMOUNT", "MP USED FOR OPPS PAYMENT AMOUNT")  # fmt: skip
HEADER = (
    ",,2026 National Physician Fee Schedule Relative Value File January Release" + "," * 28,
    ",,An invented notice" + "," * 28,
    ",".join(t.rpartition(" ")[0] for t in TITLES),
    ",".join(("HCPCS", "MOD", "DESCRIPTION", *(t.rpartition(" ")[2] for t in TITLES[3:]))),
)
NAMES = ("code", "modifier", "status", "work", "pe_nonfacility", "na_nonfacility", "pe_facility", "na_facility", "mp",
         "pctc", "global_days", "pre", "intra", "post", "multiple", "bilateral", "assistant", "cosurgeon", "team",
         "endo_base", "factor", "supervision", "family", "opps_nonfacility", "opps_facility", "opps_mp")  # fmt: skip
ROWS = (
    ("Q1001", "", "X", "0.00", "0.00", "", "0.00", "", "0.00", "9", "XXX", "0.00", "0.00", "0.00", "9", "9", "9", "9",
     "9", "", "32.3465", "09", "99", "0.00", "0.00", "0.00"),
    ("0001X", "", "A", "1.30", "2.05", "", "0.50", "NA", "0.10", "1", "XXX", "0.00", "0.00", "0.00", "4", "0", "0", "0",
     "0", "", "32.3465", "01", "88", "1.99", "1.99", "0.02"),
    ("0001X", "26", "A", "1.30", "0.40", "", "0.40", "", "0.08", "1", "XXX", "0.00", "0.00", "0.00", "4", "0", "0", "0",
     "0", "", "32.3465", "01", "88", "0.00", "0.00", "0.00"),
    ("0003T", "", "A", "12.01", "9.00", "NA", "8.75", "", "2.31", "0", "090", "0.10", "0.69", "0.21", "2", "1", "1",
     "0", "0", "0001X", "32.3465", "09", "99", "0.00", "0.00", "0.00"),
)  # fmt: skip


def lines(rows: tuple[tuple[str, ...], ...] = ROWS) -> list[str]:
    """The CSV of rows: 31 columns below a header over several lines."""
    found = list(HEADER)
    for row in rows:
        value = dict(zip(NAMES, row, strict=True))
        listed = [value["code"], value["modifier"], '"Made, invented"', value["status"], "", *row[3:9], "9.99", "9.99"]
        listed += [*row[9:22], "0", *row[22:]]
        found.append(",".join(listed))
    return [*found, "," * 30]


def text_lines() -> list[str]:
    """The same rows in fixed columns; shares of care without a point."""
    found = ["HDR AN INVENTED NOTICE"]
    for row in ROWS:
        cells = [" "] * 171
        for name, value in zip(NAMES, row, strict=True):
            first, last = TEXT[name]
            said = value.replace(".", "") if name in ("pre", "intra", "post") else value
            cells[first - 1 : last] = said.rjust(last - first + 1) if "." in value else said.ljust(last - first + 1)
        found.append("".join(cells))
    return [*found, "TRL 4"]


def test_values_are_whole_numbers_and_the_factor_a_table(tmp_path: Path) -> None:
    """Hundredths of RVUs and of the whole, ten-thousandths of a dollar; rows of modifiers stand by themselves."""
    told = loaded(tmp_path, "pprrvu", written(tmp_path, "PPRRVU26_JAN.csv", lines()))
    assert [(t.name, t.version, t.rows) for t in told] == [("rvu", "2026-01", 4), ("factor", "2026-01-standard", 1)]
    assert told[0].totals == {"A": 3, "X": 1}
    key = ["0003T", ""]
    assert asked(tmp_path, "rvu", key, "2026-02-01", "work") == 1201
    assert [asked(tmp_path, "rvu", key, "2026-02-01", n) for n in ("pre", "intra", "post")] == [10, 69, 21]
    assert asked(tmp_path, "rvu", key, "2026-12-31", "endo_base") == "0001X"
    assert asked(tmp_path, "rvu", key, "2026-12-31", "na_nonfacility") == "NA"
    assert asked(tmp_path, "rvu", ["0001X", "26"], "2026-02-01", "pe_facility") == 40
    assert asked(tmp_path, "rvu", ["0001X", ""], "2026-02-01", "opps_mp") == 2
    assert asked(tmp_path, "factor", ["standard"], "2026-02-01", "value") == 323465
    assert asked(tmp_path, "rvu", key, "2027-01-01", "work") is None


def test_csv_text_and_archive_say_the_same(tmp_path: Path) -> None:
    """Either form, by itself or in the zip of the release with its other files."""
    csv = written(tmp_path, "PPRRVU26_JAN.csv", lines())
    text = written(tmp_path, "PPRRVU26_JAN.txt", text_lines())
    archive = tmp_path / "RVU26A.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(csv, csv.name)
        packed.write(text, text.name)
        packed.writestr("GPCI2026.csv", "other")
    stored = []
    for number, path in enumerate((csv, text, archive)):
        loaded(tmp_path / str(number), "pprrvu", path)
        stored.append((tmp_path / str(number) / "claims" / "rvu@2026-01" / "rows.arrow").read_bytes())
    assert stored[0] == stored[1] == stored[2]
    assert b"invented" not in stored[0]


def test_a_participant_of_an_advanced_model_has_its_own_factor(tmp_path: Path) -> None:
    """Two files of 2026 differ in the factor alone: one table of values, two kinds of factor."""
    written(tmp_path / "rvu", "PPRRVU2026_Jan_nonQPP.csv", lines())
    written(tmp_path / "rvu", "PPRRVU2026_Jan_QPP.csv", [x.replace("32.3465", "33.5675") for x in lines()])
    assert len(loaded(tmp_path, "pprrvu", tmp_path / "rvu")) == 3
    assert asked(tmp_path, "factor", ["standard"], "2026-02-01", "value") == 323465
    assert asked(tmp_path, "factor", ["apm"], "2026-02-01", "value") == 335675


def test_releases_stand_side_by_side(tmp_path: Path) -> None:
    """Each answers for its days, also one that began within a quarter; loading again writes nothing."""
    loaded(tmp_path, "pprrvu", written(tmp_path, "PPRRVU26_JAN.csv", lines()))
    march = written(tmp_path / "march", "PPRRVU26_JAN.csv", [x.replace("32.3465", "33.2900") for x in lines()])
    assert loaded(tmp_path, "pprrvu", march, start=date(2026, 3, 9))[0].version == "2026-03-09"
    april = written(tmp_path, "PPRRVU26_APR.csv", [x.replace("1.30", "1.40") for x in lines()])
    loaded(tmp_path, "pprrvu", april)
    assert not any(t.written for t in loaded(tmp_path, "pprrvu", april))
    days = ("2026-03-08", "2026-03-09", "2026-04-01")
    assert [asked(tmp_path, "factor", ["standard"], d, "value") for d in days] == [323465, 332900, 323465]
    assert [asked(tmp_path, "rvu", ["0001X", ""], d, "work") for d in days] == [130, 130, 140]


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("Q1001,,", "Q10,,", "line 5, column 1: a code of five characters"),
        ("0001X,26,", "0001X,2,", "line 7, column 7: a modifier"),
        ("0001X,26,", "0001X,,", "line 7, column 1: this stands in the file twice"),
        (",X,,", ",XX,,", "line 5, column 25: a status letter"),
        (",12.01,", ",12.o1,", "line 8, column 28: an amount is expected"),
        (",12.01,", ",12.011,", "line 8, column 28: an amount of at most 2 decimals"),
        ("0.69", "1.69", "a share of at most 1.00"),
        (",NA,8.75", ",NO,8.75", "NA or nothing"),
        (",090,", ",09,", "a global period"),
        (",4,0,0,0,0,,32", ",44,0,0,0,0,,32", "an indicator of one digit"),
        ("0001X,32.3465", "0001,32.3465", "a code or nothing"),
        ("0001X,32.3465", "0001X,32.3466", "line 8"),
        (",88,1.99", ",8,1.99", "two digits or nothing"),
        ("HCPCS,MOD", "CODE,MOD", "the header"),
        (",MP,NON-FAC,", ",PM,NON-FAC,", "column 11 should be called MP"),
        ("0.02", "0.02,", "31 fields are expected"),
    ],
)
def test_damage_is_refused_where_it_is(old: str, new: str, place: str, tmp_path: Path) -> None:
    """Line and column are told, and nothing is written."""
    text = "\n".join(lines())
    assert old in text
    path = written(tmp_path, "PPRRVU26_JAN.csv", text.replace(old, new, 1).split("\n"))
    with pytest.raises(FhirError, match=place.replace("(", r"\(")):
        loaded(tmp_path / "data", "pprrvu", path)
    assert not (tmp_path / "data").exists()


def test_a_short_line_of_text_is_refused(tmp_path: Path) -> None:
    """A file of fixed columns that was cut."""
    path = written(tmp_path, "PPRRVU26_JAN.txt", [x[:150] for x in text_lines()])
    with pytest.raises(FhirError, match="line 2, column 151"):
        loaded(tmp_path / "data", "pprrvu", path)
