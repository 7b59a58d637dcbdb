"""Templates of the workbench as HTTP: a page, or parts of one that take the place of those with the same ids.

https://www.w3.org/TR/CSP3/
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FunctionLoader, StrictUndefined

from .desk import Desk
from .rooms import BY_NAME, ROOMS

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_IMPORT = re.compile(rb'from "\./([\w.-]+\.js)"')
KINDS = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


def page(desk: Desk, template: str, /, status: int = 200, **told: Any) -> Response:
    """A whole page; `room`, its name in the table of rooms, says what the navigation marks."""
    text = _environment().get_template(template).render({"desk": desk, "room": "", **told})
    return HTMLResponse(text, status, headers=guarded())


def part(desk: Desk, template: str, /, status: int = 200, **told: Any) -> Response:
    """Elements with ids, each to take the place of the one of its id."""
    return page(desk, template, status, **told)


def guarded() -> dict[str, str]:
    """The headers of every page: nothing foreign is loaded, nobody frames it, keeps it or learns its address."""
    return {
        "content-security-policy": POLICY,
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cache-control": "no-store",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
    }


def static(request: Request, name: str) -> Response:
    """A file of the pages; 404 for any other. Its address carries its digest, so that it may be kept."""
    kind = KINDS.get(name.rpartition(".")[2])
    if kind is None or name not in _names():
        return Response(status_code=404, headers=guarded())
    headers = {
        "x-content-type-options": "nosniff",
        "cache-control": "public, max-age=31536000, immutable",
        "vary": "accept-encoding",
        "cross-origin-resource-policy": "same-origin",
    }
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(_packed(name), media_type=kind, headers=headers | {"content-encoding": "gzip"})
    return Response(_file("static", name), media_type=kind, headers=headers)


def asset(name: str) -> str:
    """The address of a file of the pages."""
    return f"/work/static/{name}?v={hashlib.sha256(_file('static', name)).hexdigest()[:12]}"


def navigation(desk: Desk) -> list[tuple[str, list[Mapping[str, str]]]]:
    """The groups of pages that somebody may see."""
    seen = [room for room in ROOMS if room.group and desk.can(room.name)]
    return [
        (group, [{"name": one.name, "path": one.path, "title": one.title, "about": one.about} for one in rooms])
        for group, rooms in groupby(seen, lambda room: room.group)
    ]


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FunctionLoader(lambda name: _file("templates", name).decode()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
    made.globals.update(asset=asset, navigation=navigation, rooms=BY_NAME)
    return made


@cache
def _names() -> frozenset[str]:
    return frozenset(one.name for one in files("server.http.work").joinpath("static").iterdir())


@cache
def _file(folder: str, name: str) -> bytes:
    """A file as it is sent: a script imports another by the address that pages load it by, lest that runs twice."""
    content = files("server.http.work").joinpath(folder).joinpath(name).read_bytes()
    if not name.endswith(".js"):
        return content
    return _IMPORT.sub(lambda found: f'from "{asset(found[1].decode())}"'.encode(), content)


@cache
def _packed(name: str) -> bytes:
    return gzip.compress(_file("static", name), 9, mtime=0)
