"""The shapes of a FHIR URL, their templates and methods (https://hl7.org/fhir/R4/http.html)."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_profiles.errors import Category, FhirError
from server.http.errors import HttpError, not_supported


@dataclass(frozen=True, slots=True)
class Shape:
    """One form of URL below the FHIR base: its template for logs and metrics, and the methods it knows."""

    template: str
    methods: frozenset[str]


def _shape(template: str, *methods: str) -> Shape:
    known = {*methods, "HEAD"} if "GET" in methods else set(methods)
    return Shape(f"/fhir{template}", frozenset(known))


BASE = _shape("", "POST")
METADATA = _shape("/metadata", "GET")
TYPE = _shape("/{type}", "GET", "POST", "PUT", "DELETE")
SEARCH = _shape("/{type}/_search", "POST")
INSTANCE = _shape("/{type}/{id}", "GET", "PUT", "DELETE")
HISTORY = _shape("/{type}/{id}/_history", "GET")
VERSION = _shape("/{type}/{id}/_history/{vid}", "GET")


def find_shape(parts: tuple[str, ...], types: frozenset[str]) -> Shape:
    """The shape of a path below the FHIR base, without operations; 404 when there is none."""
    if not parts:
        return BASE
    if parts == ("metadata",):
        return METADATA
    if parts[0] not in types:
        raise FhirError.of(
            Category.NOT_FOUND, "not-supported", "There is no such resource type or route on this server."
        )
    match parts[1:]:
        case ():
            return TYPE
        case ("_search",):
            return SEARCH
        case (id,) if id[:1] not in ("", "_", "$"):
            return INSTANCE
        case (id, "_history") if id:
            return HISTORY
        case (id, "_history", vid) if id and vid:
            return VERSION
    raise FhirError.of(Category.NOT_FOUND, "not-supported", "There is no such route on this server.")


def check_method(method: str, allowed: frozenset[str]) -> None:
    """Raise 405 with Allow when a route does not know the method."""
    if method not in allowed:
        names = ", ".join(sorted(allowed))
        raise not_supported(405, f"This route answers {names} only.", ((b"allow", names.encode()),))


def too_long(limit: int, what: str, status: int = 413) -> HttpError:
    """413 or 414: the request is larger than a limit of the settings."""
    text = f"The {what} is larger than the limit of {limit} bytes."
    return HttpError(status, "too-long", text, category=Category.INCORRECT)
