"""What hostile calls are made of: Parameters, code systems and value sets of any size."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from fhir_profiles.systems import ICD10CM

Json = dict[str, Any]
FHIR = (("Content-Type", "application/fhir+json"),)
EVERY_ICD = f"{ICD10CM}?fhir_vs"
FRUIT = "urn:x:fruit"
COSTLY, WRONG, UNKNOWN = "too-costly", "invalid", "not-found"
BROKEN, LONG, UNSUPPORTED, CYCLE = "structure", "too-long", "not-supported", "processing"
FINE = "answered"


@dataclass(frozen=True, slots=True)
class Attack:
    """One call. `fits` are the issue codes that may refuse it, with `FINE` when it may be answered."""

    name: str
    method: str
    path: str
    fits: frozenset[str]
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = FHIR


def posted(name: str, path: str, body: Json | bytes, *fits: str, headers: tuple[tuple[str, str], ...] = FHIR) -> Attack:
    """A call by POST; a resource is written as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    return Attack(name, "POST", path, frozenset(fits), data, headers)


def got(name: str, path: str, query: Iterable[tuple[str, str]] | str, *fits: str) -> Attack:
    """A call by GET."""
    text = query if isinstance(query, str) else urlencode(list(query), quote_via=quote)
    return Attack(name, "GET", f"{path}?{text}", frozenset(fits))


def parameters(*pairs: tuple[str, Any]) -> Json:
    """Parameters of texts, numbers, complex values and resources."""
    return {"resourceType": "Parameters", "parameter": [_one(*pair) for pair in pairs]}


def _one(name: str, value: Any) -> Json:
    if isinstance(value, dict):
        if "resourceType" in value:
            return {"name": name, "resource": value}
        return {"name": name, "valueCodeableConcept" if "coding" in value else "valueCoding": value}
    key = "valueBoolean" if isinstance(value, bool) else "valueInteger" if isinstance(value, int) else "valueString"
    return {"name": name, key: value}


def code_system(url: str, concepts: list[Json], **more: Any) -> Json:
    """A complete code system."""
    base: Json = {"resourceType": "CodeSystem", "url": url, "status": "active", "content": "complete"}
    return {**base, "concept": concepts, **more}


def value_set(url: str, *includes: Json, **more: Any) -> Json:
    """A value set of some includes."""
    base: Json = {"resourceType": "ValueSet", "url": url, "status": "active"}
    return {**base, "compose": {"include": list(includes)}, **more}


def concepts(number: int, display: str = "") -> list[Json]:
    """So many concepts."""
    return [{"code": f"c{n}", **({"display": display} if display else {})} for n in range(number)]


def expand(name: str, resource: Json, *fits: str, more: Iterable[tuple[str, Any]] = ()) -> Attack:
    """An expansion of a value set that comes with the call."""
    return posted(f"$expand: {name}", "ValueSet/$expand", parameters(("valueSet", resource), *more), *fits)


def validate(name: str, resource: Json, *fits: str, more: Iterable[tuple[str, Any]] = ()) -> Attack:
    """A validation against a value set that comes with the call."""
    coding = {"system": FRUIT, "code": "a" * 60 + "!"}
    body = parameters(("valueSet", resource), ("coding", coding), *more)
    return posted(f"$validate-code: {name}", "ValueSet/$validate-code", body, *fits)
