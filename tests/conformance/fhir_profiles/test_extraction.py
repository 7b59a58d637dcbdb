"""Search extraction against a FHIRPath engine that nobody here wrote, over HL7's published examples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import fhirpathpy
import pytest
from fhirpathpy.models import models

from fhir_profiles import json
from fhir_profiles.definitions import SearchParam, load
from fhir_profiles.extract import index, paths, plan

Named = list[tuple[str, dict[str, Any]]]

NOT_COMPARABLE = {("CarePlan", "activity-date"), ("Consent", "source-reference"), ("Patient", "deceased")}
"""Free text among dates, an attachment among references, and the one boolean expression (tested by its rows)."""


def _parameters(resource_type: str) -> Iterator[tuple[str, SearchParam]]:
    for code, parameter in load().search_params(resource_type).items():
        if code not in plan.NOT_INDEXED and parameter.type not in ("composite", "special"):
            yield code, parameter


@cache
def _engine(expression: str) -> Any:
    return fhirpathpy.compile(expression, models["r4"])


def _foreign(resource: dict[str, Any], parameter: SearchParam) -> set[bytes]:
    """The nodes that the engine finds; `resolve` is a lookup that it cannot do and `as` fails on lists there."""
    found: set[bytes] = set()
    name = resource["resourceType"]
    for side in paths.alternatives(parameter.expression):
        plain = re.sub(r"\.where\(resolve\(\) is \w+\)", "", side)
        plain = re.sub(r"\((\S+) as (\w+)\)", r"\1.ofType(\2)", plain)
        plain = re.sub(r"^(Resource|DomainResource)\.", f"{name}.", plain)
        if "canonical" in plain or "uri" in plain:
            plain = plain.replace(".ofType(uri)", "")
        found.update(json.encode(node) for node in _engine(plain)(resource))
    return found


def test_paths_reach_what_a_fhirpath_engine_reaches(examples: Named, monkeypatch: pytest.MonkeyPatch) -> None:
    """For every parameter of every example the compiled path visits exactly the nodes of the expression."""

    def recorder(_search: str, _leaf: str, codes: tuple[tuple[str, str | None], ...], *_: Any) -> Any:
        return lambda value, seen: [seen.setdefault(c, set()).add(json.encode(value)) for c, _ in codes]

    monkeypatch.setattr(plan, "maker", recorder)
    monkeypatch.setattr(plan.values, "shown", lambda _place: lambda _value, _seen: None)
    monkeypatch.setattr(plan.values, "position", lambda _code: lambda _value, _seen: None)
    plan_for = cache(plan.plan_for.__wrapped__)
    compared = 0
    for file, resource in examples:
        body = json.encode(resource)
        if len(body) > 20_000:
            continue
        resource = _plain(resource)
        name = resource["resourceType"]
        seen: dict[str, set[bytes]] = {}
        for key, value in resource.items():
            for emit in plan_for(name).by_key.get(key, ()):
                emit(value, seen)
        for code, parameter in _parameters(name):
            if (name, code) not in NOT_COMPARABLE:
                assert seen.get(code, set()) == _foreign(resource, parameter), (file, code)
                compared += 1
    assert compared > 3_000


def _plain(resource: dict[str, Any]) -> dict[str, Any]:
    import json as standard

    plain: dict[str, Any] = standard.loads(json.encode(resource))
    return plain


def test_every_example_is_indexed(examples: Named, synthea: Named) -> None:
    """No valid resource makes extraction raise, and whatever has an identifier is found by it."""
    for name, resource in [*examples, *((n, e["resource"]) for n, b in synthea for e in b["entry"])]:
        rows = index(resource)
        identifiers = resource.get("identifier", [])
        for one in identifiers if isinstance(identifiers, list) else [identifiers]:
            if "value" in one and "identifier" in load().search_params(resource["resourceType"]):
                assert ("identifier", one.get("system"), one["value"]) in rows.tokens, name
