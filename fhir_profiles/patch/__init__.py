"""Changing a resource by a patch: JSON Patch and FHIRPath Patch, as pure functions (https://hl7.org/fhir/R4/http.html#patch).

    json_patch(resource, [{"op": "replace", "path": "/active", "value": False}])
    fhirpath_patch(resource, {"resourceType": "Parameters", "parameter": [...]})
    merge_patch(resource, {"active": False, "birthDate": None})

All give a new resource and leave what they were given alone; a patch applies as a whole or not at all. The result is
not validated here. FhirError(INCORRECT) says which operation failed and why; a failed `test` of a JSON Patch too.
"""

from fhir_profiles.patch.fhirpath import fhirpath_patch
from fhir_profiles.patch.jsonpatch import MAX_OPERATIONS, json_patch
from fhir_profiles.patch.merge import merge_patch

__all__ = ["MAX_OPERATIONS", "fhirpath_patch", "json_patch", "merge_patch"]
