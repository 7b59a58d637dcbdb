"""Services at a distance that are told wrongly."""

# ruff: noqa: D103 - each function is named after what it does

from __future__ import annotations

from campaigns.claiming.defects.defect import Json, breaks, contained, service
from fhir_profiles.systems import CLAIM_EXTENSIONS


def _far(claim: Json, code: str, *modifiers: str, place: str = "10") -> Json:
    line = service(claim, 0, code, *modifiers)
    line["locationCodeableConcept"]["coding"][0]["code"] = place
    return line


@breaks("TEL-001")
def not_listed(claim: Json) -> None:
    _far(claim, "S0201")


@breaks("TEL-002")
def voice_alone(claim: Json) -> None:
    _far(claim, "S0501", "93")


@breaks("TEL-003")
def no_95(claim: Json) -> None:
    contained(claim, "y")["identifier"][0]["value"] = "T"
    _far(claim, "S0501")


@breaks("TEL-004")
def at_home(claim: Json) -> None:
    home = contained(claim, "p")["address"][0]
    _far(claim, "S0501", place="02")["locationAddress"] = dict(home)
    del claim["item"][0]["locationCodeableConcept"]
    claim["extension"] = [{"url": f"{CLAIM_EXTENSIONS}place-of-service", "valueCode": "02"}]


@breaks("TEL-005")
def place_of_the_patient(claim: Json) -> None:
    _far(claim, "S0501")
    service(claim, 1, "Q3014")
