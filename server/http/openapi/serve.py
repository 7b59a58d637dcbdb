"""`/openapi.json` and, for one resource type, `/openapi/{type}.json`: made once, sent many times.

https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Collection
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from server.http.answer import compress
from server.http.negotiate import encoding_for

Describe = Callable[[str | None], dict[str, Any]]


def openapi_router(describe: Describe, types: Collection[str]) -> APIRouter:
    """The routes of the documents; `describe` makes that of a type, or of all for None."""
    router = APIRouter()
    made: dict[str | None, bytes] = {}

    def answer(request: Request, name: str | None) -> Response:
        if name not in made:
            made[name] = compress(orjson.dumps(describe(name)))
        headers = {"vary": "accept-encoding"}
        if encoding_for(request.headers.get("accept-encoding", "").encode("latin-1")) == b"gzip":
            return Response(made[name], media_type="application/json", headers={**headers, "content-encoding": "gzip"})
        return Response(gzip.decompress(made[name]), media_type="application/json", headers=headers)

    @router.get("/openapi.json", include_in_schema=False)
    async def whole(request: Request) -> Response:
        return answer(request, None)

    @router.get("/openapi/{name}.json", include_in_schema=False)
    async def of_type(request: Request, name: str) -> Response:
        return answer(request, name) if name in types else Response(status_code=404)

    return router
