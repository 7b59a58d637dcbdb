"""capabilities: what this server does, and the definitions it does it by (https://hl7.org/fhir/R4/http.html#capabilities)."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from fhir_profiles import capability, json, served
from fhir_profiles.capability import Declared
from fhir_profiles.errors import Category, FhirError
from server.auth.discovery import told_security
from server.search.custom import Params, params_of
from terminology.operations.capabilities import terminology_capabilities

from .exchange import Request, Response
from .read import read
from .seen import seen
from .view import View

if TYPE_CHECKING:
    from .fhir import Fhir

DEFINED = frozenset({"OperationDefinition", "SearchParameter"})
"""The types of which some can be read though nobody stored them."""


_TAKEN = frozenset({"mode", "_summary", "_elements"})

Pairs = tuple[tuple[str, str], ...]


@lru_cache(maxsize=16)
def _statement(
    base_url: str,
    operations: tuple[Declared, ...],
    params: Params,
    profiles: Pairs,
    guides: tuple[str, ...],
    many_deletes: bool,
    closed: bool,
) -> bytes:
    by_type: dict[str, list[str]] = {}
    for name, canonical in profiles:
        by_type.setdefault(name, []).append(canonical)
    told = capability.statement(
        base_url,
        version=version("fhirwright"),
        params=params.of,
        operations=operations,
        profiles=by_type,
        guides=guides,
        many_deletes=many_deletes,
        security=told_security(base_url) if closed else None,
    )
    return json.encode(told)


def capabilities(fhir: Fhir, request: Request, view: View) -> Response:
    """The CapabilityStatement for the base that the client used, or with `mode=terminology` what it knows of codes."""
    if _mode(request) == "terminology":
        changed, library = capability.CHANGED.date().isoformat(), fhir.conformance.codes_library
        told = terminology_capabilities(library, request.base_url, version("fhirwright"), changed)
        return Response(status=200, body=json.encode(told))
    conformance = fhir.conformance
    profiles = conformance.profiles.supported()
    guides = tuple(conformance.library.canonicals("ImplementationGuide"))
    many = fhir.settings.max_conditional_delete > 1
    body = _statement(
        request.base_url, fhir.operations, params_of(view), profiles, guides, many, not fhir.settings.open
    )
    return Response(status=200, body=body)


def _mode(request: Request) -> str:
    """Which of the two is asked for; FhirError for a mode that is neither, and strictly for any other parameter."""
    modes = [value for name, value in request.query if name == "mode" and value]
    if not {"full", "terminology"}.issuperset(modes) or len(modes) > 1:
        raise FhirError.of(Category.INCORRECT, "value", "mode must be full or terminology.")
    if request.preferred.handling == "strict" and (other := {name for name, _ in request.query} - _TAKEN):
        text = f"The CapabilityStatement has no parameter {min(other)}; it takes mode, _summary and _elements."
        raise FhirError.of(Category.UNSUPPORTED, "not-supported", text)
    return modes[0] if modes else "full"


def read_definition(fhir: Fhir, request: Request, view: View) -> Response:
    """read for the types in DEFINED: what is stored, else a definition that the server itself speaks by."""
    if view.read(request.path[0], request.path[1]) is None:
        found = served.find(request.path[0], request.path[1], fhir.operations)
        if found is not None:
            return Response(status=200, body=json.encode(found))
    return read(seen(view, request), request)
