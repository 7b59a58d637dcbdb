"""Parts of a service beside the whole, or where there are none."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, earlier, place, service, site
from campaigns.claiming.making import NPIS


@breaks("PCT-001")
def whole_and_part(claim: Json) -> None:
    service(claim, 0, "S0200")
    service(claim, 1, "S0200", "26")


@breaks("PCT-002")
def read_twice(claim: Json) -> list[Json]:
    service(claim, 0, "S0200", "26")
    return [earlier(claim, "S0200", mods=["26"], provider_npi=NPIS[5])]


@breaks("PCT-003")
def part_of_a_part(claim: Json) -> None:
    service(claim, 0, "S0430", "26")


@breaks("PCT-004")
def whole_in_a_hospital(claim: Json) -> None:
    site(claim, NPIS[2])
    place(claim, "22")
    service(claim, 0, "73110")
    service(claim, 1, "S0201")
    service(claim, 2, "S0212")
