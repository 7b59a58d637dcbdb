"""`fhirwright import` and `fhirwright export`: what goes in comes out."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from server.cli import main as frame
from server.cli.exits import Exit


def test_what_is_imported_is_exported(database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Resources keep their ids; a second run changes nothing; bad lines are told in the file and the exit code."""
    lines = [{"resourceType": "Patient", "id": f"p{n}", "birthDate": "1980-01-01"} for n in range(1500)]
    lines.append({"resourceType": "Basic", "id": "b", "code": {"text": "x"}})
    source = tmp_path / "in.ndjson.gz"
    source.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    place = ["--database", database_url, "--data", str(tmp_path / "data")]
    for _ in range(2):
        assert frame.run(["import", str(source), *place, "--json"]) == Exit.OK
        assert json.loads(capsys.readouterr().out) == {"stored": {"Patient": 1500, "Basic": 1}, "refused": 0}
    assert frame.run(["export", str(tmp_path / "out"), *place, "--json"]) == Exit.OK
    assert json.loads(capsys.readouterr().out) == {"Basic": 1, "Patient": 1500}
    found = [json.loads(line) for line in (tmp_path / "out" / "Patient.ndjson").read_text().splitlines()]
    assert {one["meta"]["versionId"] for one in found} == {"1"}
    assert sorted(one["id"] for one in found) == sorted(f"p{n}" for n in range(1500))


def test_bad_lines_are_told(database_url: str, tmp_path: Path) -> None:
    """The good ones are stored; each bad one is an OperationOutcome in the file that was named."""
    source, errors = tmp_path / "in.ndjson", tmp_path / "errors.ndjson"
    source.write_text('{"resourceType":"Patient","id":"a"}\nnonsense\n')
    place = ["--database", database_url, "--data", str(tmp_path / "data")]
    assert frame.run(["import", str(source), "--errors", str(errors), *place]) == Exit.REFUSED
    [outcome] = map(json.loads, errors.read_text().splitlines())
    assert outcome["issue"][0]["diagnostics"].startswith("Line 2: ")


def test_an_export_since_no_moment_is_a_matter_of_usage(tmp_path: Path) -> None:
    """What is no date ends with exit code 2 before anything is opened."""
    assert frame.run(["export", str(tmp_path / "out"), "--data", str(tmp_path), "--since", "lately"]) == Exit.USAGE
    assert not list(tmp_path.iterdir())
