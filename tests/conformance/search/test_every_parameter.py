"""Every search parameter that R4 defines finds a resource that has a value for it, and only that one.

https://hl7.org/fhir/R4/searchparameter-registry.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fhir_profiles.definitions import SearchParam, load
from fhir_profiles.extract import composite
from fhir_profiles.extract.leaves import SEARCHED, Hop, Leaf, leaves
from server.interactions.fhir import Fhir
from server.settings import Settings
from server.store import Store
from tests.conftest import make_request

Json = dict[str, Any]
NAMED_QUERY = "_query"
"""It names an operation of the server; there is none."""

VALUES: dict[str, tuple[Any, str]] = {
    "Coding": ({"system": "urn:s", "code": "c1"}, "urn:s|c1"),
    "CodeableConcept": ({"coding": [{"system": "urn:s", "code": "c1"}]}, "urn:s|c1"),
    "Identifier": ({"system": "urn:s", "value": "c1"}, "urn:s|c1"),
    "ContactPoint": ({"system": "phone", "value": "c1"}, "c1"),
    "HumanName": ({"family": "Text one"}, "text o"),
    "Address": ({"city": "Text one"}, "text o"),
    "Period": ({"start": "2020-02-03", "end": "2020-02-04"}, "ge2020-02-03"),
    "Timing": ({"event": ["2020-02-03"]}, "2020-02-03"),
    "Money": ({"value": 7, "currency": "EUR"}, "7|urn:iso:std:iso:4217|EUR"),
    "Range": ({"low": {"value": 6, "code": "g"}, "high": {"value": 8, "code": "g"}}, "gt5"),
    "boolean": (True, "true"),
    "decimal": (7.5, "7.5"),
    "instant": ("2020-02-03T10:00:00Z", "2020-02-03"),
    "dateTime": ("2020-02-03T10:00:00Z", "2020-02-03"),
    "date": ("2020-02-03", "2020-02-03"),
    "integer": (7, "7"),
    "positiveInt": (7, "7"),
    "unsignedInt": (7, "7"),
}
TEXTS = ("string", "markdown", "code", "id", "uri", "url", "canonical", "oid", "uuid")
QUANTITY = ({"value": 7, "system": "http://unitsofmeasure.org", "code": "mg"}, "0.007|http://unitsofmeasure.org|g")


def sample(kind: str, leaf: Leaf) -> tuple[Any, str]:
    """A value of the type and the search that finds it."""
    if leaf.type == "Reference":
        target = f"{leaf.target or 'Patient'}/x1"
        return {"reference": target}, target
    if leaf.type == "Resource":
        return {"resourceType": "Composition", "id": "x1"}, "Composition/x1"
    if leaf.type in TEXTS:
        return ("http://e.org/one", "http://e.org/one") if kind in ("uri", "reference") else ("text1", "text1")
    return VALUES.get(leaf.type, QUANTITY)


def place(resource: Json, hops: tuple[Hop, ...], value: Any) -> None:
    """Put a value where the moves lead."""
    at: Any = resource
    for n, hop in enumerate(hops):
        if hop.kind == "where":
            at[hop.name] = hop.value
            continue
        rest = [one for one in hops[n + 1 :] if one.kind != "where"]
        listed = hop.many or hop.kind == "first"
        if not rest and not any(one.kind == "where" for one in hops[n + 1 :]):
            at[hop.name] = [value] if listed else value
            return
        inner = value if not rest else at.get(hop.name, [{}])[0] if listed else at.get(hop.name, {})
        at[hop.name] = [inner] if listed else inner
        at = inner


def searched(resource_type: str, param: SearchParam) -> Iterator[tuple[Json, str]]:
    """A resource for each place that the parameter reads, and the search that must find it."""
    if param.type == "composite":
        yield composed(resource_type, param)
    elif param.code == "near":
        yield {"position": {"latitude": 10, "longitude": 20}}, "10|20|1|km"
    elif param.code in ("_text", "_content"):
        div = '<div xmlns="http://www.w3.org/1999/xhtml">word</div>'
        yield {"text": {"status": "generated", "div": div}}, "word"
    for leaf in leaves(load(), resource_type, param):
        resource: Json = {}
        if leaf.type == "Truth":
            yield {leaf.hops[0].name: True}, "true"
            continue
        value, text = sample(param.type, leaf)
        place(resource, leaf.hops, value)
        yield resource, text


def composed(resource_type: str, param: SearchParam) -> tuple[Json, str]:
    """A resource with all parts of a composite in one element."""
    form = composite.forms(resource_type, param, load().search_params(resource_type))[0]
    focus = composite._focus(resource_type, form)
    resource: Json = {}
    texts = []
    for component, read in zip(param.components, composite.parts_of(resource_type, param.code), strict=True):
        found = composite._leaves(load(), resource_type, focus.type, component)
        leaf = next(leaf for leaf in found if leaf.type in SEARCHED[read.type])
        value, text = sample(read.type, leaf)
        whole = component.expression.startswith("%resource.")
        place(resource, leaf.hops if whole else (*focus.hops, *leaf.hops), value)
        texts.append(text)
    return resource, "$".join(texts)


def cases() -> Iterator[tuple[str, SearchParam, Json, str]]:
    """Type, parameter, resource and search: each parameter on each type that it is defined for."""
    for resource_type in load().resource_types:
        if resource_type == "AuditEvent":  # which has a search of its own, over the audit trail
            continue
        for param in load().search_params(resource_type).values():
            inherited = resource_type not in param.base and resource_type != "Patient"
            if param.code in ("_id", "_lastUpdated", NAMED_QUERY) or inherited:
                continue
            for resource, text in searched(resource_type, param):
                yield resource_type, param, resource, text


def test_every_parameter_finds_its_values(store: Store, tmp_path: Path) -> None:
    """Each place of each parameter on each type but AuditEvent: 1,359 definitions. There are no named queries."""
    fhir = Fhir(store, Settings(data=tmp_path / "var", open=True, validation="off"))
    fhir.conformance.admit = lambda *_: None  # type: ignore[method-assign]
    asked: dict[str, list[tuple[SearchParam, str, str]]] = {}
    for number, (resource_type, param, resource, text) in enumerate(cases()):
        name = f"c{number}"
        body = {"resourceType": resource_type, "id": name, **resource}
        fhir.handle_sync(make_request("PUT", f"{resource_type}/{name}", body))
        asked.setdefault(resource_type, []).append((param, text, name))
    seen: set[str] = set()
    missed = []
    for resource_type, searches in asked.items():
        for param, text, name in searches:
            seen.add(param.url)
            request = make_request("GET", resource_type, prefer="handling=strict")
            query = ((param.code, text.replace(",", "\\,")), ("_id", name))
            answer = json.loads(fhir.handle_sync(type(request)(**{**_plain(request), "query": query})).body)
            if [entry["resource"]["id"] for entry in answer.get("entry", ())] != [name]:
                missed.append((resource_type, param.code, text))
    assert missed == []
    everything = {param.url: param.code for name in asked for param in load().search_params(name).values()}
    assert {code for url, code in everything.items() if url not in seen} == {"_id", "_lastUpdated", NAMED_QUERY}
    assert len(everything) == 1_359


def _plain(request: Any) -> Json:
    return {field: getattr(request, field) for field in request.__struct_fields__}
