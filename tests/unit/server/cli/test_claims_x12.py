"""`fhirwright claims export` and `import`."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from campaigns.claiming.making import claims as made
from server.cli.claims import claims
from server.cli.exits import Exit
from server.cli.main import run

WHO = [
    "--sender", "SENDER1", "--receiver", "R1", "--submitter", "Mill Lane", "--contact", "Jo", "--phone", "413-555-0101",
    "--recipient", "Plan", "--test",
]  # fmt: skip


def test_claims_go_out_and_come_back(tmp_path: Path) -> None:
    """Claims are written as an 837 and read from it; what cannot be written is left out and told."""
    source, wire, back = tmp_path / "c.ndjson", tmp_path / "c.837", tmp_path / "d.ndjson"
    source.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in made(3)))
    assert CliRunner().invoke(claims, ["export", str(source), "--out", str(wire), *WHO]).exit_code == 0
    assert CliRunner().invoke(claims, ["import", str(wire), "--out", str(back)]).exit_code == 0
    assert len(back.read_bytes().splitlines()) == 3
    with source.open("ab") as more:
        more.write(b'\n{"resourceType":"Claim"}\n')
    result = CliRunner().invoke(claims, ["export", str(source), "--out", str(wire), *WHO])
    assert result.exit_code == Exit.REFUSED and "Line 5: Claim.type" in result.output


@pytest.mark.parametrize("wrong", [("--kind", "dental"), ("--phone", "12"), ("--sender", "S"), ("--submitter", "")])
def test_options_that_are_wrong_are_a_matter_of_usage(tmp_path: Path, wrong: tuple[str, str]) -> None:
    """What the command line says wrongly ends with exit code 2 before the claims are read; nothing is written."""
    (source := tmp_path / "c.ndjson").write_bytes(b"nothing\n")
    result = CliRunner().invoke(claims, ["export", str(source), "--out", str(tmp_path / "c.837"), *WHO, *wrong])
    assert result.exit_code == Exit.USAGE and list(tmp_path.iterdir()) == [source]


def test_a_damaged_file_leaves_nothing(tmp_path: Path) -> None:
    """A file that is damaged is told with its place, and no claims are left behind."""
    wire, back = tmp_path / "c.837", tmp_path / "d.ndjson"
    wire.write_bytes(b"ISA*nothing")
    result = CliRunner().invoke(claims, ["import", str(wire), "--out", str(back)])
    assert result.exit_code == Exit.REFUSED and "Segment 1 (ISA) at character 0" in result.output
    assert list(tmp_path.iterdir()) == [wire]


def test_a_place_that_cannot_be_written_is_told_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is not there ends `import` with exit code 4 and its name, and no traceback."""
    wire = tmp_path / "c.837"
    wire.write_bytes(b"ISA*nothing")
    assert run(["claims", "import", str(wire), "--out", str(tmp_path / "none" / "d.ndjson")]) == Exit.UNAVAILABLE
    assert "none/d.ndjson.part: No such file or directory" in capsys.readouterr().err
