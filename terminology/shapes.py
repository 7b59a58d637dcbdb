"""What the codes of a system look like, where the table at hand is only a part of it or does not hold one."""

from __future__ import annotations

import re

from fhir_profiles.systems import CPT, HCPCS, ICD10CM, LOINC, NDC, RXNORM, SNOMED
from terminology import sctid
from terminology.check_digits import meant_loinc
from terminology.ndc import normalise, normalise_product

_SHAPES = {
    ICD10CM: re.compile(r"[A-Z][0-9A-Z]{2}(\.[0-9A-Z]{1,4})?"),
    CPT: re.compile(r"[0-9]{4}[0-9FTUAM]|[2-9][0-9]|P[1-6]|[1238]P"),  # procedures; modifiers
    HCPCS: re.compile(r"[A-V][0-9]{4}|[A-Z][A-Z0-9]"),
    LOINC: re.compile(r"([0-9]{1,7}|L[ALP][0-9]{1,7})-[0-9X]", re.IGNORECASE),
    RXNORM: re.compile(r"[1-9][0-9]{0,7}"),
}


def misshapen(system: str, code: str) -> str | None:
    """Why a text cannot be a code of a system; None where it could be one, or its codes have no known shape."""
    if system == NDC:
        return _no_drug(code)
    if system == SNOMED:
        return sctid.misfit(code)
    shape = _SHAPES.get(system)
    if shape is not None and not shape.fullmatch(code):
        return "it does not have the shape of one"
    meant = meant_loinc(code) if system == LOINC else None
    return f"its check digit is wrong, {meant} has the right one" if meant else None


def _no_drug(code: str) -> str | None:
    if normalise(code) or normalise_product(code):
        return None
    if len(code) == 10 and code.isdigit():
        return "ten digits without hyphens can mean three packages, write it as it is printed"
    return "it does not have the shape of one: 4-4-2, 5-3-2 or 5-4-1 digits, or eleven"
