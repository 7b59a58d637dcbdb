"""A sealed database comes back with its keys only, from sealed files too; jobs that were half-done are finished."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fhir_profiles.errors import FhirError
from server.continuity.create import create
from server.continuity.postgres_tools import Tools
from server.continuity.restore import restore
from server.continuity.target import Target
from server.interactions.fhir import Fhir
from server.jobs import tasks
from server.jobs.engine import VERSION
from server.jobs.intake import attach
from server.phi.keys import keys_of
from server.settings import Settings
from server.store import open_store
from tests.conftest import make_request
from tests.support.clock import until

ROOT = Path(__file__).parents[3]
TOOLS = Tools(None)
SECRET = "Zyxwvutq"
_BEGUN = "status = 'PENDING', executor_id = 'slot-0', application_version = ?"
"""What `kill -9` of a worker leaves of a job that it had taken."""


def key_file(folder: Path, name: str, byte: int) -> str:
    """A file with a key of its own."""
    (path := folder / name).write_text(f"1:{base64.b64encode(bytes([byte]) * 32).decode()}\n")
    path.chmod(0o600)
    return str(path)


def settings_in(folder: Path, keys: str | None) -> Settings:
    """Settings of a database in that folder, sealed where there are keys."""
    folder.mkdir(exist_ok=True)
    more = {"encryption": "file", "encryption_keys": keys} if keys else {}
    return Settings(data=folder, database=f"sqlite:///{folder / 'there.db'}", open=True, validation="off", **more)  # type: ignore[arg-type]


def test_a_sealed_backup_needs_its_keys_and_shows_nothing(tmp_path: Path, sqlite_template: Path) -> None:
    """No file of the backup has the text in clear; without the keys, or with others, nothing is restored."""
    live = settings_in(tmp_path / "live", key_file(tmp_path, "keys.txt", 1))
    shutil.copy(sqlite_template, live.data / "there.db")
    store = open_store(live.database_url, create=False, keys=keys_of(live))
    patient = {"resourceType": "Patient", "id": "p", "name": [{"family": SECRET}]}
    assert Fhir(store, live).handle_sync(make_request("PUT", "Patient/p", patient)).status == 201
    store.close()
    target = Target(tmp_path / "target")
    made = create(live, target, TOOLS, sealed=True)
    files = [path for path in target.path(made).rglob("*") if path.is_file()]
    assert len(files) >= 2
    assert not [path for path in files if SECRET.encode() in path.read_bytes() or b"SQLite format" in path.read_bytes()]
    others = key_file(tmp_path, "others.txt", 2)
    for name, keys in (("none", None), ("others", others)):
        with pytest.raises(FhirError, match="sealed by version 1"):
            restore(settings_in(tmp_path / name, keys), target, made, TOOLS)
        assert not list((tmp_path / name).iterdir())
    there = settings_in(tmp_path / "there", live.encryption_keys)
    done = restore(there, target, made, TOOLS)
    assert (done.wrong, done.standing) == ((), made.standing)
    store = open_store(there.database_url, create=False, keys=keys_of(there))
    found = Fhir(store, there).handle_sync(make_request("GET", f"Patient?family={SECRET}"))
    store.close()
    assert SECRET.encode() in found.body


def test_jobs_that_were_begun_are_finished_after_the_restore(
    tmp_path: Path, sqlite_template: Path, furnish: Callable[[Path], Path]
) -> None:
    """A document that waited at the backup, and one that a worker had begun, are coded by the worker of its slot."""
    live = settings_in(tmp_path / "live", None)
    shutil.copy(sqlite_template, live.data / "there.db")
    store = open_store(live.database_url, create=False)
    attach(fhir := Fhir(store, live), live)
    for number in range(2):
        data = base64.b64encode(b"ASSESSMENT\n1. Essential hypertension (I10)\n%d\n" % number).decode()
        content = [{"attachment": {"contentType": "text/plain", "data": data}}]
        body = {"resourceType": "DocumentReference", "id": f"d{number}", "status": "current", "content": content}
        fhir.handle_sync(make_request("PUT", f"DocumentReference/d{number}", body))

    def begin(tx):
        sql = f"UPDATE workflow_status SET {_BEGUN} WHERE workflow_uuid = ?"
        tx.execute(sql, (VERSION, *tx.query("SELECT workflow_uuid FROM workflow_status ORDER BY 1 LIMIT 1")[0]))

    store.write_sync(begin)
    store.close()
    target = Target(tmp_path / "target")
    there = settings_in(tmp_path / "there", None)
    assert restore(there, target, create(live, target, TOOLS), TOOLS).wrong == ()
    furnish(there.data)
    given = {
        "DATABASE": there.database_url, "DATA": str(there.data), "WORKER_DOCUMENTS": "1", "LOG_FORMAT": "json",
    }  # fmt: skip
    worker = subprocess.Popen(
        [sys.executable, "-m", "server.cli", "worker", "--slot", "0"], cwd=ROOT, stderr=subprocess.DEVNULL,
        env={**os.environ, **{f"FHIRWRIGHT_{name}": value for name, value in given.items()}},
    )  # fmt: skip
    store = open_store(there.database_url, create=False)

    def done(name: str) -> bool:
        found = store.read("Task", tasks.task_id(name))
        return found is not None and b'"status":"completed"' in (found.body or b"")

    try:
        until(lambda: worker.poll() is not None or (done("d0") and done("d1")))
        assert store.query("SELECT count(*) FROM resource WHERE type = 'Condition' AND change <> 'D'") == [(2,)]
    finally:
        store.close()
        worker.send_signal(signal.SIGTERM)
        worker.wait(60)
