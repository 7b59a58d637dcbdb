"""A page of the authorization server as HTTP: its template, and the headers that keep it to itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FunctionLoader, StrictUndefined


def page(
    template: str, /, status: int = 200, *, target: str = "", headers: Mapping[str, str] | None = None, **told: Any
) -> Response:
    """The page of a template. `target` is where, beside this server, its forms may lead."""
    text = _environment().get_template(f"{template}.html").render(told)
    return HTMLResponse(text, status, headers={**guarded(target), **(headers or {})})


def guarded(target: str = "") -> dict[str, str]:
    """The headers of every page: nobody frames it, keeps it or learns its address; it loads nothing but its style."""
    policy = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self'{f' {target}' if target else ''}"
    )
    return {
        "content-security-policy": policy,
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
        "pragma": "no-cache",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
    }


def style() -> Response:
    """The style of all pages."""
    headers = {"x-content-type-options": "nosniff", "cache-control": "public, max-age=3600"}
    return Response(_file("auth.css"), media_type="text/css", headers=headers)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(_file),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _file(name: str) -> str:
    return files("server.http.pages.auth").joinpath(name).read_text("utf-8")
