"""What goes into an interaction and what comes out, free of HTTP (https://hl7.org/fhir/R4/http.html)."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import msgspec

from server.access.caller import NOBODY, Caller

FHIR_JSON = "application/fhir+json"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"


class Prefer(msgspec.Struct, frozen=True):
    """The `Prefer` header, read: what to return and how to treat what is not known."""

    returns: Literal["minimal", "representation", "OperationOutcome"] | None = None
    handling: Literal["strict", "lenient"] | None = None
    respond_async: bool = False


@lru_cache(maxsize=256)
def read_prefer(header: str) -> Prefer:
    """`return=minimal, handling=strict` as a Prefer; tokens that are not known are ignored, as RFC 7240 asks."""
    tokens = {
        part.strip().partition("=")[0]: part.strip().partition("=")[2] for part in header.replace(";", ",").split(",")
    }
    returns = tokens.get("return")
    handling = tokens.get("handling")
    return Prefer(
        returns if returns in ("minimal", "representation", "OperationOutcome") else None,  # type: ignore[arg-type]
        handling if handling in ("strict", "lenient") else None,  # type: ignore[arg-type]
        "respond-async" in tokens,
    )


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One call of the FHIR API. `path` holds the decoded segments below the base: `("Patient", "1", "_history")`."""

    method: str
    path: tuple[str, ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    base_url: str = ""
    content_type: str = FHIR_JSON
    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None
    if_none_exist: str | None = None
    prefer: str = ""
    language: str = ""
    """`Accept-Language`, for the names of codes."""

    caller: Caller = NOBODY
    """Who asks, and what that one may do: whoever makes a request from another hands it on."""

    wants: str = ""
    """The media type that is asked for, of an operation that gives another one than FHIR's."""

    versioned: bool = False
    """Whether a change of what exists must name its version in `if_match`."""

    @property
    def who(self) -> str:
        """Who asks, as it goes into audit rows."""
        return self.caller.who

    @property
    def preferred(self) -> Prefer:
        """The `Prefer` header, read."""
        return read_prefer(self.prefer)


def is_reading(request: Request) -> bool:
    """Whether the request only reads: every GET and HEAD, and a search by POST."""
    return request.method in ("GET", "HEAD") or (request.method == "POST" and request.path[-1:] == ("_search",))


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of an interaction; `body` is FHIR JSON and empty where FHIR has none.

    `etag` is `W/"n"`, `last_modified` an HTTP date, `location` absolute when the request had a base URL.
    """

    status: int
    body: bytes = b""
    etag: str | None = None
    last_modified: str | None = None
    location: str | None = None
    content_type: str = FHIR_JSON
    headers: tuple[tuple[str, str], ...] = ()
    """Further headers, such as `Content-Location`, `Retry-After`, `X-Progress`."""

    about: tuple[str, ...] = ()
    """Ids of the Patients that the answer tells of, for the audit, where its body is no resource that says so."""
