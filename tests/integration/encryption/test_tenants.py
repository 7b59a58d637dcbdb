"""Tenants that are sealed: each has keys of its own, and one's keys open nothing of another's."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import httpx
import pytest

from server.app import create_app
from server.phi.envelope import new_key
from server.phi.keys import Keys, KeysError, keys_of, parse
from server.settings import Settings
from server.store import open_store
from server.tenants import Tenants, open_tenants, settings_of
from tests.integration.access.test_tenants import give

HOSTS = ("north.example", "south.example")
SECRET = "Zyxwvutq"


def _keys(path: Path) -> None:
    path.write_text(f"1:{base64.b64encode(new_key()).decode()}\n")
    path.chmod(0o600)


@pytest.fixture
def settings(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """A server with two tenants on one engine, sealed with keys from three files."""
    databases = dict.fromkeys(HOSTS, "")
    if database_url.startswith("postgresql"):
        databases = {host: request.getfixturevalue("postgres_template")() for host in HOSTS}
    where = tmp_path / "keys"
    for suffix in ("", *(f".{host}" for host in HOSTS)):
        _keys(Path(f"{where}{suffix}"))
    return Settings(
        database=database_url, data=tmp_path / "var", coding="off", validation="off", tenants=databases,
        encryption="file", encryption_keys=str(where), server_names=("own.example",),
    )  # fmt: skip


async def test_each_tenant_is_sealed_with_keys_of_its_own(settings: Settings) -> None:
    """The same patient of two tenants lies under different keys; only its own open it; destroyed in one, it stays."""
    app = open_tenants(settings, create_app)
    assert isinstance(app, Tenants)
    patient = {"resourceType": "Patient", "id": "p", "name": [{"family": SECRET}]}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://own.example/fhir/") as http:
        for host, one in zip((*HOSTS, "own.example"), (*app.several.values(), app.own), strict=True):
            sent = {"host": host, "authorization": f"Bearer {give(one, 'system/*.cruds')}"}
            made = await http.put("Patient/p", json=patient, headers=sent)
            assert made.status_code == 201
            found = (await http.get(f"Patient?family={SECRET}", headers=sent)).json()
            assert found["total"] == 1 and SECRET in json.dumps(found)
    stores = [one.state.fhir.store for one in (app.own, *app.several.values())]
    bodies = [bytes(store.query("SELECT body FROM resource WHERE type = 'Patient'")[0][0]) for store in stores]
    hashes = [store.query("SELECT value FROM idx_string ORDER BY 1") for store in stores]
    assert len({*bodies}) == len({str(one) for one in hashes}) == 3 and SECRET.encode() not in b"".join(bodies)
    for store in stores:
        store.close()
    own = settings_of(settings)
    north, south = (own[host] for host in HOSTS)
    assert keys_of(north).of(1) != keys_of(south).of(1)  # type: ignore[union-attr]
    for keys in (keys_of(south), keys_of(settings)):
        with pytest.raises(KeysError, match="not those"):
            open_store(north.database_url, create=False, keys=keys)
    with pytest.raises(KeysError, match="is encrypted"):
        open_store(north.database_url, create=False)


def test_a_tenant_without_keys_does_not_start(settings: Settings) -> None:
    """Where the file of one tenant's keys is missing, no server starts that would keep its data in clear."""
    Path(f"{settings.encryption_keys}.south.example").unlink()
    with pytest.raises(KeysError, match="cannot be read"):
        open_tenants(settings, create_app)


def test_keys_of_tenants_come_from_places_named_after_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A variable and a command are named after the tenant as a file is."""
    written = f"1:{base64.b64encode(b'n' * 32).decode()}"
    monkeypatch.setenv("KEYS_NORTH_EXAMPLE", written)
    script = tmp_path / "tell"
    script.write_text(f'#!/bin/sh\ntest "$1" = north.example && echo {written}\n')
    script.chmod(0o700)
    for kind, where in (("environment", "KEYS"), ("command", str(script))):
        settings = Settings(data=tmp_path, tenants={"north.example": ""}, encryption=kind, encryption_keys=where)  # type: ignore[arg-type]
        found = keys_of(settings_of(settings)["north.example"])
        assert isinstance(found, Keys) and found.of(1) == parse(written)[1]
