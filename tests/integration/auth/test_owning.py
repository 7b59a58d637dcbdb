"""Whoever registered a client reads, changes and ends it (https://datatracker.ietf.org/doc/html/rfc7592)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from server.auth import keep
from server.auth.registering import approve

from .conftest import REDIRECT, SECRET, Flow

ASKED = {
    "client_name": "New", "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none",
    "scope": "launch/patient patient/*.rs",
}  # fmt: skip


async def _registered(flow: Flow, **more: Any) -> dict[str, Any]:
    """A client that registered itself, as it was told."""
    answer = await flow.http.post("/auth/register", json=ASKED | more)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def _send(flow: Flow, method: str, told: dict[str, Any], body: Any = None, token: str = "") -> httpx.Response:
    """A request to where a client is looked after."""
    path = urlsplit(told["registration_client_uri"]).path
    headers = {"authorization": f"Bearer {token or told['registration_access_token']}"}
    return await flow.http.request(method, path, json=body, headers=headers)


async def test_the_owner_reads_what_was_registered(flow: Flow) -> None:
    """The same metadata as at first, without the secret; the token is kept as a hash."""
    told = await _registered(flow, token_endpoint_auth_method="client_secret_basic")
    assert told["registration_client_uri"] == f"http://test/auth/register/{told['client_id']}"
    assert len(told["registration_access_token"]) >= 43
    answer = await _send(flow, "GET", told)
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    assert answer.json() == {k: v for k, v in told.items() if not k.startswith("client_secret")}
    dump = str(flow.store.query("SELECT * FROM auth_client"))
    assert told["registration_access_token"] not in dump and told["client_secret"] not in dump


async def test_nobody_else_does(flow: Flow) -> None:
    """No token, another client's, an access token, and ids that nobody has: 401, letter for letter the same."""
    told, other = await _registered(flow), await _registered(flow)
    access = (await flow.tokens())["access_token"]
    seen = set()
    for token in ("nothing", other["registration_access_token"], access, SECRET, "a" * 5000):
        for method, body in (("GET", None), ("PUT", ASKED | {"client_id": told["client_id"]}), ("DELETE", None)):
            for where in (told, {"registration_client_uri": "/auth/register/nobody"},
                          {"registration_client_uri": "/auth/register/public"}):  # fmt: skip
                answer = await _send(flow, method, where, body, token)
                seen.add((answer.status_code, answer.text, answer.headers["www-authenticate"]))
    assert len(seen) == 1 and next(iter(seen))[0] == 401
    assert (await flow.http.get(urlsplit(told["registration_client_uri"]).path)).status_code == 401
    assert keep.client(flow.store, told["client_id"]) and keep.client(flow.store, "public")


async def test_a_change_ends_what_was_given_and_waits_again(flow: Flow) -> None:
    """Other metadata hold from their approval on; until then the client begins nothing, and its tokens are over."""
    told = await _registered(flow)
    id = told["client_id"]
    approve(flow.store, id)
    token = (await flow.tokens(client=id))["access_token"]
    assert (await flow.get("Patient", token)).status_code == 200
    changed = ASKED | {"client_id": id, "scope": "launch/patient patient/Patient.rs", "client_name": "Newer"}
    answer = await _send(flow, "PUT", told, changed)
    assert answer.status_code == 200
    assert (answer.json()["scope"], answer.json()["client_name"]) == (changed["scope"], "Newer")
    assert (await flow.get("Patient", token)).status_code == 401
    assert "location" not in (await flow.authorize(id)).headers
    approve(flow.store, id)
    assert (await flow.authorize(id, "launch/patient patient/Patient.rs")).status_code == 303
    assert (await _send(flow, "GET", told)).status_code == 200


@pytest.mark.parametrize(
    "more",
    [
        {"client_id": "public"}, {"client_id": None}, {"registration_access_token": "mine"}, {"client_id_issued_at": 1},
        {"redirect_uris": ["http://evil.example/"]}, {"scope": "system/*.cruds"}, {"client_secret": "guess"},
        {"client_secret": 1}, {"token_endpoint_auth_method": "client_secret_post"},
    ],
    ids=str,
)  # fmt: skip
async def test_a_change_that_is_wrong_changes_nothing(flow: Flow, more: dict[str, Any]) -> None:
    """Another id, what only the server says, and whatever could not be registered: 400."""
    told = await _registered(flow)
    before = keep.client(flow.store, told["client_id"])
    answer = await _send(flow, "PUT", told, ASKED | {"client_id": told["client_id"]} | more)
    assert answer.status_code == 400 and answer.json()["error"].startswith("invalid_")
    assert keep.client(flow.store, told["client_id"]) == before
    assert (await _send(flow, "PUT", told, "words")).status_code == 400


async def test_a_secret_stays_through_a_change(flow: Flow) -> None:
    """A client with a secret keeps it, and may name it; one that begins to have one is told it once."""
    told = await _registered(flow, token_endpoint_auth_method="client_secret_basic")
    kept = keep.client(flow.store, told["client_id"])
    asked = ASKED | {"client_id": told["client_id"], "token_endpoint_auth_method": "client_secret_basic"}
    answer = await _send(flow, "PUT", told, asked | {"client_secret": told["client_secret"]})
    assert answer.status_code == 200 and "client_secret" not in answer.json()
    after = keep.client(flow.store, told["client_id"])
    assert kept is not None and after is not None and kept.secret == after.secret and not after.approved
    public = await _registered(flow)
    answer = await _send(flow, "PUT", public, asked | {"client_id": public["client_id"]})
    assert len(answer.json()["client_secret"]) >= 43


async def test_the_owner_ends_it(flow: Flow) -> None:
    """The client and all it was given are gone, and so is its token."""
    told = await _registered(flow)
    approve(flow.store, told["client_id"])
    token = (await flow.tokens(client=told["client_id"]))["access_token"]
    assert (await _send(flow, "DELETE", told)).status_code == 204
    assert (await flow.get("Patient", token)).status_code == 401
    assert keep.client(flow.store, told["client_id"]) is None
    for method in ("GET", "DELETE"):
        assert (await _send(flow, method, told)).status_code == 401
