"""`fhirwright claims answers`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from server.cli.claims import claims
from server.cli.exits import Exit

CLIENT = httpx.Client
TAKEN: dict[str, Any] = {
    "resourceType": "Parameters",
    "parameter": [
        {"name": "kind", "valueCode": "835"},
        {"name": "control", "valueString": "PAYER-9"},
        {"name": "known", "valueBoolean": False},
        {"name": "matched", "valueInteger": 3},
        {"name": "unmatched", "valueInteger": 0},
        {"name": "file", "valueReference": {"reference": "Communication/x"}},
    ],
}
LOST = {"name": "missing", "part": [{"name": "number", "valueString": "B7"}, {"name": "reason", "valueString": "none"}]}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "a.835"
    found.write_bytes(b"ISA")
    return found


def answered(monkeypatch: pytest.MonkeyPatch, status: int, body: Any) -> list[httpx.Request]:
    """Every request that is made; each is answered so."""
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, json=body) if body is not None else httpx.Response(status, text="no JSON")

    monkeypatch.setattr(httpx, "Client", lambda **_: CLIENT(transport=httpx.MockTransport(handle)))
    return asked


def test_a_file_is_sent_and_its_outcome_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file goes to Claim/$remittance of the server as it is."""
    asked = answered(monkeypatch, 200, TAKEN)
    result = CliRunner().invoke(claims, ["answers", str(file), "--server", "http://here/fhir/"])
    assert result.exit_code == 0 and "835 PAYER-9; 3 matched, 0 not." in result.output
    assert str(asked[0].url) == "http://here/fhir/Claim/$remittance" and asked[0].content == b"ISA"


def test_answers_without_a_claim_are_told_by_number(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 5, and the number with the reason; as JSON too."""
    answered(monkeypatch, 200, {**TAKEN, "parameter": [*TAKEN["parameter"], LOST]})
    result = CliRunner().invoke(claims, ["answers", str(file)])
    assert result.exit_code == Exit.REFUSED and "B7: none" in result.output
    result = CliRunner().invoke(claims, ["answers", str(file), "--json"])
    assert result.exit_code == Exit.REFUSED and '"B7"' in result.output


def test_a_refused_file_and_a_server_that_is_none_are_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server says of a damaged file; exit code 4 where nobody of FHIR answers."""
    answered(monkeypatch, 400, {"issue": [{"diagnostics": "Segment 1 (ISA) at character 0"}]})
    result = CliRunner().invoke(claims, ["answers", str(file)])
    assert result.exit_code == Exit.REFUSED and "Segment 1 (ISA)" in result.output
    answered(monkeypatch, 502, None)
    assert CliRunner().invoke(claims, ["answers", str(file)]).exit_code == Exit.UNAVAILABLE
    assert CliRunner().invoke(claims, ["answers", str(file) + "x"]).exit_code == Exit.USAGE
