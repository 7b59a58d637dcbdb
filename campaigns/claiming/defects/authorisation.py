"""What was not authorised."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, contained, info, item
from fhir_profiles.systems import CLAIM_EXTENSIONS


@breaks("AUT-001")
def not_authorised(claim: Json) -> None:
    item(claim, "S0006")


@breaks("AUT-002")
def for_another(claim: Json) -> None:
    claim["item"][0]["extension"] = [{"url": f"{CLAIM_EXTENSIONS}authorisation", "valueString": "AU1"}]


@breaks("AUT-003")
def no_referral(claim: Json) -> None:
    contained(claim, "y")["identifier"][0]["value"] = "R"


@breaks("AUT-004")
def nobody_ordered(claim: Json) -> None:
    item(claim, "S0741")


@breaks("AUT-005")
def no_document(claim: Json) -> None:
    info(claim, "attachment", valueString="by post")
