"""OPS-08: a tenant is a server of its own: nothing of one is known to another."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.app import create_app
from server.auth import keep
from server.auth.model import Authorization, Client, Token
from server.auth.secrets import digest
from server.settings import Settings
from server.tenants import Tenants, open_tenants

HOSTS = ("north.example", "south.example", "own.example")
_numbers = itertools.count()


def give(app: Any, scope: str) -> str:
    """A token of a tenant."""
    text = f"tenant-token-{next(_numbers)}"
    granted = Authorization(id=text, client="app", person=None, scopes=tuple(scope.split()))
    one = Token(
        hash=digest(text), kind="access", authorization=text, expires=keep.now() + 3_600_000, scopes=granted.scopes
    )

    def put(tx: Any) -> None:
        keep.put_client(tx, Client(id="app", title="app"))
        keep.put_authorization(tx, granted)
        keep.put_token(tx, one)

    app.state.fhir.store.write_sync(put)
    return text


class Three:
    """A server with two tenants."""

    def __init__(self, tenants: Tenants, http: httpx.AsyncClient) -> None:
        self.apps = dict(zip(HOSTS, (*tenants.several.values(), tenants.own), strict=True))
        self.http = http

    async def ask(self, host: str, token: str | None, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {"host": host} | ({"authorization": f"Bearer {token}"} if token else {}) | headers
        return await self.http.request(method, path, json=body, headers=sent)


@pytest.fixture
async def three(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Three]:
    """Databases of one engine."""
    others = dict.fromkeys(HOSTS[:2], "")
    if database_url.startswith("postgresql"):
        others = {host: request.getfixturevalue("postgres_template")() for host in HOSTS[:2]}
    settings = Settings(
        database=database_url, data=tmp_path / "var", coding="off", tenants=others, server_names=HOSTS[2:]
    )
    app = open_tenants(settings, create_app)
    assert isinstance(app, Tenants)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://own.example/fhir/") as http:
        yield Three(app, http)
    for one in (app.own, *app.several.values()):
        one.state.fhir.store.close()


@pytest.mark.check("OPS-08")
async def test_tokens_ids_cursors_and_jobs_end_at_the_wall(three: Three) -> None:
    """What one tenant gave is 401 in another, and what it holds is 404 or another's own."""
    tokens = {host: give(app, "system/*.cruds") for host, app in three.apps.items()}
    for host, token in tokens.items():
        for number in range(3):
            name = f"{host.partition('.')[0]}{number}"
            made = {"resourceType": "Patient", "id": name, "name": [{"family": name}]}
            assert (await three.ask(host, token, "PUT", f"Patient/{name}", made)).status_code == 201
        same = {"resourceType": "Patient", "id": "same", "name": [{"family": host}]}
        assert (await three.ask(host, token, "PUT", "Patient/same", same)).status_code == 201
    for host, other in itertools.permutations(HOSTS, 2):
        token, name = tokens[host], other.partition(".")[0]
        assert (await three.ask(other, token, "GET", "Patient/same")).status_code == 401
        assert (await three.ask(host, token, "GET", f"Patient/{name}0")).status_code == 404
        assert (await three.ask(host, token, "GET", "Patient/same")).json()["name"] == [{"family": host}]
        page = (await three.ask(other, tokens[other], "GET", "Patient?_count=1&_sort=_id")).json()
        url = next(link["url"] for link in page["link"] if link["relation"] == "next")
        told = await three.ask(host, token, "GET", url.partition("/fhir/")[2])
        assert name not in told.text.replace(url, "")
        job = await three.ask(other, tokens[other], "GET", "Patient", prefer="respond-async")
        status = job.headers["content-location"].partition("/fhir/")[2]
        assert (await three.ask(host, token, "GET", status)).status_code == 404
        assert (await three.ask(other, tokens[other], "GET", status)).status_code == 202


@pytest.mark.check("OPS-08")
async def test_each_tenant_has_keys_and_discovery_of_its_own(three: Three) -> None:
    """Discovery names the host that was asked; no two sign with the same key; metrics are the server's alone."""
    keys = set()
    for host in HOSTS:
        told = (await three.ask(host, None, "GET", ".well-known/smart-configuration")).json()
        assert told["token_endpoint"] == f"http://{host}/auth/token"
        [key] = (await three.ask(host, None, "GET", f"http://{host}/auth/jwks")).json()["keys"]
        keys.add(key["kid"])
        metrics = await three.ask(host, None, "GET", f"http://{host}/metrics")
        assert metrics.status_code == (200 if host == HOSTS[2] else 404)
    assert len(keys) == len(HOSTS)


def test_tenants_cannot_share(tmp_path: Path) -> None:
    """Two names for one database, a name that is no host and tenants of an open server are refused."""
    from pydantic import ValidationError

    for wrong in (
        {"tenants": {"a.example": "sqlite:///x", "b.example": "sqlite:///x"}}, {"tenants": {"../a": ""}},
        {"tenants": {"a.example": ""}, "open": True},
    ):  # fmt: skip
        with pytest.raises(ValidationError):
            Settings(data=tmp_path, **wrong)
