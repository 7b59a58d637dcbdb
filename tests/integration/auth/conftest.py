"""A closed server in this process, with somebody to sign in and apps to ask for tokens."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn

from server.access.caller import ANYBODY
from server.app import create_app
from server.audit.trail import Trail
from server.auth import keep
from server.auth.endpoints import Endpoints
from server.auth.model import Client, Context, Person, Session
from server.auth.secrets import hash_password
from server.interactions.exchange import Request
from server.settings import Settings
from server.store import Store

BASE = "http://test/fhir"
REDIRECT = "https://app.example/cb"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
SECRET = "the secret of the app"
ALICE = Person(id="alice", name="alice", password="-", roles=("clinician",), fhir_user="Practitioner/d")
SCOPES = (
    "openid", "fhirUser", "launch", "launch/patient", "offline_access", "online_access", "patient/*.cruds",
    "user/*.cruds",
)  # fmt: skip
APPS = (
    Client(id="public", title="A page", redirects=(REDIRECT,), scopes=SCOPES, origins=("https://app.example",)),
    Client(
        id="secret", title="A server", method="client_secret_basic", secret=hash_password(SECRET),
        redirects=(REDIRECT,), scopes=SCOPES,
    ),
)  # fmt: skip


class Flow:
    """The server, and the steps of an app that asks it for tokens."""

    trail: Trail

    def __init__(self, http: httpx.AsyncClient, endpoints: Endpoints, store: Store) -> None:
        self.http = http
        self.endpoints = endpoints
        self.store = store
        self.session = Session(hash="s", person="alice", began=keep.now(), seen=keep.now(), csrf="-")
        store.write_sync(lambda tx: keep.put_session(tx, self.session))

    async def authorize(self, client: str = "public", scope: str = "patient/*.rs launch/patient", **more: str) -> Any:
        """The answer to a request for authorization; parameters that are empty are left out."""
        asked = {
            "response_type": "code", "client_id": client, "redirect_uri": REDIRECT, "scope": scope, "state": "st",
            "aud": BASE, "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        } | more  # fmt: skip
        return await self.http.get("/auth/authorize", params={key: value for key, value in asked.items() if value})

    async def code(self, patient: str | None = "A", given: str | None = None, **asked: Any) -> str:
        """A code, as if alice had agreed to all that was asked, or to `given`."""
        answer = await self.authorize(**asked)
        assert answer.status_code == 303, answer.text
        pending = parse_qs(urlsplit(answer.headers["location"]).query)["request"][0]
        scopes = (given or asked.get("scope", "patient/*.rs launch/patient")).split()
        told = self.endpoints.agree(pending, ALICE, self.session, tuple(scopes), Context(patient=patient), BASE)
        assert told.location is not None, told
        found = parse_qs(urlsplit(told.location).query)
        return found["code"][0] if "code" in found else str(found["error"][0])

    async def redeem(self, code: str, client: str = "public", **more: str) -> httpx.Response:
        """The answer to a code; parameters that are empty are left out."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        basic = (client, SECRET) if client == "secret" else None
        form |= {"client_id": "" if basic else client} | more
        return await self.post("/auth/token", form, basic)

    async def post(
        self, path: str, form: Mapping[str, str], basic: tuple[str, str] | None = None, **headers: str
    ) -> httpx.Response:
        """A form to an endpoint."""
        data = {key: value for key, value in form.items() if value}
        return await self.http.post(path, data=data, auth=basic, headers=headers)

    async def tokens(self, **asked: Any) -> dict[str, Any]:
        """The tokens of a whole flow."""
        client = asked.get("client", "public")
        answer = await self.redeem(await self.code(**asked), client)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def get(self, path: str, token: str | None = None) -> httpx.Response:
        """A request to the FHIR base."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return await self.http.get(f"/fhir/{path}", headers=headers)


@pytest.fixture
async def flow(database_url: str, tmp_path: Path) -> AsyncIterator[Flow]:
    """The server on each engine."""
    app = create_app(Settings(database=database_url, data=tmp_path / "var", log_requests="problems", coding="off"))
    fhir = app.state.fhir
    for app_client in APPS:
        fhir.store.write_sync(lambda tx, one=app_client: keep.put_client(tx, one))  # type: ignore[misc]
    fhir.store.write_sync(lambda tx: keep.put_person(tx, ALICE))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        made = Flow(http, app.state.endpoints, fhir.store)
        made.trail = app.state.trail
        yield made
    fhir.store.close()


class Site(NamedTuple):
    """A server on a port of this machine, and who has signed in there."""

    base: str
    endpoints: Endpoints
    session: Session

    def agree(self, location: str, scopes: Sequence[str], patient: str = "A") -> str:
        """Where an app is sent back to, as if alice had agreed where the server sent her."""
        pending = parse_qs(urlsplit(location).query)["request"][0]
        told = self.endpoints.agree(
            pending, ALICE, self.session, tuple(scopes), Context(patient=patient), f"{self.base}/fhir"
        )
        assert told.location is not None, told
        return told.location


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A closed server on a port of this machine."""
    data = tmp_path_factory.mktemp("pages")
    app = create_app(Settings(data=data, log_requests="problems", coding="off"))
    fhir = app.state.fhir

    def fill(tx: Any) -> None:
        from tests.integration.auth.browser import BOB

        keep.put_person(tx, BOB)
        keep.put_person(tx, ALICE)
        for one in APPS:
            keep.put_client(tx, one)

    fhir.store.write_sync(fill)
    for id, family in (("A", "Quill"), ("B", "Reed")):
        body = json.dumps({"resourceType": "Patient", "id": id, "name": [{"family": family}]}).encode()
        fhir.handle_sync(Request(caller=ANYBODY, method="PUT", path=("Patient", id), body=body))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    endpoints = app.state.endpoints
    session = Session(hash="s", person=ALICE.id, began=keep.now(), seen=keep.now(), csrf="-")
    fhir.store.write_sync(lambda tx: keep.put_session(tx, session))
    yield Site(base, endpoints, session)
    server.should_exit = True
    thread.join(120)
    fhir.store.close()
