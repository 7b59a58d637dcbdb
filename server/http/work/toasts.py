"""A short message that a page shows with an answer."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Response


def told(response: Response, text: str) -> Response:
    """The answer with a message."""
    response.headers["x-toast"] = quote(text[:500])
    return response


def refused(response: Response, text: str, status: int) -> Response:
    """The answer to what was not done, which shows how things stand instead, with why; `status` is what FHIR would say.

    It is no error of the request as a browser's console counts them.
    """
    response.headers["x-refused"] = str(status)
    return told(response, text)


def go_to(response: Response, place: str) -> Response:
    """The answer that leads a script to another page."""
    response.headers["x-go-to"] = place
    return response
