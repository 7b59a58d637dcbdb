"""Emitted resources as one transaction (https://hl7.org/fhir/R4/http.html#transaction)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from extractors.emit.people import match
from extractors.emit.serialise import as_dict

SHARED = ("Patient", "Practitioner")  # may have been there before us and may serve others: never deleted


def bundle(resources: Iterable[Any], previous: Iterable[str] = ()) -> dict[str, Any]:
    """A transaction Bundle that stores `resources` (models or dicts).

    People with an identifier are created only where nobody has it (`ifNoneExist`), everything else is put under its
    deterministic id, so a second run updates. `previous` are the `Type/id` of a former run of the same document (see
    `emitted`): what this run no longer yields is deleted, its versions stay in the history.
    """
    plain = [as_dict(resource) for resource in resources]
    kept = {f"{resource['resourceType']}/{resource['id']}" for resource in plain}
    stale = sorted(ref for ref in set(previous) - kept if ref.partition("/")[0] not in SHARED)
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            *({"request": {"method": "DELETE", "url": ref}} for ref in stale),
            *(_entry(resource) for resource in plain),
        ],
    }


def emitted(provenance: Mapping[str, Any]) -> list[str]:
    """The `Type/id` that a former run emitted, itself included, read from its stored Provenance."""
    targets = [str(target.get("reference", "")) for target in provenance.get("target", ())]
    local = ["/".join(target.split("/_history/")[0].split("/")[-2:]) for target in targets if "/" in target]
    return [*local, f"Provenance/{provenance['id']}"]


def _entry(resource: dict[str, Any]) -> dict[str, Any]:
    """The entry that stores one resource."""
    kind, query = resource["resourceType"], match(resource)
    if query is None:
        request = {"method": "PUT", "url": f"{kind}/{resource['id']}"}
        return {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource, "request": request}
    body = {key: value for key, value in resource.items() if key != "id"}
    request = {"method": "POST", "url": kind, "ifNoneExist": query}
    return {"fullUrl": f"urn:uuid:{resource['id']}", "resource": body, "request": request}
