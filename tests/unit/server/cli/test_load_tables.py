"""`fhirwright load` of tables of claims: told, listed, loaded once, and both parts of the fee schedule together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from server.cli.exits import Exit
from server.cli.main import run
from tests.unit.claims.importers.official import written
from tests.unit.claims.importers.test_places import GPCI
from tests.unit.claims.importers.test_pprrvu import lines


def test_a_table_is_loaded_and_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows are told after loading; the second load says that it was there; the list has its days."""
    path = written(tmp_path, "GPCI2026.csv", GPCI)
    place = ["--data", str(tmp_path / "data")]
    assert run(["load", "gpci", str(path), *place]) == Exit.OK
    said = capsys.readouterr()
    assert "Geographic practice cost indices 2026-01: loaded" in said.out and "2 rows" in said.err
    assert run(["load", "gpci", str(path), *place]) == Exit.OK
    assert "it was already there" in capsys.readouterr().out
    assert run(["load", "--list", "--json", *place]) == Exit.OK
    told = json.loads(capsys.readouterr().out)
    assert [(t["table"], t["start"], t["end"]) for t in told["tables"]] == [("gpci", "2026-01-01", "2026-12-31")]
    assert "ptp" in [t["name"] for t in told["table_importers"]]


def test_the_fee_schedule_gives_codes_and_amounts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One command loads what the file says of codes into the terminology, and what it says of money into tables."""
    path = written(tmp_path, "PPRRVU26_JAN.csv", lines())
    assert run(["load", "pprrvu", str(path), "--data", str(tmp_path / "data"), "--json"]) == Exit.OK
    told = [one["name"] for one in json.loads(capsys.readouterr().out)]
    assert told == ["cpt", "hcpcs", "rvu", "factor"]
    assert list((tmp_path / "data" / "terminology").glob("cpt@*")) and list(
        (tmp_path / "data" / "claims").glob("rvu@*")
    )


def test_damaged_amounts_keep_the_codes_out_too(tmp_path: Path) -> None:
    """Everything is read before anything of it is written."""
    path = written(tmp_path, "PPRRVU26_JAN.csv", [line.replace(",12.01,", ",x,") for line in lines()])
    assert run(["load", "pprrvu", str(path), "--data", str(tmp_path / "data")]) != Exit.OK
    assert not list(tmp_path.rglob("*@*"))


def test_a_name_that_is_not_known_is_told_with_all_that_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names of code systems and of tables, each once."""
    path = written(tmp_path, "GPCI2026.csv", GPCI)
    assert run(["load", "nothing", str(path), "--data", str(tmp_path / "data")]) != Exit.OK
    said = capsys.readouterr().err
    assert "loinc" in said and "gpci" in said and said.count("pprrvu") == 1
