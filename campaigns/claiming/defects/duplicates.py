"""Services that were billed already."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, earlier, service
from campaigns.claiming.making import NPIS


@breaks("DUP-001")
def twice(claim: Json) -> None:
    service(claim, 0, "S0201")
    service(claim, 1, "S0201")


@breaks("DUP-002")
def again(claim: Json) -> list[Json]:
    service(claim, 0, "S0201")
    return [earlier(claim, "S0201")]


@breaks("DUP-003")
def the_whole_again(claim: Json) -> list[Json]:
    service(claim, 0, "S0201")
    return [earlier(claim, "S0201", same_claim=True, status="pending")]


@breaks("DUP-004")
def colleague(claim: Json) -> list[Json]:
    service(claim, 0, "S0201")
    return [earlier(claim, "S0201", provider_npi=NPIS[5])]


@breaks("DUP-005")
def accepted(claim: Json) -> list[Json]:
    service(claim, 0, "S0201")
    return [earlier(claim, "S0212", control=claim["identifier"][0]["value"])]
