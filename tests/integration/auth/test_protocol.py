"""The code flow from end to end (https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html)."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from fhir_profiles.systems import JWT_BEARER_ASSERTION
from server.access.caller import ANYBODY
from server.auth import keep
from server.auth.model import Client, Context
from server.auth.secrets import hash_password
from server.interactions.exchange import Request
from tests.integration.auth.conftest import BASE, CHALLENGE, REDIRECT, SECRET, Flow

EC, RSA = ECKey.generate_key("P-384", auto_kid=True), RSAKey.generate_key(2048, auto_kid=True)
SERVICE = Client(
    id="service", title="A service", method="private_key_jwt", grants=("client_credentials",),
    scopes=("system/Patient.rs",), jwks={"keys": [EC.as_dict(private=False), RSA.as_dict(private=False)]},
)  # fmt: skip


async def test_a_flow_gives_a_token_that_reads(flow: Flow) -> None:
    """Authorize, consent, token, a read of what is within reach, and none without the token."""
    store = flow.store
    app: Any = flow.http._transport.app  # type: ignore[attr-defined]
    for name in "AB":
        body = json.dumps({"resourceType": "Patient", "id": name}).encode()
        app.state.fhir.handle_sync(Request(caller=ANYBODY, method="PUT", path=("Patient", name), body=body))
    told = await flow.tokens()
    assert told["token_type"] == "Bearer" and told["patient"] == "A" and told["expires_in"] == 3600
    assert told["scope"].split() == ["patient/*.rs", "launch/patient"]
    assert (await flow.get("Patient/A", told["access_token"])).status_code == 200
    assert (await flow.get("Patient/B", told["access_token"])).status_code == 404
    refused = await flow.get("Patient/A")
    assert refused.status_code == 401 and refused.headers["www-authenticate"].startswith("Bearer")
    assert (await flow.get("metadata")).status_code == 200
    assert told["access_token"] not in str(store.query("SELECT * FROM auth_token"))


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"aud": ""}, "invalid_request"), ({"aud": "https://evil.example/fhir"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"), ({"code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"), ({"scope": "nonsense"}, "invalid_scope"),
        ({"scope": "launch"}, "invalid_request"), ({"launch": "made-up", "scope": "launch"}, "invalid_request"),
        ({"scope": "system/*.rs"}, "invalid_scope"), ({"scope": "patient/Observation.rs?nothing=x"}, "invalid_scope"),
    ],
)  # fmt: skip
async def test_what_is_wrong_goes_back_to_the_app(flow: Flow, changed: dict[str, str], error: str) -> None:
    """Once the place to go back to is known to be the app's, errors go there with the state, and there is no code."""
    answer = await flow.authorize(**changed)
    assert answer.status_code == 302
    found = parse_qs(urlsplit(answer.headers["location"]).query)
    assert answer.headers["location"].startswith(REDIRECT)
    assert (found["error"], found["state"]) == ([error], ["st"])


@pytest.mark.parametrize(
    "changed",
    [{"redirect_uri": uri} for uri in (
        f"{REDIRECT}/", f"{REDIRECT}x", REDIRECT[:-1], "https://app.example:444/cb", "https://u@app.example/cb",
        "https://app.example./cb", "https://APP.example/cb", "https://evil.example/cb", "",
    )] + [{"client": "nobody"}, {"redirect_uri": "https://evil.example", "response_type": "token"}],
)  # fmt: skip
async def test_nothing_goes_to_a_place_that_is_not_registered(flow: Flow, changed: dict[str, str]) -> None:
    """A client or redirect_uri that is not known, letter for letter, is told here and nowhere else."""
    answer = await flow.authorize(**changed)
    assert answer.status_code in (400, 401)
    assert "location" not in answer.headers


@pytest.mark.parametrize("verifier", ["", "w" * 64, CHALLENGE, "short"])
async def test_one_wrong_verifier_burns_the_code(flow: Flow, verifier: str) -> None:
    """After an attempt with none, a wrong one or the challenge, the right one is worth nothing."""
    code = await flow.code()
    assert (await flow.redeem(code, code_verifier=verifier)).status_code == 400
    again = await flow.redeem(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


async def test_a_code_that_comes_twice_ends_what_came_of_it(flow: Flow) -> None:
    """The second use is refused, and the token of the first is worth nothing from then on."""
    code = await flow.code()
    first = (await flow.redeem(code)).json()["access_token"]
    assert (await flow.get("Patient", first)).status_code == 200
    assert (await flow.redeem(code)).status_code == 400
    assert (await flow.get("Patient", first)).status_code == 401


async def test_a_code_is_of_its_client_and_place(flow: Flow) -> None:
    """Another client, or another redirect_uri, gets nothing for it."""
    assert (await flow.redeem(await flow.code(), "secret")).json()["error"] == "invalid_grant"
    refused = await flow.redeem(await flow.code(), redirect_uri="https://app.example/other")
    assert refused.json()["error"] == "invalid_grant"


async def test_a_client_with_a_secret_shows_it(flow: Flow) -> None:
    """With its secret it gets tokens; without, or with another one, 401, and Basic only where Basic came."""
    assert (await flow.tokens(client="secret"))["access_token"]
    code = await flow.code(client="secret")
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": "v" * 64}
    shown: list[tuple[tuple[str, str] | None, dict[str, str]]] = [
        (("secret", "wrong"), {}),
        (None, {"client_id": "secret"}),
        (None, {"client_secret": SECRET, "client_id": "secret"}),
    ]
    for basic, more in shown:
        answer = await flow.post("/auth/token", form | more, basic)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert ("www-authenticate" in answer.headers) == (basic is not None)


async def test_refresh_tokens_turn_over(flow: Flow) -> None:
    """Each is good once; one that comes twice ends the family; none widens what was granted."""
    told = await flow.tokens(scope="patient/*.rs launch/patient offline_access")
    form = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"]}
    wider = await flow.post("/auth/token", form | {"scope": "patient/*.cruds"})
    assert wider.json()["error"] == "invalid_scope"
    again = (await flow.post("/auth/token", form | {"scope": "patient/Observation.rs"})).json()
    assert again["scope"] == "patient/Observation.rs"
    last = (await flow.post("/auth/token", form | {"refresh_token": again["refresh_token"]})).json()
    assert last["scope"] == told["scope"]
    assert (await flow.post("/auth/token", form)).json()["error"] == "invalid_grant"
    assert (await flow.get("Patient", last["access_token"])).status_code == 401


async def test_online_access_ends_with_the_session(flow: Flow) -> None:
    """When the person has signed out, there is nothing to refresh."""
    told = await flow.tokens(scope="patient/*.rs launch/patient online_access")
    flow.store.write_sync(lambda tx: keep.end_session(tx, "s"))
    form = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"]}
    assert (await flow.post("/auth/token", form)).json()["error"] == "invalid_grant"


async def test_an_id_token_says_who_it_is(flow: Flow) -> None:
    """RS256 with a published key, our issuer, the client as audience, the nonce, and who that is."""
    told = await flow.tokens(scope="openid fhirUser user/*.rs", nonce="n-1", patient=None)
    keys = KeySet.import_key_set((await flow.http.get("/auth/jwks")).json())
    read = jwt.decode(told["id_token"], keys, algorithms=["RS256"])
    assert read.claims["iss"] == BASE and read.claims["aud"] == "public" and read.claims["nonce"] == "n-1"
    assert read.claims["fhirUser"] == f"{BASE}/Practitioner/d"
    assert "d" not in (await flow.http.get("/auth/jwks")).json()["keys"][0]


async def test_an_ehr_launch_gives_its_context(flow: Flow) -> None:
    """The launch is good once, for its app."""
    launch = flow.endpoints.launch("public", Context(patient="A", encounter="E", need_patient_banner=False))
    answer = await flow.authorize(scope="launch patient/*.rs", launch=launch)
    assert answer.status_code == 303
    again = await flow.authorize(scope="launch patient/*.rs", launch=launch)
    assert "error=invalid_request" in again.headers["location"]


def _assertion(key: Any, alg: str, claims: dict[str, Any] | None = None, **header: Any) -> str:
    now = int(time.time())
    told = {
        "iss": "service",
        "sub": "service",
        "aud": "http://test/auth/token",
        "exp": now + 200,
        "jti": str(uuid.uuid4()),
    }
    body = {name: value for name, value in (told | (claims or {})).items() if value is not None}
    top = {"alg": alg, "kid": key.kid, "typ": "JWT"} | header
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    return jws.serialize_compact(top, json.dumps(body).encode(), key, registry=registry)


async def _service(flow: Flow, assertion: str, **more: str) -> Any:
    form = {
        "grant_type": "client_credentials",
        "scope": "system/Patient.rs",
        "client_assertion_type": JWT_BEARER_ASSERTION,
    }
    return await flow.post("/auth/token", form | {"client_assertion": assertion} | more)


@pytest.fixture
def service(flow: Flow) -> Flow:
    """The server with a backend service."""
    flow.store.write_sync(lambda tx: keep.put_client(tx, SERVICE))
    return flow


@pytest.mark.parametrize(("key", "alg"), [(EC, "ES384"), (RSA, "RS384")])
async def test_a_service_gets_a_short_token_once(service: Flow, key: Any, alg: str) -> None:
    """Both algorithms; five minutes; the same assertion again is refused."""
    assertion = _assertion(key, alg)
    told = (await _service(service, assertion)).json()
    assert told["scope"] == "system/Patient.rs" and told["expires_in"] == 300 and "refresh_token" not in told
    assert (await service.get("Patient", told["access_token"])).status_code == 200
    assert (await service.get("Observation", told["access_token"])).status_code == 403
    again = await _service(service, assertion)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
    for scope in ("system/Observation.rs", "patient/Patient.rs", ""):
        assert (await _service(service, _assertion(key, alg), scope=scope)).json()["error"] == "invalid_scope"


async def test_a_service_outside_smart_shows_its_secret(flow: Flow) -> None:
    """Only where it was let in so: the secret in the body or the header; no scope stands for all it may have."""
    plain = Client(
        id="plain", title="Plain", method="client_secret_basic", secret=hash_password(SECRET), post_secret=True,
        grants=("client_credentials",), scopes=("system/Patient.rs", "system/Observation.rs"),
    )  # fmt: skip
    strict = msgspec.structs.replace(plain, id="strict", post_secret=False)
    flow.store.write_sync(lambda tx: (keep.put_client(tx, plain), keep.put_client(tx, strict)))
    form = {"grant_type": "client_credentials", "client_id": "plain", "client_secret": SECRET}
    told = (await flow.post("/auth/token", form)).json()
    assert told["scope"] == "system/Patient.rs system/Observation.rs" and told["expires_in"] == 300
    assert "refresh_token" not in told and (await flow.get("Patient", told["access_token"])).status_code == 200
    some = (await flow.post("/auth/token", form | {"scope": "system/Patient.r system/*.d"})).json()
    assert some["scope"] == "system/Patient.r"
    alone = {"grant_type": "client_credentials"}
    assert (await flow.post("/auth/token", alone, ("plain", SECRET))).json()["scope"] == told["scope"]
    assert (await flow.post("/auth/token", form | {"client_secret": "x"})).status_code == 401
    assert (await flow.post("/auth/token", form | {"client_id": "strict"})).status_code == 401
    assert (await flow.post("/auth/token", alone, ("strict", SECRET))).json()["error"] == "unauthorized_client"


_NOW = int(time.time())


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": _NOW - 100}, {"exp": _NOW + 3600}, {"exp": "soon"}, {"exp": 1e308}, {"exp": None}, {"jti": None},
        {"jti": ["a"]}, {"iss": "other"}, {"sub": "other"}, {"aud": "https://other.example/token"}, {"aud": None},
        {"nbf": _NOW + 1_000_000}, {"aud": ["http://test/auth/token", "https://other.example"]},
    ],
)  # fmt: skip
async def test_an_assertion_with_a_wrong_claim_is_refused(service: Flow, claims: dict[str, Any]) -> None:
    """401 invalid_client and no token."""
    answer = await _service(service, _assertion(EC, "ES384", claims))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("text", ["", "a.b.c", "x" * 100_000, "e30.e30.", "..", "eyJhbGciOiJub25lIn0.e30."])
async def test_what_is_no_assertion_is_refused(service: Flow, text: str) -> None:
    """400 or 401, never a failure of the server."""
    assert (await _service(service, text)).status_code in (400, 401)


async def test_tokens_can_be_looked_up_and_ended(flow: Flow) -> None:
    """A client learns what its own token is worth, and nothing of others'; what it ends is ended."""
    told = await flow.tokens(client="secret", scope="patient/*.rs launch/patient offline_access")
    asked = {"token": told["access_token"]}
    found = (await flow.post("/auth/introspect", asked, ("secret", SECRET))).json()
    assert found["active"] and found["client_id"] == "secret" and found["patient"] == "A"
    assert (await flow.post("/auth/introspect", asked)).status_code == 401
    other = (await flow.tokens())["access_token"]
    assert (await flow.post("/auth/introspect", {"token": other}, ("secret", SECRET))).json() == {"active": False}
    assert (await flow.post("/auth/revoke", {"token": other}, ("secret", SECRET))).status_code == 200
    assert (await flow.get("Patient", other)).status_code == 200
    assert (await flow.post("/auth/revoke", {"token": told["refresh_token"]}, ("secret", SECRET))).status_code == 200
    assert (await flow.get("Patient", told["access_token"])).status_code == 401
    assert (await flow.post("/auth/introspect", asked, ("secret", SECRET))).json() == {"active": False}
