"""Where a person arrives who only knows the host: at the page of what the server can do."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import RedirectResponse

from server.http.routes import PREFIX


def home_router() -> APIRouter:
    """`/`, for browsers."""
    router = APIRouter()

    @router.get("/", include_in_schema=False)
    async def home() -> RedirectResponse:
        return RedirectResponse(f"{PREFIX}/metadata?_format=html", 303)

    return router
