"""A browser without scripts: it keeps cookies, reads forms and sends them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pyotp
from selectolax.lexbor import LexborHTMLParser, LexborNode

from server.auth import keep, totp
from server.auth.model import Person
from server.auth.secrets import hash_password
from server.store import Store
from tests.integration.auth.conftest import Flow

PASSWORD = "a staple of horses"
HASH = hash_password(PASSWORD)
KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
BOB = Person(id="bob", name="bob", password=HASH, roles=("clinician",), fhir_user="Practitioner/d", totp=KEY)


def code_of(store: Store, name: str = "bob") -> str:
    """A code that the person's device could show; what was used before does not count."""
    person = keep.person_named(store, name)
    assert person is not None and person.totp is not None
    store.write_sync(lambda tx: keep.put_person(tx, msgspec.structs.replace(person, totp_step=-1)))
    return pyotp.TOTP(person.totp).now()


class Browser:
    """One browser at a server in this process."""

    def __init__(self, flow: Flow, address: str = "192.0.2.1") -> None:
        transport = httpx.ASGITransport(flow.http._transport.app, client=(address, 1))  # type: ignore[attr-defined]
        self.http = httpx.AsyncClient(transport=transport, base_url="http://localhost")
        self.flow = flow
        self.page: httpx.Response

    async def visit(self, path: str) -> httpx.Response:
        """Load a page, following what leads to others of ours."""
        self.page = await self.http.get(path)
        return await self._follow()

    async def _follow(self) -> httpx.Response:
        while self.page.is_redirect and self.page.headers["location"].startswith("/"):
            self.page = await self.http.get(self.page.headers["location"])
        return self.page

    def form(self, action: str) -> dict[str, list[str]]:
        """The fields of a form of the page as they are sent when nothing is touched."""
        return fields_of(self.page.text, action)

    async def send(self, action: str, untick: tuple[str, ...] = (), **fields: str | list[str]) -> httpx.Response:
        """Send a form of the page with some fields changed, and some values unticked."""
        data: dict[str, Any] = {
            name: [value for value in values if value not in untick] for name, values in self.form(action).items()
        }
        self.page = await self.http.post(action, data=data | fields)
        return await self._follow()

    async def sign_in(self, name: str = "bob", password: str = PASSWORD, code: str | None = None) -> httpx.Response:
        """Fill in the form that the page has."""
        given = code_of(self.flow.store, name) if code is None else code
        return await self.send("/auth/sign-in", name=name, password=password, code=given)

    async def ask(self, scope: str, client: str = "public", **more: str) -> httpx.Response:
        """Be sent here by an app."""
        found = await self.flow.authorize(client, scope, aud="http://test/fhir", **more)
        assert found.status_code == 303, found.text
        return await self.visit(found.headers["location"])

    def answer(self) -> dict[str, str]:
        """What the app is told where the browser is sent."""
        place = urlsplit(self.page.headers["location"])
        assert place.netloc == "app.example"
        return {key: values[0] for key, values in parse_qs(place.query).items()}


def fields_of(page: str, action: str) -> dict[str, list[str]]:
    """The fields of a form of a page as they are sent when nothing is touched."""
    found = LexborHTMLParser(page).css_first(f'form[action="{action}"]')
    assert found is not None, page
    fields: dict[str, list[str]] = {}
    for node in found.css("input"):
        if _is_sent(node):
            fields.setdefault(str(node.attributes["name"]), []).append(node.attributes.get("value") or "")
    return fields


def _is_sent(node: LexborNode) -> bool:
    return node.attributes.get("type") != "checkbox" or "checked" in node.attributes


def title(page: httpx.Response) -> str:
    """The heading of a page."""
    found = re.search(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    return found[1].strip() if found else page.text[:200]


__all__ = ["BOB", "KEY", "PASSWORD", "Browser", "code_of", "fields_of", "title", "totp"]
