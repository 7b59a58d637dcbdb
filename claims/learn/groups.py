"""Codes put into groups that people know: families of services, chapters of diagnoses, places, modifiers, payers."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

_CPT = re.compile(r"[0-9]{4}[0-9AFTU]")
_HCPCS = re.compile(r"[A-V][0-9]{4}")
FAMILIES = {
    "visit": "visits and other evaluation", "anaesthesia": "anaesthesia", "skin": "surgery of the skin",
    "bones": "surgery of bones and muscles", "surgery": "other surgery", "imaging": "imaging",
    "laboratory": "laboratory", "medicine": "other services of medicine", "therapy": "therapy",
    "supplies": "ambulance and supplies", "equipment": "equipment, prostheses and orthoses", "drugs": "drugs",
    "temporary": "procedures and services of HCPCS Level II", "other": "other services",
}  # fmt: skip
_RANGES = (
    (100, 1999, "anaesthesia"), (10004, 19999, "skin"), (20000, 29999, "bones"), (30000, 69999, "surgery"),
    (70000, 79999, "imaging"), (80000, 89999, "laboratory"), (97010, 97799, "therapy"), (99091, 99499, "visit"),
    (90000, 99999, "medicine"),
)  # fmt: skip
_LETTERS = {"A": "supplies", "B": "supplies", "E": "equipment", "L": "equipment", "K": "equipment", "J": "drugs"}
CHAPTERS = {
    "infections": "AB", "neoplasms": "C", "blood": "D", "metabolism": "E", "mind": "F", "nerves": "G",
    "eyes, ears": "H", "circulation": "I", "breathing": "J", "digestion": "K", "skin": "L", "bones, muscles": "M",
    "kidneys, genitals": "N", "pregnancy, birth": "OPQ", "symptoms": "R", "injuries": "ST", "causes of injury": "VWXY",
    "other reasons for care": "Z",
}  # fmt: skip
"""Chapter of ICD-10-CM → the letters with which its codes begin."""
_CHAPTER = {letter: name for name, letters in CHAPTERS.items() for letter in letters}
PLACES = {
    "office": ("11",), "telehealth": ("02", "10"), "home": ("12", "13", "14"), "emergency department": ("23",),
    "hospital, inpatient": ("21", "51", "61"), "hospital, outpatient": ("19", "22", "52"), "surgery centre": ("24",),
    "nursing facility": ("31", "32", "33"), "laboratory": ("81",), "ambulance": ("41", "42"),
}  # fmt: skip
_PLACE = {code: name for name, codes in PLACES.items() for code in codes}
MODIFIERS = {
    "25": ("25",), "59 or X": ("59", "XE", "XP", "XS", "XU"), "26": ("26",), "TC": ("TC",), "50": ("50",),
    "22": ("22",), "52 or 53": ("52", "53"), "76 or 77": ("76", "77"),
    "24, 57, 58, 78 or 79": ("24", "57", "58", "78", "79"),
    "GA, GX, GY or GZ": ("GA", "GX", "GY", "GZ"), "KX": ("KX",), "of telehealth": ("95", "93", "GT", "GQ", "FQ"),
    "of an assistant": ("80", "81", "82", "AS"),
}  # fmt: skip
_MODIFIER = {code: name for name, codes in MODIFIERS.items() for code in codes}
PRICING = frozenset(
    ("26", "TC", "50", "52", "53", "54", "55", "56", "62", "78", "80", "81", "82", "AS", "NU", "RR", "UE", "AA", "AD",
     "QK", "QX", "QY", "QZ", "JW", "JZ")
)  # fmt: skip
"""Modifiers that change what is usually charged."""
PAYERS = {
    "Medicare": (), "Medicaid": (), "another public programme": ("PUBLICPOL", "SUBPRG", "SUBSIDMC", "VAPROG"),
    "workers' compensation": ("WCBPOL",), "an accident insurance": ("AUTOPOL", "AUTO"),
    "the patient": ("pay",),
}  # fmt: skip
_PAYER = {code: name for name, codes in PAYERS.items() for code in codes}
AGES = (1, 18, 40, 65, 80)
"""Where bands of age begin; nothing finer is looked at."""


@lru_cache(maxsize=65_536)
def family(code: str | None) -> str:
    """The family of a service."""
    if code is None:
        return "other"
    if code.isdigit() and len(code) == 5:
        number = int(code)
        return next((name for low, high, name in _RANGES if low <= number <= high), "other")
    if _HCPCS.fullmatch(code):
        return _LETTERS.get(code[0], "temporary")
    return "other"


def clean(code: str | None) -> str | None:
    """A code of a service that has the form of one; a model learns nothing else, whatever stands in its place."""
    return code if code is not None and (_CPT.fullmatch(code) or _HCPCS.fullmatch(code)) else None


@lru_cache(maxsize=65_536)
def chapter(code: str | None) -> str | None:
    """The chapter of a diagnosis."""
    if not code:
        return None
    if code[0] == "D":
        return "neoplasms" if code[1:2] < "5" else "blood"
    return _CHAPTER.get(code[0])


@lru_cache(maxsize=65_536)
def category(code: str | None) -> str | None:
    """The three characters of a diagnosis, where it has the form of one."""
    return code[:3] if code and re.fullmatch(r"[A-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,4})?", code) else None


def place(code: str | None) -> str | None:
    """The kind of a place of service."""
    return _PLACE.get(code or "")


def modifier(code: str) -> str | None:
    """The kind of a modifier."""
    return _MODIFIER.get(code)


def payer(kind: str | None, medicare: bool | None, medicaid: bool | None) -> str | None:
    """The kind of a payer; None for commercial ones and those of whom nothing is said."""
    return "Medicare" if medicare else "Medicaid" if medicaid else _PAYER.get(kind or "")


def band(age: int | None) -> int | None:
    """The band of an age, from 0."""
    return None if age is None else sum(age >= begin for begin in AGES)


@lru_cache(maxsize=65_536)
def sealed(text: str | None) -> str | None:
    """A number of a payer or provider as a key from which it is not read; None where there is none."""
    return None if not text else hashlib.sha256(text.encode()).hexdigest()[:16]
