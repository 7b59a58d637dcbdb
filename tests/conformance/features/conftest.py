"""The whole application over each database, and short ways to talk to it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.app import create_app
from server.settings import Settings

JSON = {"Content-Type": "application/fhir+json"}


class Client:
    """Calls below the FHIR base; `must` says which status a test counts on."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def call(self, method: str, url: str, body: Any = None, *, must: int | None = None, **headers: str) -> Any:
        """One request; header names are written with underscores. The response, its JSON in `.json()`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        answer = await self.http.request(method, url, content=content, headers={**(JSON if body else {}), **named})
        if must is not None:
            assert answer.status_code == must, f"{method} {url}: {answer.status_code} {answer.text[:500]}"
        return answer

    async def get(self, url: str, *, must: int = 200, **headers: str) -> Any:
        """The JSON that a GET answers."""
        return (await self.call("GET", url, must=must, **headers)).json()

    async def put(self, resource: dict[str, Any]) -> Any:
        """Store a resource under its id."""
        return await self.call("PUT", f"{resource['resourceType']}/{resource['id']}", resource)

    async def ids(self, url: str) -> set[str]:
        """`Type/id` of the matches of a search."""
        bundle = await self.get(url)
        entries = [entry for entry in bundle.get("entry", ()) if entry["search"]["mode"] == "match"]
        return {f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in entries}

    async def included(self, url: str) -> set[str]:
        """`Type/id` of what a search includes."""
        entries = [entry for entry in (await self.get(url))["entry"] if entry["search"]["mode"] == "include"]
        return {f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in entries}


@pytest.fixture
async def client(database_url: str, tmp_path: Path, furnish: Callable[[Path], Path]) -> AsyncIterator[Client]:
    """A client of the whole application on each engine."""
    settings = Settings(
        database=database_url, data=furnish(tmp_path / "var"), log_requests="problems", coding="off", open=True
    )
    app = create_app(settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test/fhir/") as http:
        yield Client(http)
    app.state.fhir.store.close()


def patient(name: str, /, **more: Any) -> dict[str, Any]:
    """A Patient under an id."""
    return {"resourceType": "Patient", "id": name, **more}


def observation(name: str, subject: str, code_: str = "8867-4", /, **more: Any) -> dict[str, Any]:
    """An Observation of a patient with a LOINC code."""
    coding = [{"system": "http://loinc.org", "code": code_}]
    who = {"reference": f"Patient/{subject}"}
    body = {"status": "final", "code": {"coding": coding}, "subject": who, **more}
    return {"resourceType": "Observation", "id": name, **body}


def weight(value: float, unit: str) -> dict[str, Any]:
    """A UCUM quantity."""
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
