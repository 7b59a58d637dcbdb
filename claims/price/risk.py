"""The CMS-HCC risk score of a patient's diagnoses (42 CFR 422.308), by the package hccinfhir (the extra `grouping`)."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

MODEL = "CMS-HCC Model V28"
_SEX = {"male": "M", "female": "F"}
REASONS = {
    "": "",
    "package": "The risk model is not installed: install fhirwright[grouping]",
    "patient": "The age or the sex of the patient is not known",
}
"""Why there is no score."""


@dataclass(frozen=True, slots=True)
class Risk:
    """`score` before normalisation, of which `demographic` is that of age and sex; `categories` after hierarchies.

    Taken for granted: the patient lives at home, has no Medicaid, and was not entitled by disability.
    """

    why: str = ""
    score: float | None = None
    demographic: float | None = None
    categories: tuple[str, ...] = ()
    model: str = MODEL


def risk(codes: Iterable[str], age: int | None, gender: str | None) -> Risk:
    """The score of diagnoses of ICD-10-CM, with or without the point; each counts once."""
    if find_spec("hccinfhir") is None:
        return Risk("package")
    sex = _SEX.get(gender or "")
    if age is None or age < 0 or sex is None:
        return Risk("patient")
    plain = sorted({code.replace(".", "").upper() for code in codes})
    found = _model().calculate_from_diagnosis(plain, age=age, sex=sex)
    categories = tuple(sorted(found.hcc_list, key=lambda one: (len(one), one)))
    return Risk("", round(found.risk_score, 3), round(found.risk_score_demographics, 3), categories)


@lru_cache(maxsize=1)
def _model() -> Any:
    with warnings.catch_warnings():  # it opens its tables in a way that Python 3.11 calls old
        warnings.simplefilter("ignore", DeprecationWarning)
        from hccinfhir import HCCInFHIR

        return HCCInFHIR(model_name=MODEL)
