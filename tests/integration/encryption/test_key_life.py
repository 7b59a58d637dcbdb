"""Keys change and end: OPS-20, OPS-21, and a clear database becomes a sealed one."""

from __future__ import annotations

import base64
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles.errors import Category, FhirError
from server.interactions.fhir import Fhir
from server.phi.keys import Keys, KeysError
from server.search.reindex import reindex
from server.search.stored import stored_types
from server.store import Store, open_store
from server.store.resealing import close, encrypt, note_indexed, renew, rewrap
from server.store.shredding import shred
from tests.integration.encryption.conftest import ONE, TWO, caller, patient, plant, planted, total
from tests.integration.encryption.test_sealed import _files_of, _hits


@pytest.mark.check("OPS-20")
def test_ops_20_rotation_under_load_fails_no_read(
    open_sealed: Callable[..., Store], source: dict[int, bytes], settings: Any, database_url: str, tmp_path: Path
) -> None:
    """OPS-20: while keys change, every read and write is answered; then the old key is not needed any more."""
    store = open_sealed()
    call = caller(Fhir(store, settings))
    for number in range(8):
        plant(call, number)
    backup = tmp_path / "backup.db"
    if store.dialect == "sqlite":
        with sqlite3.connect(database_url.removeprefix("sqlite:///")) as raw:
            raw.execute("VACUUM INTO ?", (str(backup),))
    stop, failures, done = threading.Event(), [], [0, 0]

    def load(of: int) -> None:
        round_ = 0
        while not stop.is_set():
            number = round_ % 8
            try:
                if of:
                    call("PUT", f"Patient/p{number}", {**patient(f"p{number}", number), "multipleBirthInteger": round_})
                else:
                    call("GET", f"Patient/p{number}")
                    call("GET", f"Patient/p{number}/_history")
                    assert total(call, f"Patient?identifier=MRN{number:05d}Q") == 1
            except BaseException as error:
                failures.append(error)
            done[of] += 1
            round_ += 1

    threads = [threading.Thread(target=load, args=(of,)) for of in (0, 1)]
    for thread in threads:
        thread.start()
    source[2] = TWO
    other = open_sealed()
    assert max(rewrap(other)) >= 10
    before = {row[0] for row in other.query("SELECT number FROM phi_key")}
    assert max(renew(other)) > 20
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert min(done) > 5
    del source[1]
    fresh = caller(Fhir(open_sealed(), settings))
    for number in range(8):
        assert f"Family{number:05d}q" in fresh("GET", f"Patient/p{number}").body.decode()
        assert fresh("GET", f"Patient/p{number}/_history/1").status == 200
        assert fresh("GET", f"Binary/b{number}").status == 200
    assert before & {row[0] for row in other.query("SELECT number FROM phi_key WHERE owner = 'Patient/p1'")} == set()
    if store.dialect == "sqlite":
        with pytest.raises(KeysError, match="lacks version 1"):
            open_store(f"sqlite:///{backup}", create=False, keys=Keys(lambda: dict(source)))
        old = open_store(f"sqlite:///{backup}", create=False, keys=Keys(lambda: {1: ONE, 2: TWO}))
        assert "Family00003q" in caller(Fhir(old, settings))("GET", "Patient/p3").body.decode()
        old.close()


@pytest.mark.check("OPS-20")
def test_ops_20_a_renewal_that_is_killed_goes_on(store: Store, settings: Any) -> None:
    """OPS-20: a renewal stopped after any step is finished by the next, and nothing is lost on the way."""
    call = caller(Fhir(store, settings))
    for number in range(3):
        plant(call, number)
    steps = renew(store)
    next(steps)
    steps.close()
    assert store.query("SELECT count(*) FROM phi_state WHERE name = 'renew'") == [(1,)]
    assert call("GET", "Patient/p1/_history/1").status == 200
    list(renew(store))
    assert store.query("SELECT count(*) FROM phi_state WHERE name = 'renew'") == [(0,)]
    for number in range(3):
        assert call("GET", f"Patient/p{number}/_history/1").status == 200
        assert call("GET", f"Binary/b{number}").status == 200


@pytest.mark.check("OPS-21")
def test_ops_21_a_shredded_patient_is_gone_everywhere(
    open_sealed: Callable[..., Store], settings: Any, tmp_path: Path
) -> None:
    """OPS-21: with the key destroyed every version answers 410, no search finds it, nothing opens; others stay."""
    store, other = open_sealed(), open_sealed()
    call, elsewhere = caller(Fhir(store, settings)), caller(Fhir(other, settings))
    plant(call, 701)
    plant(call, 702)
    bodies = store.query("SELECT type, id, version, body FROM resource WHERE patient = 'p701' OR id = 'b701'")
    assert elsewhere("GET", "Patient/p701/_history/1").status == 200
    done = shred(store, "p701")
    assert done.keys == 2  # the patient's, and that of the scanned file
    assert done.versions == 5
    gone = (
        "Patient/p701",
        "Patient/p701/_history/1",
        "Patient/p701/_history/2",
        "Observation/o701",
        "DocumentReference/d701",
    )
    for ask in (call, elsewhere):
        for url in (*gone, "Binary/b701"):
            with pytest.raises(FhirError) as raised:
                ask("GET", url)
            assert raised.value.category is Category.NOT_FOUND
        for query in ("Patient?identifier=MRN00701Q", "Patient?family=family00701", "Observation?subject=Patient/p701"):
            assert total(ask, query) == 0
        assert (
            "resource"
            not in json.dumps(json.loads(ask("GET", "Patient/p701/_history").body)["entry"]).split('"request"')[0]
        )
        assert "Family00702q" in ask("GET", "Patient/p702").body.decode()
        assert total(ask, "Patient?family=family00702") == 1
    for kind, name, version, body in bodies:
        with pytest.raises(FhirError) as raised:
            store.body(kind, name, version, bytes(body))
        assert raised.value.problems[0].code == "deleted"
    assert store.query(
        "SELECT count(*) FROM idx_string t JOIN resource r ON r.rid = t.rid WHERE r.patient = 'p701'"
    ) == [(0,)]
    assert shred(store, "p701").versions == 0
    assert _hits(_files_of(store, tmp_path), planted(701)) == []
    assert call("PUT", "Patient/p701", patient("p701", 701)).status == 201


def test_a_clear_database_is_sealed_and_what_is_killed_goes_on(
    database_url: str, settings: Any, tmp_path: Path
) -> None:
    """A conversion stopped half way is finished by the next; then nothing is in clear and all is found."""
    store = open_store(database_url, create=False)
    call = caller(Fhir(store, settings))
    for number in range(3):
        plant(call, number)
    store.close()
    keys = Keys(lambda: {1: ONE})
    with pytest.raises(KeysError, match="keys encrypt"):
        open_store(database_url, create=False, keys=keys)
    half = open_store(database_url, create=False, keys=keys, mixed=True)
    steps = encrypt(half)
    next(steps)
    steps.close()
    half.close()
    with pytest.raises(KeysError, match="partly"):
        open_store(database_url, create=False, keys=keys)
    with pytest.raises(KeysError, match="is encrypted"):
        open_store(database_url, create=False)
    whole = open_store(database_url, create=False, keys=keys, mixed=True)
    list(encrypt(whole))
    for kind in stored_types(whole):
        list(reindex(whole, Fhir(whole, settings).indexing, (kind,)))
        note_indexed(whole, kind)
    close(whole)
    whole.close()
    sealed = open_store(database_url, create=False, keys=keys)
    call = caller(Fhir(sealed, settings))
    for number in range(3):
        assert f"Family{number:05d}q" in call("GET", f"Patient/p{number}/_history/1").body.decode()
        assert total(call, f"Patient?family=family{number:05d}") == 1
        if sealed.dialect == "sqlite":
            assert _hits(_files_of(sealed, tmp_path), planted(number)) == []
    sealed.close()


def test_the_command_line_looks_after_keys(
    tmp_path: Path, sqlite_template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`fhirwright keys` makes, tells, changes and destroys, and prints JSON when asked."""
    from server.cli.main import run

    data = tmp_path / "var"
    data.mkdir()
    shutil.copy(sqlite_template, data / "fhirwright.db")
    assert run(["keys", "new", "1"]) == 0
    (file := tmp_path / "keys").write_text(capsys.readouterr().out)
    file.chmod(0o600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FHIRWRIGHT_ENCRYPTION", "file")
        patch.setenv("FHIRWRIGHT_ENCRYPTION_KEYS", str(file))
        patch.setenv("FHIRWRIGHT_DATA", str(data))
        assert run(["keys", "encrypt", "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == {"sealed": 0}
        assert run(["keys", "status", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["mode"], told["versions"], told["unfinished"]) == ("on", [1], [])
        run(["keys", "new", "2"])
        with file.open("a") as more:
            more.write(capsys.readouterr().out)
        assert run(["keys", "rotate", "--data-keys", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["wrapped"] == 3
        assert run(["keys", "shred", "nobody", "--yes", "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == {"keys": 0, "versions": 0}


def test_keys_encrypt_survives_a_kill(tmp_path: Path, sqlite_template: Path, settings: Any) -> None:
    """A process that is killed in the middle of `fhirwright keys encrypt` is followed by one that ends the work."""
    data = tmp_path / "killed"
    data.mkdir()
    shutil.copy(sqlite_template, data / "fhirwright.db")
    url = f"sqlite:///{data / 'fhirwright.db'}"
    store = open_store(url, create=False)
    call = caller(Fhir(store, settings))
    for number in range(40):
        plant(call, number)
    store.close()
    key = base64.b64encode(ONE).decode()
    told = {"FHIRWRIGHT_ENCRYPTION": "environment", "FHIRWRIGHT_ENCRYPTION_KEYS": "OUR_KEYS", "OUR_KEYS": f"1:{key}"}
    command = [sys.executable, "-m", "server.cli", "keys", "encrypt", "--data", str(data)]
    process = subprocess.Popen(command, env={**os.environ, **told})
    raw = sqlite3.connect(data / "fhirwright.db")
    while (
        process.poll() is None
        and not raw.execute("SELECT count(*) FROM phi_state WHERE name = 'encrypt'").fetchone()[0]
    ):
        time.sleep(0.002)
    process.kill()
    process.wait()
    raw.close()
    assert subprocess.run(command, env={**os.environ, **told}, check=False).returncode == 0
    sealed = open_store(url, create=False, keys=Keys(lambda: {1: ONE}))
    call = caller(Fhir(sealed, settings))
    for number in range(40):
        assert f"Family{number:05d}q" in call("GET", f"Patient/p{number}/_history/1").body.decode()
        assert total(call, f"Patient?identifier=MRN{number:05d}Q") == 1
    sealed.close()
    assert _hits(list(data.rglob("*")), [word for number in range(40) for word in planted(number)]) == []
