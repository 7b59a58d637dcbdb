"""What the codes of a system look like, where the table at hand is only a part of it."""

from __future__ import annotations

import re

from fhir_profiles.systems import CPT, HCPCS, ICD10CM, LOINC, RXNORM

SHAPES = {
    ICD10CM: re.compile(r"[A-Z][0-9A-Z]{2}(\.[0-9A-Z]{1,4})?"),
    CPT: re.compile(r"\d{4}[0-9FTUAM]"),
    HCPCS: re.compile(r"[A-V]\d{4}"),
    LOINC: re.compile(r"\d{1,7}-\d"),
    RXNORM: re.compile(r"[1-9]\d{0,7}"),
}
