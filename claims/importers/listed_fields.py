"""What the fields of the user's own lists look like: (table, column), or any table where that is empty."""

from __future__ import annotations

import re
from collections.abc import Mapping

from claims.importers.reading import CODE

_ICD = r"[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?"


def _one_of(*words: str) -> tuple[re.Pattern[str], str]:
    return re.compile("|".join(words)), f"one of {', '.join(words)} is expected"


_A_CODE = (CODE, "a code of five characters is expected")
_AN_ICD = (re.compile(_ICD), "a code of ICD-10-CM with its point is expected")
_BY_CODE = (
    "authorised", "ordered", "frequency", "code_site", "code_limit", "telehealth", "clia", "dmepos", "asc", "opps",
    "preventive", "drug", "drug_ndc", "panel", "coverage", "authorisation", "revenue_hcpcs",
)  # fmt: skip

FIELDS: Mapping[tuple[str, str], tuple[re.Pattern[str], str]] = {
    **{(name, "code"): _A_CODE for name in _BY_CODE},
    ("panel", "panel"): _A_CODE,
    ("", "npi"): (re.compile(r"[12]\d{9}"), "an NPI of ten digits is expected"),
    ("", "sex"): _one_of("male", "female"),
    ("", "tax"): (re.compile(r"\d{9}"), "a tax identifier of nine digits is expected"),
    ("", "revenue"): (re.compile(r"\d{4}"), "a revenue code of four digits is expected"),
    ("revenue", "code"): (re.compile(r"\d{4}"), "a revenue code of four digits is expected"),
    ("bill_type", "code"): (re.compile(r"0\d\d[0-9A-Z]"), "a type of bill of four characters is expected"),
    ("nubc", "list"): _one_of(
        "admission", "origin", "newborn", "discharge", "condition", "occurrence", "span", "value"
    ),
    ("nubc", "code"): (re.compile(r"[0-9A-Z]{1,2}"), "a code of one or two characters is expected"),
    ("diagnosis_edit", "code"): _AN_ICD,
    ("diagnosis_edit", "ages"): _one_of("newborn", "paediatric", "maternity", "adult"),
    ("procedure_edit", "code"): (re.compile(r"[0-9A-HJ-NP-Z]{7}"), "a code of ICD-10-PCS is expected"),
    ("coverage", "diagnosis"): _AN_ICD,
    ("code_limit", "once"): _one_of("day", "life"),
    ("policy", "name"): _one_of("confidence", "confirmation"),
    ("drug_ndc", "ndc"): (re.compile(r"\d{11}"), "a National Drug Code of eleven digits is expected"),
    ("laboratory", "number"): (re.compile(r"\d\dD\d{7}"), "a CLIA number is expected"),
    ("taxonomy_service", "family"): (re.compile(r"[0-9A-Z]{2}"), "the first two characters of codes are expected"),
    ("payer", "member"): (re.compile(r"[0-9A-Z|. -]{1,200}"), "a shape of A, 9, X and bars is expected"),
}

LIMITS: Mapping[tuple[str, str], tuple[int, int]] = {
    ("policy", "value"): (0, 1), ("visit_share", "share"): (0, 1), ("visit_share", "norm"): (0, 1),
    ("payer", "filing_days"): (1, 10_000), ("payer", "correction_days"): (1, 10_000),
    ("payer", "most_times"): (1, 10_000),
    ("code_limit", "low"): (0, 150), ("code_limit", "high"): (0, 150), ("preventive", "low"): (0, 150),
    ("preventive", "high"): (0, 150), ("frequency", "times"): (1, 1_000), ("frequency", "days"): (1, 40_000),
}  # fmt: skip
"""The least and the most of a number."""
