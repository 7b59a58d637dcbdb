"""Codes of FHIR and the elements of X12 that say the same."""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

Kind = Literal["professional", "institutional"]

VERSIONS = MappingProxyType({"professional": "005010X222A1", "institutional": "005010X223A2"})
RELATIONSHIPS = MappingProxyType({"self": "18", "spouse": "01", "child": "19", "common": "53", "other": "G8"})
"""Coverage.relationship → SBR02 and PAT01; what is not here is G8."""

FILING = MappingProxyType(
    {
        "EHCPOL": "CI", "HMO": "HM", "PPO": "12", "POS": "13", "AUTOPOL": "AM", "WCBPOL": "WC", "MCAID": "MC",
        "SUBSIDIZ": "MC", "PUBLICPOL": "OF", "DIS": "DS",
    }
)  # fmt: skip
"""Coverage.type → SBR09; Medicare is MB or MA by the kind of claim, the rest ZZ."""

FILINGS = frozenset(
    [
        "11",
        "12",
        "13",
        "14",
        "15",
        "16",
        "17",
        "AM",
        "BL",
        "CH",
        "CI",
        "DS",
        "FI",
        "HM",
        "LM",
        "MA",
        "MB",
        "MC",
        "OF",
        "TV",
        "VA",
        "WC",
        "ZZ",
    ]
)
MEDICARE = frozenset({"MEDICARE"})
GENDERS = MappingProxyType({"female": "F", "male": "M", "unknown": "U", "other": "U"})
ACCIDENTS = MappingProxyType({"MVA": "AA", "AA": "AA", "WPA": "EM", "EM": "EM"})
"""Claim.accident.type → CLM11; what is not here is OA."""

RANKS = "PSTABCDEFGH"
SECONDARY = frozenset(("12", "13", "14", "15", "16", "41", "42", "43", "47"))
"""Why Medicare pays second → SBR05."""

FREQUENCIES = MappingProxyType({"replaces": "7", "prior": "7", "7": "7", "8": "8", "void": "8", "6": "6"})
"""Claim.related.relationship → CLM05-3."""

ROLES = MappingProxyType(
    {
        "rendering": "82", "primary": "82", "referring": "DN", "ordering": "DK", "supervisor": "DQ",
        "attending": "71", "operating": "72", "otheroperating": "ZZ",
    }
)  # fmt: skip
"""Claim.careTeam.role → NM101."""

CLAIM_ROLES = MappingProxyType({"professional": ("DN", "82", "DQ"), "institutional": ("71", "72", "ZZ", "82", "DN")})
LINE_ROLES = MappingProxyType({"professional": ("82", "DQ", "DK", "DN"), "institutional": ("72", "ZZ", "82", "DN")})
"""NM101 that may stand on a claim and on a line, in the order of the loops."""

PERSONS = frozenset({"DN", "DQ", "DK", "71", "72", "ZZ"})
TAXONOMIES = MappingProxyType({("professional", "82"): "PE", ("institutional", "71"): "AT"})
"""Who is followed by what they are → PRV01."""

EVENTS = MappingProxyType(
    {"onset": "431", "initial-treatment": "454", "last-seen": "304", "last-menstrual-period": "484"}
)
"""Claim.supportingInfo.category with a date → DTP01 of professional claims."""

NUMBERS = MappingProxyType({"clia": "X4", "clinical-trial": "P4"})
"""Claim.supportingInfo.category with a number → REF01."""

STAYS = frozenset({"admissionperiod", "hospitalized"})
UNITS = MappingProxyType(
    {
        "professional": {None: "UN", "UN": "UN", "1": "UN", "MJ": "MJ", "min": "MJ"},
        "institutional": {None: "UN", "UN": "UN", "1": "UN", "DA": "DA", "d": "DA"},
    }
)
DRUG_UNITS = MappingProxyType(
    {
        "UN": "UN",
        "1": "UN",
        "ML": "ML",
        "mL": "ML",
        "GR": "GR",
        "g": "GR",
        "F2": "F2",
        "[iU]": "F2",
        "ME": "ME",
        "mg": "ME",
    }
)
"""Units of lines and drugs → SV104, SV204 and CTP05."""


def filing(code: str | None, kind: Kind) -> str:
    """SBR09 of a type of coverage."""
    if code in FILINGS:
        return code
    if code in MEDICARE:
        return "MB" if kind == "professional" else "MA"
    return FILING.get(code or "", "ZZ")
