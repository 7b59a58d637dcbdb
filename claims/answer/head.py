"""What an answer repeats of a Claim: who, to whom, of which kind, under which number (https://hl7.org/fhir/R4/claim.html)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from claims.sheet.read import open_claim
from claims.sheet.shapes import Concept, Heading, Identifier, Reference
from fhir_profiles.primitives import PREDICATES
from fhir_profiles.systems import CLAIM_TYPE

Json = dict[str, Any]
USES = ("claim", "preauthorization", "predetermination")
_is_token = lru_cache(maxsize=4_096)(re.compile(r"[^\s]+(?: [^\s]+)*").fullmatch)
_is_uri = lru_cache(maxsize=4_096)(re.compile(r"[a-z][a-zA-Z0-9+.-]*:[^\s]+").fullmatch)
_ADDRESS = re.compile(r"(?:https?://[^\s]+/)?[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?")
_is_text = PREDICATES["string"]
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


class Head(Heading):
    """The head of a Claim as it came."""

    @classmethod
    def of(cls, claim: Heading) -> Head:
        """The head of a claim that was read."""
        return cls(
            claim.resource_type, claim.id, claim.identifier, claim.type, claim.use, claim.patient, claim.insurer,
            claim.provider,
        )  # fmt: skip

    def parts(self) -> Json:
        """The elements of a ClaimResponse that repeat the Claim; what cannot be repeated is said to be unknown."""
        found: Json = {
            "type": _concept(self.type),
            "use": self.use if self.use in USES else "claim",
            "patient": _reference(self.patient, "Patient"),
            "insurer": _reference(self.insurer, "Organization"),
            "request": self._request(),
        }
        if self.provider is not None:
            found["requestor"] = _reference(self.provider, "Organization")
        return found

    def _request(self) -> Json:
        found: Json = {"type": "Claim"}
        if self.id is not None and _ID.fullmatch(self.id):
            found["reference"] = f"Claim/{self.id}"
        numbers = [one for one in self.identifier if (shown := _identifier(one)) and shown]
        if numbers:
            found["identifier"] = _identifier(numbers[0])
        return found if len(found) > 1 else found | {"display": "A claim without a number"}


def read_head(body: bytes) -> Head:
    """The head of a Claim, or of the Claim that is the first entry of a Bundle; errors as `read_claim`."""
    claim, _ = open_claim(body)
    return Head.of(claim)


def _concept(concept: Concept | None) -> Json:
    codings = [
        {"system": coding.system, "code": coding.code}
        for coding in (concept.coding if concept else ())
        if _is_uri(coding.system or CLAIM_TYPE) and coding.system and _is_token(coding.code or "")
    ]
    return {"coding": codings} if codings else {"text": "Not said"}


def _identifier(identifier: Identifier | None) -> Json:
    if identifier is None or not (identifier.value or "").strip() or not _is_text(identifier.value):
        return {}
    found: Json = {"value": identifier.value}
    return found | ({"system": identifier.system} if _is_uri(identifier.system or "") else {})


def _reference(reference: Reference | None, kind: str) -> Json:
    """The same reference where others can follow it; what stands inside the claim is named as such."""
    if reference is None:
        return {"type": kind, "display": "Not said in the claim"}
    found: Json = {}
    if _ADDRESS.fullmatch(reference.reference or ""):
        found["reference"] = reference.reference
    if number := _identifier(reference.identifier):
        found["identifier"] = number
    return found or {"type": kind, "display": "As it came with the claim"}
