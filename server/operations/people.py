"""The people around a resource, as a caller sees them: whom its texts may name (https://hl7.org/fhir/R4/references.html)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.operations.answers import asking

_PEOPLE = re.compile(r"(?:^|/)(Patient|RelatedPerson|Practitioner)/([A-Za-z0-9\-.]{1,64})(?:/|$)")
MOST_PEOPLE = 200
"""People that a resource may refer to and who are looked up."""


def people_around(
    fhir: Fhir, request: Request, resource: Mapping[str, Any], *, needed: bool
) -> Iterator[Mapping[str, Any]]:
    """The stored people whom a resource refers to, and relatives of its patients.

    With `needed` its patient must be there and be seen. FhirError for a resource that refers to too many.
    """
    named = {(match[1], match[2]) for text in _references(resource, 0) if (match := _PEOPLE.search(text))}
    if len(named) > MOST_PEOPLE:
        text = f"The resource refers to more than {MOST_PEOPLE} people. Send it in parts."
        raise FhirError.of(Category.INCORRECT, "too-costly", text)
    for kind, name in sorted(named):
        try:
            person = read(fhir, request, kind, name)
        except FhirError:
            if needed and kind == "Patient":
                raise
            continue
        yield person
        if kind == "Patient":
            yield from _relatives(fhir, request, name)


def read(fhir: Fhir, request: Request, kind: str, name: str) -> dict[str, Any]:
    """A stored resource as the caller sees it; FhirError when there is none."""
    found: dict[str, Any] = json.decode(fhir.handle_sync(asking(request, "GET", (kind, name))).body)
    return found


def _relatives(fhir: Fhir, request: Request, patient: str) -> Iterator[Mapping[str, Any]]:
    query = (("patient", f"Patient/{patient}"), ("_count", "50"))
    try:
        found = json.decode(fhir.handle_sync(asking(request, "GET", ("RelatedPerson",), query)).body)
    except FhirError:
        return
    yield from (entry["resource"] for entry in found.get("entry", ()))


def _references(value: Any, depth: int) -> Iterator[str]:
    if depth > 60:
        return
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for item in value.values():
            yield from _references(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item, depth + 1)
