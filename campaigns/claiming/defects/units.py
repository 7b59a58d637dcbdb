"""Too many units, or broken ones."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, contained, drug, earlier, extend, service, units


@breaks("UNT-001")
def half(claim: Json) -> None:
    units(claim, 0, 1.5)


@breaks("UNT-002")
def many_on_a_line(claim: Json) -> None:
    service(claim, 0, "S0110")
    units(claim, 0, 3)


@breaks("UNT-003")
def many_on_a_day(claim: Json) -> None:
    service(claim, 0, "S0111")
    service(claim, 1, "S0111", "76")
    units(claim, 0, 2)


@breaks("UNT-004")
def unlikely(claim: Json) -> list[Json]:
    service(claim, 0, "S0112", "76")
    units(claim, 0, 2)
    return [earlier(claim, "S0112", units=1.0)]


@breaks("UNT-006")
def short_therapy(claim: Json) -> None:
    service(claim, 0, "97110", "GP")
    units(claim, 0, 2)
    extend(claim, 0, "minutes", valueInteger=22)


@breaks("UNT-007")
def twice_a_day(claim: Json) -> None:
    service(claim, 0, "S0141")
    units(claim, 0, 2)


@breaks("UNT-008")
def twice_in_a_life(claim: Json) -> list[Json]:
    service(claim, 0, "S0142")
    return [earlier(claim, "S0142", 4_000)]


@breaks("UNT-009")
def too_often(claim: Json) -> list[Json]:
    service(claim, 0, "S0140")
    return [earlier(claim, "S0140", 10), earlier(claim, "S0140", 20)]


@breaks("UNT-010")
def other_quantity(claim: Json) -> None:
    service(claim, 0, "S0150")
    drug(claim, 0, "00000000001", 2)


@breaks("UNT-005")
def supplier(claim: Json) -> None:
    contained(claim, "o")["identifier"][2]["value"] = "332B00000X"
