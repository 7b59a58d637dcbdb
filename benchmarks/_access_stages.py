"""The server of `access.py` with as much of access control and audit as ACCESS_STAGE names; what is stored there."""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path
from typing import Any

from benchmarks._http_shapes import observation, patient
from fhir_profiles.systems import ACT_CODE, CONSENT_SCOPE, PARTICIPATION
from server.access.caller import ANYBODY
from server.app import Application, create_app
from server.auth import keep
from server.auth.model import Authorization, Client, Context, Person, Token
from server.auth.secrets import digest
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.settings import Settings, read_settings
from server.store import Store, open_store

STAGES = {
    "open, no audit": "the same server with --open, and no event is made",
    "identify": "closed: a service's token is looked at, system/*.rs",
    "scopes": "the token of a patient's app, patient/*.rs: the answer is within that patient's compartment",
    "reach": "Consents are honoured, as many as there are",
    "event": "the AuditEvent is made and encoded, and thrown away",
    "spool": "it is written to the spool before the answer leaves",
    "all": "it is chained, its keys kept, and signed: as `fhirwright serve` does it",
}
"""Each stage does what the one before it does, and one thing more."""

PATIENTS, EACH, TOKENS = 200, 20, 50
HOUR = 3_600_000


def token_of(number: int, *, service: bool = False) -> str:
    """The access token of the app of a patient, or of a service, as a client would send it."""
    return f"{'service' if service else 'patient'}-{number:04d}-{'x' * 30}"


def fill(url: str, data: Path, consents: int = 0) -> None:
    """Store patients with observations each, tokens, and Consents of patients that keep somebody else away."""
    store = open_store(url)
    try:
        fhir, dice = Fhir(store, Settings(data=data, open=True)), random.Random(1)
        for n in range(PATIENTS):
            _put(fhir, {**patient(dice), "id": f"p{n}"})
            for m in range(EACH):
                _put(fhir, {**observation(dice, f"Patient/p{n}"), "id": f"o{n}-{m}"})
        for n in range(consents):
            _put(fhir, _consent(n))
        _grant(store)
    finally:
        store.close()


def _put(fhir: Fhir, resource: dict[str, Any]) -> None:
    path = (str(resource["resourceType"]), str(resource["id"]))
    fhir.handle_sync(Request(method="PUT", path=path, body=json.dumps(resource).encode(), caller=ANYBODY))


def _consent(number: int) -> dict[str, Any]:
    """A denial of what a doctor would see; those of patients who are not there count alike."""
    actor = {
        "role": {"coding": [{"system": PARTICIPATION, "code": "IRCP"}]},
        "reference": {"reference": "Practitioner/d"},
    }
    return {
        "resourceType": "Consent", "id": f"c{number}", "status": "active", "category": [{"text": "privacy"}],
        "scope": {"coding": [{"system": CONSENT_SCOPE, "code": "patient-privacy"}]},
        "patient": {"reference": f"Patient/p{number}"},
        "policyRule": {"coding": [{"system": ACT_CODE, "code": "OPTIN"}]},
        "provision": {"provision": [{"type": "deny", "actor": [actor]}]},
    }  # fmt: skip


def _grant(store: Store) -> None:
    now = time.time_ns() // 1_000_000
    scopes = {True: ("system/*.rs",), False: ("launch/patient", "openid", "fhirUser", "patient/*.rs")}
    store.write_sync(lambda tx: keep.put_client(tx, Client(id="app", title="App", scopes=scopes[False])))
    for n in range(TOKENS):
        person = Person(id=f"person-{n}", name=f"person-{n}", password="", roles=("patient",))
        store.write_sync(lambda tx, person=person: keep.put_person(tx, person))
        for service in (True, False):
            name = token_of(n, service=service)
            granted = Authorization(
                id=f"00000000-0000-4000-8000-{n:011d}{int(service)}", client="app",
                person=None if service else person.id, scopes=scopes[service], roles=() if service else ("patient",),
                context=Context(patient=None if service else f"p{n}"),
                fhir_user=None if service else f"Patient/p{n}", made=now,
            )  # fmt: skip
            token = Token(
                hash=digest(name), kind="access", authorization=granted.id, expires=now + HOUR, scopes=scopes[service]
            )
            store.write_sync(lambda tx, one=granted: keep.put_authorization(tx, one))
            store.write_sync(lambda tx, one=token: keep.put_token(tx, one))


def app() -> Application:
    """The server of a stage."""
    stage = os.environ["ACCESS_STAGE"]
    made: Any = create_app(read_settings())
    trail = made.state.trail
    if stage in ("open, no audit", "identify", "scopes", "reach"):
        made._shell._trail = None
    elif stage == "event":
        trail.keep_lines = lambda _: None
    elif stage == "spool":
        trail._run = lambda: None
    return made  # type: ignore[no-any-return]
