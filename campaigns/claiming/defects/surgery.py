"""Assistants, second surgeons, teams and endoscopies that are not paid."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from copy import deepcopy

from campaigns.claiming.defects.defect import Json, breaks, earlier, service, total
from campaigns.claiming.making import NPIS


@breaks("SRG-001")
def no_papers(claim: Json) -> None:
    service(claim, 0, "S0201", "80")


@breaks("SRG-002")
def never(claim: Json) -> None:
    service(claim, 0, "S0400", "80")


@breaks("SRG-003")
def physician_as(claim: Json) -> None:
    service(claim, 0, "S0401", "AS")


@breaks("SRG-004")
def two_assistants(claim: Json) -> list[Json]:
    service(claim, 0, "S0401", "80")
    return [earlier(claim, "S0401", mods=["80"], provider_npi=NPIS[5])]


@breaks("SRG-005")
def one_surgeon(claim: Json) -> None:
    service(claim, 0, "S0201", "62")


@breaks("SRG-006")
def same_specialty(claim: Json) -> list[Json]:
    service(claim, 0, "S0402", "62")
    return [earlier(claim, "S0402", mods=["62"], provider_npi=NPIS[5])]


@breaks("SRG-007")
def surgeon_and_assistant(claim: Json) -> None:
    service(claim, 0, "S0402", "62", "80")


@breaks("SRG-008")
def team_without_report(claim: Json) -> None:
    service(claim, 0, "S0403", "66")


@breaks("SRG-009")
def six(claim: Json) -> None:
    claim["item"] += [deepcopy(claim["item"][0]) for _ in range(3)]
    for number in range(6):
        service(claim, number, f"S041{number}")["sequence"] = number + 1
    total(claim)


@breaks("SRG-010")
def looked_and_did(claim: Json) -> None:
    service(claim, 0, "S0420")
    service(claim, 1, "S0421")


@breaks("SRG-011")
def looked_and_did_more(claim: Json) -> None:
    service(claim, 0, "S0420")
    service(claim, 1, "S0421")
    service(claim, 2, "S0422")
