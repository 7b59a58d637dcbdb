"""`fhirwright claims train`, `score` and `model`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from campaigns.claiming.learning import Made, made
from claims.answer.scrub import Scrub
from claims.tables.own import own_tables
from server.access.caller import ANYBODY
from server.cli.claims import claims
from server.cli.claims_learn_stored import stored
from server.cli.exits import Exit
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.settings import Settings
from server.store import open_store


@pytest.fixture(scope="module")
def ones() -> list[Made]:
    """Claims and answers."""
    return list(made(700, 7))


def _written(path: Path, resources: list[Any]) -> str:
    path.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in resources))
    return str(path)


def _run(*arguments: object) -> Any:
    return CliRunner().invoke(claims, [str(one) for one in arguments])


def test_a_model_is_made_activated_used_and_removed(ones: list[Made], tmp_path: Path) -> None:
    """From files of claims and answers comes a model with its report; made active, it scores until it is removed."""
    pytest.importorskip("sklearn", reason="the extra `learned` is not installed")
    file = _written(tmp_path / "c.ndjson", [one.claim for one in ones])
    answers = _written(tmp_path / "r.ndjson", [one.response for one in ones])
    model, data = tmp_path / "m.json", tmp_path / "data"
    result = _run("train", "--claims", file, "--responses", answers, "--out", model, "--data", data, "--json")
    assert result.exit_code == 0, result.output
    report = orjson.loads((tmp_path / "m.json.report.json").read_bytes())
    assert orjson.loads(result.stdout) == report and report["decided"] == 700
    page = (tmp_path / "m.json.report.md").read_text()
    assert "| AUC" in page and "payer × code" in page

    some = _written(tmp_path / "s.ndjson", [one.claim for one in ones[:3]])
    assert _run("score", some, "--data", data).exit_code == Exit.UNAVAILABLE
    assert _run("model", model, "--activate", "--data", data).exit_code == 0
    told = orjson.loads(_run("model", "--data", data, "--json").stdout)
    assert told["model"] == report["file"] and told["report"]["model"] == report["model"]
    scores = [orjson.loads(line) for line in _run("score", some, "--data", data).stdout.splitlines()]
    assert [score["claim"] for score in scores] == ["c0", "c1", "c2"]
    assert all(0 < score["denial_risk"] < 1 and score["reasons"] and score["charge"] for score in scores)
    assert _run("model", "--remove", "--data", data).exit_code == 0
    assert _run("model", "--data", data).exit_code == Exit.FAILED


def test_too_few_decisions_and_damaged_files_are_refused(ones: list[Made], tmp_path: Path) -> None:
    """It is told what is missing, on which line a file is wrong, and no model is written."""
    pytest.importorskip("sklearn", reason="the extra `learned` is not installed")
    file = _written(tmp_path / "c.ndjson", [one.claim for one in ones[:100]])
    answers = _written(tmp_path / "r.ndjson", [one.response for one in ones[:100]])
    model = tmp_path / "m.json"
    few = _run("train", "--claims", file, "--responses", answers, "--out", model, "--data", tmp_path)
    assert few.exit_code == Exit.REFUSED and "at least 500 are needed" in few.output
    (tmp_path / "r.ndjson").write_bytes(b"{}\n")
    wrong = _run("train", "--claims", file, "--responses", answers, "--out", model, "--data", tmp_path)
    assert wrong.exit_code == Exit.REFUSED and "Line 1" in wrong.output
    assert not model.exists()
    assert _run("train", "--claims", file, "--out", model).exit_code == Exit.USAGE
    assert _run("train", "--claims", file, "--charges", "--out", model, "--data", tmp_path).exit_code == 0
    model.write_bytes(b"{}")
    assert _run("model", model, "--data", tmp_path).exit_code == Exit.REFUSED


def test_what_the_server_has_can_be_learned_from(ones: list[Made], tmp_path: Path) -> None:
    """Stored claims are read with whom they refer to, and decisions of payers are told from our own answers."""
    settings = Settings(data=tmp_path, database=f"sqlite:///{tmp_path / 'x.db'}", open=True)
    store = open_store(settings.database_url)
    fhir = Fhir(store, settings)
    for one in ones[:3]:
        payer = {**one.claim["contained"][3], "id": "payer"}
        claim = {
            **one.claim, "insurer": {"reference": "Organization/payer"},
            "item": [{**item, "quantity": {"value": 1}} for item in one.claim["item"]],
            "contained": [
                {**part, "payor": [{"reference": "Organization/payer"}]} if part["id"] == "v" else part
                for part in one.claim["contained"]
                if part["id"] != "y"
            ],
        }  # fmt: skip
        answer = {
            **one.response, "id": f"r-{one.claim['id']}", "request": {"reference": f"Claim/{one.claim['id']}"},
        }  # fmt: skip
        for resource in (payer, claim, answer):
            path = (resource["resourceType"], resource["id"])
            fhir.handle_sync(Request(caller=ANYBODY, method="PUT", path=path, body=orjson.dumps(resource), base_url=""))
    store.close()
    read, decisions = stored(settings, Scrub.over(own_tables()))
    assert read.table.size == 3 and len(decisions) == 3
    assert all(read.table.claims["payer_id"])
    assert {one.claim for one in decisions} == {"Claim/c0", "Claim/c1", "Claim/c2"} <= set(read.names)


def test_lines_are_told_by_their_number_in_the_file(ones: list[Made], tmp_path: Path) -> None:
    """A blank line counts: who looks for line 3 finds there what is no answer."""
    file = _written(tmp_path / "c.ndjson", [one.claim for one in ones[:100]])
    answers = tmp_path / "r.ndjson"
    answers.write_bytes(orjson.dumps(ones[0].response) + b"\n\n{}\n")
    result = _run("train", "--claims", file, "--responses", answers, "--out", tmp_path / "m.json")
    assert result.exit_code == Exit.REFUSED and "Line 3: " in result.output
