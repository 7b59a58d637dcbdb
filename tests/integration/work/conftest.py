"""A closed server in this process with a coded document, and people who look at the workbench without a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import httpx
import pytest
from fastapi import FastAPI
from selectolax.lexbor import LexborHTMLParser

from extractors.emit.ids import resource_id
from fhir_profiles import json
from server.access.caller import ANYBODY
from server.app import create_app
from server.auth import keep
from server.auth.model import Person, Session
from server.auth.secrets import digest, new_token
from server.interactions.exchange import Request
from server.jobs.tasks import Run, completed, moved, requested
from server.review.gather import claim_of
from server.review.work import work_id
from server.settings import Settings
from tests.unit.review.conftest import machine

ROLES = ("coder", "second", "auditor", "biller", "clinician", "admin", "patient")
NORTH = "Organization/north"
SWAP = {"x-fhirwright-swap": "1", "sec-fetch-mode": "cors", "sec-fetch-site": "same-origin"}


class Someone:
    """Somebody's session at the workbench."""

    def __init__(self, app: FastAPI, name: str, session: Session, token: str, host: str = "localhost") -> None:
        self.name = name
        self.session = session
        transport = httpx.ASGITransport(app, client=("192.0.2.7", 1))
        self.http = httpx.AsyncClient(transport=transport, base_url=f"http://{host}", cookies={"fhirwright": token})

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """A page."""
        return await self.http.get(path, headers=headers)

    async def post(self, path: str, /, csrf: str | None = None, **fields: str) -> httpx.Response:
        """A form, as a script of a page sends it."""
        data = {"csrf": self.session.csrf if csrf is None else csrf, **fields}
        return await self.http.post(path, data=data, headers=SWAP)


class House:
    """The server, and what tests put there."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.fhir = app.state.fhir
        self.people: dict[str, Someone] = {}
        self.fhir.store.write_sync(self._fill)

    def _fill(self, tx: Any) -> None:
        for name in ROLES:
            self.let_in(tx, name, "coder" if name == "second" else name)

    def let_in(self, tx: Any, name: str, role: str) -> None:
        """Somebody with a role and a session."""
        keep.put_person(tx, Person(id=name, name=name, password="-", roles=(role,), fhir_user=f"Practitioner/{name}"))
        token, now = new_token(), keep.now()
        session = Session(
            hash=digest(token), person=name, began=now, seen=now, csrf=new_token(), idle=3_600_000,
            longest=36_000_000, whole=True,
        )  # fmt: skip
        keep.put_session(tx, session)
        self.people[name] = Someone(self.app, name, session, token)

    def do(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """A FHIR interaction past the workbench."""
        parts = tuple(part for part in path.split("/") if part)
        content = json.encode(body) if body is not None else b""
        answer = self.fhir.handle_sync(Request(caller=ANYBODY, method=method, path=parts, body=content))
        assert answer.status < 400, answer.body
        found: dict[str, Any] = json.decode(answer.body) if answer.body else {}
        return found

    def put(self, resource: dict[str, Any]) -> None:
        """Store a resource under its id."""
        self.do("PUT", f"{resource['resourceType']}/{resource['id']}", resource)

    def coded(self, id: str, title: str = "A letter", at: str = "2026-03-13T08:41:00Z", money: int = 100) -> None:
        """A document that was coded, with the results that a pipeline would have stored."""
        bundle = results_of(id, money)
        self.put({"resourceType": "Patient", "id": "p", "name": [{"family": "Quill", "given": ["Ada"]}]})
        self.put(_document(id, title) | {"subject": {"reference": "Patient/p"}})
        self.do("POST", "", bundle)
        references = [entry["request"]["url"] for entry in bundle["entry"]]
        task = requested(Run(id, 1, 1), "-", at, {"reference": "Patient/p"}, None)
        self.put(completed(moved(task, "codes", at), references, "Patient/p", at))

    def waits(self, id: str, title: str = "A letter") -> None:
        """A document that was handed in and is not coded yet."""
        self.put(_document(id, title))
        self.put(requested(Run(id, 1, 1), "-", "2026-03-13T08:41:00Z", None, None))

    def claim(self, id: str) -> dict[str, Any]:
        """The Claim of a document."""
        return self.do("GET", claim_of(f"DocumentReference/{id}"))

    def work(self, id: str) -> dict[str, Any]:
        """The Task of a document's review."""
        return self.do("GET", f"Task/{work_id(id)}")


def _document(id: str, title: str) -> dict[str, Any]:
    content = [{"attachment": {"contentType": "text/plain", "title": title, "data": "YQ=="}}]
    return {"resourceType": "DocumentReference", "id": id, "status": "current", "content": content}


def results_of(id: str, money: int) -> dict[str, Any]:
    """What the pipeline makes of a document, under the ids that it would have."""
    text = json.encode(machine()).decode().replace("doc-1", id)
    for entry in machine()["entry"]:
        kind, _, old = entry["request"]["url"].partition("/")
        fixed = kind in ("Claim", "Provenance")
        text = text.replace(old, resource_id(id, kind, 0) if fixed else str(uuid5(UUID(old), id)))
    bundle: dict[str, Any] = json.decode(text.encode())
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Claim":
            entry["resource"]["total"] = {"value": money, "currency": "USD"}
    return bundle


def words(answer: httpx.Response) -> str:
    """The text of a page."""
    return " ".join(LexborHTMLParser(answer.text).text(separator=" ").split())


def rows(answer: httpx.Response) -> list[str]:
    """The first column of the table of a page."""
    return [cell.text(strip=True) for cell in LexborHTMLParser(answer.text).css("#rows tbody tr td:first-child")]


def hidden(answer: httpx.Response, card: str) -> dict[str, str]:
    """What a decision about the card with a code sends: the suggestion, its version and that of the claim."""
    tree = LexborHTMLParser(answer.text)
    found = tree.css_first(f"li.s[data-code='{card}']")
    head = tree.css_first("#head")
    assert found is not None and head is not None
    return {
        "target": str(found.attributes["id"]), "seen": str(found.attributes["data-version"]),
        "claim": str(head.attributes["data-claim"]),
    }  # fmt: skip


def open_house(data: Path, url: str | None = None, **more: Any) -> House:
    """The house, with nothing in it."""
    told = {"log_requests": "problems", "coding": "off"} | more
    return House(create_app(Settings(database=url, data=data, **told)))


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, furnish: Callable[[Path], Path]) -> Iterator[House]:
    """A house for tests of several files, with one coded document `a`; those of NORTH are coded unaided."""
    made = open_house(furnish(tmp_path_factory.mktemp("work")), unaided_custodians=(NORTH,))
    made.coded("a")
    yield made
    made.fhir.store.close()
