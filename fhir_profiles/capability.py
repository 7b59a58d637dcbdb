"""The CapabilityStatement, from the definitions and from what is registered (https://hl7.org/fhir/R4/capabilitystatement.html)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from fhir_profiles import systems as features
from fhir_profiles.definitions import FHIR_VERSION, SearchParam, load
from fhir_profiles.systems import (
    BACKPORT_EXTENSIONS,
    CLAIM_READY,
    DOCUMENT_CODED,
    FEATURE,
    FHIR,
    TERMINOLOGY_SERVER,
)

TYPE_INTERACTIONS = (
    *("read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create", "search-type"),
)
SYSTEM_INTERACTIONS = ("transaction", "batch", "history-system", "search-system")
FORMATS = ("application/fhir+json", "json", "application/fhir+xml", "xml")
PATCH_FORMATS = (
    *("application/json-patch+json", "application/merge-patch+json"),
    *("application/fhir+json", "application/fhir+xml"),
)
COMPARTMENTS = ("device", "encounter", "patient", "practitioner", "relatedPerson")
NOT_SEARCHED = frozenset({"_query"})
"""Parameters of R4 that mean nothing here: there are no named queries."""

_EVERYWHERE = {
    "_type": ("token", "The types that a search of the system or of a compartment looks at."),
    "_list": ("string", "The resources that a List names, by its id."),
    "_has": ("string", "Resources that others refer to: _has:Observation:patient:code=1234-5."),
    "_filter": ("special", "A filter expression."),
}
_UNKNOWN = (
    "A search parameter that is not known is an error with Prefer: handling=strict; else the Bundle says so in an "
    "OperationOutcome and its self link shows what was used."
)

CHANGED = datetime(2026, 1, 1, tzinfo=UTC)
"""When the capabilities last changed."""

TX_TEST_VERSION = "1.9.0"
"""The version of the terminology tests that the answers follow."""

Params = Callable[[str], Mapping[str, SearchParam]]


class Declared(NamedTuple):
    """An operation as clients see it: where it is called, with which methods, and what defines it.

    `types` is None for every type; `raw` says that the body may be any file.
    """

    name: str
    definition: str
    levels: tuple[str, ...]
    types: tuple[str, ...] | None = None
    methods: tuple[str, ...] = ("POST",)
    raw: bool = False


def statement(
    base_url: str,
    *,
    version: str,
    date: datetime = CHANGED,
    params: Params | None = None,
    operations: Sequence[Declared] = (),
    profiles: Mapping[str, Sequence[str]] | None = None,
    guides: Sequence[str] = (),
    many_deletes: bool = True,
    security: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """What the server at `base_url` does: every R4 type with everything that can be asked of it.

    `params` gives the search parameters of a type by code, `profiles` the profiles that are checked by type, `guides`
    the canonicals of loaded implementation guides. `date` is when the capabilities last changed.
    """
    params = params or load().search_params
    common = _common(many_deletes)
    reverse = _reverse(params)
    rest: dict[str, Any] = {
        "mode": "server",
        "documentation": _UNKNOWN,
        "security": security,
        "resource": [
            _resource(name, common, params, reverse, operations, (profiles or {}).get(name, ()))
            for name in load().resource_types
        ],
        "interaction": [{"code": code} for code in SYSTEM_INTERACTIONS],
        "searchParam": [
            *(_search_param(p) for p in _searched(params, "Resource")),
            *({"name": name, "type": kind, "documentation": text} for name, (kind, text) in _EVERYWHERE.items()),
        ],
        "operation": _named([one for one in operations if "system" in one.levels]),
        "compartment": [f"{FHIR}/CompartmentDefinition/{name}" for name in COMPARTMENTS],
    }
    return _filled(
        {
            "resourceType": "CapabilityStatement",
            "extension": [_feature(*one) for one in _FEATURES],
            "url": f"{base_url}/metadata",
            "version": version,
            "name": "Fhirwright",
            "title": "What this server does",
            "status": "active",
            "date": date.isoformat(),
            "kind": "instance",
            "instantiates": [TERMINOLOGY_SERVER],
            "software": {"name": "fhirwright", "version": version, "releaseDate": date.date().isoformat()},
            "implementation": {"description": "fhirwright FHIR R4 server", "url": base_url},
            "fhirVersion": FHIR_VERSION,
            "format": list(FORMATS),
            "patchFormat": list(PATCH_FORMATS),
            "implementationGuide": list(guides),
            "rest": [_filled(rest)],
        }
    )


def _feature(definition: str, key: str, value: object) -> dict[str, Any]:
    parts = [{"url": "definition", "valueCanonical": definition}, {"url": "value", key: value}]
    return {"url": FEATURE, "extension": parts}


_FEATURES = (
    (features.TX_TEST_VERSION, "valueCode", TX_TEST_VERSION),
    (features.CODE_SYSTEM_AS_PARAMETER, "valueBoolean", True),
)


def _common(many_deletes: bool) -> dict[str, Any]:
    """What every type can."""
    return {
        "interaction": [{"code": code} for code in TYPE_INTERACTIONS],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": True,
        "conditionalDelete": "multiple" if many_deletes else "single",
        "referencePolicy": ["literal", "logical", "local"],
    }


def _resource(
    name: str,
    common: dict[str, Any],
    params: Params,
    reverse: Mapping[str, list[str]],
    operations: Sequence[Declared],
    profiles: Sequence[str],
) -> dict[str, Any]:
    own = _searched(params, name)
    return _filled(
        {
            "extension": _TOPICS if name == "Subscription" else [],
            "type": name,
            "profile": load().profile(name),
            "supportedProfile": list(profiles),
            **common,
            "searchInclude": ["*", *(f"{name}:{p.code}" for p in own if p.type == "reference")],
            "searchRevInclude": reverse.get(name, []),
            "searchParam": [_search_param(p) for p in own],
            "operation": _named([one for one in operations if _is_on(one, name)]),
        }
    )


_TOPICS = [
    {"url": f"{BACKPORT_EXTENSIONS}capabilitystatement-subscriptiontopic-canonical", "valueCanonical": topic}
    for topic in (DOCUMENT_CODED, CLAIM_READY)
]


def _is_on(one: Declared, resource_type: str) -> bool:
    return set(one.levels) != {"system"} and (one.types is None or resource_type in one.types)


def _named(operations: Sequence[Declared]) -> list[dict[str, str]]:
    """Each once, however many levels it is registered at."""
    pairs = dict.fromkeys((one.name, one.definition) for one in operations)
    return [{"name": name, "definition": definition} for name, definition in pairs]


def _filled(value: dict[str, Any]) -> dict[str, Any]:
    return {key: child for key, child in value.items() if child not in (None, [], {})}


def _searched(params: Params, resource_type: str) -> list[SearchParam]:
    return [p for code, p in sorted(params(resource_type).items()) if code not in NOT_SEARCHED]


@cache
def _search_param(p: SearchParam) -> dict[str, str]:
    return {"name": p.code, "definition": p.url, "type": p.type}


def _reverse(params: Params) -> dict[str, list[str]]:
    """Type → the `_revinclude` values that can name it."""
    found: dict[str, list[str]] = {}
    for source in load().resource_types:
        for parameter in _searched(params, source):
            if parameter.type == "reference":
                for target in parameter.targets:
                    found.setdefault(target, []).append(f"{source}:{parameter.code}")
    return found
