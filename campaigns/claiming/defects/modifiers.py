"""Modifiers that are wrong, missing or in the wrong company."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, drug, earlier, service, site, units
from campaigns.claiming.making import NPIS


@breaks("MOD-001")
def unknown(claim: Json) -> None:
    service(claim, 0, "S0201", "W7")


@breaks("MOD-002")
def five(claim: Json) -> None:
    service(claim, 0, "S0201", "Q5", "GT", "CR", "AI", "KX")


@breaks("MOD-003")
def twice(claim: Json) -> None:
    service(claim, 0, "S0201", "GT", "GT")


@breaks("MOD-004")
def both_parts(claim: Json) -> None:
    service(claim, 0, "S0200", "26", "TC")


@breaks("MOD-005")
def no_parts(claim: Json) -> None:
    service(claim, 0, "S0201", "26")


@breaks("MOD-006")
def left_and_right(claim: Json) -> None:
    service(claim, 0, "S0202", "LT", "RT")


@breaks("MOD-007")
def both_sides_and_left(claim: Json) -> None:
    service(claim, 0, "S0202", "50", "LT")


@breaks("MOD-008")
def one_sided(claim: Json) -> None:
    service(claim, 0, "S0201", "50")


@breaks("MOD-009")
def both_sides_twice(claim: Json) -> None:
    service(claim, 0, "S0202", "50")
    units(claim, 0, 2)


@breaks("MOD-010")
def both_sides_again(claim: Json) -> None:
    service(claim, 0, "S0204", "50")


@breaks("MOD-011")
def never_reduced(claim: Json) -> None:
    service(claim, 0, "S0201", "51")


@breaks("MOD-012")
def added_and_reduced(claim: Json) -> None:
    service(claim, 0, "S0122", "51")


@breaks("MOD-013")
def no_visit(claim: Json) -> None:
    service(claim, 0, "S0201", "25")


@breaks("MOD-014")
def no_decision(claim: Json) -> None:
    service(claim, 0, "S0201", "57")


@breaks("MOD-015")
def no_follow_up(claim: Json) -> list[Json]:
    service(claim, 0, "S0201", "24")
    return []


@breaks("MOD-016")
def nothing_to_follow(claim: Json) -> list[Json]:
    service(claim, 0, "S0201", "79")
    return [earlier(claim, "S0207", 120)]


@breaks("MOD-017")
def no_share(claim: Json) -> None:
    service(claim, 0, "S0201", "54")


@breaks("MOD-018")
def since_when(claim: Json) -> None:
    service(claim, 0, "S0207", "55")


@breaks("MOD-019")
def said_twice(claim: Json) -> None:
    service(claim, 0, "S0102")
    service(claim, 1, "S0103", "59", "XS")


@breaks("MOD-020")
def no_pair(claim: Json) -> None:
    service(claim, 0, "S0201", "59")


@breaks("MOD-021")
def separate_visit(claim: Json) -> None:
    service(claim, 0, "99214", "59")
    service(claim, 1, "S0201")
    service(claim, 2, "S0211")


@breaks("MOD-022")
def reduced_and_ended(claim: Json) -> None:
    service(claim, 0, "S0201", "52", "53")


@breaks("MOD-023")
def of_a_facility(claim: Json) -> None:
    service(claim, 0, "S0201", "73")


@breaks("MOD-024")
def more_work(claim: Json) -> None:
    service(claim, 0, "S0201", "22")


@breaks("MOD-025")
def repeats_nothing(claim: Json) -> list[Json]:
    service(claim, 0, "S0201", "76")
    return [earlier(claim, "S0202", 40)]


@breaks("MOD-026")
def no_test(claim: Json) -> None:
    service(claim, 0, "S0201")
    service(claim, 1, "S0201", "91")


@breaks("MOD-027")
def eyelid_of_a_hand(claim: Json) -> None:
    service(claim, 0, "S0210", "E1")


@breaks("MOD-028")
def no_plan(claim: Json) -> None:
    service(claim, 0, "97112")


@breaks("MOD-029")
def assistant_alone(claim: Json) -> None:
    service(claim, 0, "S0201", "CQ")


@breaks("MOD-030")
def beyond_the_threshold(claim: Json) -> list[Json]:
    service(claim, 0, "97112", "GP")
    return [earlier(claim, "97112", 7, mods=["GP"], charge=300_000)]


@breaks("MOD-031")
def noticed_and_not(claim: Json) -> None:
    service(claim, 0, "S0201", "GA", "GX")


@breaks("MOD-032")
def never_covered(claim: Json) -> None:
    service(claim, 0, "S0201", "GY")


@breaks("MOD-033", base="outpatient")
def off_campus(claim: Json) -> None:
    site(claim, NPIS[4])


@breaks("MOD-034")
def nothing_of_waste(claim: Json) -> None:
    service(claim, 0, "S0151")
    drug(claim, 0, "00000000001", 1)


@breaks("MOD-035")
def resident_in_an_office(claim: Json) -> None:
    service(claim, 0, "S0201", "GC")


@breaks("MOD-036")
def informs_first(claim: Json) -> None:
    service(claim, 0, "S0200", "GT", "26")


@breaks("MOD-037")
def screened_and_treated(claim: Json) -> None:
    claim["diagnosis"][0]["diagnosisCodeableConcept"]["coding"][0]["code"] = "Z12.11"
    service(claim, 0, "45385")
