"""A backend service with its keys, and the assertions that it signs or should not."""

from __future__ import annotations

import base64
import json
import time
import uuid
from typing import Any

import httpx
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from fhir_profiles.systems import JWT_BEARER_ASSERTION
from server.auth import keep
from server.auth.model import Client
from tests.integration.auth.conftest import Flow

EC, RSA = ECKey.generate_key("P-384", auto_kid=True), RSAKey.generate_key(2048, auto_kid=True)
TOKEN_URL = "http://test/auth/token"
SERVICE = Client(
    id="service", title="A service", method="private_key_jwt", grants=("client_credentials",),
    scopes=("system/Patient.rs",), jwks={"keys": [EC.as_dict(private=False), RSA.as_dict(private=False)]},
)  # fmt: skip


def claims_of(changed: dict[str, Any] | None = None) -> dict[str, Any]:
    """Claims that are good, with some changed; None takes one away."""
    now = int(time.time())
    told = {"iss": "service", "sub": "service", "aud": TOKEN_URL, "exp": now + 200, "jti": str(uuid.uuid4())}
    return {name: value for name, value in (told | (changed or {})).items() if value is not None}


def signed(key: Any = EC, alg: str = "ES384", claims: dict[str, Any] | None = None, **header: Any) -> str:
    """An assertion as a careless library would let anybody sign it."""
    told = {"alg": alg, "kid": key.kid, "typ": "JWT"} | header
    top = {name: value for name, value in told.items() if value is not None}
    text = f"{part(top)}.{part(claims_of(claims))}"
    signature = jws.JWSRegistry(algorithms=[alg]).get_alg(alg).sign(text.encode(), key)
    return f"{text}.{_url(signature)}"


def part(value: Any) -> str:
    """A header or claims as they stand in a JWT."""
    return _url(json.dumps(value).encode())


def _url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def form_of(assertion: str, **more: str) -> dict[str, str]:
    """The form of a request for a token; empty values take a parameter away."""
    told = {
        "grant_type": "client_credentials", "scope": "system/Patient.rs",
        "client_assertion_type": JWT_BEARER_ASSERTION, "client_assertion": assertion,
    }  # fmt: skip
    return told | more


async def ask(flow: Flow, assertion: str, **more: str) -> httpx.Response:
    """The answer of the token endpoint."""
    return await flow.http.post("/auth/token", data={k: v for k, v in form_of(assertion, **more).items() if v})


def tokens_of(flow: Flow) -> int:
    """How many tokens there are."""
    return int(flow.store.query("SELECT count(*) FROM auth_token")[0][0])


def install(flow: Flow, one: Client = SERVICE) -> None:
    """Make a client known."""
    flow.store.write_sync(lambda tx: keep.put_client(tx, one))
