"""The upload page: hand in documents, watch them being read (https://www.rfc-editor.org/rfc/rfc7578)."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from server.http.binary import LARGEST

from .desk import Desk
from .reception import Reception
from .shown import guarded, page, part
from .toasts import told
from .upload_files import ALL, MOST, Handed, TooMuchError, hand_in, read_files
from .upload_stages import Row, ids_of, rows_of, shown

ROOM = "upload"
SWAP = "x-fhirwright-swap"
LIMITS = f"Up to {MOST} files at once, together at most {ALL // 1024 // 1024} MB, none over {LARGEST // 1_000_000} MB"


def upload_routes(router: APIRouter, reception: Reception) -> None:
    """Everything below /work/upload."""

    @router.get("/work/upload")
    async def upload(request: Request) -> Response:
        desk = await reception.desk(request, ROOM)
        ids = ids_of(request.query_params.get("of", ""))
        return page(desk, "upload.html", room=ROOM, limits=LIMITS, **shown(ids, await rows_of(desk, ids)))

    @router.get("/work/upload/stages")
    async def stages(request: Request) -> Response:
        desk = await reception.desk(request, ROOM)
        ids = ids_of(request.query_params.get("of", ""))
        rows = await rows_of(desk, ids)
        answer = part(desk, "upload_stages.html", **shown(ids, rows))
        waited = ids_of(request.query_params.get("wait", ""))
        news = [_news(row) for row in rows if row.ended and row.id in waited]
        return told(answer, " ".join(news)) if news else answer

    @router.post("/work/upload")
    async def handed(request: Request) -> Response:
        desk, visit = await reception.uploaded(request, ROOM, "upload")
        try:
            form, files = await read_files(request)
        except TooMuchError:
            return page(
                desk, "message.html", 413, title="Too much at once", text=f"{LIMITS}. Send the rest after these."
            )
        reception.check(desk, visit, form)
        return await _answer(request, desk, [await hand_in(desk, file) for file in files])

    @router.post("/work/upload/{id}/retry")
    async def retry(request: Request, id: str) -> Response:
        desk, form = await reception.posted(request, ROOM)
        ids = ids_of(form.one("of"))
        for row in await rows_of(desk, ids_of(id)):
            await desk.asked("POST", f"Task/{row.task}/$retry")
        if SWAP in request.headers:
            return part(desk, "upload_stages.html", **shown(ids, await rows_of(desk, ids)))
        return RedirectResponse(_place(ids), 303, headers=guarded())


async def _answer(request: Request, desk: Desk, handed: Sequence[Handed]) -> Response:
    """What became of the files: their stages, and what was not taken."""
    ids = [one.id for one in handed if one.id]
    refused = [one for one in handed if one.problem]
    if not handed:
        refused = [Handed("Nothing was sent", problem="Choose at least one file.")]
    if not refused and SWAP not in request.headers:
        return RedirectResponse(_place(ids), 303, headers=guarded())
    rows = await rows_of(desk, ids) if ids else []
    told_of = shown(ids, rows) | {"refused": refused}
    if SWAP not in request.headers:
        return page(desk, "upload.html", 422, room=ROOM, limits=LIMITS, **told_of)
    text = f"{len(ids)} handed in." if ids else "Nothing was handed in."
    return told(part(desk, "upload_stages.html", **told_of), text)


def _news(row: Row) -> str:
    return f"{row.title} is coded." if row.state == "completed" else f"{row.title} was not coded."


def _place(ids: Sequence[str]) -> str:
    return f"/work/upload?of={quote(','.join(ids))}" if ids else "/work/upload"
