"""What would make the code of a suggestion more specific, asked when a person looks at it."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response

from .desk import Desk
from .reception import Reception
from .shown import part

ROOM = "review"
SHOWN = 8
"""Codes that a hint offers."""

_CONDITION = re.compile(r"Condition/[A-Za-z0-9\-.]{1,64}")


class Told(NamedTuple):
    """A hint as the page shows it; `codes` are (code, display)."""

    text: str
    codes: list[tuple[str, str]]


def hints_routes(router: APIRouter, reception: Reception) -> None:
    """`/work/review/ID/hints`."""

    @router.get("/work/review/{id}/hints")
    async def hints(request: Request, id: str) -> Response:
        desk = await reception.desk(request, ROOM, "decide")
        of = request.query_params.get("of", "")
        system, found = await _hints(desk, of) if _CONDITION.fullmatch(of) else ("", [])
        return part(desk, "review_hints.html", id=id, of=of, system=system, hints=found)


async def _hints(desk: Desk, of: str) -> tuple[str, list[Told]]:
    """The code system of a Condition's first coding, and the hints about it."""
    codings = ((await desk.read(of)).get("code") or {}).get("coding") or [{}]
    system, code = str(codings[0].get("system", "")), str(codings[0].get("code", ""))
    answer = await desk.send("GET", "CodeSystem/$specificity", {"system": system, "code": code})
    told: list[dict[str, Any]] = answer.json().get("parameter") or [] if answer.ok and code else []
    return system, [_told(one.get("part") or []) for one in told]


def _told(parts: list[dict[str, Any]]) -> Told:
    text = next((str(one["valueString"]) for one in parts if one["name"] == "text"), "")
    codings = [one["valueCoding"] for one in parts if one["name"] == "concept"]
    return Told(text, [(str(one["code"]), str(one.get("display", ""))) for one in codings[:SHOWN]])
