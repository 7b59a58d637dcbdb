"""`fhirwright patient` on both engines: holds that hold, copies that are whole, erasure that is proved."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fhir_profiles.errors import FhirError
from server.audit.checkpoints import PUBLIC
from server.audit.place import directory
from server.audit.trail import Trail
from server.cli.main import app
from server.interactions.fhir import Fhir
from server.parts import join
from server.phi.keys import keys_of
from server.settings import Settings
from server.store import Store, open_store
from tests.conftest import make_request

KEY = base64.b64encode(bytes(range(32))).decode()
Run = Callable[..., Result]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """A sealed server."""
    (keys := tmp_path / "keys").write_text(f"1:{KEY}\n")
    keys.chmod(0o600)
    return Settings(
        database=database_url, data=tmp_path / "var", open=True, validation="off", coding="off", encryption="file",
        encryption_keys=str(keys),
    )  # fmt: skip


@pytest.fixture
def fhir(settings: Settings) -> Any:
    """Two patients with an observation each, over a store that is sealed."""
    store = open_store(settings.database_url, create=False, keys=keys_of(settings))
    made = join(store, settings).fhir
    Trail(store, settings).start()
    for name in ("p1", "p2"):
        put(made, "Patient", name, name=[{"family": f"Family-{name}"}])
        put(made, "Patient", name, active=True, name=[{"family": f"Family-{name}"}])
        put(
            made,
            "Observation",
            f"o-{name}",
            status="final",
            code={"text": "x"},
            subject={"reference": f"Patient/{name}"},
        )
    yield made
    store.close()


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command with the settings of the server in its environment."""
    for name in ("database", "data", "encryption", "encryption_keys"):
        monkeypatch.setenv(f"FHIRWRIGHT_{name.upper()}", str(getattr(settings, name)))
    return lambda *words: CliRunner().invoke(app, ["patient", *words])


def put(fhir: Fhir, kind: str, id: str, **more: Any) -> None:
    """Write a resource."""
    fhir.handle_sync(make_request("PUT", f"{kind}/{id}", {"resourceType": kind, "id": id, **more}))


def signer(store: Store, settings: Settings) -> str:
    """The public key of the audit."""
    return (directory(store, settings) / PUBLIC).read_text().strip()


def test_what_is_on_hold_stays(fhir: Fhir, run: Run) -> None:
    """Deletions and erasure are refused until the hold ends; others are not touched; the audit tells of both."""
    assert run("hold", "p1", "--reason", "case 17").exit_code == 0
    for path in ("Patient/p1", "Observation/o-p1"):
        with pytest.raises(FhirError, match="legal hold"):
            fhir.handle_sync(make_request("DELETE", path))
    fhir.handle_sync(make_request("DELETE", "Observation/o-p2"))
    assert isinstance(run("erase", "p1", "--proof", "x.json", "--yes").exception, FhirError)
    assert fhir.store.read("Patient", "p1") is not None
    assert json.loads(run("holds", "--json").stdout)[0]["patient"] == "p1"
    assert "already" in run("hold", "p1", "--reason", "again").output
    assert run("release", "p1").exit_code == 0
    fhir.handle_sync(make_request("DELETE", "Observation/o-p1"))
    told = fhir.handle_sync(make_request("GET", "AuditEvent?patient=p1")).body.decode()
    assert '"hold"' in told and '"release"' in told
    assert isinstance(run("hold", "p1", "--reason", "x" * 201).exception, FhirError)


def test_a_patient_gets_everything_and_who_had_it(fhir: Fhir, run: Run, settings: Settings, tmp_path: Path) -> None:
    """Resources and events of this patient and of no other, with hashes that are signed."""
    out = tmp_path / "copy"
    assert run("access", "Patient/p1", "--out", str(out)).exit_code == 0
    lines = [json.loads(line) for line in (out / "resources.ndjson").read_text().splitlines()]
    assert [one["id"] for one in lines] == ["p1", "o-p1"]
    events = (out / "accesses.ndjson").read_text()
    assert events.count("\n") >= 3 and "Patient/p1" in events and "Patient/p2" not in events
    key = signer(fhir.store, settings)
    assert run("verify", str(out / "proof.json"), "--signer", key).exit_code == 0
    (out / "proof.json").write_text((out / "proof.json").read_text().replace('"lines": 2', '"lines": 1'))
    assert run("verify", str(out / "proof.json"), "--signer", key).exit_code == 1
    assert run("access", "p1", "--out", str(out)).exit_code != 0
    assert isinstance(run("access", "nobody", "--out", str(tmp_path / "none")).exception, FhirError)
    assert not (tmp_path / "none").exists()


def test_what_is_erased_is_gone_and_proved(fhir: Fhir, run: Run, settings: Settings, tmp_path: Path) -> None:
    """Nothing of the patient can be read or found, the other is as before, and the proof is signed."""
    proof = tmp_path / "proof.json"
    assert run("erase", "p1", "--proof", str(proof), "--yes").exit_code == 0
    found = json.loads(proof.read_text())
    assert set(found["found"]["left"].values()) == {0} and found["found"]["versions destroyed"] >= 3
    assert run("verify", str(proof), "--signer", signer(fhir.store, settings)).exit_code == 0
    assert run("verify", str(proof), "--signer", base64.b64encode(bytes(32)).decode()).exit_code == 1
    fhir.store.sealing.ring.forget()  # type: ignore[union-attr]
    for path in ("Patient/p1", "Observation/o-p1"):
        with pytest.raises(FhirError):
            fhir.handle_sync(make_request("GET", path))
    assert b"Family-p2" in fhir.handle_sync(make_request("GET", "Patient/p2")).body
    assert isinstance(run("erase", "nobody", "--proof", str(proof), "--yes").exception, FhirError)


def test_what_is_old_goes_unless_it_is_held(fhir: Fhir, run: Run, tmp_path: Path) -> None:
    """Without --yes it is only told; with it the old one that is not on hold is erased, once."""
    long_ago = 1_000_000_000_000_000
    fhir.store.write_sync(lambda tx: tx.execute("UPDATE resource SET updated = ?", (long_ago,)))
    run("hold", "p2", "--reason", "case 17")
    words = ("retention", "--days", "3650", "--proofs", str(tmp_path / "proofs"), "--json")
    for more, erased in (((), False), (("--yes",), True)):
        told = json.loads(run(*words, *more).stdout)
        assert told == [{"patient": "p1", "last": long_ago, "erased": erased}]
        assert (tmp_path / "proofs" / "p1.json").exists() is erased
    assert json.loads(run(*words, "--yes").stdout) == []
    assert run("retention", "--days", "3650", "--proofs", str(tmp_path)).exit_code == 0


def test_what_is_in_clear_cannot_be_erased_for_good(database_url: str, tmp_path: Path) -> None:
    """A database that is not encrypted is told so, and nothing is done."""
    words = [
        "erase",
        "p1",
        "--proof",
        str(tmp_path / "p"),
        "--yes",
        "--database",
        database_url,
        "--data",
        str(tmp_path),
    ]
    told = CliRunner().invoke(app, ["patient", *words])
    assert isinstance(told.exception, FhirError) and not (tmp_path / "p").exists()
