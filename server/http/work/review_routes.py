"""The review page and its parts (docs/review.md)."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request, Response

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import CPT, HCPCS, ICD10CM
from server.http.errors import status_of
from server.review.coded import REASONS as REJECTIONS
from server.review.work import REASONS

from .desk import Desk, RefusedError
from .holding import held, held_of, question, store
from .queue_routes import take_next
from .reception import Reception
from .review_bill import bill_of
from .review_decide import decide_by, finish_by, who
from .review_open import Opened, open_review
from .review_sheet import sheet_of
from .review_tabs import TABS, tab_of, trail_csv
from .review_waiting import waiting
from .shown import guarded, page, part
from .toasts import go_to, refused, told

ROOM = "review"
SERVICES = (HCPCS, CPT)
HITS = 25
QUESTIONS = (
    ("specificity", "More specific diagnosis"),
    ("conflict", "Conflicting documentation"),
    ("clinical-validity", "Clinical support of a diagnosis"),
    ("present-on-admission", "Present on admission"),
    ("procedure", "What was done"),
    ("other", "Something else"),
)


def review_routes(router: APIRouter, reception: Reception) -> None:
    """Everything below /work/review/ID."""
    _seen(router, reception)
    _beside(router, reception)
    _decided(router, reception)

    @router.get("/work/review/{id}/find")
    async def find(request: Request, id: str) -> Response:
        desk = await reception.desk(request, ROOM)
        text = request.query_params.get("text", "").strip()[:200]
        systems = SERVICES if request.query_params.get("of") == "service" else (ICD10CM,)
        hits = [hit for system in systems for hit in await _hits(desk, system, text)] if len(text) > 1 else []
        return part(desk, "review_hits.html", hits=hits[:HITS], asked=len(text) > 1, id=id)


def _seen(router: APIRouter, reception: Reception) -> None:
    @router.get("/work/review/{id}")
    async def review(request: Request, id: str) -> Response:
        desk = await reception.desk(request, ROOM)
        try:
            open = await open_review(desk, id)
        except RefusedError as error:
            return await waiting(desk, id, error)
        if not open.task.get("output") and open.task.get("status") != "completed":
            return await waiting(desk, id)
        number = _page(request.query_params.get("page", ""), open, open.first)
        return page(
            desk, "review.html", room=ROOM, open=open, page=number, text=not open.of, sheet=await sheet_of(
                desk, open, number, text=not open.of
            ), bill=await bill_of(desk, open), decides=_decides(desk, open), pending=list(REASONS.items()),
            questions=QUESTIONS, work=held_of(desk, open),
            reasons=[(code, one.display) for code, one in REJECTIONS.items()],
        )  # fmt: skip

    @router.get("/work/review/{id}/page/{number:int}")
    async def sheet(request: Request, id: str, number: int) -> Response:
        desk = await reception.desk(request, ROOM)
        open = await open_review(desk, id)
        number, text = _page(str(number), open), not open.of or request.query_params.get("text") == "1"
        shown = await sheet_of(desk, open, number, text=text)
        return part(
            desk, "review_turned.html", open=open, page=number, text=text, sheet=shown, decides=_decides(desk, open)
        )


def _beside(router: APIRouter, reception: Reception) -> None:
    @router.get("/work/review/{id}/image/{number:int}")
    async def image(request: Request, id: str, number: int) -> Response:
        desk = await reception.desk(request, ROOM)
        asked = {name: request.query_params[name] for name in ("width", "crop") if name in request.query_params}
        conditions = {name: request.headers[name] for name in ("if-none-match",) if name in request.headers}
        answer = await desk.send(
            "GET", f"DocumentReference/{id}/$page-image", {"page": number, "width": 1400} | asked,
            headers={"accept": "image/png"} | conditions,
        )  # fmt: skip
        kept = {n: v for n in ("etag", "cache-control", "content-type") if (v := answer.headers.get(n))}
        if not answer.ok:
            return Response(status_code=answer.status, headers=guarded())
        return Response(answer.body, answer.status, headers=guarded() | kept | {"vary": "cookie"})

    @router.get("/work/review/{id}/tab/{name}")
    async def tab(request: Request, id: str, name: str) -> Response:
        desk = await reception.desk(request, ROOM)
        if name not in TABS:
            raise FhirError.of(Category.NOT_FOUND, "not-found", "A claim has no such tab.")
        open = await open_review(desk, id)
        return part(desk, "review_tab.html", open=open, name=name, **await tab_of(desk, open, name))

    @router.get("/work/review/{id}/trail.csv")
    async def export(request: Request, id: str) -> Response:
        desk = await reception.desk(request, ROOM)
        headers = guarded() | {"content-disposition": 'attachment; filename="trail.csv"'}
        return Response(trail_csv(await open_review(desk, id)), media_type="text/csv; charset=utf-8", headers=headers)

    @router.get("/work/review/{id}/words/{number:int}")
    async def words(request: Request, id: str, number: int) -> Response:
        desk = await reception.desk(request, ROOM)
        answer = await desk.asked("GET", f"DocumentReference/{id}/$page-words", params={"page": number})
        return Response(answer.body, media_type="application/json", headers=guarded())


def _decided(router: APIRouter, reception: Reception) -> None:
    @router.post("/work/review/{id}/decide")
    async def decided(request: Request, id: str) -> Response:
        desk, form = await reception.posted(request, ROOM, "decide")
        former = await open_review(desk, id)
        number = _page(form.one("page"), former)
        try:
            open = await decide_by(desk, former, form, held_of(desk, former).take())
        except (FhirError, RefusedError) as error:
            return await _refused(desk, id, number, error)
        return await _changed(desk, open, number, former)

    @router.post("/work/review/{id}/finish")
    async def finish(request: Request, id: str) -> Response:
        desk, form = await reception.posted(request, ROOM, "decide")
        open = await open_review(desk, id)
        bill = await bill_of(desk, open)
        try:
            open = await finish_by(desk, open, form, bill.every, held_of(desk, open).finish())
        except (FhirError, RefusedError) as error:
            return await _refused(desk, id, 1, error)
        following = await take_next(desk)
        place = f"/work/review/{following}?after={id}" if following else f"/work/queue?after={id}"
        return go_to(told(await _changed(desk, open, 1, None), "The claim is ready."), place)

    @router.post("/work/review/{id}/pend")
    async def pend(request: Request, id: str) -> Response:
        desk, form = await reception.posted(request, ROOM, "decide")
        try:
            await store(desk, (await held(desk, id)).pend(form.one("reason"), form.one("note")))
        except (FhirError, RefusedError) as error:
            return await _refused(desk, id, 1, error)
        return go_to(part(desk, "nothing.html"), "/work/queue")

    @router.post("/work/review/{id}/ask")
    async def ask(request: Request, id: str) -> Response:
        desk, form = await reception.posted(request, ROOM, "ask")
        open = await open_review(desk, id)
        work = held_of(desk, open)
        about, text = dict(QUESTIONS).get(form.one("about"), "Something else"), form.one("text").strip()[:2000]
        try:
            if not text:
                raise FhirError.of(Category.INCORRECT, "required", "Write the question first.")
            asked = question(work, open.patient_reference, about, text, dict(who(desk)))
            await store(desk, [asked, *work.pend("waiting-physician", about)])
        except (FhirError, RefusedError) as error:
            return await _refused(desk, id, 1, error)
        return go_to(part(desk, "nothing.html"), "/work/queue")


async def _changed(desk: Desk, open: Opened, number: int, former: Opened | None) -> Response:
    """What a decision changed since `former`: the cards, or all of them, the counts of pages, the head, the claim."""
    return part(
        desk, "review_changed.html", open=open, page=number, cards=open.fresh(former, number) if former else None,
        counted=open.counted(former), bill=await bill_of(desk, open), decides=_decides(desk, open),
        work=held_of(desk, open),
    )  # fmt: skip


async def _refused(desk: Desk, id: str, number: int, error: FhirError | RefusedError) -> Response:
    """The page as it stands now, and why nothing was decided."""
    open = await open_review(desk, id)
    status = error.answer.status if isinstance(error, RefusedError) else status_of(error)
    text = error.answer.told() if isinstance(error, RefusedError) else str(error)
    return refused(await _changed(desk, open, number, None), text, status)


def _decides(desk: Desk, open: Opened) -> bool:
    """Whether somebody may decide: it is theirs to, and the review is not finished."""
    return desk.can("review:decide") and open.claim.get("status", "draft") == "draft"


def _page(text: str, open: Opened, first: int = 1) -> int:
    """The page that is asked for, within the document."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else first
    return max(1, min(number, open.of or 1))


async def _hits(desk: Desk, system: str, text: str) -> list[dict[str, Any]]:
    """What a search for codes finds; headings are shown, and cannot be taken."""
    asked = [("url", f"{system}?fhir_vs"), ("filter", text), ("count", str(HITS)), ("property", "billable")]
    answer = await desk.send("GET", "ValueSet/$expand", asked)
    if not answer.ok:
        return []
    found = json.loads(answer.body)
    return [
        {
            "system": system, "code": one["code"], "display": one.get("display", ""), "billable": _billable(one),
            "notes": "",
        }
        for one in found.get("expansion", {}).get("contains", ())
    ]  # fmt: skip


def _billable(concept: dict[str, Any]) -> bool:
    """What the property says; a code system that does not tell it has no headings."""
    for extension in concept.get("extension") or ():
        parts = {part["url"]: part for part in extension.get("extension") or ()}
        if parts.get("code", {}).get("valueCode") == "billable":
            return bool(parts.get("value", {}).get("valueBoolean", True))
    return not concept.get("abstract", False)
