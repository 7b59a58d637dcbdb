"""search of a type: parameters in, a searchset Bundle out (https://hl7.org/fhir/R4/http.html#search)."""

from __future__ import annotations

from urllib.parse import parse_qsl

from server.search.bundle import searchset
from server.search.find import run_search
from server.search.query import Limits, read_query
from server.settings import Settings

from .exchange import Request, Response
from .view import View


def search(settings: Settings, request: Request, view: View) -> Response:
    """Answer `GET Type?…` or `POST Type/_search`."""
    pairs = request.query
    if request.method == "POST":
        pairs += tuple(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    limits = Limits(default_count=settings.default_count, max_count=settings.max_count)
    strict = request.preferred.handling == "strict"
    query = read_query(request.path[0], pairs, strict=strict, limits=limits, base_url=request.base_url)
    return Response(status=200, body=searchset(query, run_search(view, query)))
