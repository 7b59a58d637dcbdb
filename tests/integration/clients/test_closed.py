"""Clients that others wrote, at one closed server: fhirclient in Chromium, fhir-kit-client, @medplum/core, smart-fetch.

https://hl7.org/fhir/smart-app-launch/STU2.2/
"""

from __future__ import annotations

import gzip
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.clients.closed import (
    CATEGORY,
    EC,
    FIRST_PATIENT,
    OTHER_PATIENT,
    RECORDS,
    REDIRECT,
    RSA,
    Closed,
)
from tests.integration.clients.growth import Site

MINE = ["pulse", "sodium", "weight"]
EVERYBODYS = sorted([*MINE, "others"])
Talk = Callable[..., dict[str, Any]]
ALL = {(one["resourceType"], one["id"]) for one in RECORDS if one["resourceType"] != "Practitioner"}
"""All that this client knows of: with `all` it asks for its sixteen types."""


@pytest.mark.parametrize(
    "scope", ["launch/patient openid fhirUser patient/*.rs", "launch/patient openid fhirUser patient/*.read"]
)
def test_a_standalone_launch(site: Site, scope: str) -> None:
    """Scopes of SMART 2 and of SMART 1: it finds the server, asks with PKCE, shows the chosen patient and no other."""
    site.open(scope)
    assert site.page.inner_text("h1") == "Quill"
    assert site.page.locator("li").all_inner_texts() == MINE
    told = site.token()
    assert told["patient"] == FIRST_PATIENT and set(told["scope"].split()) == set(scope.split())
    assert "refresh_token" not in told
    assert site.run("(await client.user.read()).name[0].family") == "Dale"
    assert "404" in site.run(f"await client.request('Patient/{OTHER_PATIENT}')")
    assert site.run(f"(await client.request('Observation?patient={OTHER_PATIENT}')).total ?? 0") == 0
    assert site.run("(await client.request('Patient')).entry.map(one => one.resource.id)") == [FIRST_PATIENT]
    refused = site.run("await client.create({ resourceType: 'Observation', status: 'final', code: { text: 'x' } })")
    assert "403" in refused
    assert site.page.url == f"{site.app}/app"  # neither code nor state stays in the address


def test_a_launch_by_an_ehr(site: Site) -> None:
    """What `fhirwright launch create` prints opens the app with the patient and the encounter at hand, once."""
    words = ("--client", "growth", "--patient", OTHER_PATIENT, "--encounter", "visit", "--no-banner")
    told = json.loads(site.closed.shell("launch", "create", *words, "--base-url", site.closed.base, "--json"))
    site.go(told["url"])
    site.sign_in()
    site.agree()
    assert site.page.inner_text("h1") == "Reed" and site.page.locator("li").all_inner_texts() == ["others"]
    token = site.token()
    assert (token["patient"], token["encounter"], token["need_patient_banner"]) == (OTHER_PATIENT, "visit", False)
    assert site.run("client.encounter.id") == "visit"
    assert "404" in site.run(f"await client.request('Patient/{FIRST_PATIENT}')")
    site.go(told["url"])
    site.page.wait_for_url(f"{site.app}/app?error=invalid_request**")
    site.page.wait_for_function("document.querySelector('p').textContent")


def test_it_refreshes_by_itself(site: Site) -> None:
    """With its default settings, which name no client: three requests at once, one new pair, the old one worthless."""
    site.open("launch/patient patient/*.rs offline_access")
    first = site.token()
    revoked = {"token": first["access_token"], "client_id": "growth"}
    assert httpx.post(f"{site.closed.root}/auth/revoke", data=revoked).status_code == 200
    assert site.status(first) == 401
    site.run("{ client.state.expiresAt = 0 }")
    asked = "(await client.request({ url: 'Observation?_summary=count' })).total"
    assert site.run(f"await Promise.all([1, 2, 3].map(async () => {asked}))") == [3, 3, 3]
    second = site.token()
    assert second["refresh_token"] != first["refresh_token"] and second["access_token"] != first["access_token"]
    assert (second["patient"], site.status(second)) == (FIRST_PATIENT, 200)
    site.page.reload()
    site.page.wait_for_function("document.querySelector('h1').textContent")
    assert site.token()["refresh_token"] == second["refresh_token"]
    old = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    assert httpx.post(f"{site.closed.root}/auth/token", data=old).json()["error"] == "invalid_grant"
    assert site.status(second) == 401  # somebody has used the old one: all of the family ends
    site.run("{ client.state.expiresAt = 0 }")
    assert "invalid_grant" in site.run("await client.request('Patient')")


def test_a_page_of_another_origin_reads_nothing(site: Site) -> None:
    """The same page by a name that is not registered finds the server, and gets no token and no answer of it."""
    site.open("launch/patient patient/*.rs")
    token = site.token()["access_token"]
    fetching = (
        "await fetch('{url}', {{ method: '{method}', body: {body}, headers: {{ authorization: 'Bearer {token}' }} }})"
        ".then(found => found.status)"
    )
    asked = [
        (f"{site.closed.base}/Patient/{FIRST_PATIENT}", "GET", "undefined"),
        (f"{site.closed.root}/auth/token", "POST", "new URLSearchParams({ grant_type: 'refresh_token' })"),
    ]
    for origin, expected in ((site.app, [200, 401]), (site.elsewhere, ["Error: Failed to fetch"] * 2)):
        site.page.goto(f"{origin}/nothing")
        found = [
            site.run(fetching.format(url=url, method=method, body=body, token=token)) for url, method, body in asked
        ]
        assert found == expected
        known = f"(await fetch('{site.closed.base}/.well-known/smart-configuration')).status"
        assert site.run(known) == 200
        cookies = f"(await fetch('{site.closed.base}/Patient', {{ credentials: 'include' }})).status"
        assert site.run(cookies) == "Error: Failed to fetch"


def _client(closed: Closed, id: str, scopes: str, *words: str) -> str:
    """A client, and its secret where it has one."""
    told = json.loads(closed.shell("client", "add", id, "--scopes", scopes, *words, "--json"))
    return str(told.get("secret", ""))


def test_fhir_kit_client_for_a_person(talk: Talk, closed: Closed) -> None:
    """Discovery by itself, code with PKCE and a secret; of one patient the vital signs only, and no other's."""
    scope = f"launch/patient patient/Patient.rs patient/Observation.cruds?category={CATEGORY}|vital-signs"
    words = ("--method", "client_secret_basic", "--redirect", REDIRECT)
    secret = _client(closed, "kit", "launch/patient patient/*.cruds", *words)
    seen = talk("closed_kit.mjs", app="kit", secret=secret, scope=scope)
    assert seen.pop("scope").split() == scope.split()
    assert seen == {
        "before": [401, "OperationOutcome", "login"],
        "patient": FIRST_PATIENT,
        "read": "Quill",
        "other": [404, "OperationOutcome", "not-found"],
        "patients": [FIRST_PATIENT],
        "observations": ["pulse", "weight"],
        "theirs": [],
        "included": ["pulse", FIRST_PATIENT],
        "refused": [403, "OperationOutcome", "forbidden"],
        "created": True,
        "updated": "2",
        "patched": "corrected",
        "gone": [404, "OperationOutcome", "not-found"],  # what is deleted has no category any more
    }


def test_fhir_kit_client_for_a_service(talk: Talk, closed: Closed) -> None:
    """Client credentials by an assertion of ES384: everybody's data of the types it has, to read and search only."""
    scope = "system/Patient.rs system/Observation.rs"
    closed.service("kit-service", scope)
    seen = talk("closed_kit.mjs", app="kit-service", scope=scope, key=EC.as_dict(private=True))
    assert seen == {
        "before": [401, "OperationOutcome", "login"],
        "scope": scope,
        "read": "Quill",
        "other": "Reed",
        "patients": [FIRST_PATIENT, OTHER_PATIENT],
        "observations": EVERYBODYS,
        "theirs": ["others"],
        "included": ["pulse", FIRST_PATIENT],
        "refused": [403, "OperationOutcome", "forbidden"],
        "created": [403, "OperationOutcome", "forbidden"],
    }


def test_medplum_core_for_a_person(talk: Talk, closed: Closed) -> None:
    """Code with the client's own PKCE, as a public app; it refreshes by itself when a token has ended."""
    scope = "launch/patient patient/Patient.rs patient/Observation.cruds offline_access"
    _client(closed, "plum", "launch/patient patient/*.cruds offline_access", "--redirect", REDIRECT)
    seen = talk("closed_medplum.mjs", app="plum", scope=scope)
    assert seen == {
        "before": ["OperationOutcome", "login"],
        "refreshed": True,
        "read": "Quill",
        "other": ["OperationOutcome", "not-found"],
        "patients": [FIRST_PATIENT],
        "observations": MINE,
        "one": "sodium",
        "refused": ["OperationOutcome", "forbidden"],
        "graphql": "Quill",
        "updated": "2",
        "patched": "corrected",
        "gone": ["OperationOutcome", "not-found"],  # what is deleted belongs to no patient any more
        "forbidden": ["OperationOutcome", "forbidden"],
    }


def test_medplum_core_for_a_service(talk: Talk, closed: Closed) -> None:
    """Its login as a client: a secret in the body and no scope named, where the client was let in so."""
    words = ("--method", "client_secret_basic", "--post-secret")
    secret = _client(closed, "plum-service", "system/Patient.rs system/Observation.cruds", *words)
    seen = talk("closed_medplum.mjs", app="plum-service", secret=secret)
    assert seen == {
        "before": ["OperationOutcome", "login"],
        "read": "Quill",
        "other": "Reed",
        "patients": [FIRST_PATIENT, OTHER_PATIENT],
        "observations": EVERYBODYS,
        "one": "sodium",
        "refused": ["OperationOutcome", "forbidden"],
        "graphql": "Quill",
        "updated": "2",
        "patched": "corrected",
        "gone": ["OperationOutcome", "deleted"],
    }


def _key(algorithm: str, where: Path) -> Path:
    """The private key as a file: a JWKS, or PEM, of which the client works out the name of the key itself."""
    if algorithm == "RS384":
        (path := where / "key.pem").write_bytes(RSA.as_pem(private=True))
        return path
    key = EC.as_dict(private=True) | {"alg": algorithm, "key_ops": ["sign"]}
    (path := where / "key.jwks").write_text(json.dumps({"keys": [key]}))
    return path


@pytest.mark.parametrize(
    ("algorithm", "scopes", "types", "expected"),
    [
        ("ES384", "system/*.rs", "all", ALL),
        (
            "RS384",
            f"system/Patient.rs system/Observation.rs?category={CATEGORY}|laboratory",
            "Patient,Observation",
            {one for one in ALL if one[0] == "Patient"} | {("Observation", "sodium")},
        ),
    ],
    ids=["ES384", "RS384"],
)
def test_it_exports_what_its_scopes_allow(
    closed: Closed, smart_fetch: Path, tmp_path: Path, algorithm: str, scopes: str, types: str,
    expected: set[tuple[str, str]],
) -> None:  # fmt: skip
    """Token by a signed assertion, kick-off, status, files: every resource within its scopes, and no other."""
    service = closed.service(f"fetch-{algorithm}", scopes)
    done = _fetch(smart_fetch, closed, service, _key(algorithm, tmp_path), tmp_path / "out", types)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {
        (resource["resourceType"], resource["id"])
        for path in (tmp_path / "out").glob("*.ndjson.gz")
        for resource in map(json.loads, gzip.decompress(path.read_bytes()).splitlines())
    }
    assert found == expected
    log = [json.loads(line) for line in (tmp_path / "out" / "log.ndjson").read_text().splitlines()]
    assert [one["eventDetail"]["resources"] for one in log if one["eventId"] == "export_complete"] == [len(expected)]


def test_what_its_scopes_do_not_allow_is_refused(closed: Closed, smart_fetch: Path, tmp_path: Path) -> None:
    """A type it has no scope for: the client ends with what the server says of it, and has no file."""
    service = closed.service("fetch-little", "system/Patient.rs")
    done = _fetch(smart_fetch, closed, service, _key("ES384", tmp_path), tmp_path / "out", "Patient,Observation")
    told = " ".join((done.stdout + done.stderr).split())
    assert done.returncode != 0 and "[403] What you were given does not let you export" in told, told
    assert not list((tmp_path / "out").glob("Patient*"))


def _fetch(
    command: Path, closed: Closed, service: str, key: Path, target: Path, types: str
) -> subprocess.CompletedProcess[str]:
    words = ("--smart-client-id", service, "--smart-key", key, "--fhir-url", closed.base, "--type", types, target)
    return subprocess.run([command, "bulk", *words], capture_output=True, text=True, timeout=300, check=False)
