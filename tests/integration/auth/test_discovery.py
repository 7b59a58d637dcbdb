"""What apps find out before they ask (https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html)."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from server.auth.discovery import CAPABILITIES
from tests.integration.auth.conftest import Flow

APP, OTHER = "https://app.example", "https://other.example"


async def test_disc_the_configuration_is_whole(flow: Flow) -> None:
    """JSON whatever is accepted, absolute URLs, S256 and not plain, the two algorithms, issuer with keys."""
    answer = await flow.http.get("/fhir/.well-known/smart-configuration", headers={"accept": "text/html"})
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    for name, value in told.items():
        if name.endswith(("_endpoint", "_uri")) or name == "issuer":
            assert urlsplit(value).scheme in ("http", "https"), name
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert set(told["token_endpoint_auth_signing_alg_values_supported"]) == {"RS384", "ES384"}
    assert "private_key_jwt" in told["token_endpoint_auth_methods_supported"]
    assert told["capabilities"] == list(CAPABILITIES)
    openid = (await flow.http.get("/fhir/.well-known/openid-configuration")).json()
    assert (openid["issuer"], openid["jwks_uri"]) == (told["issuer"], told["jwks_uri"])
    assert "RS256" in openid["id_token_signing_alg_values_supported"]


async def test_disc_apps_of_version_1_find_the_same(flow: Flow) -> None:
    """The extension of the CapabilityStatement says what the configuration says."""
    told = (await flow.http.get("/fhir/.well-known/smart-configuration")).json()
    statement = (await flow.get("metadata")).json()
    (security,) = statement["rest"][0]["security"]["extension"]
    found = {one["url"]: one["valueUri"] for one in security["extension"]}
    assert (found["authorize"], found["token"]) == (told["authorization_endpoint"], told["token_endpoint"])


@pytest.mark.check("DISC-04")
@pytest.mark.parametrize("path", ["/fhir/metadata", "/fhir/.well-known/smart-configuration", "/auth/jwks"])
async def test_disc_04_what_is_public_is_so_to_every_page(flow: Flow, path: str) -> None:
    """Any origin may read it, also asked beforehand, and without credentials."""
    for answer in (
        await flow.http.get(path, headers={"origin": OTHER}),
        await flow.http.options(path, headers={"origin": OTHER, "access-control-request-method": "GET"}),
    ):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.check("DISC-05")
@pytest.mark.parametrize(("method", "path"), [("POST", "/auth/token"), ("GET", "/fhir/Patient/x"), ("POST", "/fhir")])
async def test_disc_05_pages_of_registered_apps_may_call(flow: Flow, method: str, path: str) -> None:
    """The origin of a registered app is allowed, no other, whatever the answer is."""
    for origin, allowed in ((APP, True), (OTHER, False), (f"{APP}.evil.example", False), ("null", False)):
        answer = await flow.http.request(method, path, headers={"origin": origin})
        assert (answer.headers.get("access-control-allow-origin") == origin) == allowed
        assert answer.headers["vary"].lower().count("origin") == 1
        asked = {"origin": origin, "access-control-request-method": method}
        before = await flow.http.options(path, headers=asked)
        assert (before.status_code == 204) == allowed
        assert ("access-control-allow-origin" in before.headers) == allowed
