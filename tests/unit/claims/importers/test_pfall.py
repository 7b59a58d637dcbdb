"""Published prices are read, and a release that does not give them to the cent is not taken; invented values."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from claims.importers.reading import days
from claims.price.published import published
from claims.tables.store import open_tables, releases
from fhir_profiles.errors import FhirError
from tests.unit.claims.importers.official import asked, loaded, written
from tests.unit.claims.importers.test_places import CAPS, GPCI
from tests.unit.claims.importers.test_pprrvu import lines

ALABAMA = '"2026","10112","00","{code}","{mod}","{non}","{fac}","","0","A","2","0.00","0.00","9","0.00","0.00"'
NON, FACILITY = "0000684.43", "0000677.40"
"""(12.01 x 1.000 + 9.00 or 8.75 x 0.869 + 2.31 x 0.575) x 32.3465, by hand to the cent."""


MOVED = ("17", "18", "71", "72", "73", "74")


def listed(**changes: str) -> list[str]:
    """A list with the price of one code."""
    values = {"code": "0003T", "mod": "  ", "non": NON, "fac": FACILITY, **changes}
    return [ALABAMA.format(**values), '"TRL","1"']


def schedule(tmp_path: Path) -> Path:
    """A data directory with values, factor and indices."""
    loaded(tmp_path / "data", "pprrvu", written(tmp_path, "PPRRVU26_JAN.csv", lines()))
    loaded(tmp_path / "data", "gpci", written(tmp_path, "GPCI2026.csv", GPCI))
    return tmp_path / "data"


def test_a_list_that_agrees_is_loaded(tmp_path: Path) -> None:
    """Both settings to the cent; loading again writes nothing."""
    data = schedule(tmp_path)
    path = written(tmp_path, "PFALL26A.txt", listed())
    assert loaded(data, "pfall", path)[0].written
    assert not loaded(data, "pfall", path)[0].written
    assert asked(data, "price_list", ["0003T", "", "10112", "00"], "2026-02-01", "facility") == 67740


@pytest.mark.parametrize("changes", [{"non": "0000684.44"}, {"fac": "0000677.39"}])
def test_a_cent_is_too_much(changes: dict[str, str], tmp_path: Path) -> None:
    """The refusal names the first price that differs, and the list is not taken."""
    data = schedule(tmp_path)
    with pytest.raises(FhirError, match=r"1 of 1 prices are not those of the loaded fee schedule.*0003T in 10112 00"):
        loaded(data, "pfall", written(tmp_path, "PFALL26A.txt", listed(**changes)))
    assert not list((data / "claims").glob("price_list@*"))


def test_a_schedule_that_fails_by_a_cent_is_withdrawn(tmp_path: Path) -> None:
    """The relative values of that release answer nothing, and are asked again once they were loaded again."""
    data = schedule(tmp_path)
    with pytest.raises(FhirError, match="the fee schedule 2026-01 is withdrawn until it is loaded again"):
        loaded(data, "pfall", written(tmp_path, "PFALL26A.txt", listed(non="0000684.44")))
    assert "rvu" not in open_tables(data)
    assert [(r.table, r.withdrawn) for r in releases(data)] == [("factor", False), ("gpci", False), ("rvu", True)]
    assert loaded(data, "pprrvu", tmp_path / "PPRRVU26_JAN.csv")[0].written
    assert loaded(data, "pfall", written(tmp_path, "PFALL26A.txt", listed()))[0].written
    assert "rvu" in open_tables(data)


def test_a_list_of_another_release_withdraws_nothing(tmp_path: Path) -> None:
    """It is refused; the schedule that was there goes on answering for its days."""
    data = schedule(tmp_path)
    with pytest.raises(FhirError, match=r"different releases or damaged$|different releases or damaged; nothing"):
        loaded(data, "pfall", written(tmp_path, "PFALL26D.txt", listed(non="0000684.44")))
    assert "rvu" in open_tables(data)


def test_a_schedule_is_held_against_a_list_that_is_there(tmp_path: Path) -> None:
    """Loaded later, it is refused and answers nothing where the list of its release disagrees."""
    data = schedule(tmp_path)
    loaded(data, "pfall", written(tmp_path, "PFALL26A.txt", listed()))
    other = [line.replace(",12.01,", ",12.02,") for line in lines()]
    with pytest.raises(FhirError, match=r"0003T in 10112 00.*is withdrawn"):
        loaded(data, "pprrvu", written(tmp_path / "other", "PPRRVU26_JAN.csv", other))
    assert "rvu" not in open_tables(data)
    assert loaded(data, "pprrvu", tmp_path / "PPRRVU26_JAN.csv")[0].written
    assert "rvu" in open_tables(data)


def test_caps_of_six_californian_localities_are_held_where_the_indices_are(tmp_path: Path) -> None:
    """The caps stand under contractor 01112, the indices under 01182: both are brought together, and a cent is seen."""
    places = [f"01182,CA,{number},MADE {number},1.0{number},1.1{number},0.5{number}" for number in MOVED]
    data = tmp_path / "data"
    loaded(data, "pprrvu", written(tmp_path, "PPRRVU26_JAN.csv", lines()))
    loaded(data, "gpci", written(tmp_path, "GPCI2026.csv", [*GPCI[:2], *places]))
    keys = {"code": "0001X", "modifier": "", "carrier": "01182", "day": days(date(2026, 1, 1))}
    asked_for = pl.DataFrame([{**keys, "locality": number} for number in MOVED])
    caps = published(open_tables(data), asked_for)["cap_nonfacility"].to_list()
    assert all(caps)
    rows = [f"0001X,,A,01112,{n},{cap / 100:.2f},{cap / 100:.2f}" for n, cap in zip(MOVED, caps, strict=True)]
    told = loaded(data, "oppscap", written(tmp_path, "OPPSCAP2026_JAN.csv", [CAPS[0], *rows]))
    assert (told[0].rows, told[0].written) == (6, True)
    assert asked(data, "opps_cap", ["0001X", "", "01182", "74"], "2026-02-01", "nonfacility") == caps[-1]
    wrong = rows[-1].replace(f"{caps[-1] / 100:.2f}", f"{(caps[-1] + 1) / 100:.2f}")
    with pytest.raises(FhirError, match="0001X in 01182 74"):
        loaded(data, "oppscap", written(tmp_path / "wrong", "OPPSCAP2026_JAN.csv", [CAPS[0], *rows[:-1], wrong]))


def test_without_a_schedule_nothing_can_be_checked(tmp_path: Path) -> None:
    """The person is told what to load first."""
    with pytest.raises(FhirError, match="load pprrvu and gpci"):
        loaded(tmp_path / "data", "pfall", written(tmp_path, "PFALL26A.txt", listed()))


def test_caps_are_checked_where_the_schedule_is_there(tmp_path: Path) -> None:
    """A cap that the outpatient values of the row do not give is refused."""
    data = schedule(tmp_path)
    with pytest.raises(FhirError, match="prices are not those"):
        loaded(data, "oppscap", written(tmp_path, "OPPSCAP2026_JAN.csv", [CAPS[0], "0001X,,A,10112,00,1.00,1.00"]))


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"2026"', '"2025"', "line 1, column 1: the year 2026"),
        ('"10112"', '"1O112"', "line 1, column 8: a contractor"),
        ('"00","0003T"', '"000","0003T"', "line 1, column 16: a locality"),
        ('"0003T"', '"003T"', "line 1, column 21: a code"),
        ('"  "', '"2"', "line 1, column 29: a modifier"),
        (NON, "712.601", "line 1, column 34: an amount of at most 2"),
        (FACILITY, "free", "line 1, column 47: an amount is expected"),
        (',"0.00"\n', "\n", "line 1, column 1: 16 fields"),
        ('"TRL","1"', "", "the trailer TRL is missing"),
        ('"TRL","1"', '"TRL","1"\n"2026"', "line 3, column 1: 16 fields"),
    ],
)
def test_damage_is_refused_where_it_is(old: str, new: str, place: str, tmp_path: Path) -> None:
    """Line and column are told, and nothing is written."""
    text = "\n".join(listed())
    assert old in text
    path = written(tmp_path, "PFALL26A.txt", text.replace(old, new, 1).split("\n"))
    with pytest.raises(FhirError, match=place):
        loaded(tmp_path / "data", "pfall", path)
    assert not (tmp_path / "data").exists()
