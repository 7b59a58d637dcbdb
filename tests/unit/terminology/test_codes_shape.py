"""What can be known of our own tables without asking anybody: shapes, check digits, units, dates, and who they cite."""

import json
import re
from datetime import date
from itertools import chain
from pathlib import Path

import pytest

DATA = Path(__file__).parents[3] / "terminology" / "data"
SHAPES = {
    "rxnorm": r"[1-9]\d{0,6}",
    "loinc": r"[1-9]\d{0,5}-\d",
    "cpt": r"\d{4}[0-9FTU]",
    "hcpcs": r"[A-V]\d{4}",
}
UNIT_ATOMS = (
    r"(?:[munpfdckM]?(?:g|mol|L|m|osm)|[munk]?(?:U|\[IU\])"
    r"|%|s|min|h|Cel|mm\[Hg\]|\[pH\]|/?\[HPF\]|m2|10\*[36]|1\.73_m2)"
)
UNIT = re.compile(rf"(?:{UNIT_ATOMS}|\{{[A-Za-z]+\}})(?:/{UNIT_ATOMS})*(?:/?\{{[A-Za-z0-9._]+\}})?|/min")


def rows(name: str) -> list[dict[str, str]]:
    """The rows of one table, by column."""
    lines = [line for line in (DATA / f"{name}.tsv").read_text("utf-8").splitlines() if line and line[0] != "#"]
    columns = lines[0].split("\t")
    return [dict(zip(columns, line.split("\t"), strict=True)) for line in lines[1:]]


@pytest.mark.parametrize("name", SHAPES)
def test_codes_have_their_shape_and_stand_once(name: str) -> None:
    """A mistyped, padded or doubled code is found here."""
    table = rows(name)
    codes = [row["code"] for row in table]
    assert not [code for code in codes if not re.fullmatch(SHAPES[name], code)]
    assert len(set(codes)) == len(codes)
    labels = [row["display"].lower() for row in table]
    assert all(labels) and not {label for label in labels if labels.count(label) > 1}


def test_loinc_check_digit_by_mod_10() -> None:
    """The digit after the hyphen is Luhn's for the digits before it."""
    for row in rows("loinc"):
        number, digit = row["code"].split("-")
        doubled = (int(d) * (1 + place % 2) for place, d in enumerate(reversed(number), start=1))
        assert -sum(d // 10 + d % 10 for d in doubled) % 10 == int(digit), row["code"]


def test_units_are_ucum_and_ranges_rise() -> None:
    """Units look like UCUM codes, a range has both ends in order, and a number needs a unit."""
    for row in rows("loinc"):
        assert not row["unit"] or UNIT.fullmatch(row["unit"]), row
        assert bool(row["low"]) == bool(row["high"]) and (not row["low"] or float(row["low"]) < float(row["high"])), row
        assert row["unit"] or not row["low"], row


def test_a_drug_name_leads_to_one_ingredient() -> None:
    """No generic or brand name stands under two identifiers."""
    owners: dict[str, set[str]] = {}
    for row in rows("rxnorm"):
        for text in filter(None, chain([row["display"]], row["terms"].split("|"))):
            owners.setdefault(text.lower(), set()).add(row["code"])
    assert not {text: codes for text, codes in owners.items() if len(codes) > 1}


def test_retired_codes_end_and_name_a_successor_that_has_begun() -> None:
    """What is marked retired has an end, its successor is in the table and starts the day after or before."""
    table = {row["code"]: row for row in rows("hcpcs")}
    for code, row in table.items():
        start, end = (date.fromisoformat(row[key]) if row[key] else None for key in ("start", "end"))
        assert not (start and end) or start < end, code
        assert bool(end) == ("(retired)" in row["display"]) == bool(row["replaced_by"]), code
        if end:
            heir = table[row["replaced_by"]]
            assert not heir["end"] and (date.fromisoformat(heir["start"]) - end).days <= 1, code


def test_the_amount_of_a_unit_is_a_number_and_a_measure() -> None:
    """Every drug code says how much one unit of it is, in words that can be divided by."""
    for row in rows("hcpcs"):
        assert not row["per"] or re.fullmatch(r"[1-9]\d*|\d+(\.\d+)?", row["per"].split()[0]), row
        assert len(row["per"].split()) in (0, 2), row


def test_the_drugs_given_by_needle_have_codes_in_force() -> None:
    """The coder reads the unit of each drug from the table, so each must be there, measured and not retired."""
    table = {row["code"]: row for row in rows("hcpcs")}
    page = DATA.parents[1] / "extractors" / "coding" / "data" / "injectables.json"
    for drug, code in json.loads(page.read_text("utf-8"))["drugs"].items():
        assert table[code]["per"] and not table[code]["end"], drug


def test_every_table_says_how_it_was_verified() -> None:
    """The sources page names each table, and its row counts are the present ones."""
    page = (DATA / "SOURCES.md").read_text("utf-8")
    for path in DATA.glob("*.tsv"):
        assert f"## {path.name}" in page, path.name
    for name in SHAPES:
        assert f"| `{name}.tsv` | {len(rows(name))} |" in page, name
