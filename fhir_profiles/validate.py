"""Is this a FHIR R4 resource? Structure, cardinality, types, bindings (https://hl7.org/fhir/R4/validation.html)."""

from __future__ import annotations

from itertools import islice
from typing import Any

from fhir_profiles.accept import accepts
from fhir_profiles.errors import Problem
from fhir_profiles.walk import walk

MAX_PROBLEMS = 1_000


def check(resource: Any, _body: bytes | None = None, *, warnings: bool = False) -> list[Problem]:
    """Every error of the resource, empty when it is valid; resources inside Bundle, Parameters and contained too.

    Checked: known properties, cardinality, choices, primitive formats with real dates, `_field` siblings, codes of
    required bindings that can be enumerated, references by form and type, narratives, and every invariant of R4. At
    most MAX_PROBLEMS are listed. The bytes may be passed along; the dict is enough.

    `warnings` adds what is wrong but tolerated, because HL7's own published examples do it or R4 itself only warns.
    """
    if not warnings and accepts(resource):
        return []
    return list(islice((p for p in walk(resource) if warnings or p.severity != "warning"), MAX_PROBLEMS))
