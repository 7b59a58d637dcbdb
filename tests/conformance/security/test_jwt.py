"""Client assertions (https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html): JWT-*."""

from __future__ import annotations

import asyncio
import base64
import hmac
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from joserfc.jwk import ECKey

from fhir_profiles.errors import Category, FhirError
from server.app import create_app
from server.auth.jwks import KeySets
from server.auth.model import Client
from server.settings import Settings
from tests.conformance.security.services import (
    EC,
    RSA,
    SERVICE,
    TOKEN_URL,
    ask,
    claims_of,
    install,
    part,
    signed,
    tokens_of,
)
from tests.integration.auth.conftest import SECRET, Flow

FORGED = ECKey.import_key(ECKey.generate_key("P-384").as_dict(private=True) | {"kid": EC.kid})
NOW = int(time.time())


def _unsigned() -> str:
    return f"{part({'alg': 'none', 'kid': EC.kid, 'typ': 'JWT'})}.{part(claims_of())}."


def _by_public_key(alg: str, algorithm: str) -> str:
    """Signed with what everybody knows as if it were a secret."""
    text = f"{part({'alg': alg, 'kid': RSA.kid, 'typ': 'JWT'})}.{part(claims_of())}"
    found = hmac.digest(RSA.as_pem(private=False), text.encode(), algorithm)
    return f"{text}.{base64.urlsafe_b64encode(found).decode().rstrip('=')}"


BAD: list[tuple[str, str, Callable[[], str]]] = [
    ("JWT-01", "alg none", _unsigned),
    ("JWT-01", "alg NONE", lambda: _unsigned().replace(part({"alg": "none"})[:14], part({"alg": "NoNe"})[:14])),
    ("JWT-02", "HS256 by the public key", lambda: _by_public_key("HS256", "sha256")),
    ("JWT-02", "HS384 by the public key", lambda: _by_public_key("HS384", "sha384")),
    ("JWT-03", "RS256", lambda: signed(RSA, "RS256")),
    ("JWT-03", "PS384", lambda: signed(RSA, "PS384")),
    ("JWT-04", "another key of the same kid", lambda: signed(FORGED)),
    ("JWT-05", "unknown kid", lambda: signed(kid="other")),
    ("JWT-05", "no kid", lambda: signed(kid=None)),
    ("JWT-07", "jwk in the header", lambda: signed(FORGED, jwk=FORGED.as_dict(private=False))),
    ("JWT-08", "x5u", lambda: signed(x5u="https://evil.example/key.pem")),
    ("JWT-08", "crit", lambda: signed(crit=["made-up"], **{"made-up": 1})),
    ("JWT-09", "iss is not sub", lambda: signed(claims={"iss": "other"})),
    ("JWT-09", "sub is not iss", lambda: signed(claims={"sub": "secret"})),
    ("JWT-09", "sub with letters no database keeps", lambda: signed(claims={"iss": "a\x00", "sub": "a\x00"})),
    ("JWT-10", "aud of another server", lambda: signed(claims={"aud": "https://other.example/auth/token"})),
    ("JWT-10", "aud of another tenant", lambda: signed(claims={"aud": "http://test/other/fhir"})),
    ("JWT-10", "token endpoint of another tenant", lambda: signed(claims={"aud": "http://test/other/auth/token"})),
    ("JWT-10", "aud of several", lambda: signed(claims={"aud": [TOKEN_URL, "https://other.example"]})),
    ("JWT-10", "no aud", lambda: signed(claims={"aud": None})),
    ("JWT-11", "exp in the past", lambda: signed(claims={"exp": NOW - 100})),
    ("JWT-12", "exp in an hour", lambda: signed(claims={"exp": NOW + 3600})),
    ("JWT-13", "exp as text", lambda: signed(claims={"exp": str(NOW + 100)})),
    ("JWT-13", "exp infinite", lambda: signed(claims={"exp": float("inf")})),
    ("JWT-13", "exp 1e308", lambda: signed(claims={"exp": 1e308})),
    ("JWT-13", "exp true", lambda: signed(claims={"exp": True})),
    ("JWT-13", "exp a list", lambda: signed(claims={"exp": [NOW + 100]})),
    ("JWT-14", "no jti", lambda: signed(claims={"jti": None})),
    ("JWT-14", "empty jti", lambda: signed(claims={"jti": ""})),
    ("JWT-15", "jti a list", lambda: signed(claims={"jti": ["a"]})),
    ("JWT-17", "nbf in the future", lambda: signed(claims={"nbf": NOW + 1_000_000})),
    ("JWT-17", "nbf as text", lambda: signed(claims={"nbf": "now"})),
    ("JWT-19", "empty", lambda: ""),
    ("JWT-19", "a.b.c", lambda: "a.b.c"),
    ("JWT-19", "5 MB", lambda: "a" * 5_000_000),
    ("JWT-19", "5 MB in three parts", lambda: f"{'a' * 2_500_000}.{'b' * 2_500_000}.c"),
    ("JWT-19", "a list as claims", lambda: f"{part({'alg': 'ES384', 'kid': EC.kid})}.{part([1])}.AAAA"),
    ("JWT-19", "not ASCII", lambda: "é.é.é"),
]


@pytest.mark.check(
    "JWT-01",
    "JWT-02",
    "JWT-03",
    "JWT-04",
    "JWT-05",
    "JWT-07",
    "JWT-08",
    "JWT-09",
    "JWT-10",
    "JWT-11",
    "JWT-13",
    "JWT-14",
    "JWT-17",
    "JWT-19",
)
async def test_no_bad_assertion_gives_a_token(flow: Flow) -> None:
    """JWT-01 to JWT-19: each is refused as invalid_client, none makes the server fail, and there is no token."""
    install(flow)
    for check, name, made in BAD:
        answer = await ask(flow, made())
        told = (check, name, answer.status_code, answer.text)
        assert answer.status_code in (400, 401) and answer.json()["error"] == "invalid_client", told
        assert answer.headers["cache-control"] == "no-store", told
    assert tokens_of(flow) == 0
    assert (await ask(flow, signed())).status_code == 200, "what was refused did no harm"


async def test_jwt_06_a_key_set_that_is_not_registered_is_not_fetched(flow: Flow) -> None:
    """A jku other than the registered one is refused; nothing is asked for there."""
    install(flow)
    for jku in ("https://evil.example/jwks", "http://127.0.0.1:1/jwks", "https://evil.example"):
        assert (await ask(flow, signed(FORGED, jku=jku))).json()["error"] == "invalid_client"
    assert tokens_of(flow) == 0


@pytest.mark.check("JWT-05")
async def test_jwt_05_a_kid_of_two_keys_is_of_none(flow: Flow) -> None:
    """Where two keys of the set fit, none is taken."""
    both = {"keys": [EC.as_dict(private=False), FORGED.as_dict(private=False)]}
    install(flow, msgspec.structs.replace(SERVICE, jwks=both))
    assert (await ask(flow, signed())).json()["error"] == "invalid_client"


@pytest.mark.check("JWT-16")
async def test_jwt_16_an_assertion_is_good_once(flow: Flow, database_url: str, tmp_path: Path) -> None:
    """Fifty at once: one token. Again, and after a restart: none."""
    install(flow)
    assertion = signed()
    answers = await asyncio.gather(*(ask(flow, assertion) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 49
    assert (await ask(flow, assertion)).json()["error"] == "invalid_client"
    assert tokens_of(flow) == 1
    again = create_app(Settings(database=database_url, data=tmp_path / "var", log_requests="problems", coding="off"))
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(again), base_url="http://test") as http:
            other = Flow.__new__(Flow)
            other.http = http
            assert (await ask(other, assertion)).json()["error"] == "invalid_client"
    finally:
        again.state.fhir.store.close()


async def test_jwt_18_a_good_assertion_of_another_kind_or_client_is_refused(flow: Flow) -> None:
    """A wrong client_assertion_type, or a client_id beside it that is another's."""
    install(flow)
    assert (await ask(flow, signed(), client_assertion_type="urn:made-up")).json()["error"] == "invalid_client"
    assert (await ask(flow, signed(), client_id="public")).json()["error"] == "invalid_client"
    assert tokens_of(flow) == 0


@pytest.mark.check("JWT-20")
async def test_jwt_20_a_service_cannot_choose_a_weaker_way(flow: Flow) -> None:
    """A client with keys gets nothing with a secret, with none, or with an empty assertion."""
    install(flow, msgspec.structs.replace(SERVICE, secret="-"))
    form = {"grant_type": "client_credentials", "scope": "system/Patient.rs"}
    tries: list[tuple[dict[str, str], tuple[str, str] | None]] = [
        ({"client_id": "service"}, None), ({"client_id": "service", "client_secret": "x"}, None),
        ({}, ("service", "x")),
        ({"client_id": "service", "client_secret": ""}, None), ({}, ("service", "")),
    ]  # fmt: skip
    for more, basic in tries:
        answer = await flow.http.post("/auth/token", data=form | more, auth=basic)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), more
    refused = await flow.post("/auth/token", form, ("secret", SECRET))
    assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")
    assert tokens_of(flow) == 0


@pytest.mark.check("JWT-21")
@pytest.mark.parametrize("at", ["inline", "jwks_uri"])
@pytest.mark.parametrize(("key", "alg"), [(EC, "ES384"), (RSA, "RS384")])
async def test_jwt_21_both_algorithms_and_both_ways_to_register(
    flow: Flow, monkeypatch: pytest.MonkeyPatch, key: Any, alg: str, at: str
) -> None:
    """Four combinations give a token; with a URL, also where the assertion names it."""
    url = "https://service.example/jwks"

    async def fetch(_self: KeySets, asked: str) -> tuple[int, Any]:
        assert asked == url
        return 300, SERVICE.jwks

    monkeypatch.setattr(KeySets, "_fetch", fetch)
    install(flow, SERVICE if at == "inline" else msgspec.structs.replace(SERVICE, jwks=None, jwks_uri=url))
    assert (await ask(flow, signed(key, alg))).status_code == 200
    if at == "jwks_uri":
        assert (await ask(flow, signed(key, alg, jku=url))).status_code == 200


def test_a_key_set_is_kept_as_long_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that may not be kept is fetched each time; one that may is not; one that fails is not asked at once again."""
    asked: list[str] = []
    lives = {"https://a.example": 0, "https://b.example": 300}

    async def fetch(_self: KeySets, url: str) -> tuple[int, Any]:
        asked.append(url)
        if url not in lives:
            raise FhirError.of(Category.UNAVAILABLE, "transient", "no")
        return lives[url], {"keys": []}

    monkeypatch.setattr(KeySets, "_fetch", fetch)
    sets = KeySets(None)  # type: ignore[arg-type]
    for url in (*lives, "https://c.example"):
        for _ in range(2):
            try:
                sets(Client(id="x", title="x", method="private_key_jwt", jwks_uri=url))
            except FhirError:
                assert url == "https://c.example"
    assert asked == ["https://a.example"] * 2 + ["https://b.example", "https://c.example"]
