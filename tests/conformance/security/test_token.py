"""What the token endpoint gives and takes back (https://hl7.org/fhir/smart-app-launch/STU2.2/): TOKEN-*."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from fhir_profiles.errors import FhirError
from server.auth import keep
from server.auth.launching import check_context
from server.auth.model import Client, Context
from server.auth.signing import PUBLISHED_DAYS, Keys
from tests.conformance.security.services import SERVICE, ask, install, signed
from tests.integration.auth.conftest import ALICE, BASE, SECRET, Flow

OFFLINE = "patient/*.rs launch/patient offline_access"
BASIC = ("secret", SECRET)


async def _refresh(flow: Flow, token: str, basic: tuple[str, str] | None = None, **more: str) -> httpx.Response:
    return await flow.post("/auth/token", {"grant_type": "refresh_token", "refresh_token": token} | more, basic)


@pytest.mark.check("TOKEN-01", "TOKEN-02")
async def test_token_01_and_token_02_every_answer_has_its_shape(flow: Flow) -> None:
    """Code, refresh and service: headers, token, Bearer, lifetime, scope; no refresh token where none was granted."""
    install(flow)
    code = await flow.redeem(await flow.code(scope=OFFLINE))
    answers = [code, await _refresh(flow, code.json()["refresh_token"]), await ask(flow, signed())]
    for answer, most in zip(answers, (3600, 3600, 300), strict=True):
        assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
        assert answer.headers["content-type"] == "application/json"
        told = answer.json()
        assert told["token_type"] == "Bearer" and told["scope"] and 0 < told["expires_in"] <= most
        assert re.fullmatch(r"[A-Za-z0-9._~+/-]{22,}=*", told["access_token"])
    assert "refresh_token" not in answers[2].json()
    assert "refresh_token" not in await flow.tokens()


@pytest.mark.check("TOKEN-03")
async def test_token_03_the_launch_context_stands_beside_the_token(flow: Flow) -> None:
    """Each parameter of a launch with its type; what stands in no fhirContext is refused when a launch is made."""
    context = Context(
        patient="A", encounter="E", need_patient_banner=False, smart_style_url="https://ehr.example/style.json",
        intent="reconcile", tenant="ward-7", fhir_context=({"reference": "ImagingStudy/1"}, {"canonical": "http://x"}),
    )  # fmt: skip
    told = await _launched(flow, context)
    assert (told["patient"], told["encounter"], told["need_patient_banner"]) == ("A", "E", False)
    assert (told["smart_style_url"], told["intent"], told["tenant"]) == (
        "https://ehr.example/style.json", "reconcile", "ward-7",
    )  # fmt: skip
    assert told["fhirContext"] == [{"reference": "ImagingStudy/1"}, {"canonical": "http://x"}]
    found = (await flow.post("/auth/introspect", {"token": told["access_token"]}, BASIC)).json()
    assert {name: found[name] for name in ("patient", "encounter", "intent", "fhirContext", "tenant")} == {
        name: told[name] for name in ("patient", "encounter", "intent", "fhirContext", "tenant")
    }


async def _launched(flow: Flow, context: Context) -> dict[str, Any]:
    """The tokens of a launch by an EHR, of the client with a secret."""
    launch = flow.endpoints.launch("secret", context)
    asked = await flow.authorize("secret", "launch patient/*.rs openid fhirUser", launch=launch)
    pending = parse_qs(urlsplit(asked.headers["location"]).query)["request"][0]
    given = ("launch", "patient/*.rs", "openid", "fhirUser")
    answer = flow.endpoints.agree(pending, ALICE, flow.session, given, context, BASE)
    code = parse_qs(urlsplit(answer.location or "").query)["code"][0]
    told: dict[str, Any] = (await flow.redeem(code, "secret")).json()
    return told


@pytest.mark.check("TOKEN-03")
@pytest.mark.parametrize(
    "entry",
    [
        {}, {"type": "List"}, {"reference": "Patient/1"}, {"reference": "Encounter/1", "role": "launch"},
        {"reference": "List/1", "role": ""}, {"reference": "List/1", "role": "at-home"}, {"reference": 1},
    ],
    ids=str,
)  # fmt: skip
def test_token_03_no_launch_has_a_context_that_apps_misread(entry: dict[str, Any]) -> None:
    """An entry without target, a patient or encounter that was launched, a role that is no absolute URI."""
    with pytest.raises(FhirError):
        check_context(Context(patient="A", fhir_context=(entry,)))
    check_context(Context(fhir_context=({"reference": "Patient/1", "role": "https://ehr.example/donor"},)))


async def test_token_04_a_patient_scope_needs_a_patient(flow: Flow) -> None:
    """Without a patient in context there is no code."""
    assert await flow.code(patient=None, scope="patient/*.rs") == "invalid_scope"


@pytest.mark.check("TOKEN-05")
async def test_token_05_a_refresh_never_widens(flow: Flow) -> None:
    """More is invalid_scope; less is given; none named is what was granted at first."""
    told = await flow.tokens(scope=OFFLINE)
    for scope in ("patient/*.cruds", f"{OFFLINE} user/*.rs", "openid"):
        assert (await _refresh(flow, told["refresh_token"], scope=scope)).json()["error"] == "invalid_scope"
    less = (await _refresh(flow, told["refresh_token"], scope="patient/Condition.rs")).json()
    assert less["scope"] == "patient/Condition.rs"
    assert (await flow.get("Observation", less["access_token"])).status_code == 403
    assert (await _refresh(flow, less["refresh_token"])).json()["scope"] == told["scope"]


@pytest.mark.check("TOKEN-06")
async def test_token_06_a_refresh_token_is_of_its_client(flow: Flow) -> None:
    """Another client's credentials get nothing, and do not spend it."""
    told = await flow.tokens(scope=OFFLINE)
    answer = await _refresh(flow, told["refresh_token"], BASIC)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    of_secret = await flow.tokens(client="secret", scope=OFFLINE)
    assert (await _refresh(flow, of_secret["refresh_token"])).status_code in (400, 401)
    assert (await _refresh(flow, told["refresh_token"], client_id="public")).status_code == 200


@pytest.mark.check("TOKEN-07")
async def test_token_07_a_page_refreshes_without_its_id(flow: Flow) -> None:
    """The token says whose it is; what is no token is refused without a header at which browsers ask for passwords."""
    told = await flow.tokens(scope=OFFLINE)
    assert (await _refresh(flow, told["refresh_token"])).status_code == 200
    junk = await _refresh(flow, "junk")
    assert junk.status_code in (400, 401) and "www-authenticate" not in junk.headers


@pytest.mark.check("TOKEN-08")
async def test_token_08_online_access_ends_with_the_session(flow: Flow) -> None:
    """When the person has signed out, nothing refreshes it; offline access goes on."""
    online = await flow.tokens(scope="patient/*.rs launch/patient online_access")
    offline = await flow.tokens(scope=OFFLINE)
    flow.store.write_sync(lambda tx: keep.end_session(tx, "s"))
    assert (await _refresh(flow, online["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await _refresh(flow, offline["refresh_token"])).status_code == 200


@pytest.mark.check("TOKEN-09")
async def test_token_09_what_is_revoked_is_worth_nothing(flow: Flow) -> None:
    """An access token alone, a refresh token with its family; junk is 200; what is another's stays."""
    told = await flow.tokens(client="secret", scope=OFFLINE)
    other = await flow.tokens()
    for token in ("junk", "", other["access_token"]):
        assert (await flow.post("/auth/revoke", {"token": token}, BASIC)).status_code == 200
    assert (await flow.get("Patient", other["access_token"])).status_code == 200
    await flow.post("/auth/revoke", {"token": told["access_token"]}, BASIC)
    assert (await flow.get("Patient", told["access_token"])).status_code == 401
    again = (await _refresh(flow, told["refresh_token"], BASIC)).json()
    await flow.post("/auth/revoke", {"token": again["refresh_token"]}, BASIC)
    assert (await flow.get("Patient", again["access_token"])).status_code == 401
    assert (await _refresh(flow, again["refresh_token"], BASIC)).status_code in (400, 401)


@pytest.mark.check("TOKEN-10")
async def test_token_10_a_token_can_be_looked_up(flow: Flow) -> None:
    """What it carries as it was given; of one that is expired, revoked or junk nothing but that it is not active."""
    told = await flow.tokens(client="secret", scope="openid fhirUser patient/*.rs launch/patient")
    asked = {"token": told["access_token"]}
    found = (await flow.post("/auth/introspect", asked, BASIC)).json()
    claims = jwt.decode(told["id_token"], await _keys(flow), algorithms=["RS256"]).claims
    assert found["active"] is True and found["scope"] == told["scope"] and found["client_id"] == "secret"
    assert abs(found["exp"] - time.time() - told["expires_in"]) < 60 and isinstance(found["exp"], int)
    assert {name: found[name] for name in ("iss", "sub", "fhirUser")} == {
        name: claims[name] for name in ("iss", "sub", "fhirUser")
    }
    assert found["patient"] == "A"
    await flow.post("/auth/revoke", asked, BASIC)
    expired = (await flow.tokens(client="secret"))["access_token"]
    _expire(flow)
    assert (await flow.get("Patient", expired)).status_code == 401
    for token in (told["access_token"], expired, "junk", "", "a\x00b"):
        answer = await flow.post("/auth/introspect", {"token": token}, BASIC)
        assert answer.json() == {"active": False}


def _expire(flow: Flow) -> None:
    """Let time pass for all tokens."""

    def run(tx: Any) -> None:
        for hash, data, expires in tx.query("SELECT hash, data, expires FROM auth_token"):
            past = keep.now() - 1000
            changed = data.replace(str(expires), str(past))
            tx.execute("UPDATE auth_token SET data = ?, expires = ? WHERE hash = ?", (changed, past, hash))

    flow.store.write_sync(run)


async def _keys(flow: Flow) -> KeySet:
    return KeySet.import_key_set((await flow.http.get("/auth/jwks")).json())


@pytest.mark.check("TOKEN-11")
async def test_token_11_looking_up_needs_a_right_to(flow: Flow) -> None:
    """Without credentials 401; with a patient's token nothing of others; with the scope for it any token."""
    told = (await flow.tokens(client="secret"))["access_token"]
    assert (await flow.post("/auth/introspect", {"token": told})).status_code == 401
    assert (await flow.post("/auth/introspect", {"token": told, "client_id": "public"})).status_code == 401
    bearer = {"authorization": f"Bearer {(await flow.tokens())['access_token']}"}
    assert (await flow.post("/auth/introspect", {"token": told}, **bearer)).json() == {"active": False}
    assert (await flow.post("/auth/introspect", {"token": told}, authorization="Bearer junk")).status_code == 401
    install(flow, _looker())
    service = (await ask(flow, signed(), scope="fhirwright/admin")).json()["access_token"]
    found = await flow.post("/auth/introspect", {"token": told}, authorization=f"Bearer {service}")
    assert found.json()["active"] is True and found.json()["client_id"] == "secret"


def _looker() -> Client:
    return msgspec.structs.replace(SERVICE, scopes=("system/Patient.rs", "fhirwright/admin"))


@pytest.mark.check("TOKEN-12")
async def test_token_12_a_token_counts_in_its_header_only(
    flow: Flow, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """In the query or a form it is nobody's, and it stands in no log."""
    caplog.set_level("DEBUG")
    token = (await flow.tokens())["access_token"]
    for answer in (
        await flow.http.get("/fhir/Patient", params={"access_token": token}),
        await flow.http.post("/fhir/Patient/_search", data={"access_token": token}),
    ):
        assert answer.status_code == 401 and token not in answer.text
    ours = [one.getMessage() for one in caplog.records if not one.name.startswith(("httpx", "httpcore"))]
    out, err = capfd.readouterr()
    assert token not in "".join(ours) + out + err


@pytest.mark.check("TOKEN-13")
async def test_token_13_whoever_has_the_database_has_no_token(flow: Flow) -> None:
    """After many grants no token, code or secret stands in it; each has 256 bits, none like another."""
    install(flow)
    given: list[str] = [SECRET]
    for _ in range(20):
        code = await flow.code(scope=OFFLINE)
        told = (await flow.redeem(code)).json()
        again = (await _refresh(flow, told["refresh_token"])).json()
        service = (await ask(flow, signed())).json()
        given += [code, told["access_token"], told["refresh_token"], again["access_token"], again["refresh_token"]]
        given.append(service["access_token"])
    assert len(given) > 100 and len(set(given)) == len(given)
    assert min(len(one) for one in given[1:]) >= 43
    if flow.store.query("SELECT 1")[0][0] and "sqlite" in str(type(flow.store.reader)).lower():
        tables = [row[0] for row in flow.store.query("SELECT name FROM sqlite_master WHERE type = 'table'")]
    else:
        tables = ["auth_token", "auth_authorization", "auth_client", "auth_pending", "auth_session", "auth_assertion"]
    dump = "".join(str(flow.store.query(f'SELECT * FROM "{name}"')) for name in tables if "fts" not in name)
    assert "service" in dump
    assert not [one for one in given if one in dump]


@pytest.mark.check("TOKEN-14")
async def test_token_14_the_id_token(flow: Flow) -> None:
    """RS256 with a published key, the issuer of discovery, audience, nonce, subject, and a user that can be read."""
    told = await flow.tokens(scope="openid fhirUser user/*.cruds", nonce="n-1", patient=None)
    read = jwt.decode(told["id_token"], await _keys(flow), algorithms=["RS256"])
    jwks = (await flow.http.get("/auth/jwks")).json()["keys"]
    assert read.header["alg"] == "RS256" and read.header["kid"] in {key["kid"] for key in jwks}
    issuer = (await flow.http.get("/fhir/.well-known/smart-configuration")).json()["issuer"]
    claims = read.claims
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (issuer, "public", "n-1")
    assert claims["exp"] > time.time() and claims["iat"] <= time.time() + 1 and 0 < len(claims["sub"]) <= 255
    body = {"resourceType": "Practitioner", "id": "d", "name": [{"family": "Day"}]}
    header = {"authorization": f"Bearer {told['access_token']}"}
    await flow.http.put("/fhir/Practitioner/d", json=body, headers=header)
    user = await flow.http.get(claims["fhirUser"], headers=header)
    assert user.status_code == 200 and user.json()["resourceType"] == "Practitioner"


@pytest.mark.check("TOKEN-15")
async def test_token_15_keys_turn_over(flow: Flow) -> None:
    """Old tokens verify while their key is published, new ones have the new kid, and nothing private is published."""
    scope = "openid fhirUser user/*.rs"
    old = (await flow.tokens(scope=scope, patient=None))["id_token"]
    kid = Keys(flow.store).rotate()
    new = (await flow.tokens(scope=scope, patient=None))["id_token"]
    keys = await _keys(flow)
    assert jwt.decode(new, keys, algorithms=["RS256"]).header["kid"] == kid
    assert jwt.decode(old, keys, algorithms=["RS256"]).header["kid"] != kid
    for key in (await flow.http.get("/auth/jwks")).json()["keys"]:
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key) and {"kty", "kid", "n", "e"} <= set(key)
        assert "x5c" in key or key["kty"] == "RSA"
    past = keep.now() - (PUBLISHED_DAYS + 1) * 86_400_000
    flow.store.write_sync(lambda tx: tx.execute("UPDATE auth_key SET made = made - ?", (keep.now() - past,)))
    assert [key["kid"] for key in (await flow.http.get("/auth/jwks")).json()["keys"]] == [kid]


async def test_token_16_who_guesses_waits_and_others_do_not(flow: Flow) -> None:
    """After a hundred refusals a client waits: 429 with Retry-After; another is served."""
    statuses = []
    for _ in range(130):
        answer = await flow.redeem("junk")
        statuses.append(answer.status_code)
    assert statuses[0] == 400 and statuses[-1] == 429
    assert int(answer.headers["retry-after"]) >= 1 and answer.headers["cache-control"] == "no-store"
    assert (await flow.post("/auth/introspect", {"token": "junk"}, BASIC)).status_code == 200
