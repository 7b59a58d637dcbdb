"""`fhirwright doors`: the quarantine from the command line."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from server.cli.exits import Exit
from server.cli.main import run
from server.doors.arrivals import Arrival, Made, Unusable, arrive
from server.doors.rows import raw_of
from server.interactions.fhir import Fhir
from server.phi.envelope import new_key
from server.phi.keys import keys_of
from server.settings import Settings
from server.store import open_store

BAD = b"MSH|^~\\&|A|B|||2024||ADT^A08|1|P|2.5\rPID|1||||Secretname"


@pytest.fixture
def data(sqlite_template: Path, tmp_path: Path) -> Path:
    """A data directory with one message in quarantine."""
    (tmp_path / "fhirwright.db").write_bytes(sqlite_template.read_bytes())
    settings = Settings(data=tmp_path, open=True)
    store = open_store(settings.database_url, create=False)

    def refuse(_: bytes) -> Made:
        raise Unusable("field-missing", "PID-3: The patient has no identifier.")

    arrive(Fhir(store, settings), Arrival("mllp", "A|B|1", BAD), refuse)
    store.close()
    return tmp_path


def test_quarantine(data: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """What lies in quarantine is listed and shown without its content, given out on request, tried again, discarded."""

    def call(*words: str) -> bytes:
        assert run(["doors", *words, "--data", str(data)]) == Exit.OK
        return capfdbinary.readouterr().out

    [row] = json.loads(call("list", "--json"))
    assert (row["reason"], row["state"], row["door"]) == ("field-missing", "quarantined", "mllp")
    assert json.loads(call("show", row["id"], "--json")) == row
    assert call("show", row["id"], "--raw") == BAD
    assert run(["doors", "retry", row["id"], "--json", "--data", str(data)]) == Exit.REFUSED
    assert b"Secretname" not in capfdbinary.readouterr().out
    call("discard", row["id"])
    assert json.loads(call("list", "--json")) == []
    assert run(["doors", "show", row["id"], "--raw", "--data", str(data)]) == Exit.REFUSED
    assert json.loads(call("prune", "--json")) == {"forgotten": 0}


def test_quarantine_is_sealed(tmp_path: Path) -> None:
    """With encryption on, nothing of a message in quarantine stands in the database as it came."""
    (tmp_path / "keys.txt").write_text(f"1:{base64.b64encode(new_key()).decode()}\n")
    (tmp_path / "keys.txt").chmod(0o600)
    settings = Settings(data=tmp_path, open=True, encryption="file", encryption_keys=str(tmp_path / "keys.txt"))
    store = open_store(settings.database_url, keys=keys_of(settings))
    fhir = Fhir(store, settings)

    def refuse(_: bytes) -> Made:
        raise Unusable("syntax", "No.")

    outcome = arrive(fhir, Arrival("mllp", "1", BAD), refuse)
    [(kept,)] = store.query("SELECT raw FROM arrival_raw")
    assert base64.b64encode(BAD).decode() not in kept
    assert raw_of(store, outcome.id) == BAD
    store.close()
