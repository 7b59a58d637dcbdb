"""The queue of documents that wait for a coder (docs/workbench.md)."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from fhir_profiles.errors import FhirError

from .desk import Desk, RefusedError
from .holding import held, store
from .queue_rows import PAGE, Asked, asked_of, chosen, counts, rows_of
from .reception import Reception
from .shown import guarded, page, part
from .toasts import go_to, refused, told

ROOM = "queue"


def queue_routes(router: APIRouter, reception: Reception) -> None:
    """The queue, and taking from it."""

    @router.get("/work/queue")
    async def queue(request: Request) -> Response:
        desk = await reception.desk(request, ROOM)
        asked = asked_of(request.query_params)
        rows = await rows_of(desk)
        shown = chosen(rows, asked)
        swapped = "x-fhirwright-swap" in request.headers
        template = "queue_rows.html" if swapped else "queue.html"
        return (part if swapped else page)(
            desk, template, room=ROOM, asked=asked, rows=shown[:PAGE], more=max(0, len(shown) - PAGE),
            counts=counts(rows), takes=desk.can("queue:take"),
        )  # fmt: skip

    @router.post("/work/queue/take")
    async def take(request: Request) -> Response:
        desk, form = await reception.posted(request, ROOM, "take")
        try:
            id: str | None = form.one("id")
            if id:
                await store(desk, (await held(desk, id)).take(over=form.one("over") == "1"))
            elif not (id := await take_next(desk)):
                return told(_answer(request, "/work/queue"), "Nothing waits any more.")
        except (FhirError, RefusedError) as error:
            text = error.answer.told() if isinstance(error, RefusedError) else str(error)
            return refused(part(desk, "nothing.html"), text, 409)
        return _answer(request, f"/work/review/{id}")

    @router.post("/work/queue/release")
    async def release(request: Request) -> Response:
        desk, form = await reception.posted(request, ROOM, "take")
        work = await held(desk, form.one("id"))
        await store(desk, work.release())
        return _answer(request, "/work/queue")


async def take_next(desk: Desk) -> str | None:
    """Take the most pressing document that is free: its id. What others took in between is passed over."""
    for row in chosen(await rows_of(desk), Asked()):
        try:
            await store(desk, (await held(desk, row.id)).take())
        except (FhirError, RefusedError):
            continue
        return row.id
    return None


def _answer(request: Request, place: str) -> Response:
    if "x-fhirwright-swap" in request.headers:
        return go_to(Response(status_code=200, headers=guarded()), place)
    return RedirectResponse(place, 303, headers=guarded())
