"""The CapabilityStatement, from the definitions (https://hl7.org/fhir/R4/capabilitystatement.html)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

from fhir_profiles.definitions import FHIR_VERSION, SearchParam, load
from fhir_profiles.extract import NOT_INDEXED

TYPE_INTERACTIONS = ("read", "vread", "update", "delete", "history-instance", "create", "search-type")
SYSTEM_INTERACTIONS = ("transaction", "batch")
FORMATS = ("application/fhir+json", "json")

Versioning = Literal["no-version", "versioned", "versioned-update"]


def statement(
    base_url: str,
    *,
    version: str,
    date: datetime = datetime(2025, 1, 1, tzinfo=UTC),
    interactions: Sequence[str] = TYPE_INTERACTIONS,
    system_interactions: Sequence[str] = SYSTEM_INTERACTIONS,
    versioning: Versioning = "versioned-update",
    update_create: bool = True,
    conditional_create: bool = True,
    conditional_update: bool = True,
    conditional_delete: Literal["not-supported", "single", "multiple"] = "single",
    operations: Sequence[tuple[str, str, str]] = (),
    security: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """What the server at `base_url` does: every R4 type with every search parameter that has an index.

    `operations` are (resource type or "", name, definition URL). `date` is when the capabilities last changed.
    """
    per_type: dict[str, list[dict[str, str]]] = {}
    for resource_type, name, definition in operations:
        per_type.setdefault(resource_type, []).append({"name": name, "definition": definition})
    common: dict[str, Any] = {
        "interaction": [{"code": code} for code in interactions],
        "versioning": versioning,
        "readHistory": True,
        "updateCreate": update_create,
        "conditionalCreate": conditional_create,
        "conditionalRead": "full-support",
        "conditionalUpdate": conditional_update,
        "conditionalDelete": conditional_delete,
        "referencePolicy": ["literal", "logical", "local"],
    }
    rest: dict[str, Any] = {
        "mode": "server",
        "resource": [_resource(name, common, per_type.get(name, [])) for name in load().resource_types],
        "interaction": [{"code": code} for code in system_interactions],
        "searchParam": [_search_param(p) for p in _indexed("Resource")],
    }
    if security:
        rest["security"] = security
    if "" in per_type:
        rest["operation"] = per_type[""]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": date.isoformat(),
        "kind": "instance",
        "software": {"name": "fhirwright", "version": version},
        "implementation": {"description": "fhirwright FHIR R4 server", "url": base_url},
        "fhirVersion": FHIR_VERSION,
        "format": list(FORMATS),
        "rest": [rest],
    }


def _resource(name: str, common: dict[str, Any], operations: list[dict[str, str]]) -> dict[str, Any]:
    own = _indexed(name)
    out: dict[str, Any] = {
        "type": name,
        "profile": load().profile(name),
        **common,
        "searchInclude": [f"{name}:{p.code}" for p in own if p.type == "reference"],
        "searchRevInclude": _reverse().get(name, []),
        "searchParam": [_search_param(p) for p in own],
    }
    if operations:
        out["operation"] = operations
    return {k: v for k, v in out.items() if v != []}


def _indexed(resource_type: str) -> list[SearchParam]:
    """The parameters that can be searched: all but composites, `special` and full text, and `_id` which needs none."""
    return [
        p
        for code, p in sorted(load().search_params(resource_type).items())
        if code == "_id" or not (code in NOT_INDEXED or p.type in ("composite", "special"))
    ]


def _search_param(p: SearchParam) -> dict[str, str]:
    return {"name": p.code, "definition": p.url, "type": p.type}


@cache
def _reverse() -> dict[str, list[str]]:
    """Type → the `_revinclude` values that can name it."""
    found: dict[str, list[str]] = {}
    for source in load().resource_types:
        for parameter in _indexed(source):
            if parameter.type == "reference":
                for target in parameter.targets:
                    found.setdefault(target, []).append(f"{source}:{parameter.code}")
    return found
