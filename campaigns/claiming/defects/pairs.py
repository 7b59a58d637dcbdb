"""Services that belong together, billed apart, and add-on codes alone."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

import orjson

from campaigns.claiming.defects.defect import Json, breaks, earlier, service


@breaks("NCC-001")
def never_together(claim: Json) -> None:
    service(claim, 0, "S0100")
    service(claim, 1, "S0101", "59")


@breaks("NCC-002")
def not_told_apart(claim: Json) -> None:
    service(claim, 0, "S0102")
    service(claim, 1, "S0103")


@breaks("NCC-004")
def over_two_claims(claim: Json) -> list[Json]:
    service(claim, 0, "S0103")
    return [earlier(claim, "S0102")]


@breaks("NCC-005")
def on_the_same_side(claim: Json) -> None:
    service(claim, 0, "S0102", "LT")
    service(claim, 1, "S0103", "LT")


@breaks("NCC-007")
def no_primary(claim: Json) -> None:
    service(claim, 0, "S0121")


@breaks("NCC-008")
def only_added(claim: Json) -> None:
    for number, mods in enumerate((("LT",), ("RT",), ("GT",))):
        service(claim, number, "S0122", *mods)


@breaks("NCC-009")
def no_listed_primary(claim: Json) -> None:
    service(claim, 0, "S0123")


@breaks("NCC-010")
def primary_denied(claim: Json) -> list[Json]:
    service(claim, 0, "S0121")
    return [earlier(claim, "S0120", status="denied")]


@breaks("NCC-011")
def panel_and_part(claim: Json) -> None:
    service(claim, 0, "S0130")
    service(claim, 1, "S0131")


@breaks("NCC-012")
def all_parts(claim: Json) -> None:
    service(claim, 0, "S0131")
    service(claim, 1, "S0132")


@breaks("NCC-006", "outpatient")
def before_the_first_release(claim: Json) -> None:
    claim.update(orjson.loads(orjson.dumps(claim).replace(b'"2026-', b'"2025-')))
