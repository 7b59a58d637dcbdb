"""Short names of code systems as people type them."""

from __future__ import annotations

from fhir_profiles import systems
from terminology.core import core

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
    "mvx": systems.MVX,
    "ndc": systems.NDC,
    "nucc": systems.NUCC,
    "taxonomy": systems.NUCC,
    "language": systems.BCP47,
    "bcp47": systems.BCP47,
    "mime": systems.BCP13,
    "media-type": systems.BCP13,
    "currency": systems.CURRENCY,
    "country": systems.COUNTRY,
    "time-zone": systems.TIME_ZONES,
}


def system_of(name: str) -> str | None:
    """The URI of a short name, or the name itself when it is a URI; None when it is neither.

    The last part of the URI of a code system of HL7 is a short name too: v3-ActCode, administrative-gender.
    """
    if ":" in name:
        return name
    last = f"/{name.lower()}"
    return ALIASES.get(name.lower()) or next((url for url in core().systems if url.lower().endswith(last)), None)
