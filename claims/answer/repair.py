"""Put right how a claim is written before it is edited: case, spaces, punctuation; never what it says.

Each repair is told in the answer, so that whoever sends claims can write them so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from claims.sheet.sheet import Sheet
from fhir_profiles.systems import ICD10CM

Record = Mapping[str, Any]
_ICD = re.compile(r"[A-Z][0-9][A-Z0-9](?:\.?[A-Z0-9]{1,4})?\.?")
_CODE = re.compile(r"[A-Z0-9]{5}")
_MARK = re.compile(r"[A-Z0-9]{2}")
_PROCEDURE = re.compile(r"[A-Z0-9]{7}")


class Repair(NamedTuple):
    """What was written otherwise: where (FHIRPath), and how it was put right."""

    path: str
    text: str


@lru_cache(maxsize=65_536)
def zip_code(text: str) -> str:
    """A ZIP code of five or nine digits without what stands between them."""
    digits = text.replace("-", "").replace(" ", "")
    return digits if len(digits) in (5, 9) and digits.isascii() and digits.isdigit() else text


@lru_cache(maxsize=65_536)
def icd_code(text: str) -> str:
    """A code of ICD-10-CM in capitals with its dot after the third character."""
    code = text.strip().upper()
    if not _ICD.fullmatch(code):
        return text
    code = code.replace(".", "")
    return f"{code[:3]}.{code[3:]}" if len(code) > 3 else code


def _capitals(shape: re.Pattern[str]) -> Callable[[str], str]:
    @lru_cache(maxsize=65_536)
    def put(text: str) -> str:
        code = text.strip().upper()
        return code if shape.fullmatch(code) else text

    return put


service_code, modifier, procedure_code = _capitals(_CODE), _capitals(_MARK), _capitals(_PROCEDURE)
state = modifier
_ZIPS = {"patient_zip": "patient", "provider_zip": "provider", "facility_zip": "facility"}
_STATES = {"patient_state": "patient", "provider_state": "provider", "facility_state": "facility"}


_COLUMNS: dict[str, dict[str, Callable[[str], str]]] = {
    "claims": dict.fromkeys(_ZIPS, zip_code) | dict.fromkeys(_STATES, state),
    "lines": {"code": service_code, "service_zip": zip_code},
    "diagnoses": {"code": icd_code},
    "procedures": {"code": procedure_code},
}
"""What is put right, and how; modifiers are lists."""


def repair(record: Record) -> list[Repair]:
    """Put the rows of a claim right, in place, and tell what was done; the same for every further call: nothing."""
    found: list[Repair] = []
    claim = record["claim"]
    for columns, put, text in ((_ZIPS, zip_code, "The ZIP code"), (_STATES, state, "The state")):
        for name, party in columns.items():
            if _put(claim, name, put):
                found.append(Repair(f"Claim.{party}", f"{text} of the {party} was put into its usual form."))
    _lines(record, found)
    changed: dict[str, str] = {}
    for row in record["diagnoses"]:
        before = row["code"]
        if row["system"] == ICD10CM and _put(row, "code", icd_code):
            changed[before] = row["code"]
            found.append(Repair(_at("diagnosis", row), "The diagnosis code was written in capitals with its dot."))
    found += [
        Repair(_at("procedure", row), "The procedure code was written in capitals.")
        for row in record["procedures"]
        if _put(row, "code", procedure_code)
    ]
    if changed:
        for row in record["lines"]:
            row["pointed"] = [changed.get(code, code) for code in row["pointed"]]
    return found


def repair_many(sheet: Sheet) -> list[list[Repair]]:
    """The same for all claims of a sheet; only those are looked at in which something is written otherwise."""
    found: list[list[Repair]] = [[] for _ in range(len(sheet))]
    for row in sorted(_amiss(sheet)):
        found[row] = repair(sheet[row])
    return found


def _amiss(sheet: Sheet) -> set[int]:
    """The claims with a value that is put right; each distinct value is looked at once."""
    claims: set[int] = set()
    for collection, columns in _COLUMNS.items():
        for name, put in columns.items():
            values = sheet.columns[collection][name]
            wrong = {value for value in set(values) if value is not None and put(value) != value}
            if wrong:
                rows = zip(sheet.columns[collection]["row"], values, strict=True)
                claims.update(row for row, value in rows if value in wrong)
    marks = sheet.columns["lines"]["mods"]
    wrong = {mark for mark in set(chain.from_iterable(marks)) if modifier(mark) != mark}
    if wrong:
        rows = zip(sheet.columns["lines"]["row"], marks, strict=True)
        claims.update(row for row, some in rows if not wrong.isdisjoint(some))
    return claims


def _lines(record: Record, found: list[Repair]) -> None:
    for row in record["lines"]:
        if _put(row, "code", service_code):
            found.append(Repair(_at("item", row), "The service code was written in capitals."))
        if _put(row, "service_zip", zip_code):
            found.append(Repair(_at("item", row), "The ZIP code of the place was put into its usual form."))
        mods = row["mods"]
        if mods:
            put = [modifier(one) for one in mods]
            if put != mods:
                row["mods"] = put
                found.append(Repair(_at("item", row), "The modifiers were written in capitals."))


def _put(row: Any, name: str, put: Callable[[str], str]) -> bool:
    before = row[name]
    if before is None:
        return False
    after = put(before)
    if after is before or after == before:
        return False
    row[name] = after
    return True


def _at(part: str, row: Record) -> str:
    return f"Claim.{part}.where(sequence = {row['seq']})"
