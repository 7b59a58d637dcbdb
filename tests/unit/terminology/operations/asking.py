"""Calls of the operations with resources of their own, and their answers as plain values."""

from __future__ import annotations

from typing import Any

from terminology.operations import Library, answer_call

Json = dict[str, Any]
A = "http://example.org/a"
SET = "http://example.org/vs"


def system(*codes: Json, **more: Any) -> Json:
    """A CodeSystem resource."""
    head = {"resourceType": "CodeSystem", "url": A, "version": "1", "status": "active", "content": "complete"}
    return {**head, "concept": list(codes), **more}


def value_set(*include: Json, **more: Any) -> Json:
    """A ValueSet resource."""
    return {
        "resourceType": "ValueSet", "url": SET, "status": "active", "compose": {"include": list(include)}, **more
    }  # fmt: skip


def ask(name: str, *resources: Json, library: Library | None = None, language: str = "", **values: Any) -> Json:
    """The answer of an operation to parameters of that name and to `tx-resource` parameters."""
    made: list[Json] = [{"name": "tx-resource", "resource": r} for r in resources]
    for key, value in values.items():
        kind = "valueBoolean" if isinstance(value, bool) else "valueString"
        if isinstance(value, dict):
            resource = "resourceType" in value
            kind = "resource" if resource else "valueCodeableConcept" if "coding" in value else "valueCoding"
        made.append({"name": key.replace("_", "-"), kind: value})
    return answer_call(name, {"resourceType": "Parameters", "parameter": made}, library or Library(), language)


def values(parameters: Json) -> Json:
    """Parameters by name: the value, or the resource."""
    return {
        p["name"]: next((v for k, v in p.items() if k.startswith("value")), p.get("resource"))
        for p in parameters["parameter"]
    }


def issues(parameters: Json) -> list[tuple[str, str, str]]:
    """(severity, kind, expression) of the issues of an answer."""
    outcome = values(parameters).get("issues") or {"issue": []}
    return [
        (i["severity"], i["details"]["coding"][0]["code"], (i.get("expression") or [""])[0]) for i in outcome["issue"]
    ]
