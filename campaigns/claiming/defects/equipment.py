"""Equipment and supplies without what they come with."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, earlier, info, place, service


@breaks("DME-001")
def bought_or_rented(claim: Json) -> None:
    place(claim, "12")
    service(claim, 0, "S0530")


@breaks("DME-002")
def second_month_first(claim: Json) -> list[Json]:
    place(claim, "12")
    service(claim, 0, "S0531", "RR", "KI")
    return [earlier(claim, "S0201", 30)]


@breaks("DME-003")
def nobody_ordered(claim: Json) -> None:
    place(claim, "12")
    service(claim, 0, "S0532")


@breaks("DME-004")
def outdated_certificate(claim: Json) -> None:
    place(claim, "12")
    service(claim, 0, "S0533")
    info(claim, "certificate")


@breaks("DME-005")
def in_an_office(claim: Json) -> None:
    service(claim, 0, "S0530", "NU")
