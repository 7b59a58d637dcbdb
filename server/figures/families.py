"""Families of codes: chapters and categories of ICD-10-CM (https://www.cms.gov/medicare/coding-billing/icd-10-codes)."""

from __future__ import annotations

from functools import lru_cache

from fhir_profiles.systems import CPT, HCPCS, ICD10CM, ICD10PCS

CHAPTERS = (
    ("A00", "B99", "Infections"), ("C00", "D49", "Neoplasms"), ("D50", "D89", "Blood, immunity"),
    ("E00", "E89", "Endocrine, metabolic"), ("F01", "F99", "Mental, behavioural"), ("G00", "G99", "Nervous system"),
    ("H00", "H59", "Eye"), ("H60", "H95", "Ear"), ("I00", "I99", "Circulatory"), ("J00", "J99", "Respiratory"),
    ("K00", "K95", "Digestive"), ("L00", "L99", "Skin"), ("M00", "M99", "Musculoskeletal"),
    ("N00", "N99", "Genitourinary"), ("O00", "O9A", "Pregnancy, childbirth"), ("P00", "P96", "Perinatal"),
    ("Q00", "Q99", "Congenital"), ("R00", "R99", "Symptoms, findings"), ("S00", "T88", "Injury, poisoning"),
    ("U00", "U85", "Special purposes"), ("V00", "Y99", "External causes"), ("Z00", "Z99", "Health status, contact"),
)  # fmt: skip
"""First and last category of each chapter, with a short name of our own."""
_OTHERS = {CPT: "CPT", HCPCS: "HCPCS", ICD10PCS: "ICD-10-PCS"}
UNKNOWN = "unknown"


@lru_cache(maxsize=16_384)
def chapter(system: str, code: str) -> str:
    """The chapter of a diagnosis by its short name, the code system of a service; `unknown` where neither is told."""
    if system != ICD10CM:
        return _OTHERS.get(system, UNKNOWN)
    return next((name for first, last, name in CHAPTERS if first <= code[:3].upper() <= last), UNKNOWN)


@lru_cache(maxsize=16_384)
def category(system: str, code: str) -> str:
    """The category of a diagnosis (its first three characters); of a service its first two."""
    if not code:
        return UNKNOWN
    return code[:3].upper() if system == ICD10CM else f"{code[:2].upper()}…"
