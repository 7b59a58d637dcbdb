"""The pages of a second look: a document coded again without what was decided about it (docs/review.md)."""

from __future__ import annotations

from copy import copy
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from fhir_profiles.errors import FhirError
from server.http.pages.auth.visit import Form
from server.review.coded import REASONS as REJECTIONS
from server.review.gather import pipeline_of
from server.review.model import Json, Review
from server.review.past import deciders_of
from server.review.second import Opinion, blind, looked, opinions_of, shown
from server.review.second_task import check_may_look, is_over, look_id, score_of

from .desk import Desk, RefusedError
from .reception import Reception
from .review_decide import who
from .review_open import Opened, open_review
from .review_sheet import sheet_of
from .second_rows import SHOWN, second_rows
from .shown import guarded, page, part
from .toasts import go_to, refused

ROOM = "second"
_SENT = ("target", "reason", "note", "system", "code")


class Look:
    """A second look at a document: what stands, the blind review with the opinions in it, and its Task."""

    def __init__(self, first: Opened, unseen: Review, task: Json | None) -> None:
        provenances = [one for one in first.review.resources.values() if one["resourceType"] == "Provenance"]
        self.first = first
        self.task = task
        self.unseen = unseen
        self.opinions: list[Opinion] = opinions_of(provenances)
        self.open = copy(first)  # the document is the same; the review is not
        self.open.review = looked(unseen, self.opinions)
        self.deciders = deciders_of(provenances)

    @property
    def done(self) -> bool:
        """Whether it is finished."""
        return is_over(self.task)

    def why_not(self, desk: Desk) -> str:
        """Why this person may not take it; "" where they may."""
        try:
            check_may_look(self.task, self.deciders, who(desk))
        except FhirError as error:
            return str(error)
        return ""


async def look_at(desk: Desk, id: str) -> Look:
    """A second look as it stands; RefusedError where the document is not to be seen."""
    first = await open_review(desk, id)
    provenances = [one for one in first.review.resources.values() if one["resourceType"] == "Provenance"]
    name = f"Task/{look_id(id)}"
    found = await desk.all([*shown(first.task, provenances), name])
    task = found.pop(name, None)
    run = first.review.resources.get(pipeline_of(first.review.document))
    return Look(first, blind(found.values(), run, first.review.document), task)


def second_routes(router: APIRouter, reception: Reception, percent: float) -> None:
    """The documents that are put forward, and everything below /work/second/ID."""

    @router.get("/work/second")
    async def rows(request: Request) -> Response:
        desk = await reception.desk(request, ROOM)
        which = request.query_params.get("which", "sample")
        which = which if which in SHOWN else "sample"
        found, more = await second_rows(desk, which, percent)
        return page(
            desk, "second_rows.html", room=ROOM, rows=found, more=more, which=which, shown=SHOWN, percent=percent
        )

    _seen(router, reception)

    @router.post("/work/second/{id}/opinion")
    async def opinion(request: Request, id: str) -> Response:
        desk, form = await reception.posted(request, ROOM)
        look = await look_at(desk, id)
        try:
            await _send(desk, id, kind=form.one("kind"), **{name: form.one(name).strip() for name in _SENT})
        except RefusedError as error:
            look = await look_at(desk, id)
            return _refused(_changed(desk, look, form), error)
        return _changed(desk, await look_at(desk, id), form)

    @router.post("/work/second/{id}/finish")
    async def finish(request: Request, id: str) -> Response:
        desk, _ = await reception.posted(request, ROOM)
        look = await look_at(desk, id)
        try:
            await _send(desk, id, kind="finish")
        except RefusedError as error:
            look = await look_at(desk, id)
            return _refused(part(desk, "second_head.html", open=look.open, opinions=len(look.opinions)), error)
        if "x-fhirwright-swap" in request.headers:
            return go_to(part(desk, "nothing.html"), f"/work/second/{id}")
        return RedirectResponse(f"/work/second/{id}", 303, headers=guarded())


def _seen(router: APIRouter, reception: Reception) -> None:
    @router.get("/work/second/{id}")
    async def second(request: Request, id: str) -> Response:
        desk = await reception.desk(request, ROOM)
        look = await look_at(desk, id)
        why = look.why_not(desk)
        if look.done or why:
            return page(desk, "second_score.html", room=ROOM, open=look.open, score=score_of(look.task), why=why)
        number = _page(request.query_params.get("page", ""), look.open, look.open.first)
        text = not look.open.of
        return page(
            desk, "second.html", room=ROOM, open=look.open, page=number, text=text, decides=True,
            sheet=await sheet_of(desk, look.open, number, text=text), opinions=len(look.opinions),
            reasons=[(code, one.display) for code, one in REJECTIONS.items()],
        )  # fmt: skip

    @router.get("/work/second/{id}/page/{number}")
    async def sheet(request: Request, id: str, number: int) -> Response:
        desk = await reception.desk(request, ROOM)
        look = await look_at(desk, id)
        number, text = _page(str(number), look.open), not look.open.of or request.query_params.get("text") == "1"
        drawn = await sheet_of(desk, look.open, number, text=text)
        return part(desk, "second_turned.html", open=look.open, page=number, text=text, sheet=drawn, decides=True)

    @router.get("/work/second/{id}/{kind}/{number}")
    async def same(request: Request, id: str, kind: str, number: int) -> Response:
        """The picture and the words of a page are those of the review."""
        await reception.desk(request, ROOM)
        if kind not in ("image", "words"):
            return Response(status_code=404, headers=guarded())
        return RedirectResponse(f"/work/review/{id}/{kind}/{number}", 307, headers=guarded())


async def _send(desk: Desk, id: str, **told: str) -> None:
    """One call of `$second-look`; RefusedError says why not."""
    given = [{"name": name, "valueString": value} for name, value in told.items() if value]
    body = {"resourceType": "Parameters", "parameter": given}
    await desk.asked("POST", f"DocumentReference/{id}/$second-look", body=body)


def _changed(desk: Desk, look: Look, form: Form) -> Response:
    """What an opinion changed: the suggestions and the head."""
    number = _page(form.one("page"), look.open)
    told: dict[str, Any] = {"open": look.open, "page": number, "decides": True, "opinions": len(look.opinions)}
    return part(desk, "second_changed.html", **told)


def _refused(response: Response, error: RefusedError) -> Response:
    """How it stands now, with why nothing was kept."""
    return refused(response, error.answer.told(), error.answer.status)


def _page(text: str, open: Opened, first: int = 1) -> int:
    """The page that is asked for, within the document."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else first
    return max(1, min(number, open.of or 1))
