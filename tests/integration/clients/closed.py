"""A closed server as a process, set up from the shell, and a person who uses its pages over HTTP without scripts."""

from __future__ import annotations

import io
import json
import subprocess
import time
import uuid
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import httpx
import pyotp
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from server.cli.main import run
from tests.integration.auth.browser import fields_of, title
from tests.integration.conftest import Live, start_live

PASSWORD = "a staple of horses"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
EC, RSA = ECKey.generate_key("P-384", auto_kid=True), RSAKey.generate_key(2048, auto_kid=True)
REDIRECT = "https://app.example/cb"
FIRST_PATIENT, OTHER_PATIENT = "quill", "reed"


def _observation(id: str, patient: str, category: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": id, "status": "final", "code": {"text": id},
        "category": [{"coding": [{"system": CATEGORY, "code": category}]}],
        "subject": {"reference": f"Patient/{patient}"},
    }  # fmt: skip


RECORDS: list[dict[str, Any]] = [
    {"resourceType": "Practitioner", "id": "d", "name": [{"family": "Dale"}]},
    {"resourceType": "Patient", "id": FIRST_PATIENT, "name": [{"family": "Quill", "given": ["Ada"]}]},
    {"resourceType": "Patient", "id": OTHER_PATIENT, "name": [{"family": "Reed"}]},
    {"resourceType": "Encounter", "id": "visit", "status": "finished", "class": {"code": "AMB"},
     "subject": {"reference": f"Patient/{FIRST_PATIENT}"}},
    _observation("pulse", FIRST_PATIENT, "vital-signs"), _observation("weight", FIRST_PATIENT, "vital-signs"),
    _observation("sodium", FIRST_PATIENT, "laboratory"), _observation("others", OTHER_PATIENT, "vital-signs"),
]  # fmt: skip


class Closed:
    """A closed server with its worker, a directory of its own, and the shell of whoever looks after it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.live: Live = start_live(
            data, "--worker", closed=True, FHIRWRIGHT_CODING="off", FHIRWRIGHT_WORKER_DOCUMENTS="1"
        )
        self.root = self.live.base
        self.base = f"{self.root}/fhir"
        keys = data / "keys.json"
        keys.write_text(json.dumps({"keys": [EC.as_dict(private=False), RSA.as_dict(private=False)]}))
        self.service("seed", "system/*.cruds")
        entry = [
            {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
            for one in RECORDS
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entry}
        answer = httpx.post(self.base, json=bundle, headers={"authorization": f"Bearer {self.token('seed')}"})
        assert answer.status_code == 200, answer.text

    def shell(self, *words: str, typed: str = "") -> str:
        """What a command of `fhirwright` prints."""
        told = io.StringIO()
        with patch("sys.stdin", io.StringIO(typed)), redirect_stdout(told):
            code = run([*words, "--data", str(self.data)])
        assert code == 0, words[:2]
        return told.getvalue()

    def person(self, name: str) -> Person:
        """A clinician with a second factor."""
        self.shell("user", "add", name, "--role", "clinician", "--fhir-user", "Practitioner/d", typed=f"{PASSWORD}\n")
        return Person(self.root, name, json.loads(self.shell("user", "totp", name, "--json"))["uri"])

    def service(self, id: str, scopes: str) -> str:
        """A backend service with both keys; its id."""
        words = ("--method", "private_key_jwt", "--jwks", str(self.data / "keys.json"), "--scopes", scopes)
        self.shell("client", "add", id, *words)
        return id

    def token(self, service: str, scope: str = "system/*.cruds") -> str:
        """An access token of a service."""
        claims = {"iss": service, "sub": service, "aud": f"{self.root}/auth/token", "exp": int(time.time()) + 200}
        body = json.dumps(claims | {"jti": str(uuid.uuid4())}).encode()
        signed = jws.serialize_compact({"alg": "ES384", "kid": EC.kid}, body, EC, algorithms=["ES384"])
        form = {
            "grant_type": "client_credentials", "scope": scope, "client_assertion": signed,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }  # fmt: skip
        return str(httpx.post(f"{self.root}/auth/token", data=form).raise_for_status().json()["access_token"])


class Person:
    """Somebody with a browser, who signs in once."""

    def __init__(self, root: str, name: str, uri: str) -> None:
        self.name = name
        self.code = pyotp.parse_uri(uri)
        self._http = httpx.Client(base_url=root, timeout=120)
        self._page: httpx.Response

    def agree(self, url: str, patient: str | None = None) -> str:
        """Go where an app sends people, sign in, choose, agree to all of it: where the app gets its answer."""
        self._page = self._http.get(url)
        self._follow()
        if title(self._page) == "Sign in":
            self._send("/auth/sign-in", name=self.name, password=PASSWORD, code=self.code.now())
        if patient is not None:
            assert title(self._page) == "Choose a patient", self._page.text
            self._send("/auth/patients", patient=patient)
        assert "asks for access" in title(self._page), self._page.text
        self._send("/auth/consent", decision="agree")
        return str(self._page.headers["location"])

    def close(self) -> None:
        """End the browser."""
        self._http.close()

    def _send(self, action: str, **fields: str) -> None:
        self._page = self._http.post(action, data={**fields_of(self._page.text, action), **fields})
        self._follow()

    def _follow(self) -> None:
        """Follow what leads to pages of the same server."""
        while self._page.is_redirect and not urlsplit(self._page.headers["location"]).netloc:
            self._page = self._http.get(self._page.headers["location"])


def talk(script: str, folder: Path, closed: Closed, person: Person, **told: Any) -> dict[str, Any]:
    """Run a script of npm clients, agree on its behalf where it asks for that; what it saw."""
    start = told | {
        "root": closed.root, "base": closed.base, "patient": FIRST_PATIENT, "other": OTHER_PATIENT,
        "redirect": REDIRECT,
    }  # fmt: skip
    with subprocess.Popen(
        ["node", script], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        process.stdin.write(f"{json.dumps(start)}\n")
        process.stdin.flush()
        for line in map(json.loads, process.stdout):
            if "authorize" not in line:
                return dict(line)
            process.stdin.write(f"{json.dumps({'redirected': person.agree(line['authorize'], FIRST_PATIENT)})}\n")
            process.stdin.flush()
        raise AssertionError(process.stderr.read()[-2000:])
