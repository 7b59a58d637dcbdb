"""A closed server with its worker, somebody of every role, and a browser that looks over its own shoulder."""

from __future__ import annotations

import base64
import io
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import httpx

from fhir_profiles.systems import CPT
from server.auth import keep
from server.auth.model import Person, Session
from server.auth.secrets import digest, new_token
from server.cli.main import run
from server.settings import Settings
from server.store import open_store
from tests.integration.conftest import Live, start_live

ROLES = ("coder", "auditor", "biller", "clinician", "admin")
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
NORTH = "Organization/north"
SMALL = {"width": 390, "height": 844}
WIDE = {"width": 1280, "height": 860}


class House:
    """The server, and sessions of people there."""

    def __init__(self, data: Path, *options: str, **variables: str) -> None:
        self.data = data
        self.live: Live = start_live(
            data, "--worker", *options, closed=True, FHIRWRIGHT_WORKER_DOCUMENTS="1", **variables
        )
        self.root = self.live.base
        self.base = f"{self.root}/fhir"
        self.tokens: dict[str, str] = {}
        store = open_store(Settings(data=data).database_url)
        try:
            store.write_sync(self._people)
        finally:
            store.close()

    def _people(self, tx: Any) -> None:
        for role in (*ROLES, "patient", "second", "spare"):
            roles = ("coder",) if role in ("second", "spare") else (role,)
            person = Person(id=role, name=f"{role} Dale", password="-", roles=roles, fhir_user=f"Practitioner/{role}")
            keep.put_person(tx, person)
            token, now = new_token(), keep.now()
            keep.put_session(
                tx, Session(hash=digest(token), person=role, began=now, seen=now, csrf=new_token(), idle=3_600_000)
            )
            self.tokens[role] = token

    def cookie(self, role: str) -> dict[str, str]:
        """The cookie of somebody's session."""
        return {"name": "fhirwright", "value": self.tokens[role], "url": self.root}

    def shell(self, *words: str) -> str:
        """What a command of `fhirwright` prints."""
        told = io.StringIO()
        with redirect_stdout(told):
            code = run([*words, "--data", str(self.data)])
        assert code == 0, words[:2]
        return told.getvalue()

    def fhir(self, role: str = "clinician") -> httpx.Client:
        """A client of the FHIR API with somebody's rights, by a token of the test's own."""
        return httpx.Client(base_url=self.base, timeout=60, headers={"authorization": f"Bearer {self.token(role)}"})

    def token(self, role: str) -> str:
        """An access token with all that a role gives, as the workbench itself gets it."""
        from server.access.roles import read_roles
        from server.auth.endpoints import Endpoints
        from server.auth.jwks import KeySets
        from server.auth.signing import Keys
        from server.http.work.session import Launches
        from server.jobs.outside import Wall

        store = open_store(Settings(data=self.data).database_url)
        try:
            found = keep.session(store, digest(self.tokens[role]))
            person = keep.person(store, role)
            assert found is not None and person is not None
            launches = Launches(store, Endpoints(store, Keys(store), KeySets(Wall(()))), read_roles())
            return launches.of(found, person, self.base).token
        finally:
            store.close()

    def hand_in(self, data: bytes, media_type: str, title: str, seconds: float = 240, **more: Any) -> str:
        """The id of a document that was handed in and coded."""
        attachment = {"contentType": media_type, "title": title, "data": base64.b64encode(data).decode()}
        body = {
            "resourceType": "DocumentReference",
            "status": "current",
            "content": [{"attachment": attachment}],
            **more,
        }
        with self.fhir() as http:
            made = http.post("/DocumentReference", json=body)
            assert made.status_code == 201, made.text
            id = str(made.json()["id"])
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                found = http.get("/Task", params={"focus": f"DocumentReference/{id}", "code": "code-document"}).json()
                states = [entry["resource"]["status"] for entry in found.get("entry", ())]
                if states and states[0] in ("completed", "failed"):
                    assert states == ["completed"], found
                    return id
                time.sleep(0.2)
        raise AssertionError("the document was not coded in time")


class Looking:
    """A browser's page that keeps what its console complains about."""

    def __init__(self, page: Any, axe: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self._axe = axe
        page.on("console", lambda one: self.complaints.append(one.text) if one.type in ("error", "warning") else None)
        page.on("pageerror", lambda one: self.complaints.append(str(one)))

    def violations(self) -> list[str]:
        """What axe-core finds wrong with the page as it stands: rule and elements."""
        self.page.evaluate(self._axe)
        found = self.page.evaluate(
            "() => axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map("
            "v => v.id + ': ' + v.nodes.map(n => n.target.join(' ')).slice(0, 4).join(' | ')))"
        )
        return list(found)

    def wider(self) -> bool:
        """Whether the page is wider than the window."""
        return bool(
            self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1")
        )

    def picture(self, name: str, *, full: bool = False) -> None:
        """Keep how the page looks: in docs/pictures where FHIRWRIGHT_PICTURES asks for it."""
        if os.environ.get("FHIRWRIGHT_PICTURES"):
            PICTURES.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=PICTURES / f"{name}.png", full_page=full)


def until(page: Any, holds: str, arg: Any = None, seconds: float = 60) -> None:
    """Wait until an expression, or a function of `arg`, is true in the page, whose own policy forbids it to poll."""
    end = time.monotonic() + seconds
    while not page.evaluate(holds, arg):
        assert time.monotonic() < end, f"it did not happen: {holds}"
        page.wait_for_timeout(50)


@contextmanager
def looking(
    browser: Any, house: House, role: str, axe: str, *, scheme: str = "light", size: dict[str, int] | None = None
) -> Iterator[Looking]:
    """Somebody's page in a new window; at its end the console must have been silent."""
    context = browser.new_context(color_scheme=scheme, viewport=size or WIDE)
    context.add_cookies([house.cookie(role)])
    made = Looking(context.new_page(), axe)
    try:
        yield made
        assert made.complaints == []
    finally:
        context.close()


def resource(http: httpx.Client, kind: str, id: str, **content: Any) -> dict[str, Any]:
    """Put a resource."""
    answer = http.put(
        f"/{kind}/{id}",
        content=json.dumps({"resourceType": kind, "id": id, **content}),
        headers={"content-type": "application/fhir+json"},
    )
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


__all__ = ["CPT", "ROLES", "SMALL", "WIDE", "House", "Looking", "looking", "resource", "until"]
