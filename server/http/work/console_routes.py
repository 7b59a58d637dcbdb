"""The API console: any FHIR request, with one's own rights (https://hl7.org/fhir/R4/http.html)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response

from fhir_profiles.systems import ICD10CM, LOINC

from .desk import Desk
from .pretty import Piece, pretty
from .reception import Reception
from .shown import page, part

ROOM = "console"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
CONDITIONS = {"if-match", "if-none-match", "if-none-exist", "if-modified-since"}
HEADERS = frozenset({*CONDITIONS, "accept", "content-type", "prefer", "accept-language"})
"""Headers that may be sent; all others are not of this page."""

TOLD = ("etag", "last-modified", "location", "content-location", "content-type", "retry-after", "x-request-id")
LONGEST = 400_000
"""Characters of an answer that are shown."""

EXAMPLES = (
    ("GET", "Patient?_count=5", "the first patients"),
    ("GET", "Condition?_include=Condition:subject&_count=5", "diagnoses with their patients"),
    ("GET", f"Observation?code={LOINC}|4548-4&_sort=-date", "hemoglobin A1c, the newest first"),
    ("GET", f"CodeSystem/$validate-code?url={ICD10CM}&code=E11.9", "is a code valid"),
    ("GET", "metadata", "what the server can do"),
)


def console_routes(router: APIRouter, reception: Reception) -> None:
    """Everything below /work/console."""

    @router.get("/work/console")
    async def console(request: Request) -> Response:
        desk = await reception.desk(request, ROOM)
        path = request.query_params.get("path", "Patient?_count=5")[:2000]
        return page(desk, "console.html", room=ROOM, methods=METHODS, examples=EXAMPLES, path=path)

    @router.post("/work/console")
    async def send(request: Request) -> Response:
        desk, form = await reception.posted(request, ROOM)
        method = form.one("method")
        if method not in METHODS:
            method = "GET"
        told = await _send(desk, method, form.one("path"), form.one("headers"), form.one("body"))
        return part(desk, "console_answer.html", **told)


async def _send(desk: Desk, method: str, path: str, headers: str, body: str) -> dict[str, Any]:
    """One request, and what the page tells of its answer."""
    where, _, query = path.strip().removeprefix("/fhir/").removeprefix("/").partition("?")
    fields = {}
    for line in headers.splitlines()[:20]:
        name, _, value = line.partition(":")
        if name.strip().lower() in HEADERS:
            fields[name.strip().lower()] = value.strip()[:1000]
    answer = await desk.send(method, where, parse_qsl(query, keep_blank_values=True), body.encode() or None, fields)
    kind = answer.headers.get("content-type", "")
    pieces = pretty(answer.body, LONGEST) if "json" in kind or "text" in kind or "xml" in kind else []
    note = f"{len(answer.body):,} bytes of {kind}" if answer.body and not pieces else ""
    return {
        "answered": answer.status, "ok": answer.ok, "size": len(answer.body), "pieces": pieces or [Piece(note, "")],
        "fields": [(name, answer.headers[name]) for name in TOLD if name in answer.headers],
    }  # fmt: skip
