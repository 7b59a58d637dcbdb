"""A Starlette route that does nothing but answer the bytes of a file: what `terminology.py` compares with."""

from __future__ import annotations

import os
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_BODY = Path(os.environ["BARE_BODY"])
_bytes: dict[int, bytes] = {}


async def _answer(request: Request) -> Response:
    """The bytes; a body is received and thrown away."""
    if request.method == "POST":
        await request.body()
    return Response(_bytes[0], media_type="application/fhir+json")


async def _reload(_: Request) -> Response:
    """Read the file again."""
    _bytes[0] = _BODY.read_bytes()
    return Response(b"{}")


app = Starlette(
    routes=[
        Route("/healthz", _reload),
        Route("/fhir/{type}/{operation}", _answer, methods=["GET", "POST"]),
    ]
)
