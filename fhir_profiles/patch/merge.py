"""JSON Merge Patch: the properties to set, null for those to remove (https://www.rfc-editor.org/rfc/rfc7396).

FHIR does not name it, yet clients send it; what comes out is held to the rules of FHIR like any other resource.
"""

from __future__ import annotations

from typing import Any


def merge_patch(resource: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """A new resource with the properties of the patch; objects are merged, arrays are replaced."""
    merged = dict(resource)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            there = merged.get(name)
            merged[name] = merge_patch(there if isinstance(there, dict) else {}, value)
        else:
            merged[name] = value
    return merged
