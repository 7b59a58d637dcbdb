"""`$code` and `fhirwright code`: the same Bundle without storing anything, and notes by the line."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles.errors import Category, FhirError
from server.access.caller import ANYBODY
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.operations import code
from server.operations.registry import Operations
from server.settings import Settings

ROOT = Path(__file__).parents[3]
NOTE = b"ASSESSMENT\n1. Essential hypertension (I10)\n"
DATA = base64.b64encode(NOTE).decode()
ATTACHED = {"contentType": "text/plain", "data": DATA}
DOCUMENT = {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": ATTACHED}]}
PARAMETERS = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": DOCUMENT}]}
BINARY = {"resourceType": "Binary", "contentType": "text/plain", "data": DATA}


@pytest.fixture(scope="module")
def operations(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """`$code` over an empty SQLite store, with a document `d1` in it."""
    from server.store import open_store

    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('code') / 'code.db'}")
    fhir = Fhir(store, settings := Settings(data=built, open=True))
    body = json.dumps({**DOCUMENT, "id": "d1"}).encode()
    fhir.handle_sync(Request(caller=ANYBODY, method="PUT", path=("DocumentReference", "d1"), body=body))
    yield Operations(code.operations(fhir, settings))
    rows = store.query("SELECT type, count(*) FROM resource GROUP BY type")
    store.close()
    assert rows == [("DocumentReference", 1)], "$code must not store anything"


def ask(operations: Operations, body: bytes, kind: str = "application/fhir+json", name: str = "") -> dict[str, Any]:
    path = ("DocumentReference", name, "$code") if name else ("DocumentReference", "$code")
    found = operations.find(path)
    assert found
    request = Request(
        caller=ANYBODY, method="POST", path=path, body=body, content_type=kind, base_url="http://test/fhir"
    )
    answer = asyncio.run(found.handler(request))  # type: ignore[arg-type]
    bundle: dict[str, Any] = json.loads(answer.body)
    return bundle


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (json.dumps(DOCUMENT).encode(), "application/fhir+json"),
        (json.dumps(BINARY).encode(), "application/fhir+json; charset=utf-8"),
        (json.dumps(PARAMETERS).encode(), "application/json"),
        (NOTE, "text/plain"),
    ],
)
def test_a_document_in_any_wrapping_is_answered_with_its_bundle(operations: Operations, body: bytes, kind: str) -> None:
    """A DocumentReference, a Binary, Parameters around one, or the bare file."""
    bundle = ask(operations, body, kind)
    assert bundle["type"] == "transaction"
    codes = [entry["resource"]["code"]["coding"][0]["code"] for entry in conditions(bundle)]
    assert codes == ["I10"]


def conditions(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Condition"]


def test_a_stored_document_is_answered_with_what_the_worker_would_store(operations: Operations) -> None:
    """The same ids: what is shown is what will be."""
    first, second = ask(operations, b"", name="d1"), ask(operations, b"", name="d1")
    assert first == second
    assert conditions(first)[0]["request"]["method"] == "PUT"


@pytest.mark.parametrize(
    ("body", "kind", "category"),
    [
        (b"", "text/plain", Category.INCORRECT),
        (b'{"resourceType":"Patient"}', "application/json", Category.INCORRECT),
        (b"%PDF-1.4 broken", "application/pdf", Category.INCORRECT),
        (b"\x7fELF\x02\x01\x01", "application/octet-stream", Category.INCORRECT),
    ],
)
def test_what_cannot_be_read_is_refused_with_advice(
    operations: Operations, body: bytes, kind: str, category: Category
) -> None:
    """An issue that says what to send instead."""
    with pytest.raises(FhirError) as refused:
        ask(operations, body, kind)
    assert refused.value.category is category
    assert refused.value.problems[0].text.endswith(".")


def run(built: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "server.cli", "code", "--data", str(built), *arguments]
    return subprocess.run(command, cwd=ROOT, input=given, capture_output=True, timeout=300)


def test_files_are_printed_as_a_table_and_as_a_bundle(built: Path, tmp_path: Path) -> None:
    """A refused file has its line on stderr and its exit code; the others are printed all the same."""
    (good := tmp_path / "note.txt").write_bytes(NOTE)
    (bad := tmp_path / "empty.pdf").write_bytes(b"")
    table = run(built, str(bad), str(good))
    assert table.returncode == 5
    assert b"I10" in table.stdout
    assert b"empty.pdf" in table.stderr
    bundle = json.loads(run(built, "--json", str(good)).stdout)
    assert conditions(bundle)


LINES = [
    json.dumps({"id": "a", "text": "Denies asthma. BP 128/82 mmHg. Heart failure.", "spans": [[7, 13]]}).encode(),
    b"{not json",
    b"",
    json.dumps({"id": "b", "text": "short", "spans": [[0, 50]]}).encode(),
    *(json.dumps({"id": f"n{n}", "text": f"Hypertension (I10). Visit {n}."}).encode() for n in range(150)),
]


@pytest.mark.parametrize("processes", ["1", "2"])
def test_notes_are_answered_line_by_line_in_their_order(built: Path, processes: str) -> None:
    """A bad line is answered with its number and stops nothing; given spans and open questions are in the answer."""
    ran = run(built, "--jsonl", "-", "--processes", processes, given=b"\n".join(LINES))
    assert ran.returncode == 0, ran.stderr
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [answer.get("id") for answer in answers] == ["a", None, "b", *(f"n{n}" for n in range(150))]
    assert (answers[1]["line"], answers[2]["line"]) == (2, 4)
    assert "error" in answers[1]
    first = answers[0]
    spans = [finding for finding in first["findings"] if (finding["start"], finding["end"]) == (7, 13)]
    assert spans
    assert spans[0]["assertion"]["negated"] is True
    assert set(spans[0]["assertion"]) == {"negated", "possible", "historical", "hypothetical", "family"}
    assert [(gap["id"], gap["start"], gap["end"]) for gap in first["gaps"]] == [("heart-failure-type", 31, 44)]
    accepted = [code["code"] for code in answers[3]["codes"] if code["status"] == "accepted"]
    assert accepted == ["I10"]
    assert answers[3]["convention"] == "guidelines"
    assert set(answers[3]["codes"][0]) == {
        *("system", "code", "display", "start", "end", "confidence", "status", "reason"),
    }
