"""A closed server in this process with its worker, and tokens for whoever a test wants to be."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.app import create_app
from server.auth import keep
from server.auth.model import Authorization, Client, Context, Person, Token
from server.auth.secrets import digest
from server.settings import Settings

_PATH = Path(__file__).parents[1] / "asynchronous" / "conftest.py"
_SPEC = importlib.util.spec_from_file_location("asynchronous_conftest", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
asynchronous = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(asynchronous)
_numbers = itertools.count()


class Closed:
    """The application, its worker, and the tokens that were given."""

    def __init__(self, app: Any, settings: Settings, http: httpx.AsyncClient) -> None:
        self.app = app
        self.http = http
        self.house = asynchronous.House(app.state.parts, settings, http)
        self.store = self.house.store
        self.settings = settings
        self.last = ""
        """The authorization of the last token."""

    def token(
        self, scopes: str, patient: str | None = None, person: str | None = None, client: str = "app",
        roles: tuple[str, ...] = ("clinician",), user: str = "Practitioner",
    ) -> str:  # fmt: skip
        """An access token as if it had been asked for."""
        number = next(_numbers)
        token, self.last = f"token-{number}", f"authorization-{number}"
        words = tuple(scopes.split())
        granted = Authorization(
            id=self.last, client=client, person=person, scopes=words, roles=roles if person else (),
            context=Context(patient=patient), fhir_user=f"{user}/{person}" if person else None,
        )  # fmt: skip
        one = Token(
            hash=digest(token), kind="access", authorization=self.last, expires=keep.now() + 3_600_000, scopes=words
        )

        def put(tx: Any) -> None:
            keep.put_client(tx, Client(id=client, title=client))
            if person is not None:
                keep.put_person(tx, Person(id=person, name=person, password="-", roles=roles))
            keep.put_authorization(tx, granted)
            keep.put_token(tx, one)

        self.store.write_sync(put)
        return token

    def revoke(self, authorization: str) -> None:
        """End an authorization."""
        self.store.write_sync(lambda tx: keep.revoke(tx, authorization))

    async def ask(self, token: str, method: str, url: str, body: Any = None, **headers: str) -> httpx.Response:
        """One request with a token."""
        sent = {"authorization": f"Bearer {token}"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(method, url, json=body, headers=sent)


@pytest.fixture
async def closed(database_url: str, tmp_path: Path) -> AsyncIterator[Closed]:
    """A closed server on each engine, with two patients and an observation of each."""
    settings = Settings(
        database=database_url, data=tmp_path / "var", coding="off", inner_hosts=("127.0.0.1",),
        subscription_back_off_seconds=0.01, second_factor="optional",
    )  # fmt: skip
    app = create_app(settings)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/fhir/", timeout=120) as http:
        made = Closed(app, settings, http)
        root = made.token("system/*.cruds", client="root")
        for name in "AB":
            await made.ask(root, "PUT", f"Patient/{name}", {"resourceType": "Patient", "id": name})
            await made.ask(root, "PUT", f"Observation/{name}o", observation(f"{name}o", name))
        yield made
    app.state.fhir.store.close()


@pytest.fixture
def endpoint() -> Iterator[Any]:
    """An endpoint that keeps what it is sent."""
    made, server = asynchronous.open_endpoint()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def postman(closed: Closed, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Deliveries without the time that processes get to learn of a new subscription."""
    monkeypatch.setattr(asynchronous.deliver, "SETTLED_MS", 0)
    monkeypatch.setattr(asynchronous.deliver, "_ASKED_AGAIN", 0.0)
    monkeypatch.setattr(asynchronous.outbox, "FRESH_SECONDS", 0)
    for hook in closed.house.parts.fhir.on_write:
        if isinstance(hook, asynchronous.outbox.Outbox):
            hook._stale = 0.0
    return asynchronous.Postman(closed.house)


def observation(name: str, patient: str) -> dict[str, Any]:
    """An Observation of somebody."""
    return {
        "resourceType": "Observation", "id": name, "status": "final", "code": {"text": "x"},
        "subject": {"reference": f"Patient/{patient}"},
    }  # fmt: skip
