"""What a handler gives back: an answer at once, or a write to be run in a transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from email.utils import formatdate
from functools import lru_cache
from typing import Any

import msgspec

from fhir_profiles import json
from fhir_profiles.errors import Problem, operation_outcome
from server.store import Tx, Version

from .exchange import Request, Response

Hints = Callable[[], Sequence[Problem]]


class Write(msgspec.Struct, frozen=True):
    """A prepared write. `run` may be called more than once; `reads` are the resources it will look at."""

    run: Callable[[Tx], Response]
    reads: tuple[tuple[str, str], ...] = ()


@lru_cache(maxsize=1024)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)


def last_modified(version: Version) -> str:
    """The version's time as an HTTP date."""
    return _http_date(version.updated // 1_000_000)


def location(request: Request, version: Version) -> str:
    """The URL of a version."""
    return f"{request.base_url}/{version.type}/{version.id}/_history/{version.version}"


def outcome(text: str, hints: Sequence[Problem] = ()) -> bytes:
    """An OperationOutcome that says that all went well, and what else there is to say."""
    return json.encode(operation_outcome([Problem("information", "informational", text), *hints]))


def answer(
    request: Request, status: int, version: Version, text: str, hints: Hints | None = None, **more: Any
) -> Response:
    """The answer to a write, with the body that the client prefers; the resource itself when it did not say.

    `hints` are asked for when the client prefers an OperationOutcome.
    """
    returns = request.preferred.returns
    if returns == "minimal":
        body = b""
    elif returns == "OperationOutcome":
        body = outcome(text, hints() if hints else ())
    else:
        body = version.body
    return Response(
        status=status,
        body=body,
        etag=version.etag,
        last_modified=last_modified(version),
        location=location(request, version),
        **more,
    )
