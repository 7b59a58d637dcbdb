"""`Claim/$submit`: what a payer would reject of a claim, and what it is worth, as a stored ClaimResponse.

https://hl7.org/fhir/R4/claim-operation-submit.html
"""

from __future__ import annotations

import hashlib
import re
import threading
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import orjson

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import FHIR
from server.interactions.exchange import FHIR_JSON, Request, Response
from server.interactions.fhir import Fhir
from server.operations.registry import Operation
from server.store import Tx

if TYPE_CHECKING:
    from claims.answer.scrub import Scrub

LONGEST = 8 * 1024 * 1024
MOST_REFERENCES = 200
"""Resources of this server that one claim may rest on."""
_LOCAL = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")


class Desk:
    """Rules, tables and prices of a data directory, opened when first asked for and again when tables were loaded."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] = ()
        self._scrub: Scrub | None = None

    def scrub(self) -> Scrub:
        """What to scrub with now."""
        folders = [self._data / name for name in ("claims", "terminology")]
        stamp = tuple(folder.stat().st_mtime_ns if folder.is_dir() else 0 for folder in folders)
        with self._lock:
            if self._scrub is None or stamp != self._stamp:
                from claims.answer.scrub import Scrub

                self._scrub, self._stamp = Scrub.open(self._data), stamp
            return self._scrub


class Near:
    """The resources of this server that a claim refers to, each read once; `digest` tells what they said."""

    def __init__(self, fhir: Fhir, request: Request) -> None:
        self._fhir, self._request = fhir, request
        self._found: dict[str, bytes | None] = {}

    def __call__(self, reference: str) -> bytes | None:
        """The body of a resource, None where this server has none of the name."""
        local = reference.removeprefix(f"{self._request.base_url}/")
        if not _LOCAL.fullmatch(local):
            return None
        path = tuple(local.split("/"))
        if reference not in self._found:
            if len(self._found) >= MOST_REFERENCES:
                text = f"A claim may refer to {MOST_REFERENCES} resources of this server."
                raise FhirError.of(Category.INCORRECT, "too-costly", text, "Claim")
            self._found[reference] = self._read(path)
        return self._found[reference]

    def _read(self, path: tuple[str, ...]) -> bytes | None:
        one = msgspec.structs.replace(self._request, method="GET", path=path, query=(), body=b"", prefer="")
        try:
            return self._fhir.handle_sync(one).body
        except FhirError as error:
            if error.category is Category.NOT_FOUND:
                return None
            raise

    def told(self) -> list[tuple[str, str]]:
        """What was read, by hash."""
        return [(name, hashlib.sha256(body or b"").hexdigest()) for name, body in sorted(self._found.items())]


class Submit:
    """Scrubs a Claim and keeps the answer: the same claim, under the same rules and tables, has one answer."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir
        self._desk = Desk(fhir.settings.data)

    async def __call__(self, request: Request) -> Response:
        """200 with the ClaimResponse, whatever it says; FhirError when the Claim cannot be read at all."""
        id, body = await self._fhir.store.run(self._answer, request)
        if isinstance(body, Response):
            return body
        return await self._fhir.store.write(lambda tx: self._keep(tx, request, id, body))

    def _answer(self, request: Request) -> tuple[str, bytes | Response]:
        """The id of the answer, and the answer: stored before, or new."""
        from claims.answer.head import read_head
        from claims.answer.response import Written, response
        from claims.sheet.read import read_claim

        sent, scrub = _sent(request.body), self._desk.scrub()
        near = Near(self._fhir, request)
        today = datetime.now(UTC)
        record = read_claim(sent, 0, near, _days(today.date()))
        id = _id(sent, scrub.stamp.fingerprint, near)
        try:
            return id, _told(self._fhir.handle_sync(_asks("GET", request, id)))
        except FhirError as error:
            if error.category is not Category.NOT_FOUND:
                raise
        head = read_head(sent)
        if head.id is not None and near(f"Claim/{head.id}") is None:
            head.id = None  # the answer refers to what can be read
        created = today.isoformat(timespec="seconds")
        written = Written(id, created, scrub.stamp.whole, bool(scrub.stamp.not_run))
        return id, response(scrub.one(record, head), written)

    def _keep(self, tx: Tx, request: Request, id: str, body: bytes) -> Response:
        """Store the answer, unless the same request at the same time has."""
        try:
            return _told(self._fhir.handle_in(tx, _asks("GET", request, id)))
        except FhirError as error:
            if error.category is not Category.NOT_FOUND:
                raise
        return _told(self._fhir.handle_in(tx, _asks("PUT", request, id, body)))


def _sent(body: bytes) -> bytes:
    """The Claim or Bundle itself, also where it is the parameter `resource` of Parameters."""
    try:
        head = msgspec.json.decode(body, type=_Parameters)
    except msgspec.MsgspecError:
        return body  # the reader of claims tells what is wrong with it
    if head.resource_type != "Parameters":
        return body
    found = [bytes(one.resource) for one in head.parameter if one.name == "resource"]
    if len(found) != 1 or not found[0]:
        text = "Send a Claim, or a Bundle whose first entry is one, as the body or as the parameter resource."
        raise FhirError.of(Category.INCORRECT, "required", text, "Parameters.parameter")
    return found[0]


class _Parameter(msgspec.Struct):
    name: str = ""
    resource: msgspec.Raw = msgspec.Raw()


class _Parameters(msgspec.Struct, rename="camel"):
    resource_type: str = ""
    parameter: list[_Parameter] = []


def _id(sent: bytes, fingerprint: str, near: Near) -> str:
    """The id of the answer to a claim: its content, what it refers to, and the rules and tables that it is held to."""
    try:
        content = orjson.dumps(orjson.loads(sent), option=orjson.OPT_SORT_KEYS)
    except orjson.JSONDecodeError:  # a number beyond 64 bits
        content = sent
    known = orjson.dumps([hashlib.sha256(content).hexdigest(), fingerprint, near.told()])
    return f"scrub-{hashlib.sha256(known).hexdigest()[:40]}"


def _days(today: date) -> int:
    return (today - date(1970, 1, 1)).days


def _asks(method: str, of: Request, id: str, body: bytes = b"") -> Request:
    path = ("ClaimResponse", id)
    return Request(
        method=method, path=path, body=body, base_url=of.base_url, who=of.who, prefer="return=representation"
    )


def _told(stored: Response) -> Response:
    headers = (("Content-Location", stored.location),) if stored.location else ()
    return Response(status=200, body=stored.body, content_type=FHIR_JSON, headers=headers)


def operations(fhir: Fhir) -> list[Operation]:
    """`$submit` on Claim."""
    definition = f"{FHIR}/OperationDefinition/Claim-submit"
    return [
        Operation(
            "submit", frozenset({"type"}), Submit(fhir), frozenset({"Claim"}), definition=definition, longest=LONGEST
        )
    ]
