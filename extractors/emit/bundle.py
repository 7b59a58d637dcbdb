"""Emitted resources as one transaction (https://hl7.org/fhir/R4/http.html#transaction)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from extractors.emit.people import match
from extractors.emit.serialise import as_dict

SHARED = ("Patient", "Practitioner")  # may have been there before us and may serve others: never deleted


def bundle(resources: Iterable[Any]) -> dict[str, Any]:
    """A transaction Bundle that stores `resources` (models or dicts).

    People with an identifier are created only where nobody has it (`ifNoneExist`), everything else is put under its
    deterministic id, so a second run updates. What a former run yielded and this one does not is for the caller to
    delete, except for `SHARED` types.
    """
    return {"resourceType": "Bundle", "type": "transaction", "entry": [_entry(as_dict(one)) for one in resources]}


def _entry(resource: dict[str, Any]) -> dict[str, Any]:
    """The entry that stores one resource."""
    kind, query = resource["resourceType"], match(resource)
    if query is None:
        request = {"method": "PUT", "url": f"{kind}/{resource['id']}"}
        return {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource, "request": request}
    body = {key: value for key, value in resource.items() if key != "id"}
    request = {"method": "POST", "url": kind, "ifNoneExist": query}
    return {"fullUrl": f"urn:uuid:{resource['id']}", "resource": body, "request": request}
