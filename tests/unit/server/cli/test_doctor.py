"""`doctor`: what it finds in a database that works, and in what stands around it; no check tells an identifier."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from server.cli import checks, checks_outside, checks_work
from server.cli.findings import Wrong
from server.interactions.fhir import Fhir
from server.jobs.intake import attach
from server.settings import Settings
from server.store import open_store
from tests.integration.encryption.conftest import caller

SECRET = "Wintermute-Zacharias"


@pytest.fixture
def settings(tmp_path: Path, sqlite_template: Path) -> Settings:
    """The settings of a database with one document that waits."""
    path = tmp_path / "fhirwright.db"
    shutil.copy(sqlite_template, path)
    settings = Settings(data=tmp_path, open=True, validation="off")
    store = open_store(settings.database_url, create=False)
    fhir = Fhir(store, settings)
    attach(fhir, settings)
    attachment = {"contentType": "text/plain", "data": "YQ=="}
    body = {"resourceType": "DocumentReference", "id": SECRET, "status": "current"}
    caller(fhir)("PUT", f"DocumentReference/{SECRET}", {**body, "content": [{"attachment": attachment}]})
    store.close()
    return settings


def _execute(settings: Settings, sql: str, *params: object) -> None:
    import sqlite3

    with sqlite3.connect(settings.database_url.removeprefix("sqlite:///")) as raw:
        raw.execute(sql, params)


def _found(settings: Settings) -> dict[str, checks.Check]:
    return {one.name: one for one in checks.run_checks(settings)}


def test_documents_that_wait_without_a_worker_are_told_with_the_command(settings: Settings) -> None:
    """A queue that nobody works on is wrong at once, one that is old also where somebody does."""
    found = _found(settings)
    assert not found["workers"].ok and "fhirwright worker --slot 0" in found["workers"].do
    assert found["queue"].ok and found["queue"].text.startswith("1 documents wait")
    ago = int(2 * checks_work.OLDEST_WAITING * 1000)
    _execute(settings, "UPDATE workflow_status SET created_at = created_at - ?", ago)
    assert not _found(settings)["queue"].ok


def test_a_slot_that_died_is_named(settings: Settings) -> None:
    """What a worker had begun that is no more is told with its slot."""
    _execute(settings, "UPDATE workflow_status SET status = 'PENDING', executor_id = 'slot-3'")
    found = _found(settings)["workers"]
    assert not found.ok and "--slot 3" in found.do


def test_what_lies_in_quarantine_is_counted_by_reason(settings: Settings) -> None:
    """Door and reason are told, never which message it was."""
    sql = "INSERT INTO arrival (id, door, key, hash, at, state, reason, text, written) VALUES (?,?,?,?,?,?,?,?,?)"
    _execute(settings, sql, SECRET, "mllp", SECRET, "", 1, "quarantined", "conflict", SECRET, "")
    found = _found(settings)["quarantine"]
    assert not found.ok and "1 conflict (mllp)" in found.text and "fhirwright doors" in found.do


def test_no_finding_holds_an_identifier(settings: Settings) -> None:
    """What is wrong with documents and messages is told in counts and codes."""
    _execute(settings, "UPDATE workflow_status SET status = 'PENDING', executor_id = 'slot-3'")
    assert SECRET not in repr(_found(settings))


@pytest.mark.parametrize(
    "given", [{"replica": "postgresql://other/db"}, {"stream_topics": ("a",)}, {"trace_trust": True}]
)
def test_settings_that_contradict_each_other_are_told(tmp_path: Path, given: dict[str, object]) -> None:
    """Each is sound by itself and has no effect without the other."""
    with pytest.raises(Wrong):
        checks_outside.contradictions(Settings(data=tmp_path, **given))  # type: ignore[arg-type]


def test_a_collector_that_is_away_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With telemetry on somebody must listen, and speak what we speak."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    assert checks_outside.telemetry(Settings(data=tmp_path)) == "off"
    with pytest.raises(Wrong, match="does not answer"):
        checks_outside.telemetry(Settings(data=tmp_path, telemetry=("logs",)))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with pytest.raises(Wrong, match="http/protobuf"):
        checks_outside.telemetry(Settings(data=tmp_path, telemetry=("logs",)))


def test_backups_are_looked_at_where_they_lie(tmp_path: Path) -> None:
    """Without a directory nothing is said of them; an empty one has none."""
    assert "--backups" in checks_outside.backups(None, Settings())
    with pytest.raises(Wrong, match="no backup"):
        checks_outside.backups(str(tmp_path), Settings())


def test_each_question_is_understood_by_both_engines(database_url: str, tmp_path: Path) -> None:
    """An empty database that is up to date has nothing wrong with its work, its clock or its audit."""
    found = _found(Settings(data=tmp_path, database=database_url))
    asked = checks._OF_DATABASE | {"database", "replica"}
    assert {name: found[name].text for name in asked if not found[name].ok} == {}
