"""What is advertised is there (https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html): DISC-*."""

from __future__ import annotations

import importlib
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from server.auth.discovery import CAPABILITIES, SCOPES
from server.auth.model import Context
from server.auth.scopes import allowed
from tests.integration.auth.conftest import ALICE, BASE, Flow

APP, OTHER = "https://app.example", "https://other.example"
HERE = "tests.conformance.security"
SHOWN = {
    "launch-ehr": "test_token::test_token_03_the_launch_context_stands_beside_the_token",
    "launch-standalone": "test_token::test_token_01_and_token_02_every_answer_has_its_shape",
    "authorize-post": "test_disc::test_disc_03_authorize_post",
    "client-public": "test_token::test_token_07_a_page_refreshes_without_its_id",
    "client-confidential-symmetric": "test_disc::test_disc_03_client_confidential_symmetric",
    "client-confidential-asymmetric": "test_jwt::test_jwt_21_both_algorithms_and_both_ways_to_register",
    "sso-openid-connect": "test_token::test_token_14_the_id_token",
    "context-banner": "test_token::test_token_03_the_launch_context_stands_beside_the_token",
    "context-style": "test_token::test_token_03_the_launch_context_stands_beside_the_token",
    "context-ehr-patient": "test_token::test_token_03_the_launch_context_stands_beside_the_token",
    "context-ehr-encounter": "test_token::test_token_03_the_launch_context_stands_beside_the_token",
    "context-standalone-patient": "test_disc::test_disc_03_context_standalone",
    "context-standalone-encounter": "test_disc::test_disc_03_context_standalone",
    "permission-offline": "test_token::test_token_08_online_access_ends_with_the_session",
    "permission-online": "test_token::test_token_08_online_access_ends_with_the_session",
    "permission-patient": "test_disc::test_disc_03_permissions",
    "permission-user": "test_disc::test_disc_03_permissions",
    "permission-v1": "test_disc::test_disc_03_permissions",
    "permission-v2": "test_disc::test_disc_03_permissions",
}
"""Each capability with the test that runs its flow."""


@pytest.mark.check("DISC-03")
def test_disc_03_each_capability_has_its_test() -> None:
    """What is advertised is what is shown, no more and no less."""
    assert set(SHOWN) == set(CAPABILITIES) and len(CAPABILITIES) == len(set(CAPABILITIES))
    for one in SHOWN.values():
        module, _, name = one.partition("::")
        assert callable(getattr(importlib.import_module(f"{HERE}.{module}"), name)), one


@pytest.mark.check("DISC-03")
def test_disc_03_the_scopes_that_are_advertised_can_be_had() -> None:
    """Each is given to a client that may have it."""
    for scope in SCOPES:
        assert allowed([scope], [scope], backend=scope.startswith("system/")) == (scope,)


async def test_disc_01_the_configuration_is_json_whatever_is_accepted(flow: Flow) -> None:
    """Also without Accept; every URL is absolute, what is required is there, plain is not, and no brands."""
    for accept in ("text/html", "application/fhir+xml", "*/*", "application/json;q=0"):
        answer = await flow.http.get("/fhir/.well-known/smart-configuration", headers={"accept": accept})
        assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
    told = answer.json()
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["grant_types_supported"] == ["authorization_code", "client_credentials"]
    assert told["response_types_supported"] == ["code"] and told["scopes_supported"]
    assert {"private_key_jwt", "client_secret_basic"} <= set(told["token_endpoint_auth_methods_supported"])
    assert set(told["token_endpoint_auth_signing_alg_values_supported"]) == {"RS384", "ES384"}
    for name, value in told.items():
        if name == "issuer" or name.endswith(("_endpoint", "_uri")):
            assert urlsplit(value).scheme in ("http", "https") and urlsplit(value).netloc, name
    assert {"authorization_endpoint", "token_endpoint", "issuer", "jwks_uri", "introspection_endpoint"} <= set(told)
    assert not any(name.startswith("user_access_brand") for name in told)


async def test_disc_02_apps_of_version_1_find_the_same(flow: Flow) -> None:
    """The extension of the CapabilityStatement says what the configuration says."""
    told = (await flow.http.get("/fhir/.well-known/smart-configuration")).json()
    (security,) = (await flow.get("metadata")).json()["rest"][0]["security"]["extension"]
    found = {one["url"]: one["valueUri"] for one in security["extension"]}
    assert (found["authorize"], found["token"]) == (told["authorization_endpoint"], told["token_endpoint"])


@pytest.mark.check("DISC-04")
@pytest.mark.parametrize("path", ["metadata", ".well-known/smart-configuration", ".well-known/openid-configuration"])
async def test_disc_04_what_is_public_is_so_to_every_page(flow: Flow, path: str) -> None:
    """Any origin may read it, also asked beforehand, and without credentials."""
    for answer in (
        await flow.http.get(f"/fhir/{path}", headers={"origin": OTHER}),
        await flow.http.options(f"/fhir/{path}", headers={"origin": OTHER, "access-control-request-method": "GET"}),
    ):
        assert answer.headers["access-control-allow-origin"] in ("*", OTHER)
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.check("DISC-05")
@pytest.mark.parametrize(("method", "path"), [("POST", "/auth/token"), ("GET", "/fhir/Patient/x")])
async def test_disc_05_pages_of_registered_apps_may_call(flow: Flow, method: str, path: str) -> None:
    """The origin of a registered app is allowed and no other, whatever the answer is, also asked beforehand."""
    for origin, allowed_here in ((APP, True), (OTHER, False), (f"{APP}.evil.example", False), ("null", False)):
        asked = {"origin": origin, "access-control-request-method": method}
        answer = await flow.http.request(method, path, headers={"origin": origin})
        before = await flow.http.options(path, headers=asked)
        for one in (answer, before):
            assert (one.headers.get("access-control-allow-origin") == origin) == allowed_here
            assert allowed_here or "access-control-allow-origin" not in one.headers


@pytest.mark.check("DISC-03")
async def test_disc_03_authorize_post(flow: Flow) -> None:
    """A request for authorization may come as a form; its query does not count then."""
    asked = parse_qs(urlsplit(str((await flow.authorize()).request.url)).query)
    form = {name: values[0] for name, values in asked.items()}
    answer = await flow.http.post("/auth/authorize", data=form)
    assert answer.status_code == 303 and "request=" in answer.headers["location"]
    assert (await flow.http.post("/auth/authorize", params=form)).status_code in (400, 401)


@pytest.mark.check("DISC-03")
async def test_disc_03_client_confidential_symmetric(flow: Flow) -> None:
    """With its secret by Basic a client gets tokens; with another one, or without, it does not."""
    assert (await flow.tokens(client="secret"))["access_token"]
    code = await flow.code(client="secret")
    form = {"grant_type": "authorization_code", "code": code}
    for basic in (("secret", "wrong"), ("secret", ""), None):
        answer = await flow.post("/auth/token", form | ({} if basic else {"client_id": "secret"}), basic)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert ("www-authenticate" in answer.headers) == (basic is not None)


@pytest.mark.check("DISC-03")
async def test_disc_03_context_standalone(flow: Flow) -> None:
    """The patient and the encounter that somebody chose stand beside the token."""
    asked = await flow.authorize("secret", "launch/patient patient/*.rs")
    pending = parse_qs(urlsplit(asked.headers["location"]).query)["request"][0]
    context, given = Context(patient="A", encounter="E"), ("launch/patient", "patient/*.rs")
    answer = flow.endpoints.agree(pending, ALICE, flow.session, given, context, BASE)
    told = (await flow.redeem(parse_qs(urlsplit(answer.location or "").query)["code"][0], "secret")).json()
    assert (told["patient"], told["encounter"]) == ("A", "E")


@pytest.mark.check("DISC-03")
@pytest.mark.parametrize(
    ("scope", "patient", "seen"),
    [
        ("patient/Observation.rs", "A", ["a-lab", "a-vital"]), ("user/Observation.rs", None, ["a-lab", "a-vital", "b"]),
        ("patient/Observation.read", "A", ["a-lab", "a-vital"]), ("patient/*.*", "A", ["a-lab", "a-vital"]),
        ("patient/Observation.rs?category=urn:c|lab", "A", ["a-lab"]), ("patient/Observation.r", "A", None),
        ("patient/Observation.write", "A", None), ("patient/Condition.rs", "A", None),
    ],
)  # fmt: skip
async def test_disc_03_permissions(flow: Flow, scope: str, patient: str | None, seen: list[str] | None) -> None:
    """Scopes of patient and user, versions 1 and 2, with a filter: what is granted is returned, and it binds."""
    await _observations(flow)
    told = await flow.tokens(scope=scope, patient=patient)
    assert told["scope"] == scope and told.get("patient") == patient
    answer = await flow.get("Observation?_sort=_id", told["access_token"])
    if seen is None:
        assert answer.status_code == 403
    else:
        assert [one["resource"]["id"] for one in answer.json()["entry"]] == seen


async def _observations(flow: Flow) -> None:
    """Three Observations of two patients, two categories."""
    every = (await flow.tokens(scope="user/*.cruds", patient=None))["access_token"]
    bodies: list[dict[str, Any]] = [{"resourceType": "Patient", "id": one} for one in "AB"]
    for name, who, category in (("a-lab", "A", "lab"), ("a-vital", "A", "vital"), ("b", "B", "lab")):
        about = {"subject": {"reference": f"Patient/{who}"}, "category": [{"coding": [{"code": category}]}]}
        about["category"][0]["coding"][0]["system"] = "urn:c"  # type: ignore[index]
        bodies.append({"resourceType": "Observation", "id": name, "status": "final", "code": {"text": "c"}, **about})
    for body in bodies:
        headers = {"authorization": f"Bearer {every}", "content-type": "application/fhir+json"}
        path = f"/fhir/{body['resourceType']}/{body['id']}"
        answer = await flow.http.put(path, content=json.dumps(body), headers=headers)
        assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("path", ["/auth/token", "/auth/introspect", "/auth/revoke", "/auth/authorize"])
async def test_disc_06_a_host_that_is_none_is_refused(flow: Flow, path: str) -> None:
    """421, and never a failure of the server."""
    answer = await flow.http.post(path, data={"a": "b"}, headers={"host": "a b<"})
    assert answer.status_code == 421
