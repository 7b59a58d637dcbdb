"""The resource viewer: a resource, its versions, and what changed between two of them.

https://hl7.org/fhir/R4/http.html#history
"""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, Request, Response

from .desk import Desk
from .pretty import differences, pretty
from .reception import Reception
from .shown import page

ROOM = "resource"
LONGEST = 400_000
VERSIONS = 50
_OF = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})")
_VERSION = re.compile(r"[A-Za-z0-9\-.]{1,64}")


def resource_routes(router: APIRouter, reception: Reception) -> None:
    """Everything below /work/resource."""

    @router.get("/work/resource")
    async def resource(request: Request) -> Response:
        desk = await reception.desk(request, ROOM)
        of = request.query_params.get("of", "").strip().removeprefix("/fhir/")[:200]
        asked = {name: request.query_params.get(name, "") for name in ("version", "against")}
        asked = {name: value if _VERSION.fullmatch(value) else "" for name, value in asked.items()}
        told: dict[str, Any] = {"of": of, "why": "", "versions": [], "pieces": [], "lines": [], **asked}
        if _OF.fullmatch(of):
            told |= await _told(desk, of, asked["version"], asked["against"])
        elif of:
            told["why"] = "Write a type and an id, as in Patient/123."
        return page(desk, "resource.html", room=ROOM, **told)


async def _told(desk: Desk, of: str, version: str, against: str) -> dict[str, Any]:
    """The resource, its versions, and the lines that differ."""
    answer = await desk.send("GET", f"{of}/_history/{version}" if version else of)
    history = await desk.send("GET", f"{of}/_history", {"_count": VERSIONS})
    told: dict[str, Any] = {"versions": _versions(history.json()) if history.ok else []}
    if not answer.ok:
        return told | {"why": answer.told()}
    if against:
        other = await desk.send("GET", f"{of}/_history/{against}")
        return told | ({"lines": differences(other.body, answer.body)} if other.ok else {"why": other.told()})
    return told | {"pieces": pretty(answer.body, LONGEST)}


def _versions(bundle: dict[str, Any]) -> list[dict[str, str]]:
    """The versions, the newest first."""
    found = []
    for entry in bundle.get("entry") or ():
        meta = (entry.get("resource") or {}).get("meta") or {}
        how = str((entry.get("request") or {}).get("method", ""))
        response = entry.get("response") or {}
        number = str(meta.get("versionId") or str(response.get("etag", "")).strip('W/"'))
        found.append({"id": number, "at": str(meta.get("lastUpdated") or response.get("lastModified", "")), "how": how})
    return found
