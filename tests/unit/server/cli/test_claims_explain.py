"""`fhirwright claims explain`: edits with where and what to do, prices step by step, or why there are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from server.cli.exits import Exit
from server.cli.main import run
from server.demo.priced import ADDED, completed, furnish, load_schedule, price
from server.demo.show import price_of
from tests.unit.claims.importers.official import written

DRAFT = [
    {
        "resourceType": "Claim",
        "status": "draft",
        "use": "claim",
        "type": {"coding": [{"code": "professional"}]},
        "patient": {"reference": "Patient/p"},
        "provider": {"reference": "Practitioner/d"},
        "item": [
            {
                "sequence": n,
                "productOrService": {"coding": [{"code": code}]},
                "servicedDate": "2026-03-12",
                "quantity": {"value": 1},
            }
            for n, code in ((1, "83036"), (2, "36415"), (3, "Z9999"))
        ],
    },
    {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1958-07-09"},
    {"resourceType": "Practitioner", "id": "d", "name": [{"text": "Imogen Tarrow, MD"}]},
]


@pytest.fixture
def claim(tmp_path: Path) -> Path:
    """The draft with what a biller adds."""
    path = tmp_path / "claim.json"
    path.write_bytes(completed(DRAFT) or b"")
    return path


def test_edits_say_what_is_wrong_where_and_what_to_do(
    claim: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each error has its rule, its element and advice; lines without a price say what to load."""
    assert run(["claims", "explain", str(claim), "--data", str(tmp_path / "data")]) == Exit.OK
    said = capsys.readouterr()
    assert "✗ REQ-009  The payer's name or identifier is missing." in said.out
    assert "where: Claim.insurer" in said.out and "do:    Name the payer" in said.out
    assert "Not priced. The physician fee schedule is not loaded" in said.out
    assert "Load it: fhirwright load pprrvu FILE" in said.out
    assert "rules were not run for want of tables" in said.err


def test_a_price_tells_its_steps_and_its_tables(
    claim: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The invented schedule prices two lines; the third has no row and says so; --line tells of one alone."""
    load_schedule(tmp_path / "data")
    asked = ["claims", "explain", str(claim), "--data", str(tmp_path / "data")]
    assert run(asked) == Exit.OK
    said = capsys.readouterr().out
    assert "Line 1: 83036, 1 unit, charged $24.00, expected $9.23" in said
    assert "Clinical laboratory fee schedule: 8.11 for one unit, 1 of them" in said
    assert "Expected under the fee schedule: $17.34" in said and "lab_price 2026-01" in said
    assert run([*asked, "--line", "3", "--json"]) == Exit.OK
    told = json.loads(capsys.readouterr().out)
    (line,) = told["lines"]
    assert line["allowed"] is None and line["steps"][0].startswith("Not priced. No loaded fee schedule has the code")
    assert {one["line"] for one in told["findings"]} == {3}
    assert run([*asked, "--line", "4"]) == Exit.USAGE


def test_what_is_no_claim_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 5 for what is no Claim or too long, 2 for a file or a day that is none; nothing of it is repeated."""
    path = tmp_path / "x.json"
    for body in (b"secret", b'{"resourceType": "Patient"}', b" " * (8 * 2**20 + 1)):
        path.write_bytes(body)
        assert run(["claims", "explain", str(path), "--data", str(tmp_path)]) == Exit.REFUSED
    assert "secret" not in "".join(capsys.readouterr())
    assert run(["claims", "explain", str(tmp_path / "none.json")]) == Exit.USAGE
    assert run(["claims", "explain", str(path), "--on", "soon"]) == Exit.USAGE
    assert run(["claims", "explain", str(path), "--rules", str(tmp_path / "none.toml")]) == Exit.USAGE


def test_the_demo_says_that_its_schedule_is_invented(tmp_path: Path) -> None:
    """What is printed names the invention, what was added, each price and the command that tells the rest."""
    from io import StringIO

    from rich.console import Console

    priced = price(DRAFT, tmp_path / "var", tmp_path)
    assert priced is not None
    console = Console(width=200, file=StringIO())
    price_of(console, priced)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    for text in ("invented", "its amounts mean nothing", ADDED, "9.23 for one unit", "17.34 USD", "claims explain"):
        assert text in said
    assert priced.brief()["invented"] is True
    assert price(DRAFT[1:], tmp_path / "var", tmp_path) is None


def test_what_is_loaded_for_the_demo_stays_in_its_own_folder(tmp_path: Path) -> None:
    """Code systems are linked one by one, links that lead nowhere go, and tables of the user are not linked."""
    shared = written(tmp_path / "var" / "terminology", "made@1.sqlite", ["x"])
    written(tmp_path / "var" / "claims" / "rvu@2026-01", "rows.arrow", ["x"])
    own = furnish(tmp_path / "var", tmp_path / "own")
    assert [path.name for path in (own / "terminology").iterdir()] == ["made@1.sqlite"]
    load_schedule(own)
    assert not list((tmp_path / "var").rglob("lab_price@*"))
    shared.unlink()
    assert not list((furnish(tmp_path / "var", own) / "terminology").iterdir())
