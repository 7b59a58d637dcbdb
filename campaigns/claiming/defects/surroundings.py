"""What belongs to an operation, billed apart."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, earlier, service


def _beside(claim: Json, *codes: str) -> None:
    """These services, and nothing else that is an operation or a visit."""
    for number in range(3):
        service(claim, number, (*codes, "S0201", "S0212", "S0213")[number])


@breaks("GLB-001")
def visit_and_small_operation(claim: Json) -> None:
    _beside(claim, "99214", "S0209")


@breaks("GLB-002")
def visit_after(claim: Json) -> list[Json]:
    _beside(claim, "99214")
    return [earlier(claim, "S0207", 60)]


@breaks("GLB-003")
def visit_before(claim: Json) -> None:
    _beside(claim, "99214", "S0207")


@breaks("GLB-004")
def operation_after(claim: Json) -> list[Json]:
    _beside(claim, "S0209")
    return [earlier(claim, "S0208", 9)]


@breaks("GLB-005")
def shares(claim: Json) -> list[Json]:
    _beside(claim, "S0207")
    service(claim, 0, "S0207", "54")
    return [earlier(claim, "S0207", 5)]


@breaks("GLB-006")
def stitches(claim: Json) -> list[Json]:
    _beside(claim, "S0630")
    return [earlier(claim, "S0208", 9)]


@breaks("GLB-007")
def birth_and_part(claim: Json) -> None:
    _beside(claim, "59400", "59425")
