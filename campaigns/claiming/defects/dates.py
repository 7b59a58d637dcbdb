"""Dates that cannot be."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, info, item, later, place


@breaks("DAT-001")
def no_such_day(claim: Json) -> None:
    claim["item"][1]["servicedDate"] = "2026-02-30"


@breaks("DAT-003")
def backwards(claim: Json) -> None:
    day = claim["item"][1].pop("servicedDate")
    claim["item"][1]["servicedPeriod"] = {"start": day, "end": "2026-01-01"}


@breaks("DAT-004")
def outside(claim: Json) -> None:
    claim["item"][1]["servicedDate"] = "2026-01-05"


@breaks("DAT-002")
def future(claim: Json) -> None:
    info(claim, "clmrecvddate", timingDate="2026-01-01")
    claim["supportingInfo"].pop(0)


@breaks("DAT-005", also=("DAT-002",))
def created_early(claim: Json) -> None:
    claim["created"] = "2026-01-01"


@breaks("DAT-007")
def leaves_early(claim: Json) -> None:
    info(claim, "discharge", timingDate="2026-01-01")
    info(claim, "admissionperiod", timingPeriod={"start": "2026-01-02"})


@breaks("DAT-008", also=("POS-008",))
def no_stay(claim: Json) -> None:
    place(claim, "21")
    item(claim, "99221")


@breaks("DAT-009")
def onset_later(claim: Json) -> None:
    info(claim, "onset", timingDate="2027-01-01")


@breaks("DAT-010")
def span(claim: Json) -> None:
    day = claim["item"][1].pop("servicedDate")
    claim["item"][1]["servicedPeriod"] = {"start": day, "end": later(day)}
    claim["billablePeriod"]["end"] = later(day)


@breaks("DAT-011", also=("CHG-002",))
def days_not_units(claim: Json) -> None:
    item(claim, "S0004")["quantity"]["value"] = 2
    item(claim, "S0004")


@breaks("DAT-012")
def two_years(claim: Json) -> None:
    for one, day in zip(claim["item"], ("2026-01-01", "2025-12-31", "2025-12-31"), strict=True):
        one["servicedDate"] = day
    claim["billablePeriod"] = {"start": "2025-12-31", "end": "2026-01-01"}


@breaks("DAT-013")
def accident_later(claim: Json) -> None:
    claim["accident"] = {"date": "2027-01-01", "type": {"coding": [{"code": "HHACC"}]}}
