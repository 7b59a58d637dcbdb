"""The pages of figures: numbers and charts by area, the rows behind each number, and CSV (docs/figures.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from .desk import Desk, RefusedError
from .figures_board import board
from .figures_told import MOST_DAYS, Span, Told
from .reception import Reception
from .rooms import BY_NAME
from .shown import guarded, page

AREAS = ("operations", "quality", "claims", "system")
PRESETS = (1, 7, 30, 90, 365)
DAYS = 30
PAGE = 50
_ABOUT = ("focus", "request", "claim", "subject")
Json = Mapping[str, Any]


def figures_routes(router: APIRouter, reception: Reception) -> None:
    """A page for each area, the rows of a number, and the file for a spreadsheet."""
    for area in AREAS:
        _routes_of(router, reception, area)


def _routes_of(router: APIRouter, reception: Reception, area: str) -> None:
    @router.get(f"/work/figures/{area}")
    async def figures(request: Request) -> Response:
        desk = await reception.desk(request, area)
        span = span_of(area, request.query_params)
        now, before = await asyncio.gather(_told(desk, span), _before(desk, span))
        return page(
            desk, "figures.html", room=area, title=BY_NAME[area].title, span=span, board=board(now, before),
            presets=_presets(span), areas=_areas(desk, span),
        )  # fmt: skip

    @router.get(f"/work/figures/{area}.csv")
    async def table(request: Request) -> Response:
        desk = await reception.desk(request, area)
        params = span_of(area, request.query_params).query() | {"_format": "text/csv"}
        answer = await desk.asked("GET", "$figures", params=params)
        headers = guarded() | {"content-disposition": answer.headers["content-disposition"]}
        return Response(answer.body, media_type="text/csv; charset=utf-8", headers=headers)

    @router.get(f"/work/figures/{area}/rows")
    async def rows(request: Request) -> Response:
        desk = await reception.desk(request, area)
        asked = request.query_params
        span, name, labels = span_of(area, asked), asked.get("figure", ""), asked.getlist("label")
        offset = int(text) if (text := asked.get("offset", "0")).isdecimal() and len(text) < 9 else 0
        params = [*span.query().items(), ("rows", name), *(("label", one) for one in labels)]
        params += [("_count", str(PAGE)), ("_offset", str(offset))]
        bundle = (await desk.asked("GET", "$figures", params=params)).json()

        def there(at: int) -> str:
            return span.path("/rows", figure=name, label=labels, offset=str(at))

        total, after = int(bundle["total"]), offset + PAGE
        return page(
            desk, "figures_rows.html", room=area, name=name, labels=labels, span=span, total=total,
            rows=[_row(entry["resource"]) for entry in bundle.get("entry", ())],
            before=there(max(0, offset - PAGE)) if offset else "", after=there(after) if after < total else "",
        )  # fmt: skip


async def _told(desk: Desk, span: Span) -> Told:
    return Told(await desk.read("$figures", **span.query()), span)


async def _before(desk: Desk, span: Span) -> Told | None:
    """The figures of the period before; None where there is no such thing, or the figures tell of it themselves."""
    if span.area in ("system", "quality"):
        return None
    try:
        return await _told(desk, span.before())
    except RefusedError:
        return None


def span_of(area: str, asked: Mapping[str, str], today: date | None = None) -> Span:
    """The days that an address names: `since` and `until`, else the last 30; what is no day is left out."""
    today = today or datetime.now(UTC).date()
    until = _day(asked.get("until")) or today
    since = _day(asked.get("since")) or until - timedelta(days=DAYS - 1)
    return Span(area, max(min(since, until), until - timedelta(days=MOST_DAYS - 1)), until)


def _day(text: str | None) -> date | None:
    try:
        found = date.fromisoformat(text or "")
    except ValueError:
        return None
    return found if 1980 <= found.year <= 2200 else None


def _presets(span: Span) -> list[dict[str, Any]]:
    today = datetime.now(UTC).date()
    found = []
    for days in PRESETS:
        one = Span(span.area, today - timedelta(days=days - 1), today)
        found.append({"days": days, "path": one.path(), "here": one == span})
    return found


def _areas(desk: Desk, span: Span) -> list[dict[str, Any]]:
    """The pages of figures that somebody may see, over the same days."""
    return [
        {"title": BY_NAME[area].title, "path": Span(area, span.since, span.until).path(), "here": area == span.area}
        for area in AREAS
        if desk.can(area)
    ]


def _row(resource: Json) -> dict[str, str]:
    """A resource as a line: what it is, how it stands, what it is about, when it changed."""
    kind, id = str(resource["resourceType"]), str(resource["id"])
    about = next((str(found) for name in _ABOUT if (found := (resource.get(name) or {}).get("reference"))), "")
    if kind == "Provenance":
        about = str((resource.get("target") or [{}])[0].get("reference", ""))
    return {
        "kind": kind, "short": id[:13], "href": _resource(f"{kind}/{id}"), "state": _state(resource), "about": about,
        "there": _resource(about), "changed": str((resource.get("meta") or {}).get("lastUpdated", "")),
    }  # fmt: skip


def _state(resource: Json) -> str:
    told = [str(resource.get("status") or "")]
    for name in ("businessStatus", "activity"):
        concept = resource.get(name) or {}
        codings = concept.get("coding") or [{}]
        told.append(str(codings[0].get("display") or codings[0].get("code") or ""))
    if resource.get("outcome"):
        told.append(str(resource["outcome"]))
    return ", ".join(filter(None, told))


def _resource(reference: str) -> str:
    """Where a resource is shown; that of a document is its review."""
    kind, _, id = reference.partition("/_history")[0].partition("/")
    if kind == "DocumentReference":
        return f"/work/review/{quote(id)}"
    return f"/work/resource?of={quote(f'{kind}/{id}')}"
