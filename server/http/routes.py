"""The shapes of a FHIR URL, their templates and methods (https://hl7.org/fhir/R4/http.html)."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_profiles.errors import Category, FhirError
from server.http.errors import HttpError, not_supported

PREFIX = "/fhir"


@dataclass(frozen=True, slots=True)
class Shape:
    """One form of URL below the FHIR base: its template for logs and metrics, and the methods it knows."""

    template: str
    methods: frozenset[str]


def _shape(template: str, *methods: str) -> Shape:
    known = {*methods, "HEAD"} if "GET" in methods else set(methods)
    return Shape(f"{PREFIX}{template}", frozenset(known))


BASE = _shape("", "GET", "POST")
METADATA = _shape("/metadata", "GET")
SYSTEM_SEARCH = _shape("/_search", "POST")
SYSTEM_HISTORY = _shape("/_history", "GET")
TYPE = _shape("/{type}", "GET", "POST", "PUT", "PATCH", "DELETE")
SEARCH = _shape("/{type}/_search", "POST")
TYPE_HISTORY = _shape("/{type}/_history", "GET")
INSTANCE = _shape("/{type}/{id}", "GET", "PUT", "PATCH", "DELETE")
HISTORY = _shape("/{type}/{id}/_history", "GET")
VERSION = _shape("/{type}/{id}/_history/{vid}", "GET")
COMPARTMENT = _shape("/{type}/{id}/{member}", "GET")
EVERYTHING = _shape("/{type}/{id}/*", "GET")
COMPARTMENT_SEARCH = _shape("/{type}/{id}/{member}/_search", "POST")
EVERYTHING_SEARCH = _shape("/{type}/{id}/*/_search", "POST")

SEARCHES = frozenset({SYSTEM_SEARCH, SEARCH, COMPARTMENT_SEARCH, EVERYTHING_SEARCH})
"""The shapes whose body is a form: each is answered as a GET of the path without `_search`."""


def find_shape(parts: tuple[str, ...], types: frozenset[str]) -> Shape:
    """The shape of a path below the FHIR base, without operations; 404 when there is none."""
    if len(parts) < 2 and (found := _SYSTEM.get(parts)):
        return found
    if parts[0] not in types:
        raise FhirError.of(
            Category.NOT_FOUND, "not-supported", "There is no such resource type or route on this server."
        )
    match parts[1:]:
        case ():
            return TYPE
        case ("_search",):
            return SEARCH
        case ("_history",):
            return TYPE_HISTORY
        case (id,) if _is_id(id):
            return INSTANCE
        case (id, "_history") if id:
            return HISTORY
        case (id, "_history", vid) if id and vid:
            return VERSION
        case (id, *below) if _is_id(id) and parts[0] in COMPARTMENTS and (found := _below(below, types)):
            return found
    raise FhirError.of(Category.NOT_FOUND, "not-supported", "There is no such route on this server.")


COMPARTMENTS = frozenset({"Device", "Encounter", "Patient", "Practitioner", "RelatedPerson"})
"""The types that have a compartment."""

_SYSTEM: dict[tuple[str, ...], Shape] = {
    (): BASE,
    ("metadata",): METADATA,
    ("_search",): SYSTEM_SEARCH,
    ("_history",): SYSTEM_HISTORY,
}


def _below(parts: list[str], types: frozenset[str]) -> Shape | None:
    """The shape of a search in a compartment."""
    match parts:
        case ["*"]:
            return EVERYTHING
        case ["*", "_search"] | ["_search"]:
            return EVERYTHING_SEARCH
        case [member] if member in types:
            return COMPARTMENT
        case [member, "_search"] if member in types:
            return COMPARTMENT_SEARCH
    return None


def _is_id(text: str) -> bool:
    return text[:1] not in ("", "_", "$")


def check_method(method: str, allowed: frozenset[str]) -> None:
    """Raise 405 with Allow when a route does not know the method."""
    if method not in allowed:
        names = ", ".join(sorted(allowed))
        raise not_supported(405, f"This route answers {names} only.", ((b"allow", names.encode()),))


def too_long(limit: int, what: str, status: int = 413) -> HttpError:
    """413 or 414: the request is larger than a limit of the settings."""
    text = f"The {what} is larger than the limit of {limit} bytes."
    return HttpError(status, "too-long", text, category=Category.INCORRECT)
