"""A closed server with two patients whose resources mention each other, and tokens from whole flows."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.access.caller import ANYBODY
from server.app import create_app
from server.auth import keep
from server.auth.model import Client
from server.interactions.exchange import Request
from server.settings import Settings
from tests.integration.auth.conftest import ALICE, REDIRECT, Flow, flow

BASE = "http://test/fhir"
NUMBERS = "urn:numbers"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
LAB, VITAL = f"category={CATEGORY}|laboratory", f"category={CATEGORY}|vital-signs"
APP = Client(
    id="wide", title="An app", redirects=(REDIRECT,), scopes=("launch/patient", "patient/*.cruds", "user/*.cruds")
)
Json = dict[str, Any]


def to(target: str) -> Json:
    """A reference."""
    return {"reference": target}


def observation(who: str, category: str = "laboratory", value: float = 5, **more: Any) -> Json:
    """An Observation about somebody."""
    made = {
        "resourceType": "Observation", "status": "final",
        "code": {"coding": [{"system": NUMBERS, "code": f"code-{who}"}]},
        "subject": to(f"Patient/{who}"), "category": [{"coding": [{"system": CATEGORY, "code": category}]}],
        "valueQuantity": {"value": value},
    }  # fmt: skip
    return made | more


def world() -> list[Json]:
    """The resources, about A and about B, that point across."""
    found: list[Json] = [
        {"resourceType": "Practitioner", "id": "d", "name": [{"family": "Shared"}]},
        {"resourceType": "Organization", "id": "o", "name": "Shared"},
    ]
    for who, other in ("AB", "BA"):
        me, them = to(f"Patient/{who}"), to(f"Patient/{other}")
        found += [
            {
                "resourceType": "Patient", "id": who, "name": [{"family": f"Fam{who}"}],
                "birthDate": "1980-01-01" if who == "A" else "1990-01-01",
                "identifier": [{"system": NUMBERS, "value": f"mrn-{who}"}],
                "link": [{"other": them, "type": "seealso"}],
            },
            {
                "resourceType": "Encounter", "id": f"E{who}", "status": "finished", "subject": me,
                "class": {"system": NUMBERS, "code": "AMB"}, "diagnosis": [{"condition": to(f"Condition/C{other}")}],
            },
            {"resourceType": "Condition", "id": f"C{who}", "subject": me, "code": {"text": f"ill {who}"}},
            observation(who, focus=[them], performer=[to("Practitioner/d")], encounter=to(f"Encounter/E{who}"),
                        hasMember=[to(f"Observation/{other}1")], id=f"{who}1", value=5 if who == "A" else 9,
                        identifier=[{"system": NUMBERS, "value": f"obs-{who}"}]),
            observation(who, "vital-signs", id=f"{who}2"),
            {
                "resourceType": "DiagnosticReport", "id": f"R{who}", "status": "final", "subject": me,
                "code": {"text": "x"}, "result": [to("Observation/A1"), to("Observation/B1")],
            },
            {
                "resourceType": "Provenance", "id": f"P{who}", "target": [me], "recorded": "2026-01-01T10:00:00Z",
                "agent": [{"who": to("Practitioner/d")}],
            },
            {
                "resourceType": "List", "id": f"L{who}", "status": "current", "mode": "working", "subject": me,
                "entry": [{"item": to("Observation/A1")}, {"item": to("Observation/B1")}],
            },
            {
                "resourceType": "Composition", "id": f"K{who}", "status": "final", "type": {"text": "x"}, "subject": me,
                "date": "2026-01-01", "title": "t", "author": [to("Practitioner/d")],
            },
            {"resourceType": "Task", "id": f"T{who}", "status": "requested", "intent": "order", "for": me},
            {"resourceType": "Group", "id": f"G{who}", "type": "person", "actual": True, "member": [{"entity": me}]},
            {
                "resourceType": "DocumentReference", "id": f"D{who}", "status": "current", "subject": me,
                "content": [{"attachment": {"data": "eA==", "contentType": "text/plain"}}],
            },
            {"resourceType": "Bundle", "id": f"X{who}", "type": "collection",
             "entry": [{"resource": observation(who)}]},
        ]  # fmt: skip
    return [*found, observation("B", id="focus", focus=[to("Patient/A")]), observation("B", id="moved")]


def audited() -> Json:
    """What a client keeps in the audit about B."""
    return {
        "resourceType": "AuditEvent", "type": {"system": NUMBERS, "code": "x"},
        "entity": [{"what": to("Patient/B")}],
        "recorded": "2026-01-01T10:00:00Z", "agent": [{"requestor": True}],
        "source": {"observer": to("Practitioner/d")},
    }  # fmt: skip


class Ground(Flow):
    """The flow, the world, and requests that bear a token."""

    tokens_of: dict[tuple[str, str], str]

    async def token(self, patient: str, scope: str = "patient/*.cruds") -> str:
        """The access token of a whole flow; the same for the same question."""
        key = patient, scope
        if key not in self.tokens_of:
            told = await self.tokens(client="wide", patient=patient, scope=f"launch/patient {scope}")
            assert set(scope.split()) <= set(told["scope"].split()), told["scope"]
            self.tokens_of[key] = told["access_token"]
        return self.tokens_of[key]

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        patient: str = "A",
        scope: str = "patient/*.cruds",
        **headers: str,
    ) -> httpx.Response:
        """A request to the FHIR base with a token; `if_none_match` becomes If-None-Match."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        told["authorization"] = f"Bearer {await self.token(patient, scope)}"
        if body is not None:
            told.setdefault("content-type", "application/fhir+json")
        content = body if isinstance(body, str | None) else json.dumps(body)
        return await self.http.request(method, f"/fhir/{path}" if path else "/fhir", content=content, headers=told)

    async def see(self, path: str, patient: str = "A", scope: str = "patient/*.rs", **headers: str) -> httpx.Response:
        """A GET by who may read."""
        return await self.send("GET", path, patient=patient, scope=scope, **headers)

    async def found(self, path: str, patient: str = "A", scope: str = "patient/*.rs") -> list[str]:
        """`Type/id` of all that a Bundle holds, in order of the alphabet."""
        answer = await self.see(path, patient, scope)
        assert answer.status_code == 200, answer.text
        return keys(answer.json())

    async def total(self, path: str, patient: str = "A", scope: str = "patient/*.rs") -> Any:
        """The total that a Bundle tells."""
        return (await self.see(path, patient, scope)).json().get("total")


def keys(bundle: Json) -> list[str]:
    """`Type/id` of the resources of a Bundle, those that come twice too."""
    resources = [entry["resource"] for entry in bundle.get("entry", ()) if "resource" in entry]
    return sorted(f"{one['resourceType']}/{one['id']}" for one in resources)


@pytest.fixture
async def ground(database_url: str, tmp_path: Path) -> AsyncIterator[Ground]:
    """The server on each engine, with the world."""
    app = create_app(Settings(database=database_url, data=tmp_path / "var", log_requests="problems", coding="off"))
    fhir = app.state.fhir
    fhir.store.write_sync(lambda tx: keep.put_client(tx, APP))
    fhir.store.write_sync(lambda tx: keep.put_person(tx, ALICE))
    moved = observation("A", id="moved")
    for resources in (world(), [moved]):
        entries = [
            {"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}} for r in resources
        ]
        body = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()
        fhir.handle_sync(Request(caller=ANYBODY, method="POST", body=body, base_url=BASE))
    event = json.dumps(audited()).encode()
    fhir.handle_sync(Request(caller=ANYBODY, method="POST", path=("AuditEvent",), body=event, base_url=BASE))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        made = Ground(http, app.state.endpoints, fhir.store)
        made.tokens_of = {}
        yield made
    fhir.store.close()


__all__ = ["flow"]
