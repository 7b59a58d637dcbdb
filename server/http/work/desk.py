"""A visitor's way to FHIR: the API of this server, called in this process as any client calls it.

https://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import httpx
import msgspec
import orjson

from fhir_profiles import json
from server.http.routes import PREFIX

FHIR_JSON = "application/fhir+json"
Json = dict[str, Any]


class Answer(msgspec.Struct, frozen=True):
    """What the FHIR API answered."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """Whether it did what was asked."""
        return self.status < 400

    def json(self) -> Json:
        """The resource; decimals as they were sent."""
        return json.decode_own(self.body) if self.body else {}

    def told(self) -> str:
        """What an OperationOutcome says, for a person."""
        try:
            issues = orjson.loads(self.body).get("issue") or ()
            texts = [i.get("diagnostics") or (i.get("details") or {}).get("text") or i.get("code", "") for i in issues]
        except (orjson.JSONDecodeError, AttributeError):
            texts = []
        return " ".join(text for text in texts if text) or f"The server answered with status {self.status}."


class RefusedError(Exception):
    """The FHIR API refused: its status, and what it told."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"status {answer.status}")
        self.answer = answer


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """One visit: who visits and what forms carry. Without `token` the server runs open."""

    app: Any
    host: str
    scheme: str
    address: str
    csrf: str
    name: str
    who: str | None = None
    """`Practitioner/1` …: who that is among the resources."""

    person: str | None = None
    """The id of the account; None where the server runs open."""

    roles: tuple[str, ...] = ()
    may: frozenset[str] = frozenset()
    """What this one may see and do: names of rooms, and of acts as `room:act`."""

    token: str | None = None
    place: str = ""
    """The path that was asked for."""

    forget: Callable[[], None] | None = None
    """Called where the token is refused, as after it was taken back: the next request launches again."""

    def can(self, act: str) -> bool:
        """Whether this one may see a room, or do `room:act`."""
        return act in self.may

    async def send(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | Sequence[tuple[str, str]] = (),
        body: Json | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request below the FHIR base; `path` is like `Patient/1` or `Claim/$submit`, whose parts are encoded."""
        content = body if isinstance(body, bytes) else json.encode(body) if body is not None else b""
        fields = {"host": self.host, "accept": FHIR_JSON, **(headers or {})}
        if self.token is not None:
            fields["authorization"] = f"Bearer {self.token}"
        if content and "content-type" not in fields:
            fields["content-type"] = FHIR_JSON
        target = "/".join(_part(part) for part in path.split("/") if part)
        query = urlencode(list(params.items()) if isinstance(params, Mapping) else list(params), doseq=True)
        url = f"{self.scheme}://{self.host}{PREFIX}{'/' if target else ''}{target}{'?' if query else ''}{query}"
        transport = httpx.ASGITransport(self.app, client=(self.address, 0))
        sent = [(name.encode(), value.encode("latin-1", "replace")) for name, value in fields.items()]
        request = httpx.Request(method, url, headers=sent, content=content)
        response = await transport.handle_async_request(request)
        if response.status_code == 401 and self.forget is not None:
            self.forget()
        return Answer(response.status_code, await response.aread(), response.headers)

    async def asked(self, method: str, path: str, **more: Any) -> Answer:
        """As `send`, but RefusedError for what was refused."""
        answer = await self.send(method, path, **more)
        if not answer.ok:
            raise RefusedError(answer)
        return answer

    async def read(self, path: str, **params: Any) -> Json:
        """The resource at a path; RefusedError where there is none to be seen."""
        return (await self.asked("GET", path, params=_named(params))).json()

    async def search(self, kind: str, params: Iterable[tuple[str, str]] = (), most: int = 1000) -> list[Json]:
        """What a search finds, at most so many, by following its pages."""
        answer = await self.asked("GET", kind, params=list(params))
        found: list[Json] = []
        while True:
            bundle = answer.json()
            found += [entry["resource"] for entry in bundle.get("entry", ()) if "resource" in entry]
            after = next((one["url"] for one in bundle.get("link", ()) if one.get("relation") == "next"), None)
            if after is None or len(found) >= most:
                return found[:most]
            _, _, rest = after.partition(f"{PREFIX}/")
            path, _, query = rest.partition("?")
            answer = await self.asked("GET", path, params=_pairs(query))

    async def all(self, references: Sequence[str]) -> dict[str, Json]:
        """The resources of references `Type/id`, by reference, in one batch; those that cannot be seen are left out."""
        if not references:
            return {}
        entries = [{"request": {"method": "GET", "url": reference}} for reference in references]
        answer = await self.asked("POST", "", body={"resourceType": "Bundle", "type": "batch", "entry": entries})
        found = zip(references, answer.json().get("entry", ()), strict=False)
        return {
            reference: entry["resource"]
            for reference, entry in found
            if "resource" in entry and str(entry["response"]["status"]).startswith("200")
        }


def _named(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Keywords as search parameters: `_count=5`, `date=["ge2026", "lt2027"]`."""
    return [
        (name, str(one))
        for name, value in params.items()
        for one in (value if isinstance(value, (list, tuple)) else [value])
    ]


def _part(part: str) -> str:
    """A part of a path; `.` and `..` are names like any other, which lead nowhere else."""
    return part.replace(".", "%2E") if part in (".", "..") else quote(part, safe="$~", errors="replace")


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)
