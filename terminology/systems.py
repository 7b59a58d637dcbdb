"""Short names of code systems as people type them."""

from __future__ import annotations

from fhir_profiles import systems

ALIASES = {
    "icd10cm": systems.ICD10CM,
    "icd-10-cm": systems.ICD10CM,
    "icd10": systems.ICD10CM,
    "icd10pcs": systems.ICD10PCS,
    "cpt": systems.CPT,
    "hcpcs": systems.HCPCS,
    "loinc": systems.LOINC,
    "rxnorm": systems.RXNORM,
    "snomed": systems.SNOMED,
    "ucum": systems.UCUM,
    "cvx": systems.CVX,
    "ndc": systems.NDC,
}


def system_of(name: str) -> str | None:
    """The URI of a short name, or the name itself when it is a URI; None when it is neither."""
    return ALIASES.get(name.lower()) or (name if ":" in name else None)
