"""The routes of the workbench below /work."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from .admin_routes import admin_routes
from .console_routes import console_routes
from .figures_routes import figures_routes
from .hints_routes import hints_routes
from .queue_routes import queue_routes
from .queue_rows import counts, rows_of
from .reception import Reception, WorkRoute
from .resource_routes import resource_routes
from .review_routes import review_routes
from .second_routes import second_routes
from .shown import guarded, page, static
from .terms_routes import terms_routes
from .upload_routes import upload_routes
from .words_routes import words_routes


def work_router(reception: Reception, second_looks: float = 0.0) -> APIRouter:
    """Every page of the workbench, and its files; `second_looks` is the percent of documents that get a second look."""
    router = APIRouter(include_in_schema=False, route_class=WorkRoute)

    @router.get("/work/static/{name}")
    async def file(request: Request, name: str) -> Response:
        return static(request, name)

    @router.get("/work")
    async def home(request: Request) -> Response:
        desk = await reception.desk(request)
        tiles = []
        if desk.can("queue"):
            found = counts(await rows_of(desk))
            named = {"open": "wait for a coder", "mine": "are yours", "pending": "were put aside", "done": "are done"}
            tiles = [{"path": f"/work/queue?state={s}", "number": found[s], "title": t} for s, t in named.items()]
        return page(desk, "home.html", room="home", tiles=tiles)

    admin_routes(router, reception)
    console_routes(router, reception)
    figures_routes(router, reception)
    hints_routes(router, reception)
    queue_routes(router, reception)
    resource_routes(router, reception)
    review_routes(router, reception)
    second_routes(router, reception, second_looks)
    terms_routes(router, reception)
    upload_routes(router, reception)
    words_routes(router, reception)

    @router.get("/work/{rest:path}")
    async def nowhere(request: Request, rest: str) -> Response:
        desk = await reception.desk(request)
        if not rest:
            return RedirectResponse("/work", 303, headers=guarded())
        text = "There is no such page. It may have moved, or the address was cut short."
        return page(desk, "message.html", 404, title="Not found", text=text)

    return router
