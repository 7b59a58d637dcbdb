"""`fhirwright load NAME FILE…` loads official files, tells what can be loaded and what is."""

import json
from pathlib import Path

import pytest

from server.cli.exits import Exit
from server.cli.main import run
from terminology.importers import IMPORTERS

LINES = "00001 A00     0 Cholera{pad} Cholera\n00002 A000    1 Cholera due to Vibrio{more} Cholera due to Vibrio\n"


@pytest.fixture
def order(tmp_path: Path) -> Path:
    """A small order file."""
    path = tmp_path / "icd10cm_order_2027.txt"
    path.write_text(LINES.format(pad=" " * 53, more=" " * 39))
    return path


def test_loading_twice_changes_nothing(order: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first load says loaded, the second that it was there; the list shows it with its dates."""
    place = ["--data", str(tmp_path / "data"), "--json"]
    for written in (True, False):
        assert run(["load", "icd10cm", str(order), *place]) == Exit.OK
        [told] = json.loads(capsys.readouterr().out)
        assert (told["version"], told["written"]) == ("2027", written)
    assert list((tmp_path / "data" / "claims" / "terms").glob("icd10cm-*.arrow")), "tables of claims are made now"
    assert run(["load", "--list", *place]) == Exit.OK
    shown = json.loads(capsys.readouterr().out)
    assert [(e["version"], e["start"]) for e in shown["editions"]] == [("2027", "2026-10-01")]
    assert {i["name"] for i in shown["importers"]} == {i.name for i in IMPORTERS}


def test_a_damaged_file_is_refused(order: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 5, the line and column are told, nothing is on disk."""
    order.write_text(order.read_text().replace("00002", "00001"))
    assert run(["load", "icd10cm", str(order), "--data", str(tmp_path / "data")]) == Exit.REFUSED
    assert "line 2, column 1: order numbers must rise; nothing was loaded" in capsys.readouterr().err
    assert not list((tmp_path / "data").rglob("*.sqlite"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nonsense", "FILE"], "What can be loaded"),
        (["icd10cm", "none.txt"], "none.txt' does not exist"),
        (["icd10cm", "FILE", "--from", "1.10.2026"], "A date is written as"),
    ],
)
def test_a_wrong_command_line_says_what_to_do(
    arguments: list[str], says: str, order: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and a sentence."""
    given = [str(order) if a == "FILE" else a for a in arguments]
    assert run(["load", *given, "--data", str(tmp_path / "data")]) == Exit.USAGE
    assert says in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("importer", IMPORTERS, ids=lambda i: i.name)
def test_each_importer_asks_for_its_files_and_licence(
    importer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without files the command names those to give; a licensed one is not read before the licence is acknowledged."""
    if importer.name not in ("icd10cm", "icd10pcs"):
        assert run(["load", importer.name, "--data", str(tmp_path)]) == Exit.USAGE
        assert importer.files.split()[0] in " ".join(capsys.readouterr().err.split())
    if importer.licence:
        file = tmp_path / "any.txt"
        file.write_text("any")
        assert run(["load", importer.name, str(file), "--data", str(tmp_path / "data")]) == Exit.REFUSED
        assert "--accept-licence" in capsys.readouterr().err
