"""capabilities: what this server does (https://hl7.org/fhir/R4/http.html#capabilities)."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from fhir_profiles import capability, json

from .exchange import Request, Response

if TYPE_CHECKING:
    from .fhir import Fhir


Declared = tuple[tuple[str, str, str], ...]
"""Operations as the statement tells them: resource type or "", name, canonical URL of the definition."""


@lru_cache(maxsize=64)
def _statement(base_url: str, operations: Declared) -> bytes:
    return json.encode(capability.statement(base_url, version=version("fhirwright"), operations=operations))


def capabilities(fhir: Fhir, request: Request) -> Response:
    """The CapabilityStatement for the base that the client used."""
    return Response(status=200, body=_statement(request.base_url, fhir.operations))
