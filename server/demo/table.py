"""Coded resources as rows for a person: code, meaning, confidence, page and the words that prove it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_profiles.systems import CONFIDENCE, CPT, CVX, EVIDENCE_BOX, HCPCS, ICD10CM, ICD10PCS, LOINC, RXNORM

NAMES = {
    ICD10CM: "ICD-10-CM", ICD10PCS: "ICD-10-PCS", CPT: "CPT", HCPCS: "HCPCS", LOINC: "LOINC", RXNORM: "RxNorm",
    CVX: "CVX",
}  # fmt: skip
PLACES = {
    "Condition": "code",
    "Observation": "code",
    "MedicationStatement": "medicationCodeableConcept",
    "Procedure": "code",
    "AllergyIntolerance": "code",
    "Immunization": "vaccineCode",
}

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mark:
    """A rectangle on a page, in fractions of it, with the words in it."""

    page: int
    left: float
    top: float
    width: float
    height: float
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One coded fact. `value` is what was measured or taken, `note` what a person should know."""

    kind: str
    system: str
    code: str
    meaning: str
    value: str
    confidence: float | None
    marks: tuple[Mark, ...]
    note: str = ""

    @property
    def words(self) -> str:
        """The words that prove the code, once for each place that says it."""
        return " · ".join(dict.fromkeys(mark.text.strip(" ,.;:") for mark in self.marks))

    @property
    def pages(self) -> str:
        """The pages they stand on."""
        return ", ".join(str(page) for page in sorted({mark.page for mark in self.marks}))


def rows(resources: Iterable[Json]) -> list[Row]:
    """A row for each coding of what the document says, and for what has no code, in the order of `PLACES`."""
    every = list(resources)
    return [row for kind in PLACES for resource in every if resource["resourceType"] == kind for row in _rows(resource)]


def claimed(resources: Iterable[Json]) -> set[tuple[str, str]]:
    """The codes (system name, code) that stand on the draft Claim."""
    claims = [resource for resource in resources if resource["resourceType"] == "Claim"]
    concepts = [d["diagnosisCodeableConcept"] for claim in claims for d in claim.get("diagnosis", ())]
    concepts += [item["productOrService"] for claim in claims for item in claim.get("item", ())]
    return {(NAMES.get(c["system"], c["system"]), c["code"]) for concept in concepts for c in concept.get("coding", ())}


def _rows(resource: Json) -> Iterator[Row]:
    concept = resource[PLACES[resource["resourceType"]]]
    uncoded = {"system": "", "code": "", "display": concept.get("text", ""), "extension": concept.get("extension", ())}
    for coding in concept.get("coding") or [uncoded]:
        extensions = coding.get("extension", ())
        sure = next((float(e["valueDecimal"]) for e in extensions if e["url"] == CONFIDENCE), None)
        yield Row(
            kind=resource["resourceType"],
            system=NAMES.get(coding["system"], coding["system"]),
            code=coding["code"],
            meaning=coding.get("display", ""),
            value=_value(resource),
            confidence=sure,
            marks=tuple(_mark(e) for e in extensions if e["url"] == EVIDENCE_BOX),
            note=_note(resource),
        )


def _mark(extension: Json) -> Mark:
    parts = {part["url"]: next(v for k, v in part.items() if k != "url") for part in extension["extension"]}
    left, top, width, height = (float(parts[side]) for side in ("left", "top", "width", "height"))
    return Mark(int(parts["page"]), left, top, width, height, parts.get("text", ""))


def _value(resource: Json) -> str:
    """The measured value, or the dose, as a person writes it."""
    if parts := resource.get("component"):
        numbers = "/".join(str(part["valueQuantity"]["value"]) for part in parts if "valueQuantity" in part)
        return f"{numbers} {parts[0].get('valueQuantity', {}).get('unit', '')}".strip()
    if quantity := resource.get("valueQuantity"):
        flags = "".join(f" ({flag.get('text')})" for flag in resource.get("interpretation", ()))
        return f"{quantity.get('comparator', '')}{quantity['value']} {quantity.get('unit', '')}".strip() + flags
    if spread := resource.get("valueRange"):
        return f"{spread['low']['value']} to {spread['high']['value']} {spread['low'].get('unit', '')}".strip()
    if "valueString" in resource:
        return str(resource["valueString"])
    for dosage in resource.get("dosage", ()):
        for given in dosage.get("doseAndRate", ()):
            dose = given["doseQuantity"]
            often = dosage.get("timing", {}).get("code", {}).get("text", "")
            return f"{dose['value']} {dose.get('unit', '')} {often}".strip()
    return ""


def _note(resource: Json) -> str:
    """The review tags and statuses that are not the plain case."""
    tags = [tag["code"] for tag in resource.get("meta", {}).get("tag", ()) if tag["code"] in ("doubtful", "suggested")]
    clinical = resource.get("clinicalStatus", {}).get("coding", [{}])[0].get("code")
    verified = resource.get("verificationStatus", {}).get("coding", [{}])[0].get("code")
    plain = (None, "active", "confirmed", "unconfirmed")
    return ", ".join([*tags, *(status for status in (clinical, verified) if status not in plain)])
