"""FHIRPath Patch over a resource (https://hl7.org/fhir/R4/fhirpatch.html)."""

from __future__ import annotations

from typing import Any


def fhirpath_patch(resource: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """The resource after every operation of the Parameters; FhirError(INCORRECT) names the first that fails."""
    raise NotImplementedError
