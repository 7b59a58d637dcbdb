"""A queue that is full turns documents away, and nothing else, until there is room again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fhir_profiles.errors import Category, FhirError
from server.access.caller import ANYBODY
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.jobs import waiting
from server.jobs.intake import attach
from server.settings import Settings
from server.store import open_store

ATTACHED = {"contentType": "text/plain", "data": "SHlwZXJ0ZW5zaW9uCg=="}


def put(fhir: Fhir, name: str, kind: str = "DocumentReference") -> int:
    """Write a document, or something else; the status."""
    body = {"resourceType": kind, "id": name}
    if kind == "DocumentReference":
        body |= {"status": "current", "content": [{"attachment": ATTACHED}]}  # type: ignore[dict-item]
    request = Request(caller=ANYBODY, method="PUT", path=(kind, name), body=json.dumps(body).encode())
    return fhir.handle_sync(request).status


def test_a_full_queue_turns_documents_away(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """BUSY, throttled (429) and nothing stored; patients are written; a document that is done makes room."""
    monkeypatch.setattr(waiting, "_LOOK_SECONDS", 0.0)
    store = open_store(database_url)
    try:
        settings = Settings(database=database_url, data=tmp_path, open=True, max_waiting_documents=2, validation="off")
        fhir = Fhir(store, settings)
        attach(fhir, settings)
        assert [put(fhir, name) for name in ("d1", "d2")] == [201, 201]
        with pytest.raises(FhirError) as told:
            put(fhir, "d3")
        assert (told.value.category, told.value.problems[0].code) == (Category.BUSY, "throttled")
        assert store.read("DocumentReference", "d3") is None
        assert put(fhir, "p1", "Patient") == 201
        schema = "dbos." if store.dialect == "postgresql" else ""
        store.write_sync(
            lambda tx: tx.execute(
                f"UPDATE {schema}workflow_status SET status = 'SUCCESS' WHERE workflow_uuid LIKE ?", ("%d1%",)
            )
        )
        assert put(fhir, "d3") == 201
    finally:
        store.close()
